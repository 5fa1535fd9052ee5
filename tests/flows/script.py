"""The text of a call flow: lines to steps. README.md says what each line means."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

# What a line may look like, by the kind of its step; the first that fits counts.
FORMS = {
    "send": r"(?P<name>\w+) -> proxy +(?P<again>again )?(?P<what>\S+) ?(?P<rest>.*)",
    "expect": r"proxy -> (?P<name>\w+) +(?P<again>again )?(?P<what>\S+) ?(?P<rest>.*)",
    "after": r"after (?P<seconds>[\d.]+) s",
    "ask": r"proxy \? (?P<kind>host|subscriber|enum|lookup|NAPTR|SRV) +(?P<subject>\S.*)",
    "answer": r"answer (?P<words>.+)",
    "event": r"event (?P<name>\w+)",
    "counted": r"counted (?P<counter>\w+) (?P<number>\d+)",
    "listener": r"listener (?P<address>\S+)(?P<transports>( udp| tcp| tls| ws| wss)+)",
    "setting": r"setting (?P<path>[\w.]+) (?P<value>\S+)",
    "section": r"section (?P<header>.+)",
    "subscriber": r"subscriber (?P<name>\w+)( password (?P<password>\S+))?",
    "route": r"route (?P<prefix>\S+) (?P<action>.+)",
    "domain": r"domain (?P<name>\S+) (?P<hops>\S+)",
    "policy_of": r"policy_of (?P<source>\S+) (?P<table>\S+)",
    "policy": r"policy (?P<attribute>\w+) (?P<value>\S+)",
    "host": r"host (?P<host>\S+) is (?P<addresses>.+)",
    "records": r"dns (?P<type>NAPTR|SRV) (?P<domain>\S+) is (?P<records>.+)",
    "registered": r"registered (?P<name>\w+) at (?P<address>\S+)(?P<transport> tcp| tls| ws| wss)?",
    "peer": r"(?P<name>\w+) at (?P<address>\S+)(?P<transport> tcp| tls| ws| wss)?",
}


class ScriptError(Exception):
    """A line that cannot be read."""


@dataclass
class Step:
    """One line with its options (`; key words, ...`) and the header lines indented below it."""

    number: int
    text: str
    kind: str
    words: dict[str, str]
    options: dict[str, str]
    details: list[str] = field(default_factory=list)


def parse_script(path: Path) -> list[Step]:
    """The steps of a flow file, in order."""
    steps: list[Step] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line[0] == " ":
            steps[-1].details.append(line.strip())
        else:
            steps.append(_parse_line(number, line.rstrip()))
    return steps


def _parse_line(number: int, line: str) -> Step:
    text, _, options = line.partition(" ; ")
    for kind, form in FORMS.items():
        match = re.fullmatch(form, text.strip())
        if match is not None:
            words = {name: (word or "").strip() for name, word in match.groupdict().items()}
            return Step(number, line, kind, words, _parse_options(options))
    raise ScriptError(f"line {number}: no step looks like this: {line}")


def _parse_options(text: str) -> dict[str, str]:
    options = {}
    for part in text.split(","):
        key, _, value = part.strip().partition(" ")
        if key:
            options[key] = value.strip()
    return options
