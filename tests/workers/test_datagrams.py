"""Batches of datagrams over real loopback sockets (RFC 3261 18.4 for what cannot be sent)."""

from __future__ import annotations

import socket
import time

import pytest

from appliance.transport.flow import UDP, Flow, Outgoing

datagrams = pytest.importorskip("appliance.workers.datagrams", reason="the batch reader is not built")


def bound(family: int = socket.AF_INET, address: str = "127.0.0.1") -> socket.socket:
    endpoint = socket.socket(family, socket.SOCK_DGRAM)
    endpoint.bind((address, 0))
    endpoint.settimeout(60)
    return endpoint


def write(door: datagrams.DatagramSocket, outgoings: list[Outgoing]) -> list[Outgoing]:
    """Send; what cannot be sent."""
    parcels = [(outgoing, outgoing.data, outgoing.flow.remote) for outgoing in outgoings]
    return [outgoing for outgoing, _, _ in door.write_batch(parcels)]


def read(reader: object, count: int) -> list[tuple[bytes, Flow]]:
    """What arrives, until `count` datagrams are there; loopback delivers at once or after a moment."""
    received: list[tuple[bytes, Flow]] = []
    give_up_at = time.monotonic() + 60
    while len(received) < count and time.monotonic() < give_up_at:
        received += reader.read_batch()  # type: ignore[attr-defined]
    return received


def test_a_batch_comes_with_the_flows_of_its_sources() -> None:
    ours, one, other = bound(), bound(), bound()
    reader = datagrams.DatagramSocket(ours.fileno(), 3, 100)
    one.sendto(b"a", ours.getsockname())
    other.sendto(b"", ours.getsockname())
    one.sendto(b"c" * 3000, ours.getsockname())
    batch = read(reader, 3)
    assert batch == [
        (b"a", Flow(UDP, 3, one.getsockname())),
        (b"", Flow(UDP, 3, other.getsockname())),
        (b"c" * 3000, Flow(UDP, 3, one.getsockname())),
    ]
    assert reader.received == 3


def test_the_oldest_of_a_batch_tells_how_long_it_has_waited() -> None:
    ours, peer = bound(), bound()
    reader = datagrams.DatagramSocket(ours.fileno(), 0, 100)
    give_up_at = time.monotonic() + 60
    # The kernel begins to note times a moment after the first socket of the machine has asked for it.
    while reader.delay_s < 0.04 and time.monotonic() < give_up_at:
        peer.sendto(b"old", ours.getsockname())
        time.sleep(0.05)
        peer.sendto(b"new", ours.getsockname())
        assert len(reader.read_batch()) == 2
    assert 0.04 <= reader.delay_s < 5
    assert reader.read_batch() == []
    assert reader.delay_s == 0.0


def test_a_source_seen_before_gives_the_same_flow() -> None:
    ours, peer = bound(), bound()
    reader = datagrams.DatagramSocket(ours.fileno(), 0, 100)
    peer.sendto(b"a", ours.getsockname())
    peer.sendto(b"b", ours.getsockname())
    (_, first), (_, second) = read(reader, 2)
    assert first is second


def test_remembered_sources_are_bounded() -> None:
    ours = bound()
    reader = datagrams.DatagramSocket(ours.fileno(), 0, 10)
    for _ in range(30):
        with bound() as peer:
            peer.sendto(b"a", ours.getsockname())
            read(reader, 1)
    assert reader.flows_count <= 10


def test_nothing_there_is_an_empty_batch() -> None:
    ours = bound()
    assert datagrams.DatagramSocket(ours.fileno(), 0, 10).read_batch() == []


def test_a_datagram_longer_than_the_limit_is_counted_and_dropped() -> None:
    ours, peer = bound(), bound()
    reader = datagrams.DatagramSocket(ours.fileno(), 0, 10, 10, 1000)
    peer.sendto(b"x" * 1001, ours.getsockname())
    peer.sendto(b"x" * 1000, ours.getsockname())
    assert [len(data) for data, _ in read(reader, 1)] == [1000]
    assert reader.truncated == 1


def test_a_written_batch_arrives_in_order() -> None:
    ours, peer = bound(), bound()
    writer = datagrams.DatagramSocket(ours.fileno(), 0, 10)
    flow = Flow(UDP, 0, peer.getsockname())
    assert write(writer, [Outgoing(b"%d" % index, flow) for index in range(150)]) == []
    assert [peer.recv(100) for _ in range(150)] == [b"%d" % index for index in range(150)]
    assert writer.sent == 150
    assert writer.waiting_count == 0


def test_what_was_read_can_be_answered_over_ipv6() -> None:
    ours, peer = bound(socket.AF_INET6, "::1"), bound(socket.AF_INET6, "::1")
    door = datagrams.DatagramSocket(ours.fileno(), 0, 10)
    peer.sendto(b"ping", ours.getsockname())
    ((data, flow),) = read(door, 1)
    assert (data, flow.remote) == (b"ping", ("::1", peer.getsockname()[1]))
    assert write(door, [Outgoing(b"pong", flow)]) == []
    assert peer.recv(100) == b"pong"


@pytest.mark.parametrize(
    "remote",
    [
        ("example.com", 5060),
        ("", 5060),
        ("127.0.0.1", 0),
        ("127.0.0.1", -1),
        ("127.0.0.1", 65536),
        ("127.0.0.1", 2**40),
        ("1.2.3", 5060),
        ("\u0661.2.3.4", 5060),
        ("::1%" + "x" * 300, 5060),
        ("::1", 5060),
        ("[::1]", 5060),
    ],
)
def test_an_address_that_cannot_be_reached_is_a_failure_of_its_own(remote: tuple[str, int]) -> None:
    """RFC 3261 18.4; an IPv4 socket reaches no IPv6 address."""
    ours, peer = bound(), bound()
    writer = datagrams.DatagramSocket(ours.fileno(), 0, 10)
    good = Flow(UDP, 0, peer.getsockname())
    bad = Outgoing(b"bad", Flow(UDP, 0, remote), b"z9hG4bK1")
    assert write(writer, [Outgoing(b"1", good), bad, Outgoing(b"2", good), bad]) == [bad, bad]
    assert [peer.recv(100), peer.recv(100)] == [b"1", b"2"]


def test_a_datagram_longer_than_udp_carries_is_a_failure() -> None:
    ours, peer = bound(), bound()
    writer = datagrams.DatagramSocket(ours.fileno(), 0, 10)
    long = Outgoing(b"x" * 65600, Flow(UDP, 0, peer.getsockname()))
    short = Outgoing(b"x" * 1400, Flow(UDP, 0, peer.getsockname()))
    assert write(writer, [long, short]) == [long]
    assert len(peer.recv(65535)) == 1400


def test_a_closed_port_is_reported_with_what_was_sent() -> None:
    """RFC 3261 18.4: port unreachable; later datagrams are not harmed."""
    ours, peer, gone = bound(), bound(), bound()
    closed_port = gone.getsockname()
    gone.close()
    door = datagrams.DatagramSocket(ours.fileno(), 2, 10)
    data = b"OPTIONS sip:a SIP/2.0\r\n" + b"x" * 400
    assert write(door, [Outgoing(data, Flow(UDP, 2, closed_port))] * 3) == []
    assert write(door, [Outgoing(b"to peer", Flow(UDP, 2, peer.getsockname()))] * 3) == []
    assert peer.recv(100) == b"to peer"
    errors: list[tuple[bytes, Flow]] = []
    give_up_at = time.monotonic() + 60
    while len(errors) < 3 and time.monotonic() < give_up_at:
        errors += door.read_errors()
    assert errors == [(data, Flow(UDP, 2, closed_port))] * 3
    assert not door.has_errors
    peer.sendto(b"still there", ours.getsockname())
    assert read(door, 1)[0][0] == b"still there"


def test_what_the_socket_does_not_take_waits_in_a_bounded_queue() -> None:
    """Loopback takes every datagram, so a stream socket whose reader sleeps plays the full one."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        full = socket.create_connection(server.getsockname())
        reader, _ = server.accept()
    door = datagrams.DatagramSocket(full.fileno(), 0, 10, 20)
    outgoings = [Outgoing(b"x" * 60000, Flow(UDP, 0, ("127.0.0.1", 5060))) for _ in range(1000)]
    failures = write(door, outgoings)
    taken = door.sent
    assert 0 < taken < 980
    assert door.waiting_count == 20
    assert failures == outgoings[taken + 20 :]
    assert door.overflowed == len(failures)
    reader.setblocking(False)
    give_up_at = time.monotonic() + 60
    while door.waiting_count and time.monotonic() < give_up_at:
        drain(reader)
        assert write(door, []) == []
    assert door.sent == taken + 20


def drain(endpoint: socket.socket) -> None:
    try:
        while endpoint.recv(1 << 20):
            pass
    except BlockingIOError:
        pass
