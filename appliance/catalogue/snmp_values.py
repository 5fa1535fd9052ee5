"""Values of the section `snmp` that have several parts: addresses to listen on, communities, users and targets.

    listen 127.0.0.1 port 11161
    community public from 192.0.2.0/24 read-write
    user monitor sha256 password "..." "..."
    target noc 192.0.2.9 user monitor inform

Each is kept as the line that is printed, and read back by `listen_of` and its like. Of a user the keys are kept, not
the passwords (RFC 3414 A.2); `password` is read only, and turned into keys at once. They are not localized (RFC 3414
2.6): one configuration holds for all nodes of a cluster, each of which is an engine of its own.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from appliance.catalogue.errors import ValueFault
from appliance.catalogue.redaction import HIDDEN
from appliance.catalogue.value_types import without_brackets

SNMP_PORT: Final = 161
TRAP_PORT: Final = 162
TIMEOUT_S, RETRIES = 5, 3
PASSWORD_LEN_MIN: Final = 8
# RFC 3414 A.2: so many octets of the repeated password are hashed.
KEY_INPUT_LEN: Final = 1 << 20
HASHES: Final = {"sha1": "sha1", "sha256": "sha256"}
KEY_LEN: Final = {"sha1": 20, "sha256": 32}
READ_WRITE: Final = "read-write"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
# Without quotes and backslashes, which mean something to the language of the configuration.
_COMMUNITY = re.compile(r"[!#-\[\]-~]{1,64}")
_HEX = re.compile(r"[0-9a-f]+")


@dataclass(frozen=True, slots=True)
class Listen:
    """Where the agent is reached."""

    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Community:
    """A community and the networks that may use it; without any, loopback may."""

    name: str
    networks: tuple[str, ...]
    may_write: bool


@dataclass(frozen=True, slots=True)
class User:
    """A user of SNMPv3, with authentication and privacy (AES-128). The keys are hexadecimal."""

    name: str
    hash: str
    authentication_key: str
    privacy_key: str
    may_write: bool


@dataclass(frozen=True, slots=True)
class Target:
    """A manager that gets notifications, by a community (v2c) or as a user (v3)."""

    name: str
    address: str
    port: int
    community: str
    user: str
    is_inform: bool
    timeout_s: int
    retries: int


class LineWords:
    """The words of a value, taken one by one."""

    def __init__(self, words: Sequence[str], syntax: str) -> None:
        self._words = words
        self._syntax = syntax
        self.place = 0

    @property
    def are_left(self) -> bool:
        return self.place < len(self._words)

    @property
    def following(self) -> str:
        """The next word, which stays; there is one."""
        return self._words[self.place]

    def take(self) -> str:
        """The next word. Raises ValueFault when there is none."""
        if not self.are_left:
            raise ValueFault("a value is missing", f"type {self._syntax}", max(len(self._words) - 1, 0))
        self.place += 1
        return self._words[self.place - 1]

    def wrong(self, problem: str, remedy: str = "") -> ValueFault:
        """The fault of the word that was taken last."""
        return ValueFault(problem, remedy or f"type {self._syntax}", self.place - 1)

    def integer(self, least: int, most: int) -> int:
        word = self.take()
        if not re.fullmatch("[0-9]{1,6}", word) or not least <= int(word) <= most:
            raise self.wrong(f'"{word}" is out of range', f"type a number from {least} to {most}")
        return int(word)

    def address(self) -> str:
        word = self.take()
        try:
            return ipaddress.ip_address(without_brackets(word)).compressed
        except ValueError:
            raise self.wrong(f'"{word}" is not an IP address', "type an address such as 192.0.2.1") from None

    def network(self) -> str:
        word = self.take()
        try:
            return ipaddress.ip_network(without_brackets(word)).compressed
        except ValueError:
            remedy = "type an address such as 192.0.2.1, or a network such as 192.0.2.0/24"
            raise self.wrong(f'"{word}" is not an IP address or network', remedy) from None

    def matching(self, pattern: re.Pattern[str], what: str) -> str:
        word = self.take()
        if not pattern.fullmatch(word):
            raise self.wrong("invalid value", f"type {what}")
        return word


class SnmpLine:
    """What these kinds have in common: the value is the line."""

    placeholder = ""

    def write(self, value: str) -> list[str]:
        return value.split()


@dataclass(frozen=True, slots=True)
class SnmpListen(SnmpLine):
    """The kind of `listen`."""

    placeholder: str = "ADDRESS [port PORT]"
    range_text: str = f"an IP address and a UDP port; without `port`, {SNMP_PORT}"

    def read(self, words: Sequence[str]) -> str:
        rest = LineWords(words, self.placeholder)
        address, port = rest.address(), SNMP_PORT
        if rest.are_left:
            if rest.take().lower() != "port":
                raise rest.wrong("`port` is expected")
            port = rest.integer(1, 65535)
        if rest.are_left:
            rest.take()
            raise rest.wrong("nothing may follow")
        return f"{address} port {port}"


def listen_of(value: str) -> Listen:
    """The parts of a value of `listen`."""
    address, _, port = value.partition(" port ")
    return Listen(address, int(port))


@dataclass(frozen=True, slots=True)
class SnmpCommunity(SnmpLine):
    """The kind of `community`."""

    placeholder: str = f"NAME [from NETWORK ...] [{READ_WRITE}]"
    range_text: str = "a community of SNMPv2c and the networks that may use it; without `from`, only loopback"

    def read(self, words: Sequence[str]) -> str:
        rest = LineWords(words, self.placeholder)
        line = [rest.matching(_COMMUNITY, "1 to 64 printable characters without spaces")]
        networks: list[str] = []
        may_write = False
        while rest.are_left:
            word = rest.take().lower()
            if word == "from" and not networks and not may_write:
                networks.append(rest.network())
            elif word == READ_WRITE and not may_write:
                may_write = True
            elif networks and not may_write:
                rest.place -= 1
                networks.append(rest.network())
            else:
                raise rest.wrong(f'"{word}" does not belong there')
        line += ["from", *networks] if networks else []
        return " ".join([*line, *([READ_WRITE] if may_write else [])])


def community_of(value: str) -> Community:
    """The parts of a value of `community`."""
    name, *rest = value.split()
    return Community(name, tuple(word for word in rest if word not in ("from", READ_WRITE)), READ_WRITE in rest)


@dataclass(frozen=True, slots=True)
class SnmpUser(SnmpLine):
    """The kind of `user`."""

    placeholder: str = f"NAME sha256 | sha1 password PASSWORD PASSWORD | key KEY KEY [{READ_WRITE}]"
    range_text: str = (
        "a user of SNMPv3 with a password for authentication and one for privacy (AES-128), of 8 characters or more; "
        "they are kept as keys"
    )

    def read(self, words: Sequence[str]) -> str:
        rest = LineWords(words, self.placeholder)
        name = rest.matching(_NAME, "a name of up to 32 letters, digits, hyphens, dots and underscores")
        digest = rest.take().lower()
        if digest not in HASHES:
            raise rest.wrong(f'"{digest}" is unknown', "type sha256 or sha1")
        how = rest.take().lower()
        if how not in ("key", "password"):
            raise rest.wrong(f'"{how}" is unknown', "type password or key")
        read = _password if how == "password" else _key
        line = [name, digest, "key", read(rest, digest), read(rest, digest)]
        if rest.are_left:
            if rest.take().lower() != READ_WRITE:
                raise rest.wrong(f"only `{READ_WRITE}` may follow")
            line.append(READ_WRITE)
        return " ".join(line)


def _password(rest: LineWords, digest: str) -> str:
    password = rest.take()
    if len(password) < PASSWORD_LEN_MIN:
        raise rest.wrong("the password is too short", f"type {PASSWORD_LEN_MIN} characters or more")
    return key_of(password, digest)


def _key(rest: LineWords, digest: str) -> str:
    key = rest.take().lower()
    if key == HIDDEN:
        # In a draft: configuration/hidden_values.py.
        return key
    if not _HEX.fullmatch(key) or len(key) != 2 * KEY_LEN[digest]:
        raise rest.wrong("invalid key", f"type {2 * KEY_LEN[digest]} hexadecimal digits, or use `password`")
    return key


def key_of(password: str, digest: str) -> str:
    """The key of a password, in hexadecimal (RFC 3414 A.2)."""
    octets = password.encode()
    repeated = octets * (KEY_INPUT_LEN // len(octets) + 1)
    return hashlib.new(HASHES[digest], repeated[:KEY_INPUT_LEN], usedforsecurity=False).hexdigest()


def user_of(value: str) -> User:
    """The parts of a value of `user`."""
    words = value.split()
    return User(words[0], words[1], words[3], words[4], READ_WRITE in words[5:])


@dataclass(frozen=True, slots=True)
class SnmpTarget(SnmpLine):
    """The kind of `target`."""

    placeholder: str = (
        "NAME ADDRESS [port PORT] community NAME | user NAME [inform [timeout SECONDS] [retries NUMBER]]"
    )
    range_text: str = (
        f"a manager that gets notifications, as traps or as informs; without `port`, {TRAP_PORT}; without `timeout`, "
        f"{TIMEOUT_S} seconds; without `retries`, {RETRIES}"
    )

    def read(self, words: Sequence[str]) -> str:
        rest = LineWords(words, self.placeholder)
        name = rest.matching(_NAME, "a name of up to 32 letters, digits, hyphens, dots and underscores")
        line = [name, rest.address()]
        options: dict[str, str] = {}
        while rest.are_left:
            word = rest.take().lower()
            if word in options or word not in _OPTIONS:
                raise rest.wrong(f'"{word}" does not belong there')
            options[word] = _option(word, rest)
        if ("community" in options) == ("user" in options):
            raise rest.wrong("a target has either a community or a user", "type `community NAME` or `user NAME`")
        if "inform" not in options and options.keys() & {"timeout", "retries"}:
            raise rest.wrong("a trap has no `timeout` and no `retries`", "add `inform`")
        for word in (word for word in _OPTIONS if word in options):
            line += [word, *([options[word]] if options[word] else [])]
        return " ".join(line)


_OPTIONS: Final = ("port", "community", "user", "inform", "timeout", "retries")


def _option(word: str, rest: LineWords) -> str:
    if word == "inform":
        return ""
    if word == "community":
        return rest.matching(_COMMUNITY, "1 to 64 printable characters without spaces")
    if word == "user":
        return rest.matching(_NAME, "the name of a user")
    most = {"port": 65535, "timeout": 300, "retries": 20}[word]
    return str(rest.integer(0 if word == "retries" else 1, most))


def target_of(value: str) -> Target:
    """The parts of a value of `target`."""
    name, address, *rest = value.split()
    options = dict(_pairs(rest))
    return Target(
        name,
        address,
        int(options.get("port", TRAP_PORT)),
        options.get("community", ""),
        options.get("user", ""),
        "inform" in options,
        int(options.get("timeout", TIMEOUT_S)),
        int(options.get("retries", RETRIES)),
    )


def _pairs(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    rest = iter(words)
    for word in rest:
        yield word, "" if word == "inform" else next(rest)
