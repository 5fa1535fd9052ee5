"""The kind of a value that names a section of the configuration that a region may own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from appliance.catalogue.errors import ValueFault
from appliance.catalogue.value_types import Host, Kind, Name, read_choice

# Those that concern the calls of the region only. A lookup reads files with secrets, and a listener is there for all.
OWNABLE: Final[dict[str, Kind]] = {
    "route-policy": Name(),
    "domain-route": Host(is_bracketed=True),
    "translation": Name(),
    "condition": Name(),
}


@dataclass(frozen=True, slots=True)
class OwnedSection:
    """`SECTION NAME`, as the line of the section is written."""

    placeholder: str = f"{' | '.join(OWNABLE)} NAME"
    range_text: str = f"one of {', '.join(OWNABLE)}, and its name"

    def read(self, words: Sequence[str]) -> str:
        if len(words) != 2:
            raise ValueFault("a section and its name are expected", f"type {self.placeholder}")
        keyword = read_choice(words[0], tuple(OWNABLE))
        return f"{keyword} {OWNABLE[keyword].read(words[1:])}"

    def write(self, value: str) -> list[str]:
        return value.split()
