"""The kind of a value that names the origin of a web page (RFC 6454 6.2)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from appliance.catalogue.errors import ValueFault

_ORIGIN: Final = re.compile(
    r"https?://(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::(?P<port>[1-9][0-9]{0,4}))?"
)
# Browsers leave it out.
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}


@dataclass(frozen=True, slots=True)
class WebOrigin:
    """`https://HOST[:PORT]` as a browser sends it: in lower case, without the default port."""

    placeholder: str = "https://HOST[:PORT]"
    range_text: str = "the origin of a web page, such as https://phone.example.com"

    def read(self, words: Sequence[str]) -> str:
        word = " ".join(words).lower()
        match = _ORIGIN.fullmatch(word)
        if match is None or int(match["port"] or 0) > 65535:
            raise ValueFault(f'"{word}" is not the origin of a web page', f"type {self.placeholder}, without a path")
        return word.removesuffix(_DEFAULT_PORTS[word.partition(":")[0]])

    def write(self, value: str) -> list[str]:
        return [value]
