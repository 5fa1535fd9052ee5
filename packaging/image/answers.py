"""What the first boot of the image has to know: the questions, which answers are right, and the console that asks them.

No file and no program is touched here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from ipaddress import ip_address, ip_interface
from re import fullmatch

PASSWORD_LEN_MIN = 8
NAME = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
HOST = rf"{NAME}(\.{NAME})*"
USER = r"[a-z][a-z0-9-]{0,30}"
# A password may come as a hash of crypt(5).
HASH = r"\$(y|gy|6|5)\$[./A-Za-z0-9,=$]{8,200}"
DHCP = "dhcp"

Read = Callable[[str], str]


class Wrong(ValueError):
    """An answer cannot be used; the message says what to type."""


@dataclass(frozen=True)
class Answers:
    """Texts as they were typed, checked. `address`: `dhcp`, or addresses with the lengths of their prefixes."""

    hostname: str = "signalbox"
    address: str = DHCP
    gateway: str = ""
    dns: str = ""
    ntp: str = ""
    domain: str = ""
    operator: str = "admin"
    password: str = ""

    @property
    def addresses(self) -> list[str]:
        return self.address.split()

    @property
    def is_by_dhcp(self) -> bool:
        return self.address == DHCP


QUESTIONS = {
    "hostname": "Name of this machine",
    "address": "Address with prefix length, such as 192.0.2.10/24 (IPv4, IPv6 or both), or dhcp",
    "gateway": "Default gateway",
    "dns": "DNS servers (addresses, with blanks between them)",
    "ntp": "NTP servers (empty: those of Debian)",
    "domain": "SIP domain, the part behind the @",
    "operator": "Name of the first operator",
    "password": f"Password of the operator ({PASSWORD_LEN_MIN} characters at least)",
}


def checked(name: str, value: str) -> str:
    """The answer to a question. Raises Wrong."""
    value = value.strip() if name != "password" else value
    try:
        CHECKS[name](value)
    except Wrong:
        raise
    except ValueError as fault:
        raise Wrong(f"{fault}.") from None
    return value


def _check_text(pattern: str, what: str) -> Callable[[str], None]:
    def check(value: str) -> None:
        if not fullmatch(pattern, value):
            raise Wrong(f"{value!r} is not {what}.")

    return check


def _check_address(value: str) -> None:
    for word in value.split() or [""]:
        if word != DHCP and ("/" not in word or ip_interface(word).ip.is_loopback):
            raise Wrong("Type `dhcp`, or an address with its prefix length, such as 192.0.2.10/24.")
    if DHCP in value.split() and value != DHCP:
        raise Wrong("Type `dhcp` alone, or addresses.")


def _check_addresses(value: str) -> None:
    for word in value.split():
        ip_address(word)


def _check_password(value: str) -> None:
    if fullmatch(HASH, value):
        return
    if len(value) < PASSWORD_LEN_MIN or not value.isprintable() or ":" in value:
        raise Wrong(f"A password has {PASSWORD_LEN_MIN} printable characters at least, and no colon.")


CHECKS: Mapping[str, Callable[[str], None]] = {
    "hostname": _check_text(NAME, "a host name: lower case letters, digits and hyphens"),
    "address": _check_address,
    "gateway": _check_addresses,
    "dns": _check_addresses,
    "ntp": _check_text(rf"({HOST}|[0-9a-f:.]+)?( +({HOST}|[0-9a-f:.]+))*", "a list of hosts"),
    "domain": _check_text(HOST, "a domain, such as example.com"),
    "operator": _check_text(USER, "a user name: lower case letters, digits and hyphens"),
    "password": _check_password,
}


def answers_of(found: Mapping[str, str]) -> Answers:
    """What was found in files, by the names of the questions. Raises Wrong; it names what is missing."""
    answers = {}
    for name, value in found.items():
        try:
            answers[name] = checked(name, value)
        except Wrong as fault:
            raise Wrong(f"{name}: {fault}") from None
    missing = [name for name in ("domain", "password") if not answers.get(name)]
    if missing:
        raise Wrong(f"Missing: {', '.join(missing)}.")
    return Answers(**answers)


def ask(read: Read, read_secret: Read, say: Callable[[str], None]) -> Answers:
    """The answers of who sits at the console; each question until its answer can be used."""
    answers = Answers()
    for field in fields(Answers):
        if field.name == "gateway" and answers.is_by_dhcp:
            continue
        value = _answer_to(field.name, getattr(answers, field.name), read, read_secret, say)
        answers = replace(answers, **{field.name: value})
    return answers


def _answer_to(name: str, default: str, read: Read, read_secret: Read, say: Callable[[str], None]) -> str:
    prompt = f"{QUESTIONS[name]}{f' [{default}]' if default else ''}: "
    while True:
        typed = read_secret(prompt) if name == "password" else read(prompt).strip() or default
        try:
            value = checked(name, typed)
        except Wrong as fault:
            say(str(fault))
            continue
        if name != "password" or read_secret("The same again: ") == value:
            return value
        say("The two differ.")
