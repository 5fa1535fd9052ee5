"""The candidate of one operator: a draft, and the commit it began from. Nobody else sees it before a commit."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cli.differences import differences
from cli.draft import Draft, read_draft, write_draft


@dataclass(frozen=True, slots=True)
class Candidate:
    """`base` is the number of the commit it began from, `base_text` the text of that commit."""

    base: int
    base_text: str
    draft: Draft

    @property
    def text(self) -> str:
        """The configuration as a commit would make it."""
        return write_draft(self.draft)

    @property
    def difference(self) -> list[str]:
        """What a commit would change, by section; [] for nothing."""
        return differences(self.base_text, self.text)

    @property
    def is_changed(self) -> bool:
        """Would a commit change anything?"""
        return self.text != self.base_text

    def with_draft(self, draft: Draft) -> Candidate:
        """The same beginning, another draft."""
        return replace(self, draft=draft)


def candidate_of(text: str, number: int) -> Candidate:
    """A candidate that is what commit `number` says."""
    draft = read_draft(text)
    return Candidate(number, write_draft(draft), draft)
