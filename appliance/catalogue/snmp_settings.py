"""The section `snmp`: where the agent is reached, by which managers, and where it sends notifications."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.catalogue.checked_settings import CheckedSettings
from appliance.catalogue.setting_declaration import LIVE, setting
from appliance.catalogue.snmp_status_codes import SnmpStatusThreshold
from appliance.catalogue.snmp_values import SnmpCommunity, SnmpListen, SnmpTarget, SnmpUser
from appliance.catalogue.value_types import Integer, Switch, Text


# fmt: off
@dataclass(frozen=True, slots=True)
class SnmpSettings(CheckedSettings):
    """Without an address to listen on and without a target there is no agent."""

    listen: tuple[str, ...] = setting(
        (), "listen", SnmpListen(), LIVE, "An address of the agent.", "RFC 3417", is_many=True)
    communities: tuple[str, ...] = setting(
        (), "community", SnmpCommunity(), LIVE,
        "A community of SNMPv2c. It may write sysName, sysContact and sysLocation only with `read-write`.", "RFC 3584",
        is_many=True)
    users: tuple[str, ...] = setting(
        (), "user", SnmpUser(), LIVE, "A user of SNMPv3, with authentication and privacy.", "RFC 3414", is_many=True)
    targets: tuple[str, ...] = setting(
        (), "target", SnmpTarget(), LIVE, "A manager that gets notifications.", "RFC 3413", is_many=True)
    location: str = setting(
        "", "location", Text(255, "TEXT"), LIVE, "The place of the appliance (sysLocation).", "RFC 3418")
    contact: str = setting("", "contact", Text(255, "TEXT"), LIVE, "Who is responsible (sysContact).", "RFC 3418")
    max_age_ms: int = setting(
        1000, "max-age", Integer(100, 60000, "milliseconds"), LIVE,
        "How old the figures may be that the agent reports.")
    waiting_max: int = setting(
        1000, "waiting maximum", Integer(10, 10000), LIVE,
        "Notifications that wait for one target; at the limit, the newest is dropped.")
    status_thresholds: tuple[str, ...] = setting(
        (), "status-threshold", SnmpStatusThreshold(), LIVE,
        "A status code of which many responses are notified.", "RFC 4780 5", is_many=True)
    is_service_notified: bool = setting(
        False, "service-notifications", Switch(), LIVE,
        "Whether each change of the state of the SIP service is notified.", "RFC 4780 5")
    registered_users_max: int = setting(
        0, "registered-users", Integer(0, 100000, "users"), LIVE,
        "Of how many users SIP-SERVER-MIB tells the contacts; 0: of none, for privacy.", "RFC 4780 9")

    @property
    def shows_users(self) -> bool:
        """Are the users and their contacts served?"""
        return self.registered_users_max > 0

    @property
    def is_on(self) -> bool:
        """Is there anything for an agent to do?"""
        return bool(self.listen or self.targets)
# fmt: on
