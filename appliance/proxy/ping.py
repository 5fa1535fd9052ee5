"""An OPTIONS of the appliance's own, by which an operator sees whether a URI answers (RFC 3261 11).

The Call-ID is chosen so that its slot belongs to this worker, for the answers come back by it.

Knows nothing of who waits for the answer.
"""

from __future__ import annotations

from collections.abc import Callable

TRIES_MAX = 4096
TEMPLATE = (
    "OPTIONS {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {host}:{port};rport;branch=z9hG4bK{mark}\r\nMax-Forwards: 70\r\n"
    "From: <sip:ping@{host}>;tag={mark}\r\nTo: <{uri}>\r\nCall-ID: {call_id}\r\nCSeq: 1 OPTIONS\r\n"
    "Accept: application/sdp\r\nContent-Length: 0\r\n\r\n"
)


def options_request(uri: str, host: str, port: int, mark: str, is_own: Callable[[bytes], bool]) -> bytes:
    """The request; `host` and `port` are where the answer shall go, `mark` is random. Raises ValueError."""
    bracketed = f"[{host}]" if ":" in host else host
    full = uri if uri.startswith(("sip:", "sips:")) else f"sip:{uri}"
    for number in range(TRIES_MAX):
        call_id = f"{mark}-{number}"
        if is_own(call_id.encode()):
            return TEMPLATE.format(uri=full, host=bracketed, port=port, mark=mark, call_id=call_id).encode()
    raise ValueError("this worker owns no slots")
