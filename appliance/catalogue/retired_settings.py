"""Settings that older versions had and this one has not.

A configuration that still holds one is loaded without it, with a warning that says what replaced it: an upgraded
appliance starts with its own last commit. The next commit from the shell is without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class RetiredSetting:
    """`section`: the keyword of its section, "" for none. `replacement`: what to use instead, "" for nothing."""

    section: str
    words: tuple[str, ...]
    replacement: str

    @property
    def warning(self) -> str:
        name = " ".join((self.section, *self.words)).strip()
        instead = f"use {self.replacement} instead" if self.replacement else "nothing replaces it"
        return f"The setting `{name}` of an earlier version is ignored: {instead}."


RETIRED_SETTINGS: Final = (
    RetiredSetting("limits", ("requests", "waiting"), "`limits lookup waiting` and `limits query waiting`"),
    RetiredSetting("limits", ("bus", "queue"), ""),
    RetiredSetting("limits", ("replication", "wait"), "`limits registration wait`"),
    RetiredSetting("", ("journal",), "`persist interval`"),
)


def retired_setting(section: str, typed: Sequence[str]) -> RetiredSetting | None:
    """The retired setting of that section whose words begin the line; None if there is none. Not abbreviated."""
    words = [word.lower() for word in typed]
    return next(
        (
            retired
            for retired in RETIRED_SETTINGS
            if retired.section == section and words[: len(retired.words)] == list(retired.words)
        ),
        None,
    )
