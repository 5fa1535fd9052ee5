"""From a name to servers: the tables of RFC 3263 4.1 and 4.2, with a DNS that is a dictionary."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pytest

from appliance.catalogue.settings import ListenerSettings, Settings
from appliance.catalogue.transports import TRANSPORT_NAMES
from appliance.routing.hop_trial import HopTrial
from appliance.routing.host_cache import HostCache
from appliance.routing.lookup_questions import LookupHost, Question
from appliance.routing.next_hops import ASKED_MAX, FLOWS_MAX, SERVERS_MAX, UDP_LEN_MAX
from appliance.routing.server_cache import ServerCache
from appliance.routing.server_location import NAPTR_MAX, AnswersNeeded, LocationUnknown
from appliance.sip.siphash import SipHash
from appliance.sip.uri import parse_uri
from appliance.transport.flow import TCP, TLS, UDP, Flow

# "TYPE NAME", or the name of a host, to what DNS has.
Zone = Mapping[str, list[str]]

ALL = (UDP, TCP, TLS)
HOSTS: Zone = {
    "example.com": ["192.0.2.1", "2001:db8::1"],
    "s1.example.com": ["192.0.2.11"],
    "s2.example.com": ["192.0.2.12"],
    "s3.example.net": ["192.0.2.13"],
}
NAPTR: Zone = {
    "NAPTR example.com": [
        "50\t50\ts\tSIPS+D2T\t\t_sips._tcp.example.com.",
        "90\t50\ts\tSIP+D2T\t\t_sip._tcp.example.com.",
        "100\t50\ts\tSIP+D2U\t\t_sip._udp.example.com.",
    ]
}
SRV: Zone = {
    "SRV _sips._tcp.example.com": ["1 1 5061 s1.example.com."],
    "SRV _sip._tcp.example.com": ["1 1 5060 s1.example.com.", "2 1 5070 s2.example.com."],
    "SRV _sip._udp.example.com": ["1 1 5080 s2.example.com."],
}


def listeners_for(transports: tuple[int, ...]) -> list[ListenerSettings]:
    """One for each transport and address family; TLS has a port of its own."""
    return [
        ListenerSettings(
            name=f"{TRANSPORT_NAMES[transport]}-{version}",
            address=address,
            port=5061 if transport == TLS else 5060,
            transports=(transport,),
            certificates=("one",) if transport == TLS else (),
        )
        for transport in transports
        for version, address in (("4", "192.0.2.100"), ("6", "2001:db8::100"))
    ]


class Located:
    """What one URI leads to, and what was asked on the way, round by round."""

    def __init__(
        self,
        uri: str,
        zone: Zone,
        transports: tuple[int, ...] = ALL,
        size: int = 0,
        failing: Collection[str] = (),
        known: Collection[str] = (),
    ) -> None:
        """`known`: hosts that were asked for before."""
        settings = Settings()
        caches = HostCache(settings), ServerCache(settings)
        trial = HopTrial(listeners_for(transports), *caches, SipHash(b"0123456789abcdef"))
        self.rounds: list[list[str]] = []
        self.is_unknown = False
        self.flows: list[Flow] = []
        for host in known:
            self._answer(trial, LookupHost(host.encode()), zone, ())
        while True:
            try:
                self.flows = trial.find(parse_uri(uri.encode()), size, 0, b"call", 0.0)
                return
            except LocationUnknown:
                self.is_unknown = True
                return
            except AnswersNeeded as needed:
                self.rounds.append([question.subject for question in needed.questions])
                for question in needed.questions:
                    self._answer(trial, question, zone, failing)

    @staticmethod
    def _answer(trial: HopTrial, question: Question, zone: Zone, failing: Collection[str]) -> None:
        found = question.answer_of(zone.get(question.subject, []))
        trial.learn(question, question.unknown() if question.subject in failing else found, 0.0)

    @property
    def hops(self) -> list[str]:
        return [f"{TRANSPORT_NAMES[flow.transport]} {flow.remote[0]} {flow.remote[1]}" for flow in self.flows]


@pytest.mark.parametrize(
    ("uri", "hops"),
    [
        # A numeric host: no question. UDP for sip, TLS for sips; the transport and the port that the URI has.
        ("sip:192.0.2.9", ["udp 192.0.2.9 5060"]),
        ("sips:192.0.2.9", ["tls 192.0.2.9 5061"]),
        ("sip:192.0.2.9;transport=tcp", ["tcp 192.0.2.9 5060"]),
        ("sip:192.0.2.9:5070;transport=tls", ["tls 192.0.2.9 5070"]),
        ("sip:example.com;maddr=192.0.2.9", ["udp 192.0.2.9 5060"]),
    ],
)
def test_a_numeric_target_asks_nothing(uri: str, hops: list[str]) -> None:
    located = Located(uri, {})
    assert (located.hops, located.rounds) == (hops, [])


@pytest.mark.parametrize(
    ("uri", "transport", "port"),
    [
        ("sip:example.com:5060", "udp", 5060),
        ("sip:example.com:5080;transport=tcp", "tcp", 5080),
        ("sips:example.com:5081", "tls", 5081),
    ],
)
def test_a_name_with_a_port_is_a_host(uri: str, transport: str, port: int) -> None:
    """RFC 3263 4.2: A and AAAA, no SRV; also where the port is 5060."""
    located = Located(uri, {**HOSTS, **NAPTR, **SRV})
    assert located.rounds == [["example.com"]]
    assert located.hops == [f"{transport} 192.0.2.1 {port}", f"{transport} 2001:db8::1 {port}"]


@pytest.mark.parametrize(
    ("uri", "asked", "hops"),
    [
        ("sip:example.com;transport=udp", "_sip._udp", ["udp 192.0.2.12 5080"]),
        ("sip:example.com;transport=tcp", "_sip._tcp", ["tcp 192.0.2.11 5060", "tcp 192.0.2.12 5070"]),
        ("sip:example.com;transport=tls", "_sips._tcp", ["tls 192.0.2.11 5061"]),
        ("sips:example.com;transport=tcp", "_sips._tcp", ["tls 192.0.2.11 5061"]),
    ],
)
def test_a_name_with_a_transport_asks_for_its_servers(uri: str, asked: str, hops: list[str]) -> None:
    """RFC 3263 4.2: no NAPTR."""
    located = Located(uri, {**HOSTS, **NAPTR, **SRV})
    assert located.rounds[0] == [f"SRV {asked}.example.com"]
    assert located.hops == hops


def test_a_name_with_a_transport_and_without_servers_is_a_host() -> None:
    located = Located("sip:example.com;transport=tcp", HOSTS)
    assert located.hops == ["tcp 192.0.2.1 5060", "tcp 2001:db8::1 5060"]


@pytest.mark.parametrize(
    ("uri", "transports", "hops"),
    [
        ("sip:example.com", ALL, ["tls 192.0.2.11 5061"]),
        ("sip:example.com", (UDP, TCP), ["tcp 192.0.2.11 5060", "tcp 192.0.2.12 5070"]),
        ("sip:example.com", (UDP,), ["udp 192.0.2.12 5080"]),
        ("sips:example.com", ALL, ["tls 192.0.2.11 5061"]),
        ("sips:example.com", (UDP, TCP), []),
    ],
)
def test_naptr_chooses_the_transport_that_both_have(uri: str, transports: tuple[int, ...], hops: list[str]) -> None:
    """RFC 3263 4.1, its example. A sips URI takes no record without SIPS."""
    assert Located(uri, {**HOSTS, **NAPTR, **SRV}, transports).hops == hops


def test_naptr_may_lead_to_another_domain() -> None:
    zone = {
        **HOSTS,
        "NAPTR example.com": ["1\t1\ts\tSIP+D2U\t\t_sip._udp.hosting.example."],
        "SRV _sip._udp.hosting.example": ["1 1 5060 s3.example.net."],
    }
    assert Located("sip:example.com", zone).hops == ["udp 192.0.2.13 5060"]


def test_records_of_one_order_are_all_tried_and_those_of_a_later_order_are_not() -> None:
    """RFC 3403 4.1; by preference."""
    zone = {
        **HOSTS,
        **SRV,
        "NAPTR example.com": [
            "1\t2\ts\tSIP+D2U\t\t_sip._udp.example.com.",
            "1\t1\ts\tSIPS+D2T\t\t_sips._tcp.example.com.",
            "2\t1\ts\tSIP+D2T\t\t_sip._tcp.example.com.",
        ],
    }
    assert Located("sip:example.com", zone).hops == ["tls 192.0.2.11 5061", "udp 192.0.2.12 5080"]


def test_naptr_without_servers_behind_it_is_the_transport_of_the_host() -> None:
    located = Located("sip:example.com", {**HOSTS, **NAPTR})
    assert located.hops == ["tls 192.0.2.1 5061", "tls 2001:db8::1 5061"]


@pytest.mark.parametrize(
    ("uri", "size", "left_out", "hops"),
    [
        ("sip:example.com", 0, "", ["udp 192.0.2.12 5080"]),
        ("sip:example.com", 0, "_sip._udp", ["tcp 192.0.2.11 5060", "tcp 192.0.2.12 5070"]),
        ("sips:example.com", 0, "", ["tls 192.0.2.11 5061"]),
        # RFC 3261 18.1.1: too long for UDP.
        ("sip:example.com", UDP_LEN_MAX + 1, "", ["tcp 192.0.2.11 5060", "tcp 192.0.2.12 5070"]),
        ("sip:example.com", UDP_LEN_MAX + 1, "_sip._tcp", ["tcp 192.0.2.12 5080", "udp 192.0.2.12 5080"]),
    ],
)
def test_without_naptr_each_transport_is_asked_for(uri: str, size: int, left_out: str, hops: list[str]) -> None:
    """RFC 3263 4.1: any transport whose query is successful."""
    zone = {name: records for name, records in {**HOSTS, **SRV}.items() if not left_out or left_out not in name}
    located = Located(uri, zone, size=size)
    assert located.hops == hops
    names = {"SRV _sips._tcp.example.com"} if uri.startswith("sips") else {
        "SRV _sip._udp.example.com", "SRV _sip._tcp.example.com"
    }  # fmt: skip
    assert located.rounds[0] == ["NAPTR example.com"] and set(located.rounds[1]) == names


@pytest.mark.parametrize(
    ("uri", "size", "hops"),
    [
        ("sip:example.com", 0, ["udp 192.0.2.1 5060", "udp 2001:db8::1 5060"]),
        ("sips:example.com", 0, ["tls 192.0.2.1 5061", "tls 2001:db8::1 5061"]),
        (
            "sip:example.com", UDP_LEN_MAX + 1,
            ["tcp 192.0.2.1 5060", "udp 192.0.2.1 5060", "tcp 2001:db8::1 5060", "udp 2001:db8::1 5060"],
        ),
    ],
)  # fmt: skip
def test_without_any_record_the_name_is_a_host(uri: str, size: int, hops: list[str]) -> None:
    """RFC 3263 4.1, 4.2: UDP for sip, TCP for sips, which is TLS."""
    assert Located(uri, HOSTS, size=size).hops == hops


def test_a_domain_that_declares_to_have_no_service_is_not_reached_by_its_address() -> None:
    """RFC 2782: the target "."."""
    zone = {**HOSTS, "SRV _sip._udp.example.com": ["0 0 0 ."]}
    located = Located("sip:example.com;transport=udp", zone)
    assert (located.hops, located.rounds[-1]) == ([], ["SRV _sip._udp.example.com"])


# -- when DNS cannot say -----------------------------------------------------------------------------


@pytest.mark.parametrize("failing", ["NAPTR example.com", "SRV _sip._udp.example.com", "example.com"])
def test_cannot_know_is_not_no(failing: str) -> None:
    """Neither UDP in place of a TLS that DNS would have told of, nor the address of the domain for that of a server."""
    located = Located("sip:example.com", HOSTS, failing=[failing])
    assert located.is_unknown and located.hops == []


def test_one_server_that_cannot_be_found_leaves_the_others() -> None:
    located = Located("sip:example.com;transport=tcp", {**HOSTS, **SRV}, failing=["s1.example.com"])
    assert located.hops == ["tcp 192.0.2.12 5070"]


def test_no_server_that_can_be_found() -> None:
    failing = ["s1.example.com", "s2.example.com"]
    assert Located("sip:example.com;transport=tcp", {**HOSTS, **SRV}, failing=failing).is_unknown


# -- what a stranger's DNS may do --------------------------------------------------------------------


def test_of_a_swarm_of_servers_so_many_are_looked_up_and_tried() -> None:
    servers = {f"h{number}.example.com": [f"198.51.100.{number}", f"203.0.113.{number}"] * 4 for number in range(200)}
    zone = {**servers, "SRV _sip._udp.example.com": [f"1 1 5060 {host}." for host in servers]}
    located = Located("sip:example.com;transport=udp", zone)
    assert len(located.rounds[-1]) == ASKED_MAX and len(located.hops) == FLOWS_MAX


def test_one_name_leads_to_few_queries() -> None:
    """RFC 3263 4.1: its owner may name whatever servers he likes, those of a victim among them."""
    names = [f"_sip._udp.{number}.example.com" for number in range(20)]
    zone = {"NAPTR example.com": [f"1\t{number}\ts\tSIP+D2U\t\t{name}." for number, name in enumerate(names)]}
    for number, name in enumerate(names):
        zone[f"SRV {name}"] = [f"1 1 5060 h{number}-{each}.example.com." for each in range(20)]
        zone |= {f"h{number}-{each}.example.com": ["198.51.100.7"] for each in range(20)}
    located = Located("sip:example.com", zone)
    assert [len(asked) for asked in located.rounds] == [1, NAPTR_MAX, ASKED_MAX]
    assert located.hops


def test_all_servers_that_are_known_are_tried() -> None:
    servers = {f"h{number}.example.com": ["198.51.100.7"] for number in range(SERVERS_MAX)}
    zone = {**servers, "SRV _sip._udp.example.com": [f"{number} 1 5060 h{number}.example.com." for number in range(9)]}
    located = Located("sip:example.com;transport=udp", zone, known=tuple(servers))
    assert len(located.hops) == SERVERS_MAX


def test_names_that_dns_cannot_have_are_not_asked_for() -> None:
    located = Located("sip:exa_mple-.com.." + "a" * 70, {})
    assert all(not subject.startswith(("NAPTR", "SRV")) for asked in located.rounds for subject in asked)


def test_addresses_of_groups_are_no_servers() -> None:
    """RFC 3261 18.1.1."""
    zone = {"SRV _sip._udp.example.com": ["1 1 5060 h."], "h": ["224.0.1.75", "192.0.2.7"]}
    assert Located("sip:example.com;transport=udp", zone).hops == ["udp 192.0.2.7 5060"]


def test_the_certificate_has_to_name_the_domain_and_not_the_server() -> None:
    """RFC 5922 7.3: DNS is not to be trusted with it."""
    located = Located("sips:example.com", {**HOSTS, **NAPTR, **SRV})
    assert [flow.name for flow in located.flows] == ["example.com"]
