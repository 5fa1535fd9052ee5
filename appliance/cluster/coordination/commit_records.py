"""What etcd holds of the configuration of a cluster, as JSON: commits, the proposal that is being decided, and votes.

A reader ignores names that it does not know; a record of another format is not understood.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from appliance.cluster.coordination.cluster_records import FORMAT, RecordUnusable
from appliance.messages.cluster_commits import CommitProposal
from appliance.storage.commits import TEXT_LEN_MAX, Commit

RECORD_LEN_MAX: Final = 1_000_000
"""Octets of a commit; etcd takes requests of one and a half million."""
_TYPES: Final = {"int": int, "float": float, "str": str}


@dataclass(frozen=True, slots=True)
class CommitRecord:
    """A commit, and the id of the proposal that it came of, "" for none."""

    commit: Commit
    proposal: str = ""

    def to_octets(self) -> bytes:
        """As it is stored."""
        return _written({**asdict(self.commit), "proposal": self.proposal})

    @classmethod
    def from_octets(cls, octets: bytes) -> CommitRecord:
        """Raises RecordUnusable."""
        try:
            found = _read(octets)
            return cls(Commit(**_typed(Commit, found)), str(found["proposal"]))
        except (ValueError, TypeError, KeyError) as fault:
            raise RecordUnusable(f"A commit in etcd cannot be used: {fault!r}.") from fault


@dataclass(frozen=True, slots=True)
class Proposal:
    """What member `member` proposes, and the members that were present then and have to agree."""

    asked: CommitProposal
    member: int
    voters: tuple[int, ...]

    def to_octets(self) -> bytes:
        """As it is stored."""
        return _written({**asdict(self.asked), "member": self.member, "voters": self.voters})

    @classmethod
    def from_octets(cls, octets: bytes) -> Proposal:
        """Raises RecordUnusable."""
        try:
            found = _read(octets)
            voters = tuple(int(number) for number in found["voters"])
            return cls(CommitProposal(**_typed(CommitProposal, found)), int(found["member"]), voters)
        except (ValueError, TypeError, KeyError) as fault:
            raise RecordUnusable(f"A proposal in etcd cannot be used: {fault!r}.") from fault


@dataclass(frozen=True, slots=True)
class Vote:
    """What a member says to the proposal `id`: `fault` is why it cannot take it, "" when it can."""

    id: str
    fault: str

    def to_octets(self) -> bytes:
        """As it is stored."""
        return _written({"id": self.id, "fault": self.fault[:TEXT_LEN_MAX]})

    @classmethod
    def from_octets(cls, octets: bytes) -> Vote:
        """Raises RecordUnusable."""
        try:
            found = _read(octets)
            return cls(str(found["id"]), str(found["fault"]))
        except (ValueError, TypeError, KeyError) as fault:
            raise RecordUnusable(f"A vote in etcd cannot be used: {fault!r}.") from fault


def head_octets(number: int) -> bytes:
    """The number of the commit in force, as it is stored."""
    return _written({"number": number})


def head_number(octets: bytes) -> int:
    """Raises RecordUnusable."""
    try:
        number = int(_read(octets)["number"])
        if number < 1:
            raise ValueError(f"there is no commit {number}")
    except (ValueError, TypeError, KeyError) as fault:
        raise RecordUnusable(f"The number of the configuration in etcd cannot be used: {fault!r}.") from fault
    return number


def _typed(record: type, found: dict[str, Any]) -> dict[str, Any]:
    return {each.name: _TYPES[str(each.type)](found[each.name]) for each in fields(record)}


def _written(found: dict[str, Any]) -> bytes:
    return json.dumps({"format": FORMAT, **found}, sort_keys=True).encode()


def _read(octets: bytes) -> dict[str, Any]:
    found = json.loads(octets)
    if found["format"] != FORMAT:
        raise ValueError(f"format {found['format']!r}, this version reads {FORMAT}")
    return dict(found)
