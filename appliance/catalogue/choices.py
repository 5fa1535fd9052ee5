"""The settings that are a choice: the values of each, and the help of each value."""

from __future__ import annotations

from typing import Final

from appliance.catalogue.transports import TRANSPORT_NAMES, TRANSPORT_NUMBERS
from appliance.catalogue.value_types import Choice, Choices

# fmt: off
TRANSPORTS: Final = Choices(
    TRANSPORT_NAMES, TRANSPORT_NUMBERS,
    ("UDP.", "TCP.", "TLS.", "WebSocket, for phones in web pages.", "WebSocket with TLS, for phones in web pages."))
ALGORITHMS: Final = Choices(
    ("sha-256", "md5"), ("sha-256", "md5"), ("SHA-256 (RFC 8760).", "MD5, for older phones."))
LISTENER_ROLE: Final = Choice(
    ("user", "core", "redirect"),
    ("Registrar and proxy for phones.", "As `user`; calls to telephone numbers go by the route tables.",
     "As `core`; calls are not forwarded, the caller is told where to call (302)."))
RELAY: Final = Choice(
    ("none", "authenticated", "any"),
    ("No sender: requests for foreign domains are rejected.", "Authenticated subscribers and peers.",
     "Any sender: an open relay."))
# `look` was the name of `view` in earlier configurations.
OPERATOR_ROLE: Final = Choice(
    ("view", "admin"), ("Show commands only.", "All commands, after `enable`."), (("look", "view"),))
COUNTED: Final = Choice(
    ("requests", "registrations"),
    ("All requests except REGISTER, and ACK, BYE, CANCEL and PRACK in a dialog.", "REGISTER requests."))
BUCKET: Final = Choice(
    ("source", "domain", "listener", "total"),
    ("Each source: an IPv4 address or an IPv6 /64.", "Each domain of a Request-URI.", "Each listener.",
     "All requests together."))
LIMIT_ACTION: Final = Choice(
    ("refuse", "drop", "count"),
    ("Reject with 503 and Retry-After.", "Drop without a response.", "Accept, and count only."))
FORK: Final = Choice(
    ("by-q", "parallel", "sequential"),
    ("By descending q value; contacts of equal q in parallel.", "All contacts at the same time.",
     "One contact after another."))
CLIENT_CERTIFICATE: Final = Choice(
    ("none", "request", "require"),
    ("Clients are not asked for a certificate.", "A client may show a certificate; it must be valid.",
     "A client without a valid certificate is rejected."))
LOG_LEVEL: Final = Choice(
    ("debug", "info", "warning", "error"),
    ("All messages, for troubleshooting.", "Normal operation, warnings and errors.", "Warnings and errors.",
     "Errors only."))
# fmt: on
