"""When the members may change again (docs/cluster.md): when no node can own an address by the version before any more.

Each member says in etcd which version of the membership its lease process has in force, once it acknowledges no owner
of the version before and what it has acknowledged is over. What it has said outlives it: a member that is dead or cut
off from etcd may still go by what it has said last. An owner needs a majority of its own version. So when fewer than a
majority of the version before can be left that go by it, it is over; and the present version and the next one have in
each two majorities a member in common. Besides, no member that is present shall miss a version: it would lose its
addresses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from appliance.cluster.coordination.key_store import Entry
from appliance.messages.membership import NO_MEMBER

Names = Mapping[int, str]
DIGITS_MAX: Final = 10


@dataclass(frozen=True, slots=True)
class VersionsInForce:
    """What etcd holds of it. `by_member`: the last version that each member has said; `present`: those that run."""

    by_member: Mapping[int, int] = field(default_factory=dict)
    present: frozenset[int] = frozenset()

    def refusal(self, version: int, members: Names, former: Names, gone: int = NO_MEMBER, is_off: bool = False) -> str:
        """Why the members may not change now; "" when they may.

        `version`, `members`: the present ones; `former`: those of the version before. `gone`: who is taken out by the
        change; `is_off`: it goes by no version any more, for it leaves by itself, or an operator knows it.
        """
        if version == 1:
            return ""
        lagging = [number for number in members if self.by_member.get(number, 0) < version and number != gone]
        if late := [members[number] for number in lagging if number in self.present]:
            return (
                f"The last change of the members, version {version}, is not in force on {_listed(late)} yet. That "
                "takes up to 15 seconds where etcd is reached: try again then. If it stays so, restart the appliance "
                "or the witness there, or remove that member."
            )
        taken = {number for number, known in self.by_member.items() if known >= version} | ({gone} if is_off else set())
        if _has_majority(taken, members) or _has_majority(taken, former):
            return ""
        unknown = [name for number, name in {**former, **members}.items() if number not in taken]
        return (
            f"{_listed(unknown)} may still go by version {version - 1} of the members, and own addresses by it. Start "
            f"them with access to etcd, and try again. If one is switched off for good, type `signalbox cluster remove "
            "NAME --off` for it."
        )


def version_in(entry: Entry | None) -> int:
    """What a member has said; 0 for nothing that can be understood."""
    if entry is None or not entry.value.isdigit() or len(entry.value) > DIGITS_MAX:
        return 0
    return int(entry.value)


def _has_majority(taken: set[int], members: Names) -> bool:
    return len(taken & members.keys()) > len(members) // 2


def _listed(names: list[str]) -> str:
    return ", ".join(names[:-1]) + f" and {names[-1]}" if len(names) > 1 else names[0]
