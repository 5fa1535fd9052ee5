"""RFC 3264 5, RFC 8866: the media of an offer."""

from __future__ import annotations

import pytest

from appliance.sip.message import Request
from appliance.sip.names import CONTENT_TYPE
from appliance.sip.offered_media import offered_media


def offer(*lines: str, kind: bytes = b"application/sdp") -> Request:
    request = Request(b"INVITE", b"sip:bob@example.com", "\r\n".join(("v=0", *lines, "")).encode())
    request.append(CONTENT_TYPE, kind)
    return request


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (("m=audio 4000 RTP/AVP 0 8",), {b"audio", b"pcmu", b"pcma"}),
        (("m=audio 4000 RTP/AVP 96", "a=rtpmap:96 AMR-WB/16000"), {b"audio", b"amr-wb"}),
        (("m=audio 4000 RTP/AVP 96", "a=rtpmap:97 opus/48000/2"), {b"audio"}),
        (("m=audio 0 RTP/AVP 0", "a=rtpmap:0 PCMU/8000", "m=video 9/2 RTP/AVP 34"), {b"video", b"h263"}),
        (("m=audio 000 RTP/AVP 0",), set()),
        (("m=image 9 udptl t38",), {b"image"}),
        (("m=audio",), set()),
        ((), set()),
    ],
)
def test_types_and_codecs_of_streams_that_are_offered(lines: tuple[str, ...], expected: set[bytes]) -> None:
    assert offered_media(offer(*lines)) == expected


def test_only_a_session_description_is_read() -> None:
    assert offered_media(offer("m=audio 1 RTP/AVP 0", kind=b"text/plain")) == frozenset()
    assert offered_media(offer("m=audio 1 RTP/AVP 0", kind=b"Application/SDP; charset=utf-8")) == {b"audio", b"pcmu"}


def test_session_descriptions_in_a_multipart_body_are_read() -> None:
    """RFC 5621 3.1: a condition on media is not avoided by a part of another kind beside the offer."""
    sdp = b"Content-Type: application/sdp\r\n\r\nv=0\r\nm=video 9 RTP/AVP 34"
    body = b"--b\r\n\r\ntext\r\n--b\r\n" + sdp + b"\r\n--b\r\n" + sdp.replace(b"34", b"31") + b"\r\n--b--"
    request = Request(b"INVITE", b"sip:bob@example.com", body)
    request.append(CONTENT_TYPE, b"multipart/mixed; boundary=b")
    assert offered_media(request) == {b"video", b"h263", b"h261"}


def test_a_long_description_is_read_in_part() -> None:
    late = offer(*(["a=x"] * 2000), "m=audio 1 RTP/AVP 0")
    assert offered_media(late) == frozenset()
