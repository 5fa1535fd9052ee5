"""Header field names as small numbers: ids, canonical spellings, compact forms, and which are lists.

RFC 3261 7.3.1, 7.3.3, 20; the IANA registry of SIP header fields.

A name is found where it stands in a line: its length and first letter leave one spelling to compare, mostly.
"""

from __future__ import annotations

from typing import Final

from appliance.sip.characters import is_token, spells_from

OTHER: Final = 0
VIA: Final = 1
FROM: Final = 2
TO: Final = 3
CALL_ID: Final = 4
CSEQ: Final = 5
MAX_FORWARDS: Final = 6
ROUTE: Final = 7
RECORD_ROUTE: Final = 8
CONTACT: Final = 9
EXPIRES: Final = 10
MIN_EXPIRES: Final = 11
CONTENT_LENGTH: Final = 12
CONTENT_TYPE: Final = 13
AUTHORIZATION: Final = 14
PROXY_AUTHORIZATION: Final = 15
WWW_AUTHENTICATE: Final = 16
PROXY_AUTHENTICATE: Final = 17
REQUIRE: Final = 18
PROXY_REQUIRE: Final = 19
SUPPORTED: Final = 20
UNSUPPORTED: Final = 21
PATH: Final = 22
RETRY_AFTER: Final = 23
ALLOW: Final = 24
ACCEPT: Final = 25
USER_AGENT: Final = 26
SERVER: Final = 27
DATE: Final = 28
EVENT: Final = 29
TIMESTAMP: Final = 30
SERVICE_ROUTE: Final = 31
SUBJECT: Final = 32
CONTENT_ENCODING: Final = 33
ACCEPT_ENCODING: Final = 34
ACCEPT_LANGUAGE: Final = 35
ALLOW_EVENTS: Final = 36
REASON: Final = 37
WARNING: Final = 38
SESSION_EXPIRES: Final = 39
MIN_SE: Final = 40
REFER_TO: Final = 41
REFERRED_BY: Final = 42
REPLACES: Final = 43
SUBSCRIPTION_STATE: Final = 44
P_ASSERTED_IDENTITY: Final = 45
P_PREFERRED_IDENTITY: Final = 46
PRIVACY: Final = 47
AUTHENTICATION_INFO: Final = 48
ACCEPT_CONTACT: Final = 49
REJECT_CONTACT: Final = 50
REQUEST_DISPOSITION: Final = 51
RACK: Final = 52
RSEQ: Final = 53
SIP_ETAG: Final = 54
SIP_IF_MATCH: Final = 55
IN_REPLY_TO: Final = 56
IDENTITY: Final = 57
CALL_INFO: Final = 58
ALERT_INFO: Final = 59
ERROR_INFO: Final = 60
CONTENT_DISPOSITION: Final = 61
CONTENT_LANGUAGE: Final = 62
MIME_VERSION: Final = 63
ORGANIZATION: Final = 64
PRIORITY: Final = 65
HISTORY_INFO: Final = 66
DIVERSION: Final = 67
MAX_BREADTH: Final = 68
JOIN: Final = 69
FLOW_TIMER: Final = 70
REPLY_TO: Final = 71
REMOTE_PARTY_ID: Final = 72

# NAMES[id] is the canonical spelling; NAMES[OTHER] is empty.
NAMES: Final = (
    b"", b"Via", b"From", b"To", b"Call-ID", b"CSeq", b"Max-Forwards", b"Route", b"Record-Route", b"Contact",
    b"Expires", b"Min-Expires", b"Content-Length", b"Content-Type", b"Authorization", b"Proxy-Authorization",
    b"WWW-Authenticate", b"Proxy-Authenticate", b"Require", b"Proxy-Require", b"Supported", b"Unsupported", b"Path",
    b"Retry-After", b"Allow", b"Accept", b"User-Agent", b"Server", b"Date", b"Event", b"Timestamp",
    b"Service-Route", b"Subject", b"Content-Encoding", b"Accept-Encoding", b"Accept-Language", b"Allow-Events",
    b"Reason", b"Warning", b"Session-Expires", b"Min-SE", b"Refer-To", b"Referred-By", b"Replaces",
    b"Subscription-State", b"P-Asserted-Identity", b"P-Preferred-Identity", b"Privacy", b"Authentication-Info",
    b"Accept-Contact", b"Reject-Contact", b"Request-Disposition", b"RAck", b"RSeq", b"SIP-ETag", b"SIP-If-Match",
    b"In-Reply-To", b"Identity", b"Call-Info", b"Alert-Info", b"Error-Info", b"Content-Disposition",
    b"Content-Language", b"MIME-Version", b"Organization", b"Priority", b"History-Info", b"Diversion",
    b"Max-Breadth", b"Join", b"Flow-Timer", b"Reply-To", b"Remote-Party-ID",
)  # fmt: skip

# RFC 3261 7.3.3 and the extensions that registered one letter.
_COMPACT: Final = {
    b"v": VIA, b"f": FROM, b"t": TO, b"i": CALL_ID, b"m": CONTACT, b"l": CONTENT_LENGTH, b"c": CONTENT_TYPE,
    b"e": CONTENT_ENCODING, b"k": SUPPORTED, b"s": SUBJECT, b"o": EVENT, b"u": ALLOW_EVENTS, b"r": REFER_TO,
    b"b": REFERRED_BY, b"x": SESSION_EXPIRES, b"a": ACCEPT_CONTACT, b"j": REJECT_CONTACT, b"d": REQUEST_DISPOSITION,
    b"y": IDENTITY,
}  # fmt: skip

# Header fields whose grammar is a comma-separated list (RFC 3261 7.3.1). Dates, credentials and challenges are not.
LISTS: Final = frozenset((
    VIA, ROUTE, RECORD_ROUTE, CONTACT, REQUIRE, PROXY_REQUIRE, SUPPORTED, UNSUPPORTED, PATH, ALLOW, ACCEPT,
    SERVICE_ROUTE, CONTENT_ENCODING, ACCEPT_ENCODING, ACCEPT_LANGUAGE, ALLOW_EVENTS, REASON, WARNING,
    P_ASSERTED_IDENTITY, P_PREFERRED_IDENTITY, ACCEPT_CONTACT, REJECT_CONTACT, REQUEST_DISPOSITION, IN_REPLY_TO,
    CALL_INFO, ALERT_INFO, ERROR_INFO, CONTENT_LANGUAGE, HISTORY_INFO, DIVERSION,
))  # fmt: skip

# Lists in which an empty element is a fault; in the others ("Allow: INVITE, ") it means nothing and is skipped.
STRICT_LISTS: Final = frozenset((VIA, ROUTE, RECORD_ROUTE, CONTACT, PATH, SERVICE_ROUTE))


_LEN_MAX: Final = 31
# A spelling has a place of so many octets: itself in lower case, then its id, then the place of another one that has
# its length and first letter. So a name is found by looking at octets alone.
_PLACE_LEN: Final = 24
_ID_AT: Final = 22
_NEXT_AT: Final = 23


def _shape(size: int, first: int) -> int:
    return size << 5 | (first & 31)


def _tables() -> tuple[bytes, bytes]:
    """The first place of each shape, 0 for none, and the places; place 0 is not used."""
    first = bytearray(_shape(_LEN_MAX, 31) + 1)
    places = bytearray(_PLACE_LEN)
    for name, id in [*((name, id) for id, name in enumerate(NAMES) if name), *_COMPACT.items()]:
        shape = _shape(len(name), name[0])
        places += name.lower().ljust(_ID_AT) + bytes((id, first[shape]))
        first[shape] = len(places) // _PLACE_LEN - 1
    return bytes(first), bytes(places)


_FIRST, _PLACES = _tables()


def known_id(text: bytes, end: int) -> int:
    """The id of the header field name text[:end] in any case; OTHER when NAMES has it not."""
    if end < 1 or end > _LEN_MAX or end > len(text):
        return OTHER
    places = _PLACES
    place = _FIRST[_shape(end, text[0])]
    while place:
        at = place * _PLACE_LEN
        if spells_from(text, end, _PLACES, at):
            return places[at + _ID_AT]
        place = places[at + _NEXT_AT]
    return OTHER


def header_id(name: bytes) -> int:
    """The id of a header field name in any spelling; OTHER for unknown names, -1 for what is no token."""
    stripped = name.rstrip(b" \t")
    id = known_id(stripped, len(stripped))
    return id if id != OTHER or is_token(stripped) else -1
