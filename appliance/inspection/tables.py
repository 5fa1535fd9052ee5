"""What an operator sees as rows: the registrations of the node, and the transactions and calls of one worker.

A list is bounded by the number of rows wanted, and only a bounded part of a table is looked at in one step.
A long table is read in parts: each says where the next one begins. What changes meanwhile may be in none or in two.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import Final

from appliance.catalogue.transports import TRANSPORTS
from appliance.location.address_entries import live_of, preferred
from appliance.location.binding import Binding
from appliance.messages.worker_requests import (
    CallRow,
    CallRows,
    RegistrationRow,
    RegistrationRows,
    TransactionRow,
    TransactionRows,
)
from appliance.proxy.environment import ProxyEnvironment
from appliance.sip.errors import MalformedMessage
from appliance.sip.uri import parse_uri
from appliance.transaction.machines import State
from appliance.transaction.transaction import ClientTransaction, ServerTransaction
from appliance.transport.flow import Flow
from appliance.transport.process_id import NO_PROCESS, worker_of

# Addresses read at once, and how often for one answer, wanted or not.
PAGE: Final = 200
PAGES_MAX: Final = 25


def registrations(node: ProxyEnvironment, address: str, limit: int, now: float) -> RegistrationRows:
    """The registered contacts of one address, or of those that begin so."""
    if "@" not in address:
        part = registrations_part(node, address, limit, "", now)
        return RegistrationRows(part.total, part.rows[:limit])
    wall_time = node.wall_time(now)
    found = node.bindings.find(aor_of_text(node, address), wall_time)
    return RegistrationRows(len(found), [_binding_row(binding, wall_time) for binding in found[:limit]])


def registrations_part(
    node: ProxyEnvironment, address: str, limit: int, after: str, now: float
) -> RegistrationRows:
    """The registered contacts of the addresses that begin so and come after a place; `next` is the place of the next
    part, or "".
    """
    wall_time = node.wall_time(now)
    beginning = b"sip:" + address.removeprefix("sip:").encode()
    last = after.encode("latin-1")
    rows: list[RegistrationRow] = []
    for _ in range(PAGES_MAX):
        page = node.bindings.page(last, beginning, PAGE)
        for last, entries in page:
            rows += [_binding_row(binding, wall_time) for binding in preferred(live_of(entries, wall_time))]
            if len(rows) >= limit:
                return RegistrationRows(len(node.bindings), rows, last.decode("latin-1"))
        if len(page) < PAGE:
            return RegistrationRows(len(node.bindings), rows)
    return RegistrationRows(len(node.bindings), rows, last.decode("latin-1"))


def aor_of_text(node: ProxyEnvironment, address: str) -> bytes:
    """The address-of-record that an operator means by USER@DOMAIN, with or without `sip:`. Raises ValueError."""
    try:
        uri = parse_uri(f"sip:{address.removeprefix('sip:')}".encode())
    except MalformedMessage as fault:
        raise ValueError(f'"{address}" is not an address: {fault.reason}') from None
    return node.aor_of(uri) if uri.user else b""


def _binding_row(binding: Binding, wall_time: float) -> RegistrationRow:
    source = binding.source
    return RegistrationRow(
        address=text_of(binding.aor.removeprefix(b"sip:")),
        contact=text_of(binding.uri),
        expires_s=int(binding.expires_at - wall_time),
        q=binding.q / 1000,
        source=f"{source[0]}:{source[1]}" if source else "",
        connection=binding.flow.connection if binding.flow else 0,
        worker=-1 if binding.process == NO_PROCESS else worker_of(binding.process),
        instance=text_of(binding.instance),
        user_agent=text_of(binding.user_agent),
        path=[text_of(value) for value in binding.path],
    )


def transactions(node: ProxyEnvironment, limit: int, offset: int = 0) -> TransactionRows:
    """Server and client transactions, the oldest first, from the place `offset` on."""
    table = node.transactions
    servers: Iterator[ServerTransaction | ClientTransaction] = iter(table.servers.values())
    found = islice(chain(servers, table.clients.values()), offset, offset + limit)
    rows = [_server_row(one) if isinstance(one, ServerTransaction) else _client_row(one) for one in found]
    return TransactionRows(len(table), rows)


def _server_row(server: ServerTransaction) -> TransactionRow:
    status = server.last_response[8:11] if server.last_response else b""
    return TransactionRow(
        side="server",
        method=_method_of(server),
        state=State(server.state).name.lower(),
        remote=_remote(server.response_flow),
        last_status=text_of(status),
        key=text_of(server.key),
    )


def _method_of(server: ServerTransaction) -> str:
    """Its method; an answered one keeps no request, but its response says it in CSeq (RFC 3261 8.2.6.2)."""
    if server.is_invite:
        return "INVITE"
    if server.request:
        return text_of(server.request.method)
    _, _, line = (server.last_response or b"").partition(b"\r\nCSeq:")
    return text_of(line.partition(b"\r\n")[0].split()[-1]) if line else ""


def _client_row(client: ClientTransaction) -> TransactionRow:
    return TransactionRow(
        side="client",
        method=text_of(client.method),
        state=State(client.state).name.lower(),
        remote=_remote(client.flow),
        last_status="",
        key=text_of(client.key),
    )


def calls(node: ProxyEnvironment, limit: int, offset: int = 0) -> CallRows:
    """Calls that are being set up, from the place `offset` on; dialogs that stand need no memory here."""
    found = [server for server in node.transactions.servers.values() if server.is_invite and server.request is not None]
    rows = [_call_row(server) for server in found[offset : offset + limit]]
    return CallRows(len(found), rows)


def _call_row(server: ServerTransaction) -> CallRow:
    request = server.request
    assert request is not None
    return CallRow(
        call_id=text_of(request.read_call_id()),
        from_=text_of(request.read_from().uri.text),
        to=text_of(request.read_to().uri.text),
        request_uri=text_of(request.read_uri().text),
        came_from=_remote(server.response_flow),
        state=State(server.state).name.lower(),
        last_status=text_of(server.last_response[8:11]) if server.last_response else "",
    )


def _remote(flow: Flow | None) -> str:
    if flow is None:
        return ""
    return f"{TRANSPORTS[flow.transport].name} {flow.remote[0]}:{flow.remote[1]}"


def text_of(octets: bytes) -> str:
    """Octets of a message as text."""
    return octets.decode("utf-8", "replace")
