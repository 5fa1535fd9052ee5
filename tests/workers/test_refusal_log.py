"""What strangers do to a WebSocket port costs one line of the log a minute (RFC 6455 7.1.7)."""

from __future__ import annotations

import pytest

from appliance.catalogue.counters import COUNTERS, WEB_SOCKET_FRAMES_MALFORMED, WEB_SOCKETS_NOT_UPGRADED
from appliance.workers.refusal_log import LOG_INTERVAL_S, RefusalLog


def test_reasons_are_logged_with_their_counts_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    counters = [0] * len(COUNTERS)
    refusals = RefusalLog(counters)
    refusals.tend(0.0)
    assert caplog.messages == []
    counters[WEB_SOCKETS_NOT_UPGRADED] += 1
    refusals.tend(1.0)
    assert caplog.messages == ["WebSocket connections refused or closed: 1 web-sockets-not-upgraded"]
    counters[WEB_SOCKETS_NOT_UPGRADED] += 5000
    counters[WEB_SOCKET_FRAMES_MALFORMED] += 2
    for second in range(2, int(LOG_INTERVAL_S)):
        refusals.tend(float(second))
    assert len(caplog.messages) == 1
    refusals.tend(1.0 + LOG_INTERVAL_S)
    assert caplog.messages[1].endswith(": 5000 web-sockets-not-upgraded, 2 web-socket-frames-malformed")
    refusals.tend(1.0 + 3 * LOG_INTERVAL_S)
    assert len(caplog.messages) == 2
