"""Hosts by file and by DNS (RFC 3263 4.2), against a name server of the test's own on loopback."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Coroutine, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import dns.asyncresolver
import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest
import uvloop

from appliance.resolver import (
    RECORDS_MAX,
    DomainRecords,
    HostAddresses,
    HostResolver,
    LookupFailed,
    names_in,
)

ZONE = {
    ("both.test.", "A"): ["192.0.2.2", "192.0.2.1"],
    ("both.test.", "AAAA"): ["2001:db8::1"],
    ("four.test.", "A"): ["192.0.2.4"],
    ("six.test.", "AAAA"): ["2001:db8::6"],
    ("_sip._udp.both.test.", "SRV"): ["10 60 5060 A.both.test.", "20 0 5070 b.both.test."],
    ("both.test.", "NAPTR"): ['10 5 "s" "SIP+D2U" "" _sip._udp.both.test.'],
    ("swarm.test.", "SRV"): [f"1 1 5060 host{number}.test." for number in range(300)],
    ("1.e164.test.", "NAPTR"): ['10 5 "u" "E2U+sip" "!^.*$!sip:a@b.test!" .'],
}
FAILING = {
    *(("broken.test.", kind) for kind in ("A", "AAAA", "NAPTR")),
    ("half.test.", "AAAA"),
    ("nothalf.test.", "AAAA"),
}
EMPTY = {"alias.test.", "half.test.", "nothalf.test.", "empty.test.", *(name for name, _ in ZONE)}


def answer_to(query: dns.message.Message) -> dns.message.Message:
    answer = dns.message.make_response(query)
    answer.flags |= dns.flags.RA
    question = query.question[0]
    key = (question.name.to_text(), dns.rdatatype.to_text(question.rdtype))
    if key in FAILING:
        answer.set_rcode(dns.rcode.SERVFAIL)
    elif key == ("half.test.", "A"):
        answer.answer.append(dns.rrset.from_text(key[0], 17, "IN", "A", "192.0.2.17"))
    elif key[0] == "loop.test.":
        answer.answer.append(dns.rrset.from_text("loop.test.", 20, "IN", "CNAME", "pool.test."))
        answer.answer.append(dns.rrset.from_text("pool.test.", 20, "IN", "CNAME", "loop.test."))
    elif key == ("alias.test.", "A"):
        answer.answer.append(dns.rrset.from_text(key[0], 20, "IN", "CNAME", "four.test."))
        answer.answer.append(dns.rrset.from_text("four.test.", 300, "IN", "A", "192.0.2.4"))
    elif key in ZONE:
        answer.answer.append(dns.rrset.from_text(key[0], 300 if key[1] == "A" else 120, "IN", key[1], *ZONE[key]))
    elif key[0] not in EMPTY:
        answer.set_rcode(dns.rcode.NXDOMAIN)
        if key[0] == "brief.test.":
            soa = dns.rrset.from_text("test.", 600, "IN", "SOA", "ns.test. root.test. 1 3600 600 86400 12")
            answer.authority.append(soa)
    return answer


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A name server, and resolvers that ask it."""
    endpoint = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    endpoint.bind(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            data, peer = endpoint.recvfrom(4096)
            if not data:
                return
            endpoint.sendto(answer_to(dns.message.from_wire(data)).to_wire(), peer)

    class AsksIt(dns.asyncresolver.Resolver):
        def __init__(self, filename: str) -> None:
            super().__init__(configure=False)
            self.nameservers = ["127.0.0.1"]
            self.port = endpoint.getsockname()[1]

    monkeypatch.setattr(dns.asyncresolver, "Resolver", AsksIt)
    thread = Thread(target=serve)
    thread.start()
    yield
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
        last.sendto(b"", endpoint.getsockname())
    thread.join()
    endpoint.close()


def ask(
    host: str, hosts_file: Path = Path("/nonexistent"), resolv_conf: Path = Path("/etc/resolv.conf")
) -> HostAddresses:
    async def whole() -> HostAddresses:
        return await HostResolver(0.5, hosts_file, resolv_conf).lookup(host)

    return with_uvloop(whole())


def with_uvloop(what: Coroutine[Any, Any, HostAddresses]) -> HostAddresses:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(what)


def test_both_families_with_the_shorter_life(server: None) -> None:
    found = ask("both.test")
    # Name servers shuffle; IPv4 comes before IPv6 all the same.
    assert sorted(found.addresses[:2]) == ["192.0.2.1", "192.0.2.2"]
    assert (found.addresses[2:], found.ttl_s) == (("2001:db8::1",), 120.0)


def test_one_family(server: None) -> None:
    assert ask("FOUR.test.") == HostAddresses(("192.0.2.4",), 300.0)
    assert ask("six.test") == HostAddresses(("2001:db8::6",), 120.0)


def test_an_alias_lives_as_long_as_it_says(server: None) -> None:
    """It is what is changed when a service moves to another host."""
    assert ask("alias.test") == HostAddresses(("192.0.2.4",), 20.0)


@pytest.mark.parametrize("host", ["none.test", "empty.test", "a" * 64 + ".test", "a..test", "", ".", "\u0661.test"])
def test_no_such_host(server: None, host: str) -> None:
    assert ask(host).addresses == ()


def test_a_server_that_fails_is_not_a_no(server: None) -> None:
    with pytest.raises(LookupFailed):
        ask("broken.test")


def test_one_family_known_is_enough(server: None) -> None:
    assert ask("half.test") == HostAddresses(("192.0.2.17",), 17.0)


def test_one_family_empty_and_the_other_unknown_is_unknown(server: None) -> None:
    with pytest.raises(LookupFailed):
        ask("nothalf.test")


def test_naptr_records_of_an_enum_domain(server: None) -> None:
    """RFC 6116 3.4; "cannot know" is not "no"."""

    def asked(domain: str) -> DomainRecords:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(HostResolver(0.5).naptr(domain))

    assert asked("1.e164.test") == DomainRecords(("10\t5\tu\tE2U+sip\t!^.*$!sip:a@b.test!",), 120.0)
    assert asked("2.e164.test").records == ()
    assert asked("empty.test").records == ()
    with pytest.raises(LookupFailed):
        asked("broken.test")


def records_of(
    domain: str, record_type: str, hosts_file: Path = Path("/nonexistent"), timeout_s: float = 0.5
) -> DomainRecords:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(HostResolver(timeout_s, hosts_file).records(domain, record_type))


def test_servers_of_a_domain(server: None) -> None:
    """RFC 3263 4.1, 4.2; "cannot know" is not "no"."""
    found = records_of("_sip._udp.both.test", "SRV")
    assert (sorted(found.records), found.ttl_s) == (["10 60 5060 A.both.test.", "20 0 5070 b.both.test."], 120.0)
    assert records_of("both.test", "NAPTR").records == ("10\t5\ts\tSIP+D2U\t\t_sip._udp.both.test.",)
    assert records_of("_sip._tcp.both.test", "SRV").records == ()
    with pytest.raises(LookupFailed):
        records_of("broken.test", "NAPTR")


def test_aliases_that_lead_in_a_circle_are_no_answer(server: None) -> None:
    with pytest.raises(LookupFailed):
        records_of("loop.test", "SRV")
    with pytest.raises(LookupFailed):
        ask("loop.test")


def test_of_very_many_records_so_many_are_read(server: None) -> None:
    assert len(records_of("swarm.test", "SRV", timeout_s=30.0).records) == RECORDS_MAX


def test_how_long_a_zone_says_that_a_name_is_absent(server: None) -> None:
    """RFC 2308 5."""
    assert records_of("brief.test", "SRV") == DomainRecords((), 12.0)
    assert ask("brief.test") == HostAddresses((), 12.0)


def test_a_domain_in_the_hosts_file_is_a_single_host(server: None, tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("192.0.2.99 both.test\n")
    assert records_of("_sip._udp.both.test", "SRV", tmp_path / "hosts").records == ()
    assert records_of("both.test", "NAPTR", tmp_path / "hosts").records == ()


@pytest.mark.parametrize("domain", ["localhost", "_sip._udp.localhost"])
def test_this_machine_has_no_servers_in_dns(domain: str) -> None:
    """RFC 6761 6.3: nothing is asked; there is no name server here."""
    assert records_of(domain, "SRV").records == ()


def test_without_any_name_server_the_answer_is_not_known(tmp_path: Path) -> None:
    (tmp_path / "resolv.conf").write_text("")
    with pytest.raises(LookupFailed):
        ask("both.test", resolv_conf=tmp_path / "missing")


def test_the_hosts_file_comes_first_and_is_read_again(server: None, tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("192.0.2.99 both.test\n")
    assert ask("Both.test", hosts).addresses == ("192.0.2.99",)
    asking = HostResolver(0.5, hosts)
    assert with_uvloop(asking.lookup("both.test")).addresses == ("192.0.2.99",)
    hosts.unlink()
    hosts.write_text("192.0.2.98 both.test\n")
    assert with_uvloop(asking.lookup("both.test")).addresses == ("192.0.2.98",)


def test_localhost_is_this_machine_even_without_a_file() -> None:
    """RFC 6761 6.3."""
    assert ask("localhost").addresses == ("127.0.0.1", "::1")
    assert ask("sip.localhost").addresses == ("127.0.0.1", "::1")


def test_lines_of_a_hosts_file() -> None:
    text = "# comment\n127.0.0.1\tlocalhost  Here # me\n::1 localhost\nnonsense line\n\n192.0.2.1\n::1 localhost\n"
    assert names_in(text) == {"localhost": ("127.0.0.1", "::1"), "here": ("127.0.0.1",)}
