"""What a worker is told of datagrams that the kernel did not send from a virtual address (RFC 3261 18.4, design 4)."""

from __future__ import annotations

from appliance.transport.flow import UDP, Flow, Outgoing
from appliance.workers.fenced_addresses import FencedAddresses

HERE, ELSEWHERE, OWN = 0, 1, 2
# 192.0.2.1 is for documentation (RFC 5737): no machine has it.
ADDRESSES = {HERE: "127.0.0.1", ELSEWHERE: "192.0.2.1"}


def request_by(listener: int) -> Outgoing:
    return Outgoing(b"INVITE", Flow(UDP, listener, ("192.0.2.60", 5060)), b"z9hG4bK1 INVITE")


def branches_after(failed: list[Outgoing], denied: list[Outgoing]) -> list[bytes]:
    """The branches that end."""
    fenced = FencedAddresses()
    fenced.addresses = ADDRESSES
    parcels = [(outgoing, outgoing.data, outgoing.flow.remote) for outgoing in denied]
    told = fenced.failures(failed[0].flow.listener, failed, parcels)
    assert [(each.data, each.flow) for each in told] == [(each.data, each.flow) for each in failed]
    return [each.branch for each in told]


def test_a_datagram_that_the_fence_drops_is_lost_and_ends_no_branch() -> None:
    dropped, refused = request_by(HERE), request_by(HERE)
    assert branches_after([dropped, refused], [dropped]) == [b"", refused.branch]


def test_a_datagram_from_an_address_that_has_gone_is_lost() -> None:
    """ENETUNREACH: the fence comes first, then the address goes."""
    assert branches_after([request_by(ELSEWHERE)], []) == [b""]


def test_at_an_address_that_is_here_a_failure_is_one() -> None:
    failed = request_by(HERE)
    assert branches_after([failed], []) == [failed.branch]


def test_a_firewall_rule_for_a_nodes_own_address_is_a_failure() -> None:
    """No other node goes on with such a call."""
    failed = request_by(OWN)
    assert branches_after([failed], [failed]) == [failed.branch]
