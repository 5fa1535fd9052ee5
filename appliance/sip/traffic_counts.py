"""Requests by method and responses by method and status code, received and sent (RFC 4780 4: statistics).

What is received or sent is counted with its retransmissions, and those are counted once more on their own.

A place in one list for each; those that were ever counted are remembered, so that a report does not scan all of them.
"""

from __future__ import annotations

from typing import Final

METHODS: Final = (
    b"INVITE",
    b"ACK",
    b"BYE",
    b"CANCEL",
    b"OPTIONS",
    b"REGISTER",
    b"PRACK",
    b"UPDATE",
    b"SUBSCRIBE",
    b"NOTIFY",
    b"PUBLISH",
    b"INFO",
    b"REFER",
    b"MESSAGE",
)
# All others together; no method has a name like this.
OTHER: Final = "(other)"
_NUMBERS: Final = {method: number for number, method in enumerate(METHODS)}
_OTHER: Final = len(METHODS)
# Of each method: 0 for the requests, and the status codes from 100 on.
_SPAN: Final = 1024
_SENT: Final = (len(METHODS) + 1) * _SPAN
_RECEIVED_AGAIN: Final = 2 * _SENT
_SENT_AGAIN: Final = 3 * _SENT
_DIRECTIONS: Final = ("received", "sent", "received-again", "sent-again")
_METHOD_LEN_MAX: Final = 10
# RFC 3261 25.1: "SIP/2.0 200", "CSeq: 1 INVITE".
_RESPONSE: Final = b"SIP/"
_STATUS_AT: Final = 8
_CSEQ: Final = b"\r\nCSeq:"
_CSEQ_LEN: Final = len(_CSEQ)
_CR, _SPACE, _ZERO, _NINE = 13, 32, 48, 57


class TrafficCounts:
    """The counts of one worker."""

    def __init__(self) -> None:
        self._counts = [0] * (4 * _SENT)
        self._used: list[int] = []

    def request_received(self, method: bytes) -> None:
        """A request was received."""
        self._count(_NUMBERS.get(method, _OTHER) * _SPAN)

    def response_received(self, method: bytes, status: int) -> None:
        """A response was received; the parser lets no status of another size through."""
        self._count(_NUMBERS.get(method, _OTHER) * _SPAN + status)

    def sent(self, data: bytes) -> bool:
        """A message is sent. Returns whether it is a response."""
        place = _place_of(data)
        self._count(_SENT + place)
        return place % _SPAN != 0

    def request_received_again(self, method: bytes) -> None:
        """A request that was received is a retransmission."""
        self._count(_RECEIVED_AGAIN + _NUMBERS.get(method, _OTHER) * _SPAN)

    def sent_again(self, data: bytes) -> None:
        """A message that is sent is a retransmission."""
        self._count(_SENT_AGAIN + _place_of(data))

    def _count(self, place: int) -> None:
        if self._counts[place] == 0:
            self._used.append(place)
        self._counts[place] += 1

    def by_name(self) -> dict[str, int]:
        """The counts that are not 0: `received INVITE`, `sent INVITE 200`, `sent-again INVITE`."""
        return {_name_of(place): self._counts[place] for place in self._used}


def _place_of(data: bytes) -> int:
    """Of a message, among those of one direction."""
    if not data.startswith(_RESPONSE):
        return _NUMBERS.get(data[: _word_end(data, 0)], _OTHER) * _SPAN
    status = 100 * (data[_STATUS_AT] - _ZERO) + 10 * (data[_STATUS_AT + 1] - _ZERO) + data[_STATUS_AT + 2] - _ZERO
    return _NUMBERS.get(_method_of(data), _OTHER) * _SPAN + status


def _method_of(response: bytes) -> bytes:
    """The method in CSeq; b"" where it is written in an unusual way."""
    start = response.find(_CSEQ)
    if start < 0:
        return b""
    start += _CSEQ_LEN
    # The number and the spaces around it; all before a letter.
    end = len(response)
    while start < end and response[start] <= _NINE and response[start] != _CR:
        start += 1
    return response[start : _word_end(response, start)]


def _word_end(data: bytes, start: int) -> int:
    """The end of the word that begins there, or of what can be a known method."""
    end, limit = start, min(start + _METHOD_LEN_MAX, len(data))
    while end < limit and data[end] > _SPACE:
        end += 1
    return end


def _name_of(place: int) -> str:
    direction = _DIRECTIONS[place // _SENT]
    number, status = divmod(place % _SENT, _SPAN)
    method = METHODS[number].decode() if number < _OTHER else OTHER
    return f"{direction} {method} {status}" if status else f"{direction} {method}"
