"""Wrong passwords are noted under names that strangers choose (RFC 3261 22, 26.1)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from appliance.catalogue.authentication_settings import LockoutSettings
from appliance.proxy.lockout import note_failure
from appliance.security.authentication_failures import AuthenticationFailures
from appliance.transport.flow import UDP, Flow


def test_a_user_name_of_a_stranger_is_shown_without_control_characters() -> None:
    node: Any = SimpleNamespace(failures=AuthenticationFailures(LockoutSettings()))
    context: Any = SimpleNamespace(flow=Flow(UDP, 0, ("203.0.113.5", 5060)))
    note_failure(context, node, b"a\x1b[2J\nERROR b\xe2\x80\xae\xff", b"example.com", 0.0)
    assert list(node.failures.pairs) == [("203.0.113.5", "a?[2J?ERROR b?\N{REPLACEMENT CHARACTER}@example.com")]
