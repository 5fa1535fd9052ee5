"""Via at the edge (RFC 3261 18.1.1 to 18.2.2, RFC 3581 4)."""

from __future__ import annotations

import pytest

from appliance.sip.message import Request, Response
from appliance.sip.names import VIA
from appliance.sip.parser import SyntaxLimits, parse
from appliance.sip.via import parse_via
from appliance.transport.flow import TCP, UDP, Flow, Outgoing
from appliance.transport.transport_table import UNKNOWN_TRANSPORT
from appliance.transport.via import (
    advertised_address,
    is_same_host,
    is_translated,
    pop_via,
    push_via,
    quoted_request,
    reopened,
    response_destination,
    response_flow,
    split_parameters,
    stamp_received,
)

LIMITS = SyntaxLimits(message_len_max=4096, header_count_max=50, header_len_max=1024, uri_len_max=512)


def request_with(*vias: str) -> Request:
    text = "OPTIONS sip:bob@example.com SIP/2.0\r\n" + "".join(f"Via: {via}\r\n" for via in vias)
    text += (
        "From: <sip:alice@example.com>;tag=1\r\nTo: <sip:bob@example.com>\r\n"
        "Call-ID: a\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n\r\n"
    )
    request = parse(text.encode(), LIMITS)
    assert isinstance(request, Request)
    return request


def response_with(*vias: str) -> Response:
    request = request_with(*vias)
    return answer_to(request)


def answer_to(request: Request) -> Response:
    response = Response(200, b"OK")
    response.append_from(request, VIA)
    return response


def stamped_via(via: str, flow: Flow) -> str:
    """The top value after it was stamped; what the request says of it is what parsing it again says."""
    request = request_with(via)
    stamp_received(request, flow)
    text = request.values(VIA)[0]
    known, parsed = request.read_top_via(), parse_via(text)
    for name in ("transport", "host", "port", "branch", "received", "rport", "maddr", "ttl", "sent_by", "text"):
        assert getattr(known, name) == getattr(parsed, name), name
    return text.decode()


HOME = Flow(UDP, 0, ("192.0.2.4", 5060))
NAT = Flow(UDP, 0, ("192.0.2.1", 9988))


def test_a_domain_name_gets_received() -> None:
    """RFC 3261 18.2.1, the example."""
    assert stamped_via("SIP/2.0/UDP bobspc.biloxi.com:5060", HOME) == (
        "SIP/2.0/UDP bobspc.biloxi.com:5060;received=192.0.2.4"
    )


def test_another_address_than_the_source_gets_received() -> None:
    """RFC 3261 18.2.1."""
    assert stamped_via("SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1", HOME) == (
        "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1;received=192.0.2.4"
    )


def test_the_source_address_itself_needs_no_received() -> None:
    """RFC 3261 18.2.1: the value stays octet by octet."""
    via = "SIP/2.0/UDP  192.0.2.4:5060 ; branch=z9hG4bK1"
    assert stamped_via(via, HOME) == via


def test_rport_gets_the_source_port_and_received() -> None:
    """RFC 3581 6, the example."""
    assert stamped_via("SIP/2.0/UDP 10.1.1.1:4540;rport;branch=z9hG4bKkjshdyff", NAT) == (
        "SIP/2.0/UDP 10.1.1.1:4540;rport=9988;branch=z9hG4bKkjshdyff;received=192.0.2.1"
    )


def test_rport_gets_received_even_from_the_same_address() -> None:
    """RFC 3581 4: MUST insert `received` even if it is identical to sent-by."""
    assert stamped_via("SIP/2.0/UDP 192.0.2.1;rport;branch=z9hG4bK1", NAT) == (
        "SIP/2.0/UDP 192.0.2.1;rport=9988;branch=z9hG4bK1;received=192.0.2.1"
    )


def test_rport_is_stamped_on_streams_too() -> None:
    """RFC 3581 4: independent of the transport protocol."""
    flow = Flow(TCP, 0, ("192.0.2.1", 40000), 0, 1)
    via = stamped_via("SIP/2.0/TCP 192.0.2.1;rport;branch=z9hG4bK1", flow)
    assert via.startswith("SIP/2.0/TCP 192.0.2.1;rport=40000")


def test_what_the_sender_says_of_its_source_is_overwritten() -> None:
    """No sender may direct our responses to a third address."""
    spoofed = "SIP/2.0/UDP 10.1.1.1;received=203.0.113.9;rport=1;branch=z9hG4bK1"
    assert stamped_via(spoofed, NAT) == "SIP/2.0/UDP 10.1.1.1;rport=9988;branch=z9hG4bK1;received=192.0.2.1"
    assert stamped_via("SIP/2.0/UDP 192.0.2.4;received=203.0.113.9;branch=z9hG4bK1", HOME) == (
        "SIP/2.0/UDP 192.0.2.4;branch=z9hG4bK1"
    )


def test_other_parameters_keep_their_octets() -> None:
    via = 'SIP/2.0/UDP 10.1.1.1 ;Branch=z9hG4bK1; x="a;rport;b\\";received=1" ;rPort ; y'
    assert stamped_via(via, NAT) == (
        'SIP/2.0/UDP 10.1.1.1 ;Branch=z9hG4bK1; x="a;rport;b\\";received=1" ;rport=9988; y;received=192.0.2.1'
    )


def test_only_the_top_value_is_stamped() -> None:
    request = request_with("SIP/2.0/UDP a.example.com;branch=z9hG4bK1, SIP/2.0/UDP b.example.com;rport;branch=z9hG4bK2")
    stamp_received(request, NAT)
    assert request.values(VIA) == [
        b"SIP/2.0/UDP a.example.com;branch=z9hG4bK1;received=192.0.2.1",
        b"SIP/2.0/UDP b.example.com;rport;branch=z9hG4bK2",
    ]


def test_ipv6_source_is_compared_by_value_and_written_without_brackets() -> None:
    """RFC 3261 25.1: via-received is an IPv6address, not a reference."""
    flow = Flow(UDP, 0, ("2001:db8::9:1", 5060))
    same = "SIP/2.0/UDP [2001:db8:0:0:0:0:9:1];branch=z9hG4bK1"
    assert stamped_via(same, flow) == same
    assert stamped_via("SIP/2.0/UDP [2001:db8::9:2];branch=z9hG4bK1", flow) == (
        "SIP/2.0/UDP [2001:db8::9:2];branch=z9hG4bK1;received=2001:db8::9:1"
    )


def test_the_scope_of_a_link_local_source_stays_at_home() -> None:
    flow = Flow(UDP, 0, ("fe80::1%2", 5060))
    assert stamped_via("SIP/2.0/UDP a.example.com", flow) == "SIP/2.0/UDP a.example.com;received=fe80::1"
    assert response_flow(parse_via(b"SIP/2.0/UDP a.example.com;received=fe80::1"), flow) is flow


@pytest.mark.parametrize(
    ("host", "address", "is_same"),
    [
        (b"192.0.2.1", b"192.0.2.1", True),
        (b"192.0.2.1", b"192.0.2.11", False),
        (b"example.com", b"192.0.2.1", False),
        (b"[::1]", b"::1", True),
        (b"[0:0::1]", b"::1", True),
        (b"[::2]", b"::1", False),
        (b"[nonsense]", b"::1", False),
    ],
)
def test_same_host(host: bytes, address: bytes, is_same: bool) -> None:
    assert is_same_host(host, address) == is_same


@pytest.mark.parametrize(
    ("via", "destination"),
    [
        # RFC 3261 18.2.2, bullets two to four; RFC 3581 4.
        ("SIP/2.0/UDP 192.0.2.1", (UDP, b"192.0.2.1", 5060)),
        ("SIP/2.0/UDP 192.0.2.1:5070", (UDP, b"192.0.2.1", 5070)),
        ("SIP/2.0/UDP a.example.com:5070;received=192.0.2.1", (UDP, b"192.0.2.1", 5070)),
        ("SIP/2.0/UDP 10.0.0.1:5070;received=192.0.2.1;rport=9988", (UDP, b"192.0.2.1", 9988)),
        ("SIP/2.0/UDP 10.0.0.1:5070;received=192.0.2.1;rport", (UDP, b"192.0.2.1", 5070)),
        ("SIP/2.0/UDP 10.0.0.1:5070;received=192.0.2.1;rport=9988;maddr=224.2.0.1", (UDP, b"192.0.2.1", 9988)),
        ("SIP/2.0/UDP [2001:db8::1];received=2001:db8::2", (UDP, b"2001:db8::2", 5060)),
        ("SIP/2.0/UDP [2001:db8::1]:5070", (UDP, b"2001:db8::1", 5070)),
        # RFC 3261 18.2.2, bullet one: the port of the sent-by, rport and maddr do not count.
        ("SIP/2.0/TCP 10.0.0.1;received=192.0.2.1;rport=9988;maddr=224.2.0.1", (TCP, b"192.0.2.1", 5060)),
        ("SIP/2.0/TCP 10.0.0.1:5070", (TCP, b"10.0.0.1", 5070)),
        ("SIP/2.0/SCTP 10.0.0.1:5070", (UNKNOWN_TRANSPORT, b"10.0.0.1", 5070)),
    ],
)
def test_where_a_response_goes(via: str, destination: tuple[int, bytes, int]) -> None:
    assert response_destination(parse_via(via.encode())) == destination


def test_a_response_to_a_datagram_leaves_by_the_listener_it_came_to() -> None:
    """RFC 3581 4: from the same address and port that the request was received on."""
    flow = Flow(UDP, 3, ("192.0.2.1", 9988))
    assert response_flow(parse_via(b"SIP/2.0/UDP 10.0.0.1:5070;received=192.0.2.1;rport=9988"), flow) is flow
    assert response_flow(parse_via(b"SIP/2.0/UDP 10.0.0.1:5070;received=192.0.2.1"), flow) == Flow(
        UDP, 3, ("192.0.2.1", 5070)
    )


@pytest.mark.parametrize("victim", [b"203.0.113.9", b"[2001:db8::9]", b"victim.example", b"224.2.0.1", b"[ff02::1]"])
def test_no_sender_has_our_responses_sent_to_another_address(victim: bytes) -> None:
    """RFC 3261 18.1.1 means maddr for what is sent by multicast; what came by unicast sends us to no group."""
    flow = Flow(UDP, 3, ("192.0.2.1", 9988))
    via = parse_via(b"SIP/2.0/UDP 192.0.2.1:5070;maddr=" + victim)
    assert response_flow(via, flow) == Flow(UDP, 3, ("192.0.2.1", 5070))
    assert response_destination(via) == (UDP, b"192.0.2.1", 5070)


def test_a_response_to_a_stream_uses_its_connection() -> None:
    """RFC 3261 18.2.2, bullet one."""
    flow = Flow(TCP, 1, ("192.0.2.1", 40000), 2, 77)
    assert response_flow(parse_via(b"SIP/2.0/TCP 10.0.0.1:5070;received=192.0.2.1"), flow) is flow


def test_a_response_whose_connection_is_gone_opens_another() -> None:
    """RFC 3261 18.2.2, bullet one: the source address, the port of the sent-by or its default."""
    flow = Flow(TCP, 1, ("192.0.2.1", 40000), 2, 77)
    data = b"SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP 10.0.0.1:5070;branch=z9hG4bK1;received=192.0.2.1\r\n\r\n"
    again = reopened(Outgoing(data, flow))
    assert again is not None
    assert (again.data, again.flow) == (data, Flow(TCP, 1, ("192.0.2.1", 5070)))
    default = reopened(Outgoing(data.replace(b":5070", b""), flow))
    assert default is not None and default.flow.remote == ("192.0.2.1", 5060)


def test_a_request_whose_connection_is_gone_has_failed() -> None:
    """RFC 3261 18.4."""
    flow = Flow(TCP, 1, ("192.0.2.1", 40000), 2, 77)
    assert reopened(Outgoing(b"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.1\r\n\r\n", flow, b"z9hG4bK1")) is None
    assert reopened(Outgoing(b"SIP/2.0 200 OK\r\nVia: nonsense\r\n\r\n", flow)) is None
    assert reopened(Outgoing(b"SIP/2.0 200 OK\r\n\r\n", flow)) is None
    assert reopened(Outgoing(b"\r\n", flow)) is None


@pytest.mark.parametrize(
    ("via", "advertised"),
    [
        ("SIP/2.0/TLS p1.example.com;branch=z9hG4bK1;alias", ("p1.example.com", 5061)),
        ("SIP/2.0/TLS P1.example.com:7061 ;Alias ;branch=z9hG4bK1", ("p1.example.com", 7061)),
        ("SIP/2.0/TLS [2001:db8::1];branch=z9hG4bK1;alias", ("2001:db8::1", 5061)),
        ("SIP/2.0/TLS p1.example.com;branch=z9hG4bK1", None),
        ('SIP/2.0/TLS p1.example.com;branch=z9hG4bK1;x=";alias"', None),
        ("SIP/2.0/TLS ;alias", None),
    ],
)
def test_the_address_that_a_peer_advertises(via: str, advertised: tuple[str, int] | None) -> None:
    """RFC 5923 8.2: the first Via counts, of a request."""
    lines = f"Via: {via}\r\nVia: SIP/2.0/TLS other.example;branch=z9hG4bK2;alias\r\n\r\n"
    assert advertised_address(f"OPTIONS sip:bob@example.com SIP/2.0\r\n{lines}".encode()) == advertised
    assert advertised_address(f"SIP/2.0 200 OK\r\n{lines}".encode()) is None


def test_our_via_goes_on_top_and_comes_off_again() -> None:
    """RFC 3261 18.1.1, 16.6 step 8, 16.7 step 3."""
    request = request_with("SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1")
    push_via(request, TCP, b"192.0.2.10:5060", b"z9hG4bKours", True)
    push_via(request, UDP, b"[2001:db8::1]:5060", b"z9hG4bKours2", False)
    response = answer_to(request)
    assert pop_via(response) == b"SIP/2.0/UDP [2001:db8::1]:5060;branch=z9hG4bKours2"
    assert pop_via(response) == b"SIP/2.0/TCP 192.0.2.10:5060;branch=z9hG4bKours;rport"
    assert response.values(VIA) == [b"SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1"]


@pytest.mark.parametrize("text", [b"a;b;c", b'a;b="x;y";c', b'a;b="\\";";c', b'a;b="open;c', b"", b";", b'"'])
def test_parameters_cut_and_joined_are_the_same_text(text: bytes) -> None:
    assert b";".join(split_parameters(text)) == text


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        (b"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip", (b"z9hG4bK1", b"OPTIONS")),
        (b"INVITE sip:a SIP/2.0\r\nX: y\r\nv:SIP/2.0/UDP h;branch=z9hG4bK1, SIP/2.0/UDP x", (b"z9hG4bK1", b"INVITE")),
        (b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n", (b"", b"")),
        (b"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2", (b"", b"")),
        (b"OPTIONS sip:a SIP/2.0\r\n", (b"", b"")),
        (b"", (b"", b"")),
    ],
)
def test_the_request_that_icmp_quotes(quote: bytes, found: tuple[bytes, bytes]) -> None:
    """RFC 3261 18.4; RFC 1812 4.3.2.3: as much of the datagram as fits."""
    assert quoted_request(quote) == found


@pytest.mark.parametrize(
    ("host", "is_so"),
    [
        (b"10.0.0.7", True),
        (b"192.0.2.4", False),
        (b"[fd00::7]", True),
        (b"[2001:DB8::4]", False),
        (b"phone.invalid", True),
        (b"phone.example.com", False),
    ],
)
def test_who_is_behind_an_address_translation(host: bytes, is_so: bool) -> None:
    """A name may lead anywhere, but for those of RFC 2606 2, which WebSocket clients use (RFC 7118 5)."""
    assert is_translated(host, b"2001:db8::4" if host.startswith(b"[") else b"192.0.2.4") == is_so
