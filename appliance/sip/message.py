"""SIP messages: header lines, with values parsed on demand.

RFC 3261 7, 8.1.1, 8.2.6, 20.

A message holds the exact octets of every header line (see lines.py). What was parsed is kept, and forgotten when an
edit touches its header field.
"""

from __future__ import annotations

from typing import Final

from appliance.sip.address_fast_path import plain_tag
from appliance.sip.characters import DIGIT, end_of_class, is_token, number_between, part, skip_space
from appliance.sip.errors import MalformedMessage
from appliance.sip.header_lines import HeaderLines, end_of_value, start_of_value
from appliance.sip.headers import STAR, Contact, NameAddr, parse_contact, parse_name_addr
from appliance.sip.names import CALL_ID, CONTACT, CSEQ, FROM, MAX_FORWARDS, TO, VIA
from appliance.sip.uri import Uri, parse_uri
from appliance.sip.via import Via, parse_via

_UNREAD: Final = -1
_CSEQ_MAX: Final = 2**32 - 1


class Message(HeaderLines):
    """What requests and responses share. body: octets, never looked into.

    Every accessor that parses raises MalformedMessage(400) and nothing else; a missing mandatory header field is
    such a fault too. `parse` has already asked for the ones that RFC 3261 makes mandatory.
    """

    __slots__ = (
        "_call_id",
        "_cseq_method",
        "_cseq_number",
        "_from",
        "_from_tag",
        "_max_forwards",
        "_to",
        "_to_tag",
        "_via",
        "body",
    )

    body: bytes
    _call_id: bytes | None
    _cseq_number: int
    _cseq_method: bytes
    _max_forwards: int
    _from: NameAddr | None
    _to: NameAddr | None
    _from_tag: bytes | None
    _to_tag: bytes | None
    _via: Via | None

    def begin(self, lines: list[bytes], ids: bytearray, body: bytes) -> None:
        """What kinds of messages begin with; the lines become this one's, and nothing of them has been read."""
        self.lines = lines
        self.ids = ids
        self.body = body
        self._call_id = None
        self._cseq_number = _UNREAD
        self._cseq_method = b""
        self._max_forwards = _UNREAD
        self._from = None
        self._from_tag = None
        self._to = None
        self._to_tag = None
        self._via = None

    def forget_one(self, id: int) -> None:
        """A header field of that id has been edited: what was read of it is not true any more."""
        if id == VIA:
            self._via = None
        elif id == FROM:
            self._from = None
            self._from_tag = None
        elif id == TO:
            self._to = None
            self._to_tag = None
        elif id == CALL_ID:
            self._call_id = None
        elif id == CSEQ:
            self._cseq_number = _UNREAD
        elif id == MAX_FORWARDS:
            self._max_forwards = _UNREAD

    def contacts(self) -> list[Contact]:
        """Every Contact value; [STAR] for "*", which must be alone (RFC 3261 20.10)."""
        contacts = [parse_contact(value) for value in self.values(CONTACT)]
        if len(contacts) > 1 and STAR in contacts:
            raise MalformedMessage(400, "Star Among Other Contacts")
        return contacts

    def read_call_id(self) -> bytes:
        """RFC 3261 20.8, octets as received."""
        if self._call_id is None:
            self._call_id = self.required(CALL_ID)
        return self._call_id

    def read_cseq(self) -> None:
        """Parse CSeq (RFC 3261 20.16)."""
        line = self.required_line(CSEQ)
        start = start_of_value(line)
        end = end_of_class(line, start, DIGIT)
        sequence = number_between(line, start, end)
        start = skip_space(line, end)
        method = part(line, start, end_of_value(line))
        if sequence < 0 or start == end or not is_token(method):
            raise MalformedMessage(400, "Malformed CSeq")
        if sequence > _CSEQ_MAX:
            raise MalformedMessage(400, "CSeq Number Too Large")
        self._cseq_number = sequence
        self._cseq_method = method

    def read_cseq_number(self) -> int:
        """RFC 3261 20.16, 0..2**32-1."""
        if self._cseq_number == _UNREAD:
            self.read_cseq()
        return self._cseq_number

    def read_cseq_method(self) -> bytes:
        """The method in CSeq: what a response answers."""
        if self._cseq_number == _UNREAD:
            self.read_cseq()
        return self._cseq_method

    def read_from_tag(self) -> bytes:
        """b"" when there is none (RFC 2543). From has been checked as a whole."""
        if self._from_tag is None:
            line = self.required_line(FROM)
            tag = plain_tag(line, start_of_value(line), end_of_value(line))
            self._from_tag = self.read_from().tag if tag is None else tag
        return self._from_tag

    def read_to_tag(self) -> bytes:
        """b"" when there is none. To has been checked as a whole."""
        if self._to_tag is None:
            line = self.required_line(TO)
            tag = plain_tag(line, start_of_value(line), end_of_value(line))
            self._to_tag = self.read_to().tag if tag is None else tag
        return self._to_tag

    def read_from(self) -> NameAddr:
        """From, parsed."""
        if self._from is None:
            self._from = parse_name_addr(self.required(FROM), "From")
        return self._from

    def read_to(self) -> NameAddr:
        """To, parsed."""
        if self._to is None:
            self._to = parse_name_addr(self.required(TO), "To")
        return self._to

    def read_top_via(self) -> Via:
        """The first Via value, parsed."""
        if self._via is None:
            value = self.first_value(VIA)
            self._via = parse_via(self.required(VIA) if value is None else value)
        return self._via

    def read_max_forwards(self) -> int:
        """0..255, -1 when absent. Larger numbers count as 255 (RFC 4475 3.1.2.4)."""
        if self._max_forwards == _UNREAD:
            line = self.first_line(MAX_FORWARDS)
            if not line:
                return -1
            hops = number_between(line, start_of_value(line), end_of_value(line))
            if hops < 0:
                raise MalformedMessage(400, "Malformed Max-Forwards")
            self._max_forwards = min(hops, 255)
        return self._max_forwards

    def _copy_into(self, other: Message) -> None:
        self.copy_lines_into(other)
        other.body = self.body
        other._call_id = self._call_id
        other._cseq_number = self._cseq_number
        other._cseq_method = self._cseq_method
        other._max_forwards = self._max_forwards
        other._from = self._from
        other._from_tag = self._from_tag
        other._to = self._to
        other._to_tag = self._to_tag
        other._via = self._via


class Request(Message):
    """method: token, case kept. uri_text: the Request-URI as received or set; received_uri: as received."""

    __slots__ = ("_uri", "method", "received_uri", "uri_text")

    method: bytes
    received_uri: bytes
    uri_text: bytes
    _uri: Uri | None

    def __init__(self, method: bytes, uri_text: bytes, body: bytes = b"") -> None:
        self.begin([], bytearray(), body)
        self.method = method
        self.uri_text = uri_text
        self.received_uri = uri_text
        self._uri = None

    def read_uri(self) -> Uri:
        """The Request-URI, parsed. RFC 3261 19.1.1: it has no headers."""
        if self._uri is None:
            uri = parse_uri(self.uri_text)
            if uri.headers:
                raise MalformedMessage(400, "Headers in Request-URI")
            self._uri = uri
        return self._uri

    def receive_uri(self, uri_text: bytes) -> None:
        """The Request-URI as it came, of which read_uri says whether it is one."""
        self.uri_text = uri_text
        self.received_uri = uri_text
        self._uri = None

    def set_uri(self, uri: Uri) -> None:
        """Another Request-URI: the URI without its headers (RFC 3261 19.1.5).

        A Uri and no text: a URI that exists holds no octet that could end the line, or a word of it.
        """
        self.uri_text = uri.without_headers()
        self._uri = uri if self.uri_text is uri.text else None

    def copy(self) -> Request:
        """An independent request; lines and parsed values are shared, being values."""
        other = Request.__new__(Request)
        self._copy_into(other)
        other.method = self.method
        other.uri_text = self.uri_text
        other.received_uri = self.received_uri
        other._uri = self._uri
        return other


class Response(Message):
    """status: 100..699. reason: octets (UTF-8), may be empty."""

    __slots__ = ("reason", "status")

    status: int
    reason: bytes

    def __init__(self, status: int, reason: bytes, body: bytes = b"") -> None:
        self.begin([], bytearray(), body)
        self.status = status
        self.reason = reason

    def copy(self) -> Response:
        """An independent response; lines and parsed values are shared, being values."""
        other = Response.__new__(Response)
        self._copy_into(other)
        other.status = self.status
        other.reason = self.reason
        return other
