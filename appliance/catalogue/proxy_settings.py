"""How requests are forwarded, the timers of transactions, and the limits of a message (RFC 3261 16, 17)."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.catalogue import choices
from appliance.catalogue.checked_settings import CheckedSettings
from appliance.catalogue.setting_declaration import LIVE, setting
from appliance.catalogue.value_types import Integer, Switch


# fmt: off
@dataclass(frozen=True, slots=True)
class ProxySettings(CheckedSettings):
    """Forwarding (RFC 3261 16)."""

    fork: str = setting(
        "by-q", "fork", choices.FORK, LIVE,
        "The order in which contacts are tried.", "RFC 3261 16.6")
    targets_max: int = setting(
        20, "targets", Integer(1, 100), LIVE,
        "The maximum number of contacts to which one request is forwarded.", "RFC 5393 5")
    target_timeout_s: int = setting(
        20, "target timeout", Integer(1, 3600, "seconds", zero_word="off"), LIVE,
        "The time for which a contact, or a group of equal q, may ring while there is another one to try. It is then "
        "cancelled, and the next is tried. With `off` and for the last one, timer C applies.", "RFC 3261 16.6")
    next_hop_timeout_s: int = setting(
        5, "next-hop timeout", Integer(1, 32, "seconds"), LIVE,
        "The time for a next hop of a route to answer an INVITE with any response while there is another one to try.",
        "RFC 3263 4.3")
    next_hop_pause_s: int = setting(
        30, "next-hop pause", Integer(1, 3600, "seconds", zero_word="off"), LIVE,
        "How long a next hop that failed is tried after the other ones of its domain or route.", "RFC 3263 4.3")
    max_forwards: int = setting(
        70, "max-forwards", Integer(1, 255), LIVE, "Max-Forwards for requests that have none.", "RFC 3261 16.6 step 3")
    retry_after_max_s: int = setting(
        600, "retry-after maximum", Integer(1, 86400, "seconds"), LIVE,
        "The maximum time for which Retry-After in a 503 from a target is honored.", "RFC 3261 21.5.4")
    record_route: bool = setting(
        True, "record-route", Switch(), LIVE,
        "Add Record-Route, to stay in the path of later requests of a dialog.", "RFC 3261 16.6 step 4")
    dialog_lifetime_s: int = setting(
        86400, "dialog lifetime", Integer(60, 2592000, "seconds"), LIVE,
        "How long in-dialog requests are accepted without authentication on the strength of our Record-Route entry. "
        "After it they are treated as new requests. A route set cannot change, so the time cannot be extended.",
        "RFC 3261 12.2.1.1")
    recurse_on_redirect: bool = setting(
        False, "recurse", Switch(), LIVE,
        "Recurse on 3xx responses instead of forwarding them to the caller.", "RFC 3261 16.7 step 4")


@dataclass(frozen=True, slots=True)
class TimerSettings(CheckedSettings):
    """Transaction timers (RFC 3261 17)."""

    t1_ms: int = setting(
        500, "t1", Integer(10, 10000, "milliseconds"), LIVE,
        "Estimate of the round-trip time (T1).", "RFC 3261 17.1.1.1")
    t2_ms: int = setting(
        4000, "t2", Integer(10, 60000, "milliseconds"), LIVE,
        "Maximum retransmit interval of non-INVITE requests (T2).", "RFC 3261 17.1.2.2")
    t4_ms: int = setting(
        5000, "t4", Integer(10, 60000, "milliseconds"), LIVE,
        "Maximum time a message remains in the network (T4).", "RFC 3261 17.1.2.2")
    c_s: int = setting(
        181, "c", Integer(1, 3600, "seconds"), LIVE,
        "Timer C: the call is cancelled if no provisional response arrives for this time. The RFC requires more than 3 "
        "minutes.", "RFC 3261 16.6 step 11")


@dataclass(frozen=True, slots=True)
class SyntaxSettings(CheckedSettings):
    """Limits on message size; larger messages are rejected or dropped."""

    message_len_max: int = setting(
        65535, "length", Integer(1300, 1048576, "bytes"), LIVE, "Maximum message length.", "RFC 3261 18.1.1")
    header_count_max: int = setting(
        200, "headers", Integer(10, 10000), LIVE, "Maximum number of header fields per message.")
    header_len_max: int = setting(
        8192, "header-length", Integer(64, 65535, "bytes"), LIVE, "Maximum length of a header field, folds included.")
    uri_len_max: int = setting(2048, "uri-length", Integer(64, 65535, "bytes"), LIVE, "Maximum URI length.")
# fmt: on
