"""Rules between settings: values that are right by themselves and wrong together.

Knows nothing of text, and of the settings classes but their attribute names.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import pairwise
from typing import Any

from appliance.catalogue.faults import Fault

TRANSPORT_WORDS = ("udp", "tcp")


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two settings that cannot both be. `attribute` is where to point at; `item` its place in a tuple, or the
    place of the listener, -1 for none."""

    attribute: str
    problem: str
    remedy: str
    item: int = -1

    def fault_in_code(self) -> Fault:
        """The fault where there is no text to point at."""
        return Fault(0, 0, self.problem, self.remedy)


def contradictions(settings: Any) -> Iterator[Contradiction]:
    """The contradictions inside one settings object: a section, or the whole."""
    rule = _RULES.get(type(settings).__name__)
    if rule is not None:
        yield from rule(settings)


def _in_order(settings: Any, *names: tuple[str, str]) -> Iterator[Contradiction]:
    """Each (attribute, words) must not be greater than the next."""
    for (less, less_words), (more, more_words) in pairwise(names):
        low, high = getattr(settings, less), getattr(settings, more)
        if low > high:
            problem = f"`{less_words}` {low} is more than `{more_words}` {high}"
            yield Contradiction(less, problem, f"lower `{less_words}` or raise `{more_words}`")


def _registrar(settings: Any) -> Iterator[Contradiction]:
    yield from _in_order(
        settings,
        ("expires_min_s", "expires minimum"),
        ("expires_default_s", "expires default"),
        ("expires_max_s", "expires maximum"),
    )


def _timers(settings: Any) -> Iterator[Contradiction]:
    yield from _in_order(settings, ("t1_ms", "t1"), ("t2_ms", "t2"))


def _syntax(settings: Any) -> Iterator[Contradiction]:
    yield from _in_order(settings, ("header_len_max", "header-length"), ("message_len_max", "length"))
    yield from _in_order(settings, ("uri_len_max", "uri-length"), ("message_len_max", "length"))


def _supervision(settings: Any) -> Iterator[Contradiction]:
    names = ("restart_delay_min_ms", "restart delay minimum"), ("restart_delay_max_ms", "restart delay maximum")
    yield from _in_order(settings, *names)
    if settings.hang_ms < 2 * settings.heartbeat_ms:
        problem = f"`hang` {settings.hang_ms} leaves no room for a heartbeat every {settings.heartbeat_ms} milliseconds"
        yield Contradiction("hang_ms", problem, f"type `hang {2 * settings.heartbeat_ms}` or more")


def _listener(settings: Any) -> Iterator[Contradiction]:
    if not settings.advertise and ip_address(settings.address).is_unspecified:
        problem = f"nobody can send to {settings.address}, and it would stand in every Via"
        yield Contradiction("address", problem, "add `advertise HOST`, or name one address of this machine")
    yield from _twice("peers", "peer", settings.peers)


def _twice(attribute: str, word: str, values: tuple[str, ...]) -> Iterator[Contradiction]:
    for place, value in enumerate(values):
        if value in values[:place]:
            yield Contradiction(attribute, f"`{word} {value}` stands there twice", "delete one of them", place)


def _whole(settings: Any) -> Iterator[Contradiction]:
    yield from _twice("domains", "domain", settings.domains)
    if not settings.listeners:
        yield Contradiction("listeners", "there is no listener", "add a section `listener NAME`")
    yield from _listeners(settings)


def _listeners(settings: Any) -> Iterator[Contradiction]:
    owners: dict[tuple[str, int, int], str] = {}
    names: set[str] = set()
    for place, listener in enumerate(settings.listeners):
        if listener.name in names:
            yield Contradiction("listeners", f"listener {listener.name} stands there twice", "give it another name", place)
        names.add(listener.name)
        for transport in listener.transports:
            key = (listener.address, listener.port, transport)
            if key in owners:
                where = f"{listener.address} port {listener.port} {TRANSPORT_WORDS[transport]}"
                problem = f"listener {listener.name} uses {where}, which listener {owners[key]} has"
                yield Contradiction("listeners", problem, "change its address, port or transport", place)
            owners.setdefault(key, listener.name)
        if listener.authenticate and not settings.domains:
            problem = f"listener {listener.name} authenticates, and there is no domain to have subscribers in"
            yield Contradiction("listeners", problem, "add a line `domain NAME`, such as `domain example.com`", place)


_RULES = {
    "RegistrarSettings": _registrar,
    "TimerSettings": _timers,
    "SyntaxSettings": _syntax,
    "SupervisionSettings": _supervision,
    "ListenerSettings": _listener,
    "Settings": _whole,
}
