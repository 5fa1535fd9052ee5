"""Who a message says it is from, where only some of those who say it are believed (RFC 3325, RFC 3323).

The peers of a listener are the trusted ones. An identity that any other claims goes no further, and an identity that is
known goes to no other where the caller asks for privacy.
"""

from __future__ import annotations

from appliance.proxy.environment import ProxyEnvironment
from appliance.sip.errors import MalformedMessage
from appliance.sip.message import Message
from appliance.sip.names import P_ASSERTED_IDENTITY, P_PREFERRED_IDENTITY, PRIVACY, REMOTE_PARTY_ID
from appliance.sip.uri import Uri
from appliance.transport.flow import Flow

# RFC 3323 4.1.1.3
ANONYMOUS_HOST = b"anonymous.invalid"


def is_anonymous(uri: Uri) -> bool:
    """Is it the address of a caller who withholds his own (RFC 3323 4.1.1.3)?"""
    return uri.host == ANONYMOUS_HOST


def remove_claims(message: Message) -> None:
    """RFC 3325 5, 6: what a source that is not trusted says of its identity."""
    for header in (P_ASSERTED_IDENTITY, P_PREFERRED_IDENTITY, REMOTE_PARTY_ID):
        if message.count(header):
            message.remove_all(header)


def remove_claims_of(message: Message, source: Flow, node: ProxyEnvironment) -> None:
    """The same, unless it comes from a peer."""
    if _has_identity(message) and not node.is_peer(source):
        remove_claims(message)


def withhold_identity(message: Message, destination: Flow, node: ProxyEnvironment) -> None:
    """RFC 3325 7: the asserted identity is not for a destination that is not trusted, where privacy is asked for."""
    if _has_identity(message) and not node.is_peer(destination) and _wants_privacy(message):
        remove_claims(message)


def _has_identity(message: Message) -> bool:
    return message.count(P_ASSERTED_IDENTITY) + message.count(P_PREFERRED_IDENTITY) + message.count(REMOTE_PARTY_ID) > 0


def _wants_privacy(message: Message) -> bool:
    if not message.count(PRIVACY):
        # RFC 3325 7: a matter of policy. A caller who withholds his address does not want it shown in another place.
        return _is_from_anonymous(message)
    # RFC 3323 4.2: priv-values are separated by semicolons; some senders use commas.
    wanted = b";".join(message.values(PRIVACY)).lower()
    return b"id" in [word.strip() for word in wanted.replace(b",", b";").split(b";")]


def _is_from_anonymous(message: Message) -> bool:
    try:
        return is_anonymous(message.read_from().uri)
    except MalformedMessage:
        return False
