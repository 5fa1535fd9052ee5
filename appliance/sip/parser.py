"""One whole message from its octets, with the structural rules that every element has to enforce.

RFC 3261 7, 8.1.1, 8.2, 16.3 step 1, 18.3, 25.1; behaviour on broken messages after RFC 4475.

The head is cut into lines, and each line is indexed by name; only the header fields that RFC 3261 makes mandatory are
read. All lines are indexed before anything is judged, so that a fault finds enough to answer with.
"""

from __future__ import annotations

from typing import Final

from appliance.catalogue.proxy_settings import SyntaxSettings
from appliance.sip.characters import VISIBLE, index_of, is_all, is_token, number, number_between, part, spells, trimmed
from appliance.sip.errors import MalformedMessage
from appliance.sip.header_lines import end_of_value, start_of_value
from appliance.sip.message import Message, Request, Response
from appliance.sip.names import (
    CALL_ID,
    CONTENT_LENGTH,
    CSEQ,
    FROM,
    MAX_FORWARDS,
    NAMES,
    TO,
    VIA,
    header_id,
    known_id,
)

KNOWN_METHODS: Final = frozenset(
    b"INVITE ACK BYE CANCEL OPTIONS REGISTER PRACK SUBSCRIBE NOTIFY PUBLISH INFO REFER MESSAGE UPDATE".split()
)
# No id of names.py; those are small.
_BROKEN: Final = 255
# In lower case; the version token is case-insensitive (RFC 3261 7.1).
_VERSION: Final = b"sip/2.0"
_REQUIRED: Final = (VIA, FROM, TO, CALL_ID, CSEQ)
_SINGLE: Final = (FROM, TO, CALL_ID, CSEQ, MAX_FORWARDS, CONTENT_LENGTH)
_REQUIRED_MASK: Final = sum(1 << id for id in _REQUIRED)
_SINGLE_MASK: Final = sum(1 << id for id in _SINGLE)


class SyntaxLimits:
    """Bounds of one message, octets and counts. header_len_max counts a line with its name, folds and CRLF."""

    __slots__ = ("header_count_max", "header_len_max", "message_len_max", "uri_len_max")

    def __init__(
        self,
        message_len_max: int = 65535,
        header_count_max: int = 200,
        header_len_max: int = 8192,
        uri_len_max: int = 2048,
    ) -> None:
        self.message_len_max = message_len_max
        self.header_count_max = header_count_max
        self.header_len_max = header_len_max
        self.uri_len_max = uri_len_max


def syntax_limits(configured: SyntaxSettings) -> SyntaxLimits:
    """The bounds as they are configured."""
    return SyntaxLimits(
        configured.message_len_max, configured.header_count_max, configured.header_len_max, configured.uri_len_max
    )


# For what this appliance wrote itself.
UNBOUNDED: Final = SyntaxLimits(1 << 30, 1 << 30, 1 << 30, 1 << 30)


def parse(data: bytes, limits: SyntaxLimits) -> Request | Response:
    """The message in a datagram, or a framed message of a stream.

    Octets after the body that Content-Length announces are dropped (RFC 3261 18.3); empty lines before the start
    line are skipped (7.5). Raises MalformedMessage and nothing else; its message is set when the fault is to be
    answered.
    """
    start = _skip_empty_lines(data)
    size = len(data)
    if start == size:
        raise MalformedMessage(400, "Empty Message")
    at = _end_of_line(data, start, size)
    start_line = part(data, start, at)
    if at < start + 2 or data[at - 1] != 10 or data[at - 2] != 13:
        raise MalformedMessage(400, "Start Line Does Not End in CRLF")
    # The version token is case-insensitive (RFC 3261 7.1).
    if len(start_line) > 4 and start_line[3] == 47 and spells(start_line, 0, 3, b"sip"):
        return _parse_response(start_line, data, at, limits)
    return _parse_request(start_line, data, at, limits)


def _parse_request(start_line: bytes, data: bytes, at: int, limits: SyntaxLimits) -> Request:
    lines: list[bytes] = []
    body_at = _cut_lines(lines, data, at, limits.header_count_max)
    request = Request.__new__(Request)
    request.begin(lines, _ids_of(lines, limits), b"")
    try:
        _read_request_line(request, start_line, limits)
        if len(data) > limits.message_len_max:
            raise MalformedMessage(513, "Message Too Large")
        _check_lines(request, body_at, limits)
        _check_fields(request)
        _take_body(request, data, body_at)
        _check_request(request)
    except MalformedMessage as fault:
        raise MalformedMessage(fault.status, fault.reason, _answerable(request, start_line)) from None
    return request


def _parse_response(start_line: bytes, data: bytes, at: int, limits: SyntaxLimits) -> Response:
    lines: list[bytes] = []
    body_at = _cut_lines(lines, data, at, limits.header_count_max)
    response = Response.__new__(Response)
    response.begin(lines, _ids_of(lines, limits), b"")
    _read_status_line(response, start_line)
    _check_lines(response, body_at, limits)
    _check_fields(response)
    _take_body(response, data, body_at)
    return response


def find_call_id(data: bytes) -> bytes | None:
    """The value of the first Call-ID header field, by a scan that looks at nothing else; None when there is none."""
    at = index_of(data, 10, _skip_empty_lines(data)) + 1
    size = len(data)
    while 0 < at < size:
        octet = data[at]
        # "C", "c", "I", "i": no other line can be it. CR: the head is over.
        if octet == 67 or octet == 99 or octet == 73 or octet == 105:
            colon = index_of(data, 58, at)
            if 0 <= colon <= at + 40 and header_id(part(data, at, colon)) == CALL_ID:
                return _folded_value(data, colon + 1)
        elif octet == 13 or octet == 10:
            return None
        at = index_of(data, 10, at) + 1
    return None


def _folded_value(data: bytes, at: int) -> bytes:
    """The first word of a header value that may start on a continuation line."""
    last = len(data) - 1
    end = index_of(data, 10, at)
    while 0 <= end < last and (data[end + 1] == 32 or data[end + 1] == 9):
        end = index_of(data, 10, end + 1)
    value = trimmed(data, at, end if end >= 0 else len(data))
    size = 0
    while size < len(value):
        octet = value[size]
        if octet == 32 or octet == 9 or octet == 13 or octet == 10:
            break
        size += 1
    return part(value, 0, size)


def _skip_empty_lines(data: bytes) -> int:
    at = 0
    size = len(data)
    while at < size and (data[at] == 13 or data[at] == 10):
        at += 1
    return at


def _end_of_line(data: bytes, at: int, end: int) -> int:
    """Index after the line that starts at `at`: after its CRLF, or a CR or LF alone, which is a fault."""
    octets = data
    while at < end:
        octet = octets[at]
        at += 1
        # Nearly all of them.
        if octet > 13:
            continue
        if octet == 10:
            break
        if octet == 13:
            return at + 1 if at < end and octets[at] == 10 else at
    return at


def _cut_lines(lines: list[bytes], data: bytes, at: int, count_max: int) -> int:
    """Put the lines from `at` on into the list, one more than allowed at most.

    Returns the index of the body; -1 where no empty line ends the head.
    """
    octets = data
    size = len(data)
    while at < size and len(lines) <= count_max:
        start = at
        at = _end_of_line(data, at, size)
        if at == start + 2 and octets[start] == 13 and octets[start + 1] == 10:
            return at
        # RFC 3261 7.3.1, 25.1: a line that begins with white space goes on with the one before, which ended in CRLF.
        while at < size and (octets[at] == 32 or octets[at] == 9) and octets[at - 1] == 10 and octets[at - 2] == 13:
            at = _end_of_line(data, at, size)
        lines.append(part(data, start, at))
    return -1


def _ids_of(lines: list[bytes], limits: SyntaxLimits) -> bytearray:
    """The id of each line; _BROKEN for those that cannot be used."""
    ids = bytearray(len(lines))
    octets = ids
    for index in range(len(lines)):
        line = lines[index]
        octets[index] = _id_of(line) if len(line) <= limits.header_len_max else _BROKEN
    return ids


def _id_of(line: bytes) -> int:
    size = len(line)
    colon = index_of(line, 58, 0)
    if colon < 0 or size < 2 or line[size - 2] != 13 or line[size - 1] != 10:
        return _BROKEN
    # OTHER is 0: then it may be no name at all.
    id = known_id(line, colon) or header_id(part(line, 0, colon))
    return id if id >= 0 else _BROKEN


def _read_request_line(request: Request, start_line: bytes, limits: SyntaxLimits) -> None:
    """RFC 3261 7.1: method SP Request-URI SP SIP-Version CRLF, single spaces, none at the end."""
    end = len(start_line) - 2
    first = index_of(start_line, 32, 0)
    second = index_of(start_line, 32, first + 1)
    if first <= 0 or second <= first + 1 or index_of(start_line, 32, second + 1) >= 0:
        raise MalformedMessage(400, _request_line_fault(start_line))
    request.method = part(start_line, 0, first)
    if not is_token(request.method):
        raise MalformedMessage(400, "Malformed Method")
    if not spells(start_line, second + 1, end, _VERSION):
        raise _version_fault(part(start_line, second + 1, end))
    if second - first - 1 > limits.uri_len_max:
        raise MalformedMessage(414, "Request-URI Too Long")
    request.receive_uri(part(start_line, first + 1, second))


def _request_line_fault(start_line: bytes) -> str:
    parts = start_line[:-2].split(b" ")
    if len(parts) < 3:
        return "Malformed Request Line"
    if b"" in parts:
        return "Extra Whitespace in Request Line"
    return "Whitespace in Request-URI"


def _version_fault(version: bytes) -> MalformedMessage:
    major, dot, minor = version[4:].partition(b".")
    if version[:4].upper() == b"SIP/" and dot and number(major) >= 0 and number(minor) >= 0:
        return MalformedMessage(505, "Version Not Supported")
    return MalformedMessage(400, "Malformed SIP Version")


def _read_status_line(response: Response, start_line: bytes) -> None:
    """RFC 3261 7.2: SIP-Version SP Status-Code SP Reason-Phrase CRLF. The SP after the code may be missing."""
    end = len(start_line) - 2
    space = index_of(start_line, 32, 0)
    version_end = space if space >= 0 else end
    if not spells(start_line, 0, version_end, _VERSION):
        raise _version_fault(part(start_line, 0, version_end))
    code_end = space + 4
    if space < 0 or code_end > end or (code_end < end and start_line[code_end] != 32):
        raise MalformedMessage(400, "Malformed Status Code")
    response.status = number_between(start_line, space + 1, code_end)
    if response.status < 0:
        raise MalformedMessage(400, "Malformed Status Code")
    if response.status < 100 or response.status > 699:
        raise MalformedMessage(400, "Status Code Out of Range")
    response.reason = part(start_line, code_end + 1, end)


def _check_lines(message: Message, body_at: int, limits: SyntaxLimits) -> None:
    """RFC 3261 8.1.1, 20: which header fields must be there, and which must be there once. A set is a mask of bits."""
    octets = message.ids
    count = len(message.ids)
    seen = twice = 0
    one = 1
    if count > limits.header_count_max:
        raise MalformedMessage(400, "Too Many Header Fields")
    for index in range(count):
        id = octets[index]
        if id == _BROKEN:
            raise MalformedMessage(400, _line_fault(message.lines[index], limits))
        # Of the others, and of those with a larger number, there may be any number.
        if id < 64:
            bit = one << id
            twice |= seen & bit
            seen |= bit
    if body_at < 0:
        raise MalformedMessage(400, "Header Fields Not Ended by an Empty Line")
    required = _REQUIRED_MASK
    if seen & required != required or twice & _SINGLE_MASK:
        raise MalformedMessage(400, _count_fault(message))


def _line_fault(line: bytes, limits: SyntaxLimits) -> str:
    if len(line) > limits.header_len_max:
        return "Header Field Too Long"
    if not line.endswith(b"\r\n"):
        return "Header Line Does Not End in CRLF"
    return "Malformed Header Name" if b":" in line else "Header Line Without Colon"


def _count_fault(message: Message) -> str:
    for id in _REQUIRED:
        if not message.count(id):
            return "Missing " + NAMES[id].decode()
    return "More Than One " + next(NAMES[id].decode() for id in _SINGLE if message.count(id) > 1)


def _check_fields(message: Message) -> None:
    """What requests and responses have in common; reading a header field is checking it."""
    call_id = message.read_call_id()
    if not call_id or not is_all(call_id, VISIBLE):
        raise MalformedMessage(400, "Malformed Call-ID")
    message.read_from_tag()
    message.read_to_tag()
    message.read_cseq()
    # RFC 3261 8.1.1.7: the branch is the cookie and something unique after it.
    if message.read_top_via().branch == b"z9hG4bK":
        raise MalformedMessage(400, "Empty Branch in Via")


def _take_body(message: Message, data: bytes, at: int) -> None:
    """RFC 3261 18.3 and 20.14."""
    line = message.first_line(CONTENT_LENGTH)
    end = len(data)
    if line:
        length = number_between(line, start_of_value(line), end_of_value(line))
        if length < 0:
            raise MalformedMessage(400, "Malformed Content-Length")
        if length > end - at:
            raise MalformedMessage(400, "Body Shorter Than Content-Length")
        end = at + length
    message.body = part(data, at, end)


def _check_request(request: Request) -> None:
    # RFC 3261 8.1.1.5: the method in CSeq must be the request's.
    if request.read_cseq_method() != request.method:
        if request.method in KNOWN_METHODS:
            raise MalformedMessage(400, "CSeq Method Does Not Match")
        raise MalformedMessage(501, "Unknown Method, Not That in CSeq")
    request.read_max_forwards()
    request.read_uri()


def _answerable(request: Request, start_line: bytes) -> Request | None:
    """The request made good enough to write a response from; None for ACK, for what is none, and without Via."""
    words = start_line.split()
    if len(words) < 3 or words[-1][:4].upper() != b"SIP/" or words[0] == b"ACK" or not is_token(words[0]):
        return None
    request.method = words[0]
    request.receive_uri(b" ".join(words[1:-1]))
    request.remove_all(_BROKEN)
    return request if request.count(VIA) else None
