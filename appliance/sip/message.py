"""SIP messages: an ordered list of header lines, indexed, with values parsed when somebody asks.

RFC 3261 7, 8.1.1, 8.2.6, 20.

A message holds the exact octets of every header line; an edit replaces lines and leaves the others untouched, so
that what was not understood is passed on as it came. HeaderField objects are never changed in place: copies of a
message share them. What parsing found is cached and forgotten when an edit touches its header field. The header ids
of names.py and the lines of fields.py are part of this module's interface.

Knows nothing of transactions, transports or what a header field means for routing.
"""

from __future__ import annotations

from typing import Final

from appliance.sip.characters import index_of, number, skip_space, trimmed
from appliance.sip.errors import MalformedMessage
from appliance.sip.fields import HeaderField as HeaderField
from appliance.sip.fields import field_of, make_field, make_named_field, unfold
from appliance.sip.headers import (
    STAR,
    Contact,
    NameAddr,
    Via,
    parse_contact,
    parse_cseq,
    parse_name_addr,
    parse_via,
)
from appliance.sip.names import *  # noqa: F403 - the ids are part of this module's interface
from appliance.sip.names import (
    CALL_ID,
    CONTACT,
    CSEQ,
    FROM,
    LISTS,
    MAX_FORWARDS,
    NAMES,
    OTHER,
    STRICT_LISTS,
    TO,
    VIA,
    header_id,
)
from appliance.sip.parameters import next_comma, split_list
from appliance.sip.plain_address import plain_tag
from appliance.sip.uri import Uri, parse_uri

_ANY: Final = (1 << 64) - 1


class Message:
    """What requests and responses share. fields: header lines in order. body: octets, never looked into.

    Every accessor that parses raises MalformedMessage(400) and nothing else; a missing mandatory header field is
    such a fault too. `parse` has already asked for the ones that RFC 3261 makes mandatory.
    """

    __slots__ = (
        "_call_id",
        "_cseq_method",
        "_cseq_number",
        "_from",
        "_from_tag",
        "_ids",
        "_to",
        "_to_tag",
        "_via",
        "body",
        "fields",
    )

    fields: list[HeaderField]
    body: bytes
    _call_id: bytes | None
    _cseq_number: int
    _cseq_method: bytes
    _from: NameAddr | None
    _to: NameAddr | None
    _from_tag: bytes | None
    _to_tag: bytes | None
    _via: Via | None
    # A bit for each id (modulo 64) that may be among `fields`; most that is asked for is not there.
    _ids: int

    def __init__(self, fields: list[HeaderField] | None = None, body: bytes = b"") -> None:
        self.fields = [] if fields is None else fields
        self.body = body
        self.forget()

    def forget(self) -> None:
        """Drops what was parsed: for who changed `fields` by hand."""
        self._ids = _ANY
        self._call_id = None
        self._cseq_number = -1
        self._cseq_method = b""
        self._from = None
        self._from_tag = None
        self._to = None
        self._to_tag = None
        self._via = None

    def note_ids(self, ids: int) -> None:
        """Which ids there are, a bit for each (modulo 64), from who has looked at all fields."""
        self._ids = ids

    def may_have(self, id: int) -> bool:
        """False when there is surely no header field of that id."""
        return self._ids >> (id & 63) & 1 != 0

    def _note(self, id: int) -> None:
        """There is a new header field of that id: what was known of the old one is forgotten."""
        bit = 1
        self._ids |= bit << (id & 63)
        self._forget_one(id)

    def _forget_one(self, id: int) -> None:
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
            self._cseq_number = -1

    # -- reading

    def index_of(self, id: int) -> int:
        """The place in `fields` of the first header field of that id, -1 when there is none."""
        if self.may_have(id):
            for index in range(len(self.fields)):
                field = self.fields[index]
                if field.id == id:
                    return index
        return -1

    def first(self, id: int) -> bytes | None:
        """The first header field's whole value, unfolded; None when there is none."""
        if self.may_have(id):
            for field in self.fields:
                if field.id == id:
                    return field.text()
        return None

    def count(self, id: int) -> int:
        """How many header fields (lines, not values) have that id."""
        found = 0
        if self.may_have(id):
            for field in self.fields:
                if field.id == id:
                    found += 1
        return found

    def values(self, id: int) -> list[bytes]:
        """Every value in order, lists split at their commas (RFC 3261 7.3.1).

        Raises MalformedMessage(400) for unbalanced quotes, and for empty elements in Via, Contact and routes.
        """
        found: list[bytes] = []
        if not self.may_have(id):
            return found
        is_list = id in LISTS
        for field in self.fields:
            if field.id == id:
                if is_list:
                    _extend_by_list(found, field.text(), id)
                else:
                    found.append(field.text())
        return found

    def named(self, name: bytes) -> list[bytes]:
        """The whole value of each header field of that name (any case), known or not."""
        id = header_id(name)
        wanted = name.lower()
        return [
            field.text() for field in self.fields if field.id == id and (id != OTHER or field.name.lower() == wanted)
        ]

    @property
    def call_id(self) -> bytes:
        """RFC 3261 20.8, octets as they came."""
        return self.read_call_id()

    @property
    def cseq_number(self) -> int:
        """RFC 3261 20.16, 0..2**32-1."""
        return self.read_cseq_number()

    @property
    def cseq_method(self) -> bytes:
        """The method in CSeq: what a response answers."""
        return self.read_cseq_method()

    @property
    def from_address(self) -> NameAddr:
        """From, parsed."""
        return self.read_from()

    @property
    def to_address(self) -> NameAddr:
        """To, parsed."""
        return self.read_to()

    @property
    def from_tag(self) -> bytes:
        """b"" when there is none (RFC 2543)."""
        return self.read_from_tag()

    @property
    def to_tag(self) -> bytes:
        """b"" when there is none."""
        return self.read_to_tag()

    @property
    def from_uri(self) -> Uri:
        """The URI in From."""
        return self.read_from().uri

    @property
    def to_uri(self) -> Uri:
        """The URI in To."""
        return self.read_to().uri

    @property
    def top_via(self) -> Via:
        """The first Via value, parsed."""
        return self.read_top_via()

    @property
    def max_forwards(self) -> int:
        """0..255, -1 when absent. Larger numbers count as 255 (RFC 4475 3.1.2.4)."""
        return self.read_max_forwards()

    def contacts(self) -> list[Contact]:
        """Every Contact value; [STAR] for "*", which must be alone (RFC 3261 20.10)."""
        contacts = [parse_contact(value) for value in self.values(CONTACT)]
        if STAR in contacts and len(contacts) > 1:
            raise MalformedMessage(400, "Star Among Other Contacts")
        return contacts

    # What the properties give, by methods that compiled code calls directly.

    def read_call_id(self) -> bytes:
        """See call_id."""
        if self._call_id is None:
            self._call_id = self._required(CALL_ID)
        return self._call_id

    def read_cseq(self) -> None:
        """Reads cseq_number and cseq_method."""
        self._cseq_number, self._cseq_method = parse_cseq(self._required(CSEQ))

    def read_cseq_number(self) -> int:
        """See cseq_number."""
        if self._cseq_number < 0:
            self.read_cseq()
        return self._cseq_number

    def read_cseq_method(self) -> bytes:
        """See cseq_method."""
        if self._cseq_number < 0:
            self.read_cseq()
        return self._cseq_method

    def read_from_tag(self) -> bytes:
        """See from_tag; whoever has it knows that From is well-formed."""
        if self._from_tag is None:
            tag = plain_tag(self._required(FROM))
            self._from_tag = self.read_from().tag if tag is None else tag
        return self._from_tag

    def read_to_tag(self) -> bytes:
        """See to_tag; whoever has it knows that To is well-formed."""
        if self._to_tag is None:
            tag = plain_tag(self._required(TO))
            self._to_tag = self.read_to().tag if tag is None else tag
        return self._to_tag

    def read_from(self) -> NameAddr:
        """See from_address."""
        if self._from is None:
            self._from = parse_name_addr(self._required(FROM), "From")
        return self._from

    def read_to(self) -> NameAddr:
        """See to_address."""
        if self._to is None:
            self._to = parse_name_addr(self._required(TO), "To")
        return self._to

    def read_top_via(self) -> Via:
        """See top_via."""
        if self._via is None:
            value = self._required(VIA)
            if index_of(value, 44, 0) >= 0:
                value = trimmed(value, 0, next_comma(value, 0))
            self._via = parse_via(value)
        return self._via

    def read_max_forwards(self) -> int:
        """See max_forwards."""
        value = self.first(MAX_FORWARDS)
        if value is None:
            return -1
        hops = number(value)
        if hops < 0:
            raise MalformedMessage(400, "Malformed Max-Forwards")
        return min(hops, 255)

    def _required(self, id: int) -> bytes:
        value = self.first(id)
        if value is None:
            raise MalformedMessage(400, "Missing " + NAMES[id].decode())
        return value

    # -- editing

    def prepend(self, id: int, value: bytes) -> None:
        """A line of its own before the first of its kind; at the top when there is none."""
        index = self.index_of(id)
        self.fields.insert(max(index, 0), make_field(id, value))
        self._note(id)

    def append(self, id: int, value: bytes) -> None:
        """A line of its own at the end of the header fields."""
        self.fields.append(make_field(id, value))
        self._note(id)

    def append_named(self, name: bytes, value: bytes) -> None:
        """A line of its own at the end, by name as it shall be written."""
        id = header_id(name)
        assert id >= 0, "a header name of ours is no token"
        self.fields.append(make_named_field(id, name, value))
        self._note(id)

    def replace(self, id: int, value: bytes) -> None:
        """One line in the place of the first of that id (at the end when there is none); the others go."""
        index = self.index_of(id)
        if index < 0:
            self.append(id, value)
            return
        if self.count(id) > 1:
            self.fields[index + 1 :] = [field for field in self.fields[index + 1 :] if field.id != id]
        self.fields[index] = make_field(id, value)
        self._forget_one(id)

    def replace_first_value(self, id: int, value: bytes) -> None:
        """The first comma-separated value exchanged, all other octets kept. Raises MalformedMessage without one."""
        index = self._index_required(id)
        line = self.fields[index].line
        start, end = self._first_value_span(index)
        self.fields[index] = field_of(id, b"".join((line[:start], value, line[end:])))
        self._forget_one(id)

    def remove_first_value(self, id: int) -> bytes:
        """Takes out the first comma-separated value and gives it back unfolded; all other octets are kept.

        A line that becomes empty goes. Raises MalformedMessage when there is none.
        """
        index = self._index_required(id)
        field = self.fields[index]
        line = field.line
        start, end = self._first_value_span(index)
        value = line[start:end]
        if end < len(line) and line[end] != 44:
            end = skip_space(line, end)
        if end >= len(line):
            del self.fields[index]
        else:
            rest = skip_space(line, end + 1)
            self.fields[index] = field_of(id, line[:start] + line[rest:])
        self._forget_one(id)
        return unfold(value) if b"\n" in value else value

    def remove_all(self, id: int) -> None:
        """Every header field of that id goes."""
        self.fields = [field for field in self.fields if field.id != id]
        self._forget_one(id)

    def _index_required(self, id: int) -> int:
        index = self.index_of(id)
        if index < 0:
            raise MalformedMessage(400, "Missing " + NAMES[id].decode())
        return index

    def _first_value_span(self, index: int) -> tuple[int, int]:
        """Where in its line the first value starts and ends, white space around it left out."""
        field = self.fields[index]
        start = skip_space(field.line, field.colon + 1)
        end = next_comma(field.line, start) if field.id in LISTS else len(field.line)
        while end > start and field.line[end - 1] in b" \t\r\n":
            end -= 1
        return start, max(start, end)

    def _copy_into(self, other: Message) -> None:
        other.fields = self.fields.copy()
        other.body = self.body
        other._ids = self._ids
        other._call_id = self._call_id
        other._cseq_number = self._cseq_number
        other._cseq_method = self._cseq_method
        other._from = self._from
        other._from_tag = self._from_tag
        other._to = self._to
        other._to_tag = self._to_tag
        other._via = self._via


def _extend_by_list(found: list[bytes], text: bytes, id: int) -> None:
    elements = split_list(text)
    if not elements or b"" in elements:
        if id in STRICT_LISTS:
            raise MalformedMessage(400, "Empty Value in " + NAMES[id].decode())
        elements = [element for element in elements if element]
    found.extend(elements)


class Request(Message):
    """method: token, case kept. uri_text: the Request-URI as received or set."""

    __slots__ = ("_uri", "method", "uri_text")

    method: bytes
    uri_text: bytes
    _uri: Uri | None

    def __init__(
        self, method: bytes, uri_text: bytes, fields: list[HeaderField] | None = None, body: bytes = b""
    ) -> None:
        self.fields = [] if fields is None else fields
        self.body = body
        self.forget()
        self.method = method
        self.uri_text = uri_text
        self._uri = None

    @property
    def uri(self) -> Uri:
        """The Request-URI, parsed. RFC 3261 19.1.1: it has no headers."""
        return self.read_uri()

    def read_uri(self) -> Uri:
        """What `uri` gives, by a method that compiled code calls directly."""
        if self._uri is None:
            uri = parse_uri(self.uri_text)
            if uri.headers:
                raise MalformedMessage(400, "Headers in Request-URI")
            self._uri = uri
        return self._uri

    def set_uri(self, uri_text: bytes, uri: Uri | None = None) -> None:
        """Another Request-URI; parsed when asked for, unless `uri` is what parsing the text would give."""
        self.uri_text = uri_text
        self._uri = uri

    def copy(self) -> Request:
        """An independent request; header field objects and parsed values are shared, being values."""
        other = Request.__new__(Request)
        self._copy_into(other)
        other.method = self.method
        other.uri_text = self.uri_text
        other._uri = self._uri
        return other


class Response(Message):
    """status: 100..699. reason: octets (UTF-8), may be empty."""

    __slots__ = ("reason", "status")

    status: int
    reason: bytes

    def __init__(self, status: int, reason: bytes, fields: list[HeaderField] | None = None, body: bytes = b"") -> None:
        self.fields = [] if fields is None else fields
        self.body = body
        self.forget()
        self.status = status
        self.reason = reason

    def copy(self) -> Response:
        """An independent response; header field objects and parsed values are shared, being values."""
        other = Response.__new__(Response)
        self._copy_into(other)
        other.status = self.status
        other.reason = self.reason
        return other
