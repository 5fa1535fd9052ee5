"""Tokens of flows: what was written is read, and nothing else (RFC 5626 5.2)."""

from __future__ import annotations

import pytest

from appliance.messages.sealing_keys import first_keys
from appliance.security.flow_token import FLOW_TOKEN_LEN_MAX, FlowTokens
from appliance.transport.flow import TCP, TLS, UDP, Flow
from appliance.transport.process_id import process_id

TOKENS = FlowTokens(first_keys(b"0123456789abcdef"))
LISTENER = 0xFEEDBEEF
DATAGRAMS = Flow(UDP, 0, ("192.0.2.9", 40001))
CONNECTION = Flow(TCP, 0, ("2001:db8::9", 65535), process_id(4095, 7), (1 << 62) + 5)
LINK_LOCAL = Flow(TLS, 0, ("fe80::1%eth0", 1), process_id(1, 0), 1)


@pytest.mark.parametrize("flow", [DATAGRAMS, CONNECTION, LINK_LOCAL], ids=["udp", "tcp", "link-local"])
@pytest.mark.parametrize("purpose", [b"", b"the token of a dialog"], ids=["path", "dialog"])
def test_a_token_names_its_flow_and_listener(flow: Flow, purpose: bytes) -> None:
    token = TOKENS.write(flow, LISTENER, purpose)
    assert TOKENS.read(token, purpose) == (flow, LISTENER)
    assert len(token) <= FLOW_TOKEN_LEN_MAX
    # RFC 3261 25.1: it stands in a URI parameter without escapes.
    assert all(octet in b"-_" or chr(octet).isalnum() for octet in token)


def test_a_token_holds_for_its_purpose_and_key_only() -> None:
    token = TOKENS.write(CONNECTION, LISTENER, b"one dialog")
    assert TOKENS.read(token, b"another dialog") is None
    assert TOKENS.read(token, b"") is None
    assert FlowTokens(first_keys(b"another key, 16.")).read(token, b"one dialog") is None


def test_no_octet_of_a_token_can_be_changed() -> None:
    token = TOKENS.write(DATAGRAMS, LISTENER, b"")
    # The last character has bits that stand for nothing.
    for place in range(len(token) - 1):
        other = b"A" if token[place : place + 1] != b"A" else b"B"
        assert TOKENS.read(token[:place] + other + token[place + 1 :], b"") is None


@pytest.mark.parametrize("text", [b"", b"x", b"A" * 41, b"A" * 42, b"\xff" * 42, b"A" * 5000, b"===="])
def test_anything_else_is_no_token(text: bytes) -> None:
    assert TOKENS.read(text, b"") is None
