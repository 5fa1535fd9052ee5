"""The numbers between two workers: credit, acknowledgements, lag, gaps (design 4); time is a number."""

from __future__ import annotations

from appliance.replication.replication_link import PROBE_S, WINDOW, ReplicationLink

LAG_S = 1.0


def test_of_what_was_before_it_came_nothing_is_expected_of_a_sibling() -> None:
    sibling = ReplicationLink(7, 0.0)
    assert sibling.sent == sibling.acked == 7
    assert not sibling.is_owing
    assert not sibling.check_credit(7, LAG_S, 100.0)
    assert not sibling.is_lagging


def test_what_was_waiting_to_be_sent_when_it_came_need_not_be_acknowledged() -> None:
    sibling = ReplicationLink(7, 0.0)
    assert sibling.claim_credit(2, 7, 0.0)
    assert not sibling.is_owing
    assert sibling.claim_credit(2, 9, 0.0)
    assert sibling.is_owing
    # Not even when it is more than it has credit for.
    sibling = ReplicationLink(7, 0.0)
    assert not sibling.claim_credit(WINDOW + 1, 7, 0.0)
    assert sibling.check_credit(7, LAG_S, 0.0), "it has to be told of the gap, once"
    assert not sibling.is_owing


def test_an_acknowledgement_of_what_was_never_sent_or_is_old_is_ignored() -> None:
    sibling = ReplicationLink(0, 0.0)
    assert sibling.claim_credit(3, 3, 0.0)
    sibling.ack_arrived(4, 0.0)
    assert sibling.acked == 0
    sibling.ack_arrived(2, 0.0)
    sibling.ack_arrived(1, 0.0)
    assert sibling.acked == 2


def test_it_is_asked_when_it_owes_an_acknowledgement_for_long() -> None:
    sibling = ReplicationLink(0, 0.0)
    assert sibling.claim_credit(1, 1, 0.0)
    assert sibling.is_owing
    assert sibling.probe_at == PROBE_S
    assert not sibling.check_credit(1, LAG_S, PROBE_S / 2)
    assert sibling.check_credit(1, LAG_S, PROBE_S)
    assert not sibling.check_credit(1, LAG_S, PROBE_S)
    sibling.ack_arrived(1, PROBE_S)
    assert not sibling.is_owing


def test_it_lags_until_it_has_acknowledged_what_was_sent_when_that_was_noticed() -> None:
    sibling = ReplicationLink(0, 0.0)
    assert sibling.claim_credit(2, 2, 0.0)
    sibling.check_credit(2, LAG_S, LAG_S)
    assert sibling.is_lagging
    assert sibling.claim_credit(1, 3, LAG_S)
    sibling.ack_arrived(1, LAG_S)
    assert sibling.is_lagging
    sibling.ack_arrived(2, LAG_S)
    assert not sibling.is_lagging


def test_without_credit_it_is_sent_nothing_until_all_it_was_sent_is_acknowledged() -> None:
    sibling = ReplicationLink(0, 0.0)
    assert sibling.claim_credit(WINDOW, WINDOW, 0.0)
    assert not sibling.claim_credit(1, WINDOW + 1, 0.0)
    assert sibling.is_lagging
    sibling.ack_arrived(WINDOW - 1, 0.0)
    assert not sibling.claim_credit(1, WINDOW + 2, 0.0), "a gap first, then what comes after it"
    assert sibling.sent == WINDOW
    # Now it is told of the gap, and lags until that is made good.
    sibling.ack_arrived(WINDOW, 0.0)
    assert sibling.check_credit(WINDOW + 2, LAG_S, 0.0)
    assert sibling.sent == WINDOW + 2
    assert sibling.claim_credit(1, WINDOW + 3, 0.0)
    assert sibling.is_lagging
    sibling.ack_arrived(WINDOW + 2, 0.0)
    assert not sibling.is_lagging


def test_changes_in_a_row_are_acknowledged() -> None:
    sibling = ReplicationLink(0, 0.0)
    assert not sibling.changes_arrived(1, 3)
    assert sibling.is_ack_due
    assert sibling.acknowledge() == 3
    assert not sibling.is_ack_due
    # What came twice, too: the acknowledgement may have been lost.
    assert not sibling.changes_arrived(1, 3)
    assert sibling.is_ack_due
    assert sibling.acknowledge() == 3


def test_what_comes_after_a_gap_is_acknowledged_once_the_gap_is_made_good() -> None:
    sibling = ReplicationLink(0, 0.0)
    sibling.changes_arrived(1, 1)
    assert sibling.changes_arrived(5, 2)
    assert not sibling.changes_arrived(7, 1), "the gap is known of"
    assert sibling.acknowledge() == 1
    sibling.made_good()
    assert sibling.is_ack_due
    assert sibling.acknowledge() == 7
    sibling.made_good()
    assert not sibling.is_ack_due


def test_a_number_without_changes_shows_a_gap_at_the_end() -> None:
    sibling = ReplicationLink(0, 0.0)
    assert not sibling.changes_arrived(1, 0)
    assert sibling.changes_arrived(5, 0)
    sibling.made_good()
    assert sibling.acknowledge() == 4
