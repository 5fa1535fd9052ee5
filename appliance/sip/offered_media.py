"""Which media an offer has (RFC 3264 5, RFC 8866): types such as `audio` and codecs such as `pcmu`, in lower case.

A stream with port 0 is not offered. Codecs are named by `a=rtpmap`, and static payload types by RFC 3551.
"""

from __future__ import annotations

from typing import Final

from appliance.sip.body_parts import body_parts
from appliance.sip.message import Message
from appliance.sip.names import CONTENT_TYPE

LINES_MAX: Final = 1000
NONE: Final[frozenset[bytes]] = frozenset()
# RFC 3551 6
STATIC_CODECS: Final = {
    b"0": b"pcmu", b"3": b"gsm", b"4": b"g723", b"5": b"dvi4", b"6": b"dvi4", b"7": b"lpc", b"8": b"pcma",
    b"9": b"g722", b"10": b"l16", b"11": b"l16", b"12": b"qcelp", b"13": b"cn", b"14": b"mpa", b"15": b"g728",
    b"16": b"dvi4", b"17": b"dvi4", b"18": b"g729", b"25": b"celb", b"26": b"jpeg", b"28": b"nv", b"31": b"h261",
    b"32": b"mpv", b"33": b"mp2t", b"34": b"h263",
}  # fmt: skip


def offered_media(message: Message) -> frozenset[bytes]:
    """The types and codecs of the session descriptions in a message, which may be parts of its body (RFC 5621); none
    where there are none.
    """
    parts = body_parts(message.first(CONTENT_TYPE) or b"", message.body)
    return NONE.union(*(_media_in(body) for kind, body in parts if kind == b"application/sdp"))


def _media_in(description: bytes) -> frozenset[bytes]:
    found: set[bytes] = set()
    payloads: frozenset[bytes] = NONE
    for line in description.split(b"\n", LINES_MAX)[:LINES_MAX]:
        if line.startswith(b"m="):
            payloads = _begin_stream(line[2:].split(), found)
        elif line.startswith(b"a=rtpmap:"):
            payload, _, codec = line[9:].strip().partition(b" ")
            if payload in payloads:
                found.add(codec.partition(b"/")[0].strip().lower())
    return frozenset(found)


def _begin_stream(words: list[bytes], found: set[bytes]) -> frozenset[bytes]:
    """The payload types of a stream `m=TYPE PORT PROTOCOL PAYLOAD ...`; its type and static codecs are added."""
    if len(words) < 3 or words[1].partition(b"/")[0].strip(b"0") == b"":
        return NONE
    found.add(words[0].lower())
    payloads = frozenset(words[3:])
    found.update(STATIC_CODECS[each] for each in payloads if each in STATIC_CODECS)
    return payloads
