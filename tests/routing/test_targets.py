"""Target sets and the groups in which they are tried (RFC 3261 16.5, 16.6)."""

from __future__ import annotations

import pytest

from appliance.routing.targets import Target, next_group
from appliance.sip.uri import parse_uri


def target(name: bytes, q: int) -> Target:
    return Target(parse_uri(b"sip:%s@192.0.2.4" % name), q)


@pytest.mark.parametrize(
    ("contact", "request_uri"),
    [
        (b"sip:bob@192.0.2.4:5070;transport=tcp", b"sip:bob@192.0.2.4:5070;transport=tcp"),
        (b"sip:bob@192.0.2.4?Route=%3Csip:evil%3E", b"sip:bob@192.0.2.4"),
        (b"sip:bob@192.0.2.4;method=REGISTER;lr?x=y", b"sip:bob@192.0.2.4;lr"),
        (b"sip:bob@192.0.2.4;METHOD=BYE", b"sip:bob@192.0.2.4"),
    ],
)
def test_headers_and_method_do_not_get_into_a_request_uri(contact: bytes, request_uri: bytes) -> None:
    """RFC 3261 19.1.1 table 1."""
    assert Target(parse_uri(contact)).uri_text == request_uri


@pytest.mark.parametrize(
    ("fork", "groups"),
    [
        ("by-q", [[b"a", b"c"], [b"b"]]),
        ("parallel", [[b"a", b"b", b"c"]]),
        ("sequential", [[b"a"], [b"c"], [b"b"]]),
    ],
)
def test_groups_by_q(fork: str, groups: list[list[bytes]]) -> None:
    """RFC 3261 16.6: highest first."""
    targets = [target(b"a", 1000), target(b"b", 300), target(b"c", 1000)]
    found = []
    while targets:
        found.append([member.uri.user for member in next_group(targets, fork)])
    assert found == groups
