"""Values that are right by themselves and wrong together: what is said of them."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.catalogue.errors import Fault


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Values that cannot be together.

    `attributes`: the settings that were looked at, the one to point at first. `item`: the place of
    the value in a setting that has many, or of the listener; -1 for none. `inner`: the setting of that listener.
    """

    attributes: tuple[str, ...]
    problem: str
    remedy: str
    item: int = -1
    inner: str = ""

    def fault_in_code(self) -> Fault:
        """The fault where there is no text to point at."""
        return Fault(0, 0, self.problem, self.remedy)
