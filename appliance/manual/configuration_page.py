"""docs/configuration.md, made from the catalogue: the language, and a file with every setting at its default.

`python -m appliance.manual.configuration_page > docs/configuration.md` writes it anew; a test fails when it lags.
"""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap
from typing import Final

from appliance.catalogue.setting_declaration import Section, Setting, declared, sections
from appliance.catalogue.settings import Settings
from appliance.configuration.text import write_value

WIDTH: Final = 110
EXAMPLE: Final = "example"

TITLE = """\
# Configuration

<!-- Made by `python -m appliance.manual.configuration_page`; change the catalogue, not this page. -->

A configuration is text, one setting per line. The settings of a section are indented under the line of the section.
A line that begins with `!` is a comment. Settings that are not present have their defaults, so an empty file is valid.

    hostname box
    domain example.com
    listener phones
      address 192.0.2.10
    !
    registrar
      expires default 1800
    !

Keywords are not case-sensitive and can be abbreviated as long as they are unique. `no` turns a switch off and restores
the default of any other setting. A value with spaces requires double quotes.

`signalbox check --config FILE` reports every fault with its line and a correction. While an appliance runs, change its
configuration with the shell ([cli.md](cli.md)); `show running-config all` prints it with all defaults.
[reference.md](reference.md#configuration) states when a change of each setting is applied.

## Every setting at its default

A setting without a default is shown as a comment. `{example}` stands for any name.
"""


def write_page() -> str:
    """The page, as Markdown."""
    return "\n".join([TITLE.format(example=EXAMPLE), "```", *whole_file(), "```", ""])


def whole_file() -> Iterator[str]:
    """The lines of a configuration that says everything, each setting under a remark on what it does."""
    for setting in declared(Settings):
        yield from _lines_of(setting, "")
    for section in sections(Settings):
        yield from _section(section)


def _section(section: Section) -> Iterator[str]:
    yield from _remark(section.help, "")
    yield f"{section.keyword} {EXAMPLE}" if section.name_kind else section.keyword
    for setting in declared(section.settings_class):
        yield from _lines_of(setting, "  ")
    yield "!"
    yield ""


def _lines_of(setting: Setting, indent: str) -> Iterator[str]:
    yield from _remark(f"{setting.help} Value: {setting.range_text}.", indent)
    yield indent + _line_of(setting)
    if not indent:
        yield ""


def _line_of(setting: Setting) -> str:
    if setting.is_switch:
        return setting.keyword if setting.default else f"no {setting.keyword}"
    if setting.default in ("", ()):
        return f"! {setting.syntax}"
    return f"{setting.keyword} {write_value(setting, setting.default)}"


def _remark(text: str, indent: str) -> list[str]:
    prefix = f"{indent}! "
    return wrap(text, WIDTH, initial_indent=prefix, subsequent_indent=prefix, break_on_hyphens=False)


if __name__ == "__main__":
    print(write_page(), end="")
