"""How workers are supervised and restarted."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.catalogue.checked_settings import CheckedSettings
from appliance.catalogue.setting_declaration import LIVE, setting
from appliance.catalogue.value_types import Integer, Switch


# fmt: off
@dataclass(frozen=True, slots=True)
class SupervisionSettings(CheckedSettings):
    """How workers are supervised and restarted."""

    steering: bool = setting(
        True, "steering", Switch(), LIVE,
        "The kernel delivers each datagram to the worker that owns its Call-ID. Without it, workers forward datagrams "
        "to each other.")
    heartbeat_ms: int = setting(
        200, "heartbeat", Integer(10, 10000, "milliseconds"), LIVE,
        "Interval of worker heartbeats. Counters are sent with every fifth heartbeat, or once a second.")
    hang_ms: int = setting(
        700, "hang", Integer(50, 60000, "milliseconds"), LIVE,
        "A worker without a heartbeat for this time is killed, unless it lacked processor time. Other workers take "
        "over its calls.")
    start_timeout_s: int = setting(
        30, "start timeout", Integer(1, 600, "seconds"), LIVE,
        "Timeout of a worker start. Time for which it lacked a processor does not count, up to five times as long.")
    restart_delay_min_ms: int = setting(
        200, "restart delay minimum", Integer(0, 60000, "milliseconds"), LIVE,
        "Delay before a failed worker is restarted; it doubles with every failure in a row.")
    restart_delay_max_ms: int = setting(
        30000, "restart delay maximum", Integer(1, 600000, "milliseconds"), LIVE, "Maximum delay before a restart.")
    drain_s: int = setting(
        32, "drain", Integer(0, 3600, "seconds"), LIVE,
        "Maximum time for a drained worker to finish its transactions.", "RFC 3261 17.1.1.2")
    stop_s: int = setting(
        5, "stop", Integer(1, 600, "seconds"), LIVE, "Maximum time for a worker to stop; then it is killed.")
# fmt: on
