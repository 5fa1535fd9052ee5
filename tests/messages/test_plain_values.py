"""Typed values as JSON has them."""

from __future__ import annotations

from appliance.messages.plain_values import plain
from appliance.messages.worker_requests import CallRow, CallRows

ROW = CallRow("call-1", "sip:a@b", "sip:c@d", "sip:c@d", "udp 192.0.2.1:5060", "proceeding", "180")


def test_rows_are_maps_and_the_envelope_is_left_out() -> None:
    assert plain(CallRows(1, [ROW], id=7)) == {"total": 1, "rows": [plain(ROW)]}


def test_a_name_that_is_a_keyword_of_python_is_written_without_its_underscore() -> None:
    assert list(plain(ROW))[:3] == ["call_id", "from", "to"]


def test_plain_values_stay_as_they_are() -> None:
    assert plain({"a": [1, 2.5, "x", None, True, (1, 2)]}) == {"a": [1, 2.5, "x", None, True, [1, 2]]}
