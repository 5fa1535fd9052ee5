"""The man pages and the completion of the command line, made from its parser: `python -m appliance.commands.man_pages`.

    man_pages FOLDER VERSION

writes signalbox.1 and one page for each subcommand, signalbox-shell.1, signalbox.conf.5, and signalbox.bash.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from appliance.commands.command_line import command_line
from appliance.manual.man_page import entry, heading, part
from appliance.manual.man_pages import configuration_page, shell_page

FILES = (
    ("/etc/signalbox/signalbox.conf", "The configuration file of the service; see `signalbox.conf`(5)."),
    ("/var/lib/signalbox", "The state: commits, subscribers, registrations, log."),
    ("/run/signalbox", "The sockets of the service."),
)
STATUS = (
    ("0", "Done."),
    ("1", "It could not be done; standard error says why."),
    ("2", "The command line is wrong."),
    ("78", "The appliance cannot start before an operator has changed something."),
)


def write_all(folder: Path, version: str) -> None:
    """Write every page, and the completion."""
    folder.mkdir(parents=True, exist_ok=True)
    parser = command_line()
    (folder / "signalbox.1").write_text(command_page(parser, version), "utf-8")
    for name, subparser in subparsers(parser).items():
        (folder / f"signalbox-{name}.1").write_text(subcommand_page(name, subparser, version), "utf-8")
    (folder / "signalbox-shell.1").write_text(shell_page(version), "utf-8")
    (folder / "signalbox.conf.5").write_text(configuration_page(version), "utf-8")
    (folder / "signalbox.bash").write_text(completion(parser), "utf-8")


def subparsers(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The parsers of the subcommands, by name."""
    found = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return {name: inner for action in found for name, inner in action.choices.items()}


def command_page(parser: argparse.ArgumentParser, version: str) -> str:
    """signalbox(1)."""
    lines = heading("signalbox", 1, version, "SIP signaling appliance")
    lines += part("Synopsis", ["`signalbox` COMMAND [OPTION]..."])
    lines += part("Description", [parser.description or ""])
    lines += part("Commands")
    for name, inner in subparsers(parser).items():
        lines += entry(f"signalbox {name}", f"{inner.description} See `signalbox-{name}`(1).")
    return _ended(lines)


def subcommand_page(name: str, parser: argparse.ArgumentParser, version: str) -> str:
    """signalbox-NAME(1)."""
    summary = (parser.description or "").split(". ")[0].rstrip(".")
    lines = heading(f"signalbox-{name}", 1, version, summary[:1].lower() + summary[1:])
    inner = subparsers(parser)
    usages = inner.values() if inner else [parser]
    lines += part("Synopsis", [usage_of(each) for each in usages])
    lines += part("Description", [parser.description or ""])
    for title, each in inner.items():
        lines += [*part(title, [each.description or ""]), *_options(each)]
    if not inner:
        lines += [*part("Options"), *_options(parser)]
    return _ended(lines)


def usage_of(parser: argparse.ArgumentParser) -> str:
    """How it is typed."""
    words = parser.format_usage().removeprefix("usage: ").split()
    return " ".join(words)


def _options(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            continue
        value = str(action.metavar or action.dest.upper()) if action.nargs != 0 else ""
        names = ", ".join(f"{name} {value}".strip() for name in action.option_strings) or value
        help = action.help or ""
        help = help.replace("%(default)s", str(action.default))
        yield from entry(names, f"{help[:1].upper()}{help[1:]}{'' if help.endswith('.') else '.'}" if help else "")


def _ended(lines: list[str]) -> str:
    for title, rows in (("Exit status", STATUS), ("Files", FILES)):
        lines += part(title)
        for term, meaning in rows:
            lines += entry(term, meaning)
    lines += part("See also", ["`signalbox-shell`(1), `signalbox.conf`(5), /usr/share/doc/signalbox"])
    return "\n".join(lines) + "\n"


# -- completion --------------------------------------------------------------------------------------

COMPLETION = """\
# Completion of bash for signalbox; made from its command line.

_signalbox() {
    local word=$2 before=$3 path="" index
    for ((index = 1; index < COMP_CWORD; index++)); do
        case ${COMP_WORDS[index]} in
            -*) ;;
            *) [[ ${COMP_WORDS[index - 1]} == --* ]] || path+=" ${COMP_WORDS[index]}" ;;
        esac
    done
    case $before in
@FILES@) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    esac
    local words
    case $path in
@WORDS@
        *) words="" ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
    [[ $word == -* || -n $words && ${#COMPREPLY[@]} -gt 0 ]] || mapfile -t COMPREPLY < <(compgen -f -- "$word")
}
complete -o filenames -F _signalbox signalbox
"""


def completion(parser: argparse.ArgumentParser) -> str:
    """A script that completes subcommands, options and files."""
    cases = "\n".join(f'        "{path}") words="{" ".join(words)}" ;;' for path, words in _words(parser, ""))
    files = "        " + "|".join(dict.fromkeys(_file_options(parser)))
    return COMPLETION.replace("@WORDS@", cases).replace("@FILES@", files)


def _words(parser: argparse.ArgumentParser, path: str) -> Iterator[tuple[str, list[str]]]:
    """After each subcommand, what may follow."""
    inner = subparsers(parser)
    options = [name for action in parser._actions for name in action.option_strings if name.startswith("--")]
    yield path, [*inner, *options]
    for name, each in inner.items():
        yield from _words(each, f"{path} {name}")


def _file_options(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        if action.type is Path:
            yield from action.option_strings
    for each in subparsers(parser).values():
        yield from _file_options(each)


if __name__ == "__main__":
    write_all(Path(sys.argv[1]), sys.argv[2])
