"""What a valid configuration leaves open: sentences that `check`, a commit and `show alarms` give the operator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_address

from appliance.catalogue.command_declaration import Mode, Right
from appliance.catalogue.commands import commands_of
from appliance.catalogue.settings import OPEN, ListenerSettings, Settings
from appliance.catalogue.transports import UDP


def warnings_of(settings: Settings) -> list[str]:
    """A sentence for each; [] when there is nothing to say."""
    unauthenticated = [sentence for _, sentence in listeners_unauthenticated(settings)]
    others = (
        _open_relays,
        _without_addresses,
        _without_domain,
        _policies_without_listener,
        _forgeable_peers,
        _lookups_without_server,
        _tables_without_source,
        _useless_aliases,
    )
    return [*unauthenticated, *(sentence for warnings in others for sentence in warnings(settings))]


def listeners_unauthenticated(settings: Settings) -> Iterator[tuple[str, str]]:
    """(name, sentence) of each listener that other machines reach and that does not authenticate."""
    for listener in settings.listeners:
        if listener.standing == OPEN and not listener.authenticate and not _is_loopback(listener):
            sentence = (
                f"Listener {listener.name} on {listener.address} does not authenticate: "
                "any sender can register any address of its domains."
            )
            yield listener.name, sentence


def _open_relays(settings: Settings) -> Iterator[str]:
    for listener in settings.listeners:
        if listener.standing == OPEN and listener.relay == "any" and not _is_loopback(listener):
            yield (
                f"Listener {listener.name} on {listener.address} relays for any sender to any destination: "
                "it is an open relay. Set `relay authenticated`."
            )


def _is_loopback(listener: ListenerSettings) -> bool:
    return ip_address(listener.address).is_loopback


def _without_domain(settings: Settings) -> Iterator[str]:
    if settings.domains:
        return
    for listener in settings.listeners:
        if listener.standing == OPEN and listener.authenticate:
            yield (
                f"Listener {listener.name} authenticates and there is no domain: "
                f"it serves subscribers of {listener.address} only. Add a line `domain NAME`."
            )


def _without_addresses(settings: Settings) -> Iterator[str]:
    for section in settings.virtual_addresses:
        if not section.addresses:
            yield f"Virtual address {section.name} has no address. Add a line `address ADDRESS/LENGTH`."


def _lookups_without_server(settings: Settings) -> Iterator[str]:
    for lookup in settings.lookups:
        if not lookup.servers:
            yield f"Lookup {lookup.name} has no server, so it fails. Add a line `server URL`."


def _tables_without_source(settings: Settings) -> Iterator[str]:
    for table in settings.route_tables:
        if not table.is_read:
            missing = "statement STATEMENT" if table.servers else "server URL"
            yield f"Route table {table.name} is not read from a database. Add a line `{missing}`."


def _policies_without_listener(settings: Settings) -> Iterator[str]:
    """Route policies for listeners that are not there, or whose role does not route."""
    routing = {listener.name for listener in settings.listeners if listener.role != "user"}
    for policy in settings.route_policies:
        for name in policy.listeners:
            if name not in routing:
                yield (
                    f"Route policy {policy.name} is for listener {name}, which does not route calls to numbers. "
                    "Set `role core` in it, or name another one."
                )


def _forgeable_peers(settings: Settings) -> Iterator[str]:
    """Peers of listeners that route calls, known by the source address of a datagram alone, which can be forged."""
    for listener in settings.listeners:
        if listener.standing != OPEN or listener.role != "core" or UDP not in listener.transports:
            continue
        forgeable = [peer for peer in listener.peers if _is_known_by_datagrams(peer)]
        if forgeable:
            names = " and ".join(forgeable[:2]) + (f" and {len(forgeable) - 2} more" if len(forgeable) > 2 else "")
            yield (
                f"Listener {listener.name} knows peer {names} by UDP by the source address alone, which can be forged: "
                "a sender that forges it can call the next hops of the routes. Add `transport tcp` or "
                "`certificate-name DOMAIN` to the peer, or have the network drop datagrams with such a source address."
            )


def _is_known_by_datagrams(peer: str) -> bool:
    """`peer`: as Peer in peers.py prints it; one with a certificate name is a peer by TLS only."""
    words = peer.split()[1:]
    options = dict(zip(words[::2], words[1::2], strict=True))
    return "certificate-name" not in options and options.get("transport", "udp") == "udp"


def _useless_aliases(settings: Settings) -> Iterator[str]:
    """Aliases that the shell will not replace, or for what it does not understand."""
    commands = [command.words for command in commands_of(Mode.EXEC, Right.ADMIN)]
    for alias in settings.aliases:
        typed = alias.command.lower().split()
        if any(alias.name == words[0] for words in commands):
            yield f"Alias {alias.name} has the name of a command, which is used in its place."
        elif not typed:
            yield f'Alias {alias.name} stands for nothing. Add a line `command "COMMAND"`.'
        elif not any(_may_mean(typed, words) for words in commands):
            yield f"Alias {alias.name} stands for `{alias.command}`, which is not an exec command."


def _may_mean(typed: Sequence[str], words: Sequence[str]) -> bool:
    """Are the typed words, as far as both go, the words of the command or beginnings of them?"""
    return all(word.startswith(begun) for word, begun in zip(words, typed, strict=False))
