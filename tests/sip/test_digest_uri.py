"""Whether credentials were made for the resource that a request names (RFC 7616 3.4.6, RFC 3261 22.4 (6))."""

from __future__ import annotations

import pytest

from appliance.sip.digest_uri import is_for

SAME = [
    (b"sip:bob@example.com", b"sip:bob@example.com"),
    # RFC 3261 19.1.4: the host without case, escapes of what need not be escaped undone.
    (b"sip:bob@EXAMPLE.com", b"sip:%62ob@example.com"),
    (b"sip:%2B4930@example.com", b"sip:+4930@example.com"),
    # Phones leave out what they did not configure.
    (b"sip:bob@example.com", b"sip:bob@example.com:5060"),
    (b"sip:example.com", b"sip:example.com:5070;transport=udp"),
    (b"sip:bob@example.com;user=phone", b"sip:bob@example.com"),
    (b"sip:bob@example.com;user=PHONE", b"sip:bob@example.com;user=phone"),
    (b"tel:+1-201-555-0123", b"tel:+12015550123"),
    (b"urn:service:sos", b"urn:service:sos"),
]
OTHER = [
    (b"sip:carol@example.com", b"sip:bob@example.com"),
    (b"sip:Bob@example.com", b"sip:bob@example.com"),
    (b"sip:example.com", b"sip:bob@example.com"),
    (b"sip:bob@example.net", b"sip:bob@example.com"),
    (b"sips:bob@example.com", b"sip:bob@example.com"),
    (b"sip:bob@example.com:5070", b"sip:bob@example.com:5060"),
    (b"sip:bob@example.com;transport=tcp", b"sip:bob@example.com;transport=udp"),
    # These name another resource, wherever they stand alone.
    (b"sip:bob@example.com", b"sip:bob@example.com;maddr=192.0.2.9"),
    (b"sip:bob@example.com;gr=phone", b"sip:bob@example.com"),
    (b"sip:bob@example.com", b"sip:bob@example.com;gr"),
    (b"tel:+12015550124", b"tel:+12015550123"),
    (b"tel:+12015550123", b"sip:+12015550123@example.com"),
    (b"sip:+12015550123@example.com", b"tel:+12015550123"),
    (b"urn:service:fire", b"urn:service:sos"),
    (b"/index.html", b"sip:bob@example.com"),
    (b"", b"sip:bob@example.com"),
]


@pytest.mark.parametrize(("digest_uri", "request_uri"), SAME)
def test_equivalent_uris_name_one_resource(digest_uri: bytes, request_uri: bytes) -> None:
    assert is_for(digest_uri, request_uri)
    assert is_for(request_uri, digest_uri)


@pytest.mark.parametrize(("digest_uri", "request_uri"), OTHER)
def test_credentials_for_another_resource_are_told_apart(digest_uri: bytes, request_uri: bytes) -> None:
    assert not is_for(digest_uri, request_uri)
