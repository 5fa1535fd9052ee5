"""The names of a cluster's keys in etcd. All begin with /signalbox/NAME/, which is what etcd's access control is about.

    cluster              what the cluster is, and its secret key
    membership           its members, their version, the next number
    token/HASH           a token to join with, as long as its lease lives
    presence/NUMBER      a member that runs, as long as its lease lives
    in-force/NUMBER      the version of the members that this one goes by
    sealing              the keys that seal tokens
    takeover/A/EPOCH     a take-over of the virtual address A
    epoch/A              the last epoch of it
    configuration/head       the number of the commit in force
    configuration/commit/N   a commit
    configuration/proposal   the commit that is being decided, as long as its lease lives
    configuration/vote/M     what a member says to it
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

NAME_PATTERN: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")
NAME_RULE: Final = "it has 1 to 32 lower-case letters, digits and hyphens, and begins and ends with no hyphen"


@dataclass(frozen=True, slots=True)
class ClusterKeys:
    """The keys of one cluster."""

    name: str

    @property
    def prefix(self) -> str:
        """What all of them begin with."""
        return f"/signalbox/{self.name}/"

    @property
    def cluster(self) -> str:
        return f"{self.prefix}cluster"

    @property
    def membership(self) -> str:
        return f"{self.prefix}membership"

    @property
    def sealing(self) -> str:
        return f"{self.prefix}sealing"

    @property
    def presences(self) -> str:
        """What those of all members begin with."""
        return f"{self.prefix}presence/"

    @property
    def versions_in_force(self) -> str:
        """What those of all members begin with."""
        return f"{self.prefix}in-force/"

    @property
    def take_overs(self) -> str:
        """What those of all take-overs begin with."""
        return f"{self.prefix}takeover/"

    @property
    def epochs(self) -> str:
        """What those of all virtual addresses begin with."""
        return f"{self.prefix}epoch/"

    @property
    def configuration(self) -> str:
        """What all keys of the configuration begin with."""
        return f"{self.prefix}configuration/"

    @property
    def head(self) -> str:
        return f"{self.configuration}head"

    @property
    def proposal(self) -> str:
        return f"{self.configuration}proposal"

    @property
    def commits(self) -> str:
        """What those of all commits begin with."""
        return f"{self.configuration}commit/"

    @property
    def votes(self) -> str:
        """What those of all members begin with."""
        return f"{self.configuration}vote/"

    def token(self, hash_hex: str) -> str:
        return f"{self.prefix}token/{hash_hex}"

    def presence(self, member: int) -> str:
        return f"{self.presences}{member}"

    def version_in_force(self, member: int) -> str:
        return f"{self.versions_in_force}{member}"

    def take_over(self, address: int, epoch: int) -> str:
        return f"{self.take_overs}{address}/{epoch}"

    def epoch(self, address: int) -> str:
        return f"{self.epochs}{address}"

    def commit(self, number: int) -> str:
        return f"{self.commits}{number}"

    def vote(self, member: int) -> str:
        return f"{self.votes}{member}"
