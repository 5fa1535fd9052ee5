"""Whether credentials were made for the resource that a request names (RFC 7616 3.4.6, RFC 3261 22.4 (6), 19.1.4).

The digest covers the `uri` of the credentials, not the Request-URI: where the two may differ, what was proved for one
request can be used for another. They are compared as RFC 3261 19.1.4 says, with the tolerance that phones need:

- a port, a password or a parameter that one of the two lacks is not compared. Phones leave them out of `uri`.
- `maddr`, `gr` and `method` are compared in any case, for they name another resource.
- headers are not compared: they have no meaning in a Request-URI.
"""

from __future__ import annotations

from typing import Final

from appliance.sip.errors import MalformedMessage
from appliance.sip.uri import Uri, canonical_aor, canonical_user, parse_uri

_DECISIVE: Final = (b"maddr", b"gr", b"method")


def is_for(digest_uri: bytes, request_uri: bytes) -> bool:
    """Does the `uri` of credentials name the resource of a Request-URI?"""
    if digest_uri == request_uri:
        return True
    try:
        ours, theirs = parse_uri(request_uri), parse_uri(digest_uri)
    except MalformedMessage:
        return False
    if not ours.has_sip_scheme():
        return canonical_aor(ours) == canonical_aor(theirs)
    return (
        ours.scheme == theirs.scheme
        and ours.host == theirs.host
        and (ours.port == theirs.port or not ours.port or not theirs.port)
        and _user_of(ours) == _user_of(theirs)
        and _parameters_agree(ours, theirs)
    )


def _user_of(uri: Uri) -> bytes:
    return canonical_user(uri.user or b"")


def _parameters_agree(ours: Uri, theirs: Uri) -> bool:
    if any((name in ours.parameters) != (name in theirs.parameters) for name in _DECISIVE):
        return False
    shared = [name for name in ours.parameters if name in theirs.parameters]
    # RFC 3261 19.1.4: parameters are compared without case.
    return all((ours.parameter(name) or b"").lower() == (theirs.parameter(name) or b"").lower() for name in shared)
