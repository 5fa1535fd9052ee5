"""The registrar, as phones see it: RFC 3261 10.2 and 10.3, RFC 3665 2, RFC 3327 5.3, RFC 5627 5, RFC 3840 5, RFC 5626
6.
"""

from __future__ import annotations

import pytest

from appliance.location.dict_table import DictStore, DictTable
from appliance.location.registrar import Outcome, outcome_of
from appliance.location.registration import Rules
from appliance.sip.header_lines import name_of, value_of
from appliance.sip.message import Request
from appliance.sip.parser import SyntaxLimits, parse
from appliance.transport.flow import TCP, UDP, Flow

WALL = 1_700_000_000.0
BOB = b"sip:bob@biloxi.example.com"
PHONE = b"<sip:bob@client.biloxi.example.com>"
INSTANCE = b'+sip.instance="<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>"'


class Settings:
    expires_min_s = 60
    expires_default_s = 3600
    expires_max_s = 7200
    contacts_max = 3
    own_contacts = False


class Registrar:
    """A registrar and its table; time stands still unless a test moves it."""

    def __init__(self, limit: int = 100) -> None:
        self.table = DictTable(DictStore(), limit)
        self.wall_time = WALL
        self.cseq = 0

    def register(
        self,
        *contacts: bytes,
        headers: bytes = b"",
        cseq: int = 0,
        call_id: bytes = b"1j9FpLxk3uxtm8tn@biloxi",
        aor: bytes = BOB,
        flow: Flow | None = None,
    ) -> Outcome:
        self.cseq = cseq or self.cseq + 1
        request = self.request(contacts, headers, self.cseq, call_id)
        outcome = outcome_of(request, aor, self.table, Rules(Settings), flow, ("192.0.2.4", 5060), self.wall_time, 1)
        if outcome.change is not None:
            assert outcome.status == 200
            self.table.apply(outcome.change)
        return outcome

    def request(self, contacts: tuple[bytes, ...], headers: bytes, cseq: int, call_id: bytes) -> Request:
        lines = b"".join(b"Contact: %b\r\n" % contact for contact in contacts)
        # RFC 5630 5.2
        scheme = b"sips" if b"<sips:" in lines else b"sip"
        request = parse(
            b"REGISTER " + scheme + b":biloxi.example.com SIP/2.0\r\n"
            b"Via: SIP/2.0/UDP client.biloxi.example.com:5060;branch=z9hG4bKnashds7\r\n"
            b"From: Bob <sip:bob@biloxi.example.com>;tag=a73kszlfl\r\n"
            b"To: Bob <sip:bob@biloxi.example.com>\r\n"
            b"Call-ID: %b\r\nCSeq: %d REGISTER\r\nMax-Forwards: 70\r\nUser-Agent: Test phone\r\n%b%b"
            b"Content-Length: 0\r\n\r\n" % (call_id, cseq, lines, headers),
            SyntaxLimits(),
        )
        assert isinstance(request, Request)
        return request

    def uris(self) -> list[bytes]:
        return [binding.uri for binding in self.table.find(BOB, self.wall_time)]


def contacts_of(outcome: Outcome) -> list[bytes]:
    return headers_of(outcome, b"Contact")


def header(outcome: Outcome, name: bytes) -> bytes | None:
    return next(iter(headers_of(outcome, name)), None)


def headers_of(outcome: Outcome, name: bytes) -> list[bytes]:
    return [value_of(line) for line in outcome.headers if name_of(line) == name]


# RFC 3665 2


def test_successful_new_registration_rfc_3665_2_1() -> None:
    outcome = Registrar().register(PHONE, headers=b"Expires: 3600\r\n")
    assert outcome.status == 200
    assert contacts_of(outcome) == [b"<sip:bob@client.biloxi.example.com>;expires=3600"]


def test_update_of_contact_list_rfc_3665_2_2() -> None:
    registrar = Registrar()
    registrar.register(PHONE)
    outcome = registrar.register(b"<mailto:bob@biloxi.example.com>")
    assert contacts_of(outcome) == [
        b"<sip:bob@client.biloxi.example.com>;expires=3600",
        b"<mailto:bob@biloxi.example.com>;expires=3600",
    ]


def test_request_for_current_contact_list_rfc_3665_2_3() -> None:
    registrar = Registrar()
    registrar.register(PHONE)
    registrar.wall_time += 600
    outcome = registrar.register()
    assert (outcome.status, outcome.change) == (200, None)
    assert contacts_of(outcome) == [b"<sip:bob@client.biloxi.example.com>;expires=3000"]


def test_cancellation_of_registration_rfc_3665_2_4() -> None:
    registrar = Registrar()
    registrar.register(PHONE)
    registrar.register(b"<sip:bob@pager>")
    outcome = registrar.register(b"*", headers=b"Expires: 0\r\n")
    assert (outcome.status, contacts_of(outcome), registrar.uris()) == (200, [], [])


# RFC 3261 10.2.2, 10.3 step 6


@pytest.mark.parametrize(
    ("contacts", "headers"),
    [
        ((b"*",), b""),
        ((b"*",), b"Expires: 1\r\n"),
        ((b"*",), b"Expires: soon\r\n"),
        ((b"*", PHONE), b"Expires: 0\r\n"),
        ((b"*", b"*"), b"Expires: 0\r\n"),
    ],
)
def test_star_means_remove_all_and_nothing_else_rfc_3261_10_3_step_6(
    contacts: tuple[bytes, ...], headers: bytes
) -> None:
    registrar = Registrar()
    registrar.register(PHONE)
    assert registrar.register(*contacts, headers=headers).status == 400
    assert len(registrar.uris()) == 1


def test_star_from_another_call_id_removes_and_from_the_same_one_only_in_order() -> None:
    registrar = Registrar()
    registrar.register(PHONE, cseq=10)
    assert registrar.register(b"*", headers=b"Expires: 0\r\n", cseq=10).status == 500
    assert len(registrar.uris()) == 1
    assert registrar.register(b"*", headers=b"Expires: 0\r\n", cseq=1, call_id=b"other").status == 200
    assert registrar.uris() == []


def test_star_for_an_address_without_bindings_is_fine() -> None:
    outcome = Registrar().register(b"*", headers=b"Expires: 0\r\n")
    assert (outcome.status, outcome.change) == (200, None)


# RFC 3261 10.3 step 7: the interval


@pytest.mark.parametrize(
    ("contact", "headers", "granted_s"),
    [
        (PHONE + b";expires=100", b"Expires: 200\r\n", 100),
        (PHONE, b"Expires: 200\r\n", 200),
        (PHONE, b"", 3600),
        (PHONE + b";expires=86400", b"", 7200),
        (PHONE + b";expires=99999999999999", b"", 7200),
        (PHONE + b";expires=often", b"", 3600),
        (PHONE, b"Expires: Thu, 01 Dec 1994 16:00:00 GMT\r\n", 3600),
        (PHONE + b";expires=60", b"", 60),
    ],
)
def test_how_long_a_registration_lasts(contact: bytes, headers: bytes, granted_s: int) -> None:
    outcome = Registrar().register(contact, headers=headers)
    assert contacts_of(outcome) == [PHONE + b";expires=%d" % granted_s]


def test_an_interval_too_brief_is_refused_with_the_least_that_would_do() -> None:
    registrar = Registrar()
    outcome = registrar.register(PHONE + b";expires=59")
    assert (outcome.status, header(outcome, b"Min-Expires")) == (423, b"60")
    assert registrar.uris() == []


def test_one_brief_contact_refuses_the_whole_request() -> None:
    registrar = Registrar()
    assert registrar.register(PHONE, b"<sip:bob@pager>;expires=5").status == 423
    assert registrar.uris() == []


# RFC 3261 10.3 step 7: which binding, and in which order


def test_a_refresh_keeps_one_binding_and_tells_the_new_interval() -> None:
    registrar = Registrar()
    registrar.register(PHONE)
    registrar.wall_time += 1800
    outcome = registrar.register(PHONE)
    assert contacts_of(outcome) == [PHONE + b";expires=3600"]
    assert len(registrar.table) == 1


@pytest.mark.parametrize(
    ("first", "again"),
    [
        (b"<sip:bob@client.biloxi.example.com>", b"<sip:bob@CLIENT.biloxi.example.COM>"),
        (b"<sip:b%6fb@client.biloxi.example.com>", b"<sip:bob@client.biloxi.example.com>"),
        (b"<sip:bob@client.biloxi.example.com;a=1;b=2>", b"<sip:bob@client.biloxi.example.com;b=2;a=1>"),
        (b"<sip:bob@client.biloxi.example.com>", b"<sip:bob@client.biloxi.example.com;newparam=5>"),
    ],
)
def test_contacts_are_compared_as_uris_rfc_3261_19_1_4(first: bytes, again: bytes) -> None:
    registrar = Registrar()
    registrar.register(first)
    registrar.register(again)
    assert registrar.uris() == [again[1:-1]]
    registrar.register(first, headers=b"Expires: 0\r\n")
    assert registrar.uris() == []


@pytest.mark.parametrize(
    "other",
    [
        b"<sip:bob@client.biloxi.example.com:5060>",
        b"<sip:BOB@client.biloxi.example.com>",
        b"<sips:bob@client.biloxi.example.com>",
        b"<sip:bob@client.biloxi.example.com;maddr=192.0.2.1>",
    ],
)
def test_what_differs_is_another_binding_rfc_3261_19_1_4(other: bytes) -> None:
    registrar = Registrar()
    registrar.register(PHONE)
    registrar.register(other)
    assert len(registrar.uris()) == 2


@pytest.mark.parametrize("cseq", [9, 10])
def test_a_request_out_of_order_fails_and_changes_nothing(cseq: int) -> None:
    registrar = Registrar()
    registrar.register(PHONE, cseq=10)
    outcome = registrar.register(b"<sip:bob@pager>", PHONE, cseq=cseq, headers=b"Expires: 0\r\n")
    assert outcome.status == 500
    assert registrar.uris() == [PHONE[1:-1]]


def test_the_request_that_made_a_binding_is_answered_again_and_changes_nothing() -> None:
    """Who repeats it may not have had its answer (RFC 3261 17.1.2), and no transaction may be left to know it."""
    registrar = Registrar()
    registrar.register(PHONE, cseq=10)
    registrar.wall_time += 4
    outcome = registrar.register(PHONE, cseq=10)
    assert (outcome.status, outcome.change) == (200, None)
    assert contacts_of(outcome) == [PHONE + b";expires=3596"]


def test_what_was_removed_stays_so_when_the_removal_is_repeated() -> None:
    registrar = Registrar()
    registrar.register(PHONE, cseq=10)
    registrar.register(PHONE + b";expires=0", cseq=11)
    outcome = registrar.register(PHONE + b";expires=0", cseq=11)
    assert (outcome.status, outcome.change, contacts_of(outcome)) == (200, None, [])


@pytest.mark.parametrize("cseq", [9, 10, 11])
def test_a_late_copy_of_a_register_does_not_undo_a_removal(cseq: int) -> None:
    """RFC 3261 10.3 step 7: it may have waited in the socket of a process that ended."""
    registrar = Registrar()
    registrar.register(PHONE, cseq=10)
    registrar.register(PHONE + b";expires=0", cseq=11)
    assert registrar.register(PHONE, cseq=cseq).status == 500
    assert registrar.uris() == []
    assert registrar.register(PHONE, cseq=12).status == 200


@pytest.mark.parametrize("other", [PHONE + b";expires=600", PHONE + b";q=0.5", PHONE + b";audio"])
def test_another_request_of_the_same_cseq_is_out_of_order(other: bytes) -> None:
    """RFC 3261 10.3 step 7"""
    registrar = Registrar()
    registrar.register(PHONE, cseq=10)
    assert registrar.register(other, cseq=10).status == 500


def test_a_phone_that_restarted_with_a_new_call_id_may_begin_its_cseq_anew() -> None:
    registrar = Registrar()
    registrar.register(PHONE, cseq=1000)
    assert registrar.register(PHONE, cseq=1, call_id=b"after-reboot").status == 200
    assert registrar.register(PHONE, cseq=2, call_id=b"after-reboot").status == 200


def test_a_binding_that_ended_is_no_measure_for_cseq() -> None:
    registrar = Registrar()
    registrar.register(PHONE + b";expires=60", cseq=1000)
    registrar.wall_time += 61
    assert registrar.register(PHONE, cseq=1).status == 200
    assert registrar.uris() == [PHONE[1:-1]]


def test_a_phone_may_register_again_after_it_unregistered() -> None:
    registrar = Registrar()
    for _ in range(3):
        assert registrar.register(PHONE).status == 200
        assert len(registrar.uris()) == 1
        assert registrar.register(PHONE, headers=b"Expires: 0\r\n").status == 200
        assert registrar.uris() == []


def test_removing_what_is_not_there_is_fine_and_changes_nothing() -> None:
    outcome = Registrar().register(PHONE + b";expires=0")
    assert (outcome.status, outcome.change) == (200, None)


def test_two_contacts_at_once_with_q_and_one_removed_later() -> None:
    registrar = Registrar()
    outcome = registrar.register(b"<sip:bob@desk>;q=0.7, <sip:bob@pager>;q=0.25")
    assert contacts_of(outcome) == [b"<sip:bob@desk>;q=0.700;expires=3600", b"<sip:bob@pager>;q=0.250;expires=3600"]
    registrar.register(b"<sip:bob@desk>;expires=0", b"<sip:bob@pager>;q=0.9")
    assert registrar.uris() == [b"sip:bob@pager"]
    assert registrar.table.find(BOB, WALL)[0].q == 900


def test_the_same_contact_twice_in_one_request_is_one_binding_as_said_last() -> None:
    outcome = Registrar().register(b"<sip:bob@desk>;q=0.1", b"<sip:bob@desk>;q=0.2")
    assert contacts_of(outcome) == [b"<sip:bob@desk>;q=0.200;expires=3600"]


# Limits


def test_an_address_has_no_more_contacts_than_the_setting_allows() -> None:
    registrar = Registrar()
    registrar.register(b"<sip:1@h>", b"<sip:2@h>", b"<sip:3@h>")
    assert registrar.register(b"<sip:4@h>").status == 403
    assert registrar.register(b"<sip:3@h>").status == 200
    assert registrar.register(b"<sip:3@h>;expires=0", b"<sip:4@h>").status == 200
    assert sorted(registrar.uris()) == [b"sip:1@h", b"sip:2@h", b"sip:4@h"]
    assert registrar.register(*[b"<sip:%d@h>;expires=0" % number for number in range(50)]).status == 403


def test_a_full_table_refuses_new_bindings_refreshes_old_ones_and_lets_go() -> None:
    registrar = Registrar(limit=1)
    registrar.register(PHONE)
    outcome = registrar.register(b"<sip:bob@pager>")
    assert outcome.status == 503
    assert header(outcome, b"Retry-After") is not None
    assert registrar.register(PHONE).status == 200
    assert registrar.register(PHONE + b";expires=0").status == 200
    assert registrar.uris() == []


# What is kept


@pytest.mark.parametrize(
    "uri",
    [
        b"sip:user@host129;unknownparam=newvalue;x",
        b"sip:user@example.com?Route=%3Csip:sip.example.com%3E",
        b"sip:null-%00-null@host",
        b"sip:+19725552222@gw1.example.net;unknownparam",
        b"tel:+1-972-555-2222",
        b"sips:bob@[2001:db8::9]:5081;transport=tcp",
    ],
)
def test_contact_uris_are_kept_octet_for_octet_rfc_4475(uri: bytes) -> None:
    registrar = Registrar()
    outcome = registrar.register(b"<" + uri + b">")
    assert contacts_of(outcome) == [b"<" + uri + b">;expires=3600"]
    assert registrar.uris() == [uri]


def test_without_angle_brackets_parameters_are_the_contacts_rfc_3261_20_10() -> None:
    registrar = Registrar()
    registrar.register(b"sip:+19725552222@gw1.example.net;unknownparam")
    binding = registrar.table.find(BOB, WALL)[0]
    assert (binding.uri, binding.parameters) == (b"sip:+19725552222@gw1.example.net", b";unknownparam")


def test_feature_parameters_are_kept_and_told_again_rfc_3840() -> None:
    features = b';audio;video;methods="INVITE,BYE";+sip.description="a \\"b\\" c"'
    outcome = Registrar().register(PHONE + b";q=0.5;expires=600" + features)
    assert contacts_of(outcome) == [PHONE + b";q=0.500;expires=600" + features]


def test_a_stream_connection_is_kept_and_a_datagrams_source_is() -> None:
    registrar = Registrar()
    stream = Flow(TCP, 1, ("192.0.2.4", 49152), 2, 17)
    registrar.register(PHONE, flow=stream)
    assert registrar.table.find(BOB, WALL)[0].flow == stream
    registrar.register(PHONE, flow=Flow(UDP, 0, ("192.0.2.4", 5060)))
    assert registrar.table.find(BOB, WALL)[0].flow is None
    assert registrar.table.find(BOB, WALL)[0].source == ("192.0.2.4", 5060)


def test_a_malformed_contact_refuses_the_request() -> None:
    registrar = Registrar()
    outcome = registrar.register(PHONE, b"<sip:bob@")
    assert outcome.status == 400
    assert b"Contact" in outcome.reason
    assert registrar.uris() == []


def test_a_contact_that_is_the_address_itself_would_be_a_loop() -> None:
    assert Registrar().register(b"<sip:bob@biloxi.example.com>").status == 403
    assert Registrar().register(b"<sip:bob@biloxi.example.com;gr=urn:uuid:1>").status == 403
    assert Registrar().register(b"<sip:bob@biloxi.example.com:5070>").status == 200


# RFC 3261 8.2.2.3, RFC 3327, RFC 5627, RFC 5626


def test_an_extension_that_must_be_known_and_is_not() -> None:
    outcome = Registrar().register(PHONE, headers=b"Require: gruu, 100rel, foo\r\n")
    assert (outcome.status, header(outcome, b"Unsupported")) == (420, b"100rel, foo")
    assert Registrar().register(PHONE, headers=b"Require: gruu, path\r\n").status == 200


@pytest.mark.parametrize("supported", [b"", b"Supported: path\r\n"])
def test_the_path_is_kept_with_the_binding_and_returned_rfc_3327_5_3(supported: bytes) -> None:
    registrar = Registrar()
    path = b"Path: <sip:p3.example.net;lr>,<sip:p1.example.com;lr>\r\n"
    outcome = registrar.register(PHONE, headers=path + supported)
    expected = (b"<sip:p3.example.net;lr>", b"<sip:p1.example.com;lr>")
    assert registrar.table.find(BOB, WALL)[0].path == expected
    assert tuple(headers_of(outcome, b"Path")) == expected
    registrar.register(PHONE)
    assert registrar.table.find(BOB, WALL)[0].path == ()


def test_a_path_longer_than_any_binding_should_carry_is_refused() -> None:
    path = b"".join(b"Path: <sip:%b.example.net;lr>\r\n" % (b"p" * 1000) for _ in range(20))
    assert Registrar().register(PHONE, headers=path).status == 403


def test_option_tags_compare_without_case() -> None:
    """RFC 3261 7.3.1."""
    outcome = Registrar().register(PHONE + b";" + INSTANCE, headers=b"Supported: Path, Gruu\r\n")
    assert b"pub-gruu" in contacts_of(outcome)[0]


def test_a_phone_that_knows_gruus_is_told_its_own_rfc_5627_5_2() -> None:
    outcome = Registrar().register(PHONE + b";" + INSTANCE, headers=b"Supported: path, gruu\r\n")
    gruu = b';pub-gruu="sip:bob@biloxi.example.com;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"'
    assert contacts_of(outcome) == [PHONE + b";expires=3600;" + INSTANCE + gruu]


def test_no_gruu_for_those_who_did_not_ask_and_none_is_taken_from_a_phone() -> None:
    registrar = Registrar()
    outcome = registrar.register(PHONE + b";" + INSTANCE + b';pub-gruu="sip:evil@h;gr=1";temp-gruu="sip:evil@h;gr"')
    assert contacts_of(outcome) == [PHONE + b";expires=3600;" + INSTANCE]
    assert registrar.register(b"<tel:+12125551212>;" + INSTANCE).status == 403


def test_reg_id_replaces_the_flow_it_names_rfc_5626_6() -> None:
    registrar = Registrar()
    outbound = b"Supported: outbound\r\n"
    registrar.register(b"<sip:bob@192.0.2.4:4000>;reg-id=1;" + INSTANCE, headers=outbound)
    registrar.register(b"<sip:bob@192.0.2.4:4001>;reg-id=1;" + INSTANCE, headers=outbound)
    assert registrar.uris() == [b"sip:bob@192.0.2.4:4001"]
    registrar.register(b"<sip:bob@192.0.2.4:4002>;reg-id=2;" + INSTANCE, headers=outbound)
    assert len(registrar.table) == 2
    registrar.register(b"<sip:bob@192.0.2.4:4003>;reg-id=2;expires=0;" + INSTANCE, headers=outbound)
    assert registrar.uris() == [b"sip:bob@192.0.2.4:4001"]


@pytest.mark.parametrize("headers", [b"", b"Supported: path\r\n"])
def test_reg_id_counts_only_with_outbound_and_an_instance(headers: bytes) -> None:
    registrar = Registrar()
    registrar.register(b"<sip:bob@192.0.2.4:4000>;reg-id=1;" + INSTANCE, headers=headers)
    registrar.register(b"<sip:bob@192.0.2.4:4001>;reg-id=1;" + INSTANCE, headers=headers)
    registrar.register(b"<sip:bob@192.0.2.4:4002>;reg-id=1", headers=b"Supported: outbound\r\n")
    assert len(registrar.table) == 3


def test_date_goes_out_with_a_first_binding_only() -> None:
    registrar = Registrar()
    assert header(registrar.register(PHONE), b"Date") == b"Tue, 14 Nov 2023 22:13:20 GMT"
    assert header(registrar.register(PHONE), b"Date") is None


def test_a_clock_that_was_set_back_does_not_stop_refreshes() -> None:
    registrar = Registrar()
    registrar.register(PHONE)
    first = registrar.table.find(BOB, WALL)[0].version
    registrar.wall_time -= 100
    registrar.register(PHONE, call_id=b"another")
    assert registrar.table.find(BOB, WALL - 100)[0].call_id == b"another"
    assert registrar.table.find(BOB, WALL - 100)[0].version > first


def test_expires_is_never_above_the_maximum_after_the_clock_was_set_back_rfc_3261_10_3_step_8() -> None:
    registrar = Registrar()
    registrar.register(PHONE)
    registrar.wall_time -= 172800
    assert contacts_of(registrar.register()) == [b"<sip:bob@client.biloxi.example.com>;expires=7200"]
