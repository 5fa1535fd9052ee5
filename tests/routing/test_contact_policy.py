"""Where contacts may lead (RFC 3261 10.3, 26.1), by the addresses of the machine; call flows have the rest."""

from __future__ import annotations

import pytest

from appliance.catalogue.settings import ListenerSettings, Settings
from appliance.location.binding import Binding, new_binding
from appliance.routing.contact_policy import ELSEWHERE, NAMED, PUBLISHED, ContactPolicy
from appliance.sip.uri import parse_uri
from appliance.transport.flow import UDP, Flow

MACHINE = ("127.0.0.1", "192.0.2.1", "198.51.100.1", "2001:db8::1")


def policy(address: str, advertise: str = "", peers: tuple[str, ...] = ()) -> ContactPolicy:
    listener = ListenerSettings(name="one", address=address, advertise=advertise, authenticate=False, peers=peers)
    return ContactPolicy(Settings(domains=("example.com",), listeners=(listener,)), MACHINE)


def registered_from(source: str, contact: bytes) -> Binding:
    aor, source_port = b"sip:bob@example.com", (source, 5060)
    return new_binding(
        aor, contact, contact, b"", 1000, 600.0, 600.0, b"c", 1, (), b"", 0, None, source_port, b"", 1, 1
    )


@pytest.mark.parametrize("host", [b"127.0.0.1", b"0.0.0.0", b"[::1]", b"192.0.2.1", b"198.51.100.1", b"[2001:db8::1]"])
@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.1"])
def test_no_contact_leads_to_this_machine(address: str, host: bytes) -> None:
    """A listener on all addresses is not on loopback, and all addresses of the machine are its own."""
    contact = b"sip:bob@" + host + b":5080"
    rules = policy(address, "sip.example.com" if address != "192.0.2.1" else "")
    assert rules.is_refused(registered_from("203.0.113.9", contact), parse_uri(contact), 0)


def test_a_listener_on_loopback_takes_contacts_on_the_machine() -> None:
    contact = b"sip:bob@127.0.0.1:5080"
    assert not policy("127.0.0.1").is_refused(registered_from("127.0.0.1", contact), parse_uri(contact), 0)


@pytest.mark.parametrize(
    ("address", "port", "origin", "passes"),
    [
        ("203.0.113.9", 5060, NAMED, True),
        ("203.0.113.9", 5060, ELSEWHERE, True),
        ("192.0.2.1", 5060, NAMED, True),
        ("198.51.100.1", 22, NAMED, False),
        ("::ffff:192.0.2.1", 22, NAMED, False),
        ("192.0.2.1", 5060, ELSEWHERE, False),
        ("127.0.0.1", 5060, NAMED, False),
        ("::ffff:127.0.0.1", 5060, NAMED, False),
    ],
)
def test_a_target_leads_to_this_machine_by_the_port_of_a_listener_only(
    address: str, port: int, origin: int, passes: bool
) -> None:
    hop = Flow(UDP, 0, (address, port))
    assert policy("192.0.2.1").passable([hop], origin, 0) == ([hop] if passes else [])


@pytest.mark.parametrize(
    ("address", "here", "passes"),
    [
        ("203.0.113.9", "192.0.2.1", True),
        ("203.0.113.7", "192.0.2.1", False),
        ("::ffff:203.0.113.7", "192.0.2.1", False),
        ("10.1.2.3", "192.0.2.1", False),
        ("192.0.2.1", "192.0.2.1", False),
        ("198.51.100.1", "192.0.2.1", False),
        ("127.0.0.1", "192.0.2.1", False),
        ("127.0.0.1", "127.0.0.1", False),
    ],
)
def test_what_a_stranger_has_published_leads_to_no_host_that_trusts_this_one(
    address: str, here: str, passes: bool
) -> None:
    """A record of an ENUM tree, or a redirect: neither to peers nor to the appliance itself."""
    hop = Flow(UDP, 0, (address, 5060))
    rules = policy(here, peers=("203.0.113.7", "10.0.0.0/8"))
    assert rules.passable([hop], PUBLISHED, 0) == ([hop] if passes else [])
