"""What lookups may find: addresses and actions, and nothing that makes them ask again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.routing.lookup_results import RESULT_LEN_MAX, FoundUri, kept_text, read_result
from appliance.routing.route_entry import NEXT_HOP, REDIRECT, REGISTRAR, REJECT, TABLE, RouteEntry, RouteFault


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("sip:gw1.example.com:5070;transport=tcp", NEXT_HOP),
        ("redirect sip:gw1.example.com", REDIRECT),
        ("reject 403 Not Allowed", REJECT),
        ("registrar", REGISTRAR),
        ("table east", TABLE),
    ],
)
def test_actions_of_a_route_table(text: str, kind: int) -> None:
    result = read_result(text, True, "carrier")
    assert isinstance(result, RouteEntry)
    assert (result.kind, result.translation) == (kind, "carrier")


def test_whole_addresses() -> None:
    for text, is_redirect in (("sip:alice@example.com;user=phone", False), ("redirect sips:alice@example.com", True)):
        result = read_result(text, False)
        assert isinstance(result, FoundUri)
        assert (result.uri.user, result.is_redirect) == (b"alice", is_redirect)


NOT_USED = (
    *("", "sip:", "tel:+49", "http://a.example", "lookup other", "enum e164.arpa", "sip:a@b\r\nX: y", "sip:a@b?X=y"),
    *("sip:a@b c", "reject 200 Fine", "sip:\u00e4@b", "sip:a@" + 600 * "b", "x"),
    *("reject 04000", "reject 0404", "reject 4040", "reject +404"),
)


@pytest.mark.parametrize("text", NOT_USED)
def test_what_cannot_be_used_is_a_fault(text: str) -> None:
    with pytest.raises(RouteFault):
        read_result(text, True)


@pytest.mark.parametrize("text", [*NOT_USED, "\ud800", "\x1b]0;x\x07", 60_000 * "x"])
def test_what_is_kept_is_short_and_printable_and_never_becomes_of_use(text: str) -> None:
    """It is shown to operators, and ten thousand answers are kept."""
    kept = kept_text(text)
    assert len(kept) <= RESULT_LEN_MAX + 1
    assert kept.isprintable()
    with pytest.raises(RouteFault):
        read_result(kept, True)


def test_what_can_be_used_is_kept_as_it_is() -> None:
    text = "sip:" + (RESULT_LEN_MAX - 6) * "a" + "@b"
    assert kept_text(text) == text


def test_only_a_trusted_lookup_names_tables() -> None:
    with pytest.raises(RouteFault, match="not for a lookup"):
        read_result("table east", False)


@given(st.text(max_size=80), st.booleans())
def test_any_text_is_read_or_a_fault(text: str, is_trusted: bool) -> None:
    try:
        result = read_result(text, is_trusted)
    except RouteFault:
        return
    assert isinstance(result, FoundUri | RouteEntry)
