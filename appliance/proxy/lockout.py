"""Whether credentials are looked at, after the wrong ones that came before from the same source (RFC 3261 26.1).

What is refused is answered 503 with Retry-After (RFC 3261 21.5.4), for the phone may be right later; and before the
subscriber database is asked, so that guessing costs it nothing.
"""

from __future__ import annotations

from math import ceil
from typing import Final

from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.request_context import RequestContext
from appliance.proxy.stage_results import Reply
from appliance.sip.header_lines import make_line
from appliance.transport.source import source_of

USER_LEN_MAX: Final = 65


def refusal_for_failures(
    context: RequestContext, node: ProxyEnvironment, username: bytes, realm: bytes, host: bytes, now: float
) -> Reply | None:
    """The refusal of credentials of a user of the domain `host`; None: look at them."""
    failures = node.failures
    if not len(failures):
        return None
    remote = context.flow.remote
    source = source_of(remote[0])
    pair_wait_s = failures.pair_wait_s(source, _user_text(username, realm), now)
    wait_s = pair_wait_s or failures.source_wait_s(source, now)
    if not wait_s:
        return None
    # Others behind the same address share its failures. They cannot lock out the phone that registered from this very
    # port or connection; nor, by failures for other users, one that registered from this source.
    port = remote[1] if pair_wait_s else 0
    if _is_registered_from(source, port, node.names.aor_of(username, host), node, now):
        return None
    line = make_line(b"Retry-After", b"%d" % ceil(wait_s))
    return Reply(503, b"Too Many Authentication Failures", (line,), is_stateless=True)


def note_failure(context: RequestContext, node: ProxyEnvironment, username: bytes, realm: bytes, now: float) -> None:
    """The credentials were wrong. Their nonce was fresh, so who sent them had read a challenge of ours."""
    node.failures.note(source_of(context.flow.remote[0]), _user_text(username, realm), now)


def _user_text(username: bytes, realm: bytes) -> str:
    """As operators write it; no longer than a subscriber's name can be, for it is kept; and printable, for a stranger
    chose it and logs, alarms and terminals show it.
    """
    text = f"{username[:USER_LEN_MAX].decode('utf-8', 'replace')}@{realm.decode('utf-8', 'replace')}"
    return text if text.isprintable() else "".join(each if each.isprintable() else "?" for each in text)


def _is_registered_from(source: str, port: int, aor: bytes, node: ProxyEnvironment, now: float) -> bool:
    """Has a phone proved this address from this source, and from this port of it unless that is 0?"""
    bindings = node.bindings.find(aor, node.wall_time(now))
    return any(source_of(binding.source_ip) == source and port in (0, binding.source_port) for binding in bindings)
