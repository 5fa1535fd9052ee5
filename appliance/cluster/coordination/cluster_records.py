"""What etcd holds of a cluster and its members, as JSON: written, read, and the rules by which members change.

A record has a format. A reader ignores names that it does not know, so that a later version may add some; a record
of another format is not understood, and what is in force stays.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from ipaddress import ip_address
from typing import Any, Final

from appliance.messages.membership import Member, Membership

FORMAT: Final = 1
MEMBERS_MAX: Final = 15
NUMBER_MAX: Final = 4095
KEY_LEN: Final = 32
LINK_KEY_LEN: Final = 40
FIRST_NUMBER: Final = 1


class RecordUnusable(Exception):
    """What etcd holds cannot be understood; the message is a sentence."""


class MembershipRefused(Exception):
    """The members may not change so; the message is a sentence for the operator."""


@dataclass(frozen=True, slots=True)
class ClusterRecord:
    """What a cluster is. `key_hex`: its secret key; `created`: unix time."""

    key_hex: str
    created: float

    def to_octets(self) -> bytes:
        """As it is stored."""
        return _written(asdict(self))

    @classmethod
    def from_octets(cls, octets: bytes) -> ClusterRecord:
        """Raises RecordUnusable."""
        try:
            fields = _read(octets)
            record = cls(str(fields["key_hex"]), float(fields["created"]))
            if len(bytes.fromhex(record.key_hex)) != KEY_LEN:
                raise ValueError(f"the key has not {KEY_LEN} octets")
        except (ValueError, TypeError, KeyError) as fault:
            raise RecordUnusable(f"The record of the cluster in etcd cannot be used: {fault!r}.") from fault
        return record


@dataclass(frozen=True, slots=True)
class MembershipRecord:
    """The members, and the number of the one that joins next: numbers are never used again.

    `former`: names of the members of the version before, by number; none where that is not known.
    """

    membership: Membership
    next_number: int
    former: tuple[tuple[int, str], ...] = ()

    def to_octets(self) -> bytes:
        """As it is stored."""
        members = [asdict(member) for member in self.membership.members]
        version = self.membership.version
        return _written(
            {"version": version, "next_number": self.next_number, "members": members, "former": self.former}
        )

    @classmethod
    def from_octets(cls, octets: bytes) -> MembershipRecord:
        """Raises RecordUnusable."""
        try:
            fields = _read(octets)
            members = tuple(_member(each) for each in fields["members"])
            former = tuple((int(number), str(name)) for number, name in fields.get("former", ()))
            record = cls(Membership(int(fields["version"]), members), int(fields["next_number"]), former)
            _check(record)
        except (ValueError, TypeError, KeyError, AttributeError) as fault:
            raise RecordUnusable(f"The members of the cluster in etcd cannot be used: {fault!r}.") from fault
        return record

    def with_member(self, joining: Member) -> MembershipRecord:
        """One member more, which gets the next number. Raises MembershipRefused."""
        membership = self.membership
        for member in membership.members:
            _refuse_twin(member, joining)
        if len(membership.members) >= MEMBERS_MAX:
            raise MembershipRefused(f"The cluster has {MEMBERS_MAX} members, which is the maximum.")
        if self.next_number > NUMBER_MAX:
            raise MembershipRefused(f"{NUMBER_MAX} members have joined the cluster so far, which is the maximum.")
        numbered = replace(joining, number=self.next_number)
        changed = Membership(membership.version + 1, (*membership.members, numbered))
        return MembershipRecord(changed, self.next_number + 1, self.names)

    def without_member(self, name: str) -> MembershipRecord:
        """One member less. Raises MembershipRefused."""
        members = self.membership.members
        left = tuple(member for member in members if member.name != name)
        if len(left) == len(members):
            names = ", ".join(member.name for member in members)
            raise MembershipRefused(f"The cluster has no member {name}. Its members are {names}.")
        return MembershipRecord(Membership(self.membership.version + 1, left), self.next_number, self.names)

    @property
    def names(self) -> tuple[tuple[int, str], ...]:
        """Names of the members, by number."""
        return tuple((member.number, member.name) for member in self.membership.members)

    def by_name(self, name: str) -> Member | None:
        """The member of this name."""
        return next((member for member in self.membership.members if member.name == name), None)

    def by_link_key(self, public_key: str) -> Member | None:
        """The member with this public key of its links."""
        return next((member for member in self.membership.members if member.public_key == public_key), None)


def first_membership(member: Member) -> MembershipRecord:
    """A cluster of one."""
    numbered = replace(member, number=FIRST_NUMBER)
    return MembershipRecord(Membership(1, (numbered,)), FIRST_NUMBER + 1)


def _refuse_twin(member: Member, joining: Member) -> None:
    if member.name == joining.name:
        raise MembershipRefused(
            f"The cluster has a member {member.name} already, at {member.host}. Use --node NAME, or remove that one "
            f"with `signalbox cluster remove {member.name}`."
        )
    places = {(member.host, member.port), (member.host, member.link_port)}
    if places & {(joining.host, joining.port), (joining.host, joining.link_port)}:
        raise MembershipRefused(
            f"The member {member.name} has the address {member.host} and a port of {joining.port} and "
            f"{joining.link_port} already. Use another address, or --heartbeat-port and --link-port."
        )


def _member(fields: dict[str, Any]) -> Member:
    known = {name: fields[name] for name in Member.__slots__ if name in fields}
    member = Member(**known)
    ip_address(member.host)
    if len(member.public_key) != LINK_KEY_LEN or not member.name:
        raise ValueError(f"member {member.number} has no name, or no public key")
    if not 0 < member.port < 65536 or not 0 < member.link_port < 65536:
        raise ValueError(f"member {member.number} has no ports")
    return member


def _check(record: MembershipRecord) -> None:
    members = record.membership.members
    for what in ({member.number for member in members}, {member.name for member in members}):
        if len(what) != len(members):
            raise ValueError("two members have one number or one name")
    if not all(0 < member.number < record.next_number for member in members) or record.membership.version < 1:
        raise ValueError("a number is out of range")


def _written(fields: dict[str, Any]) -> bytes:
    return json.dumps({"format": FORMAT, **fields}, sort_keys=True).encode()


def _read(octets: bytes) -> dict[str, Any]:
    fields = json.loads(octets)
    if fields["format"] != FORMAT:
        raise ValueError(f"format {fields['format']!r}, this version reads {FORMAT}")
    return dict(fields)
