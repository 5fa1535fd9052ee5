"""The section `outbound`: flows that phones keep open (RFC 5626)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from appliance.catalogue.checked_settings import CheckedSettings
from appliance.catalogue.setting_declaration import LIVE, setting
from appliance.catalogue.value_types import Choice, Integer

PATH: Final = Choice(
    ("outbound", "always", "never"),
    ("For phones that use outbound.", "For every phone.", "For none: phones that use outbound get 439."))


# fmt: off
@dataclass(frozen=True, slots=True)
class OutboundSettings(CheckedSettings):
    """Flows of phones that use outbound."""

    flow_timer_s: int = setting(
        120, "flow-timer", Integer(10, 3600, "seconds", zero_word="off"), LIVE,
        "The Flow-Timer in responses to REGISTER over TCP or TLS: phones send a keep-alive at least so often.",
        "RFC 5626 5.4")
    path: str = setting(
        "outbound", "path", PATH, LIVE,
        "Whether REGISTER requests that are forwarded get a Path through the flow of the phone.", "RFC 5626 5.1")
# fmt: on
