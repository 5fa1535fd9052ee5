"""The registrar, and how registrations are kept (RFC 3261 10)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from appliance.catalogue.checked_settings import CheckedSettings
from appliance.catalogue.setting_declaration import LIVE, setting
from appliance.catalogue.value_types import Choice, Integer, NetworkOrDomain, Switch

# fmt: off
KEEPALIVE: Final = Choice(
    ("off", "options", "crlf"),
    ("None.", "An OPTIONS request. Any final response shows that the phone is there.",
     "An empty line over UDP, which no phone answers; nothing over connections, where only phones may send it."))


@dataclass(frozen=True, slots=True)
class RegistrarSettings(CheckedSettings):
    """Registrations (RFC 3261 10)."""

    expires_min_s: int = setting(
        60, "expires minimum", Integer(1, 86400, "seconds"), LIVE,
        "The minimum lifetime. Shorter requests are rejected with 423.", "RFC 3261 10.3 step 7")
    expires_default_s: int = setting(
        3600, "expires default", Integer(1, 604800, "seconds"), LIVE,
        "The lifetime if the REGISTER request has none.", "RFC 3261 10.3 step 7")
    expires_max_s: int = setting(
        7200, "expires maximum", Integer(1, 604800, "seconds"), LIVE,
        "The maximum lifetime. Longer requests are reduced to it.", "RFC 3261 10.3 step 7")
    contacts_max: int = setting(10, "contacts", Integer(1, 100), LIVE, "The maximum number of contacts per address.")
    changes_max: int = setting(
        600, "changes", Integer(1, 1000000, "per minute"), LIVE,
        "The maximum number of contacts that one address adds, refreshes and removes per minute, at each worker. More "
        "are rejected with 503 and Retry-After.", "RFC 3261 21.5.4")
    contacts_allowed: tuple[str, ...] = setting(
        (), "contacts-allowed", NetworkOrDomain(), LIVE,
        "A network or domain in which contacts are accepted; other contacts are rejected with 403. By default, "
        "contacts at addresses of this machine are rejected, and so are contacts at a port below 1024 of an address "
        "other than the source of the REGISTER request. By default, a contact at an address other than that source is "
        "reached only over its own connection, or by callers that `relay` allows. Loopback contacts are accepted only "
        "on a loopback listener.", "RFC 3261 26.1", is_many=True)
    own_contacts: bool = setting(
        False, "own-contacts", Switch(), LIVE,
        "Accept Contact and Path values that point to this appliance, if `contacts-allowed` lists them. Calls to one "
        "address are then forwarded to another address of this appliance.", "RFC 5393 3")
    keepalive: str = setting(
        "off", "keepalive", KEEPALIVE, LIVE,
        "What each registered phone is sent in each `keepalive-interval`, so that its NAT stays open.",
        "RFC 3261 11, RFC 5626 4.4.1")
    keepalive_interval_s: int = setting(
        60, "keepalive-interval", Integer(5, 86400, "seconds"), LIVE,
        "The time in which each phone is sent one keep-alive. They are spread evenly over it.")
    keepalive_rate_max_per_s: int = setting(
        500, "keepalive-rate", Integer(1, 100000, "per second"), LIVE,
        "The maximum rate of keep-alives of a node. With more phones than that allows, a round takes longer than "
        "`keepalive-interval`.")
    keepalive_failures_max: int = setting(
        0, "keepalive-failures", Integer(1, 100, zero_word="off"), LIVE,
        "A contact is removed after so many keep-alives in succession without an answer, or over a closed connection. "
        "Over UDP only `keepalive options` is answered.")


@dataclass(frozen=True, slots=True)
class PersistSettings(CheckedSettings):
    """How registrations are written to disk."""

    interval_ms: int = setting(
        200, "interval", Integer(10, 60000, "milliseconds"), LIVE,
        "Interval between writes to disk: the most that a power failure can lose. A crash of the appliance loses "
        "nothing.")
# fmt: on
