"""The kind of a value that names a next hop: a SIP URI without a user."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from appliance.catalogue.errors import ValueFault

_HOP: Final = re.compile(
    r"sips?:(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?:;transport=(?:udp|tcp|tls))?"
)


@dataclass(frozen=True, slots=True)
class HopUri:
    """`sip:HOST[:PORT][;transport=tcp]`, in lower case."""

    placeholder: str = "sip:HOST[:PORT]"
    range_text: str = "a SIP URI without a user, such as sip:192.0.2.1:5070;transport=tcp"

    def read(self, words: Sequence[str]) -> str:
        word = " ".join(words).lower()
        match = _HOP.fullmatch(word)
        if match is None or int(match["port"] or 0) > 65535:
            raise ValueFault(f'"{word}" is not a next hop', f"type {self.range_text}")
        return word

    def write(self, value: str) -> list[str]:
        return [value]
