"""The arguments of a request: taken out one by one, each of its kind and within its bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from appliance.management.errors import Refused

TEXT_LEN_MAX: Final = 1024
PLACE_LEN_MAX: Final = 8192
ROWS_DEFAULT: Final = 100
ROWS_MAX: Final = 1000


class Arguments:
    """Raises Refused for what is missing or wrong."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def text(self, name: str, default: str | None = None, len_max: int = TEXT_LEN_MAX) -> str:
        """A text."""
        value = self._values.get(name, default)
        if value is None:
            raise Refused(f"The argument `{name}` is missing.")
        if not isinstance(value, str) or len(value) > len_max:
            raise Refused(f"The argument `{name}` is not a text of up to {len_max} characters.")
        return value

    def integer(self, name: str, least: int, most: int, default: int | None = None) -> int:
        """A whole number within bounds."""
        value = self._values.get(name, default)
        if value is None:
            raise Refused(f"The argument `{name}` is missing.")
        if type(value) is not int or not least <= value <= most:
            raise Refused(f"`{name}` cannot be {value!r}.", f"use a whole number from {least} to {most}")
        return value

    def number(self, name: str, least: float, most: float, default: float) -> float:
        """A number within bounds."""
        value = self._values.get(name, default)
        if type(value) not in (int, float) or not least <= value <= most:
            raise Refused(f"`{name}` cannot be {value!r}.", f"use a number from {least:g} to {most:g}")
        return float(value)

    def flag(self, name: str) -> bool:
        """Yes or no."""
        value = self._values.get(name, False)
        if type(value) is not bool:
            raise Refused(f"`{name}` cannot be {value!r}.", "use true or false")
        return value

    def part(self) -> str | None:
        """Where a part of a long table begins: `next` of the part before, "" for the first; None for no part."""
        return self.text("after", len_max=PLACE_LEN_MAX) if "after" in self._values else None

    def limit(self) -> int:
        """How many rows are wanted."""
        return self.integer("limit", 1, ROWS_MAX, ROWS_DEFAULT)
