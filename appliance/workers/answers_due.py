"""The messages of a stream that need an answer, and those that are one: a peer that has sent all waits for it."""

from __future__ import annotations

from zlib import crc32

from appliance.sip.errors import MalformedMessage
from appliance.sip.message import Request
from appliance.sip.writer import write_response


def wants_answer(message: bytes) -> bool:
    """Is it a request that gets a response?"""
    return not message.startswith((b"SIP/2.0 ", b"ACK "))


def is_final(message: bytes) -> bool:
    """Is it a final response (RFC 3261 7.2)?"""
    return message.startswith(b"SIP/2.0 ") and message[8:9] != b"1"


def answer_to_malformed(fault: MalformedMessage) -> bytes:
    """The response that says why a stream ends; b"" where what came was no request, or is not answered."""
    request = fault.message
    if not isinstance(request, Request) or request.method == b"ACK":
        return b""
    # RFC 3261 8.2.7: a To tag that comes out the same for the same request.
    tag = b"%08x" % crc32(b"".join(request.lines))
    return write_response(request, fault.status, fault.reason.encode(), to_tag=tag)
