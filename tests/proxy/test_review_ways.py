"""The ways that messages take, where a call flow cannot say it: streams, connections of old, lengths (RFC 3261 18)."""

from __future__ import annotations

import pytest

from appliance.catalogue.settings import ListenerSettings, Settings
from appliance.location.binding import new_binding
from appliance.location.dict_table import DictTable
from appliance.stack import Stack
from appliance.transport.flow import TCP, UDP, Flow
from tests.flows.wire import Message, read
from tests.tables import new_table, table_with

NOW = 1000.0
WALL_TIME = 1_700_000_000.0
SETTINGS = Settings(
    domains=("example.com",),
    listeners=(ListenerSettings(name="main", address="192.0.2.1", relay="any", authenticate=False),),
)
ALICE = Flow(UDP, 0, ("192.0.2.101", 5060))
ALICE_BY_TCP = Flow(TCP, 0, ("192.0.2.101", 40001), 0, 7)
BOB = Flow(UDP, 0, ("192.0.2.102", 5060))


def stack(table: DictTable | None = None) -> Stack:
    return Stack(SETTINGS, 0, b"0123456789abcdef", table or new_table(), NOW, WALL_TIME)


def request(method: str, *lines: str, transport: str = "UDP", uri: str = "sip:bob@example.com") -> bytes:
    head = [
        f"{method} {uri} SIP/2.0",
        f"Via: SIP/2.0/{transport} 192.0.2.101:5060;branch=z9hG4bK{method}",
        "Max-Forwards: 70",
        "From: <sip:alice@example.com>;tag=a",
        "To: <sip:bob@example.com>",
        "Call-ID: call-1",
        f"CSeq: 1 {method}",
        *lines,
        "",
        "",
    ]
    return "\r\n".join(head).encode()


def response(received: Message, status: str) -> bytes:
    """Without Content-Length, as UDP allows (RFC 3261 20.14)."""
    answer = Message(f"SIP/2.0 {status}")
    for name in ("Via", "From", "To", "Call-ID", "CSeq"):
        for value in received.values(name):
            answer.add(name, value)
    return answer.write()


def binding(uri: bytes, path: tuple[bytes, ...] = (), flow: Flow | None = None, reg_id: int = 0) -> bytes:
    """A binding of bob's as it is stored; with a reg-id, one of the flows of one phone, the later the higher."""
    aor, until = b"sip:bob@example.com", WALL_TIME + 3600
    key, instance = (b"reg-id=%d;urn:x" % reg_id, b"urn:x") if reg_id else (uri, b"")
    return new_binding(
        aor, key, uri, b"", 1000, until, until, b"reg", 1, path, instance, reg_id, flow, None, b"", 1, 1 + reg_id
    )


def sent(one: Stack) -> list[tuple[Message, Flow]]:
    return [(read(outgoing.data), outgoing.flow) for outgoing in one.datagrams_to_send(NOW)]


def test_a_response_to_a_stream_gets_its_length() -> None:
    """RFC 3261 18.3: the callee's UDP needs no Content-Length, the caller's stream cannot be cut without."""
    one = stack(table_with(binding(b"sip:bob@192.0.2.102")))
    one.receive_datagrams([(request("INVITE", "Content-Length: 0", transport="TCP"), ALICE_BY_TCP)], NOW)
    invite = next(message for message, _ in sent(one) if message.is_request)
    answer = response(invite, "200 OK")
    one.receive_datagrams([(answer, BOB)], NOW)
    ((passed, flow),) = sent(one)
    assert (flow, passed.status, passed.first("Content-Length")) == (ALICE_BY_TCP, 200, "0")
    # The same when it comes as a stray one.
    late = stack()
    late.receive_datagrams([(answer, BOB)], NOW)
    ((passed, flow),) = sent(late)
    assert (flow.transport, passed.status, passed.first("Content-Length")) == (TCP, 200, "0")


def test_a_connection_of_a_listener_that_is_gone_is_no_way() -> None:
    """The configuration has changed since the phone registered: it is sought by its contact."""
    one = stack(table_with(binding(b"sip:bob@192.0.2.102", flow=Flow(TCP, 3, ("192.0.2.102", 40000), 0, 9))))
    one.receive_datagrams([(request("INVITE"), ALICE)], NOW)
    assert [flow for message, flow in sent(one) if message.is_request] == [BOB]


def test_a_stored_path_that_cannot_be_read_ends_its_branch() -> None:
    """An older version may have stored it: the caller hears, and nothing is left behind."""
    one = stack(table_with(binding(b"sip:bob@192.0.2.102", path=(b"nonsense",))))
    one.receive_datagrams([(request("INVITE"), ALICE)], NOW)
    assert [message.status for message, _ in sent(one)] == [100, 500]


@pytest.mark.parametrize(("padding", "transport"), [(600, UDP), (1100, TCP)])
def test_header_fields_count_for_the_length_of_a_request(padding: int, transport: int) -> None:
    """RFC 3261 18.1.1: it is the message that may not be longer than 1300 octets, not the body."""
    one = stack(table_with(binding(b"sip:bob@192.0.2.102")))
    one.receive_datagrams([(request("INVITE", "Subject: " + "x" * padding), ALICE)], NOW)
    ((invite, flow),) = [(message, flow) for message, flow in sent(one) if message.is_request]
    assert flow.transport == transport
    assert (len(invite.write()) > 1300) == (transport == TCP)
