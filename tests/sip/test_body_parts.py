"""RFC 5621 3, RFC 2046 5.1: the parts of a multipart body."""

from __future__ import annotations

import pytest

from appliance.sip.body_parts import DEPTH_MAX, PARTS_MAX, body_parts

SDP = b"v=0\r\nm=audio 4000 RTP/AVP 0\r\n"
ISUP = b"\x01\x00\r\n--other\r\n\xff"


def multipart(*parts: bytes, boundary: bytes = b"b1", end: bytes = b"--") -> bytes:
    lines = b"".join(b"--%b\r\n%b\r\n" % (boundary, part) for part in parts)
    return b"preamble\r\n" + lines + b"--" + boundary + end + b"\r\nepilogue"


def part(kind: bytes, content: bytes) -> bytes:
    return b"Content-Disposition: session\r\nContent-Type: " + kind + b"\r\n\r\n" + content


MIXED = b"multipart/mixed;boundary=b1"
TWO = multipart(part(b"application/ISUP;version=x", ISUP), part(b"application/sdp", SDP))


def test_a_body_of_another_kind_is_one_part() -> None:
    assert body_parts(b"Application/SDP; charset=utf-8", SDP) == [(b"application/sdp", SDP)]
    assert body_parts(b"", b"") == [(b"", b"")]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (MIXED, TWO),
        (b'Multipart/Mixed ; charset=x; Boundary = "b1"', TWO),
        (b'multipart/mixed;boundary="b\\1"', TWO),
        (b"multipart/related;boundary=b1", TWO.removeprefix(b"preamble\r\n")),
        (b'multipart/mixed;boundary="b 1:"', TWO.replace(b"--b1", b"--b 1:")),
        (MIXED, TWO.replace(b"--b1\r\n", b"--b1 \t\r\n")),
        (MIXED, TWO.replace(b"Content-Type:", b"content-type :")),
        (MIXED, TWO.replace(b"application/sdp", b"\r\n application/sdp")),
    ],
    ids=["plain", "quoted", "escaped", "no preamble", "spaces", "padding", "any case", "folded"],
)
def test_the_parts_of_a_multipart_body(kind: bytes, body: bytes) -> None:
    assert body_parts(kind, body) == [(b"application/isup", ISUP), (b"application/sdp", SDP)]


def test_a_line_that_only_begins_like_a_delimiter_is_none() -> None:
    body = multipart(part(b"text/plain", b"--b12\r\nx--b1\r\n --b1"))
    assert body_parts(MIXED, body) == [(b"text/plain", b"--b12\r\nx--b1\r\n --b1")]


def test_parts_without_header_fields_are_plain_text() -> None:
    assert body_parts(MIXED, multipart(b"\r\nContent-Type: application/sdp")) == [
        (b"text/plain", b"Content-Type: application/sdp")
    ]
    assert body_parts(MIXED, multipart(b"no empty line")) == [(b"text/plain", b"")]


@pytest.mark.parametrize("end", [b"--", b""])
def test_lines_may_end_in_lf_and_the_end_may_be_missing(end: bytes) -> None:
    body = multipart(part(b"application/sdp", SDP), end=end).replace(b"\r\n", b"\n")
    assert body_parts(MIXED, body)[0] == (b"application/sdp", SDP.replace(b"\r\n", b"\n"))


def test_an_alternative_in_a_mixed_body() -> None:
    """RFC 5621 3.1: as an invitation with a location or with ISUP has it."""
    inner = multipart(part(b"application/sdp", SDP), boundary=b"b2")
    body = multipart(part(b"multipart/alternative;boundary=b2", inner), part(b"text/plain", b"x"))
    assert body_parts(MIXED, body) == [(b"application/sdp", SDP), (b"text/plain", b"x")]


@pytest.mark.parametrize(
    "kind", [b"multipart/mixed", b"multipart/mixed;boundary=", b'multipart/mixed;boundary="' + b"b" * 71 + b'"']
)
def test_without_a_boundary_there_are_no_parts(kind: bytes) -> None:
    assert body_parts(kind, TWO) == []


def test_depth_and_number_are_bounded() -> None:
    deep, kind = SDP, b"application/sdp"
    for depth in range(DEPTH_MAX):
        boundary = b"b%d" % depth
        deep, kind = multipart(part(kind, deep), boundary=boundary), b"multipart/mixed;boundary=" + boundary
    assert body_parts(kind, deep) == [(b"application/sdp", SDP)]
    outer = multipart(part(kind, deep), boundary=b"outer")
    assert body_parts(b"multipart/mixed;boundary=outer", outer) == []
    many = multipart(*[part(b"text/plain", b"")] * (PARTS_MAX * 3))
    assert len(body_parts(MIXED, many)) == PARTS_MAX
