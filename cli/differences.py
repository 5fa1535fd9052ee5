"""The differences between two configurations, section by section:

      listener phones
    -   port 5060
    +   port 5062

The texts are as `show running-config` prints them.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher

from appliance.catalogue.setting_declaration import sections
from appliance.catalogue.settings import Settings
from appliance.configuration.text import SEPARATOR


def differences(old: str, new: str) -> list[str]:
    """The lines that differ, each after `-` or `+`, under the line of their section; [] when nothing does."""
    before, after = _sections(old), _sections(new)
    lines: list[str] = []
    for header in dict.fromkeys([*before, *after]):
        lines.extend(_section_difference(header, before.get(header), after.get(header)))
    return lines


def _sections(text: str) -> dict[str, list[str]]:
    """The lines of each section by the line that begins it; those outside of any by ""."""
    keywords = {section.keyword for section in sections(Settings)}
    found: dict[str, list[str]] = {"": []}
    header = ""
    for line in text.splitlines():
        if not line.strip() or line.strip() == SEPARATOR:
            header = ""
        elif line[0].isspace():
            found[header].append(line)
        else:
            header = line if line.split()[0] in keywords else ""
            found.setdefault(header, []).extend([] if header else [line])
    return found


def _section_difference(header: str, old: list[str] | None, new: list[str] | None) -> Iterator[str]:
    if old is None or new is None:
        sign = "+" if old is None else "-"
        yield f"{sign} {header}"
        yield from (f"{sign} {line}" for line in new or old or ())
        return
    changed = list(_changed(old, new))
    if changed and header:
        yield f"  {header}"
    yield from changed


def _changed(old: list[str], new: list[str]) -> Iterator[str]:
    for tag, first, last, from_, to in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            yield from (f"- {line}" for line in old[first:last])
            yield from (f"+ {line}" for line in new[from_:to])
