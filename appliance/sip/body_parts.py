"""The parts of a message body: one, or those of a multipart body (RFC 5621 3, RFC 2046 5.1).

Bounds: PARTS_MAX delimiters are read in all, and DEPTH_MAX multiparts one in another. What is encoded (base64, gzip) is
left as it is.
"""

from __future__ import annotations

import re
from typing import Final

PARTS_MAX: Final = 64
DEPTH_MAX: Final = 4
BOUNDARY_LEN_MAX: Final = 70  # RFC 2046 5.1.1
# RFC 2045 5.1: quoted where it has other characters than those of a token.
_BOUNDARY: Final = re.compile(rb';\s*boundary\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))', re.IGNORECASE | re.DOTALL)
_CONTENT_TYPE: Final = re.compile(rb"^content-type[ \t]*:((?:[^\n]|\n[ \t])*)", re.IGNORECASE | re.MULTILINE)
_EMPTY_LINE: Final = re.compile(rb"(?:\A|\n)\r?\n")
# RFC 2046 5.1: that of a part which has none.
_PLAIN: Final = b"text/plain"


def body_parts(content_type: bytes, body: bytes) -> list[tuple[bytes, bytes]]:
    """(media type in lower case, octets) of each part that is no multipart itself, in their order."""
    found: list[tuple[bytes, bytes]] = []
    waiting = [(content_type, body, 0)]
    left = PARTS_MAX
    while waiting:
        kind, octets, depth = waiting.pop()
        media_type = kind.partition(b";")[0].strip().lower()
        if not media_type.startswith(b"multipart/"):
            found.append((media_type, octets))
        elif depth < DEPTH_MAX and left > 0:
            inner = _split(octets, _boundary_of(kind), left)
            left -= len(inner)
            waiting += [(*_type_and_content(part), depth + 1) for part in reversed(inner)]
    return found


def _boundary_of(content_type: bytes) -> bytes:
    """b"" for none, and for one that is too long."""
    match = _BOUNDARY.search(content_type)
    if match is None:
        return b""
    boundary: bytes = match[2] if match[1] is None else re.sub(rb"\\(.)", rb"\1", match[1], flags=re.DOTALL)
    return boundary if len(boundary) <= BOUNDARY_LEN_MAX else b""


def _split(body: bytes, boundary: bytes, parts_max: int) -> list[bytes]:
    """What is between the delimiter lines: neither what is before the first, nor after the one that closes."""
    if not boundary:
        return []
    delimiter = re.compile(rb"(?:\A|\r?\n)--" + re.escape(boundary) + rb"(--)?[ \t]*(?=\r?\n|\Z)")
    parts: list[bytes] = []
    begin = -1
    for match in delimiter.finditer(body):
        if begin >= 0:
            parts.append(body[begin : match.start()])
        begin = match.end()
        if match[1] or len(parts) >= parts_max:
            return parts
    # The end is missing: what is there counts.
    return [*parts, body[begin:]] if begin >= 0 else parts


def _type_and_content(part: bytes) -> tuple[bytes, bytes]:
    """A part begins with the end of the delimiter line."""
    _, _, part = part.partition(b"\n")
    empty_line = _EMPTY_LINE.search(part)
    if empty_line is None:
        return _PLAIN, b""
    match = _CONTENT_TYPE.search(part, 0, empty_line.start() + 1)
    return (_PLAIN if match is None else match[1].strip()), part[empty_line.end() :]
