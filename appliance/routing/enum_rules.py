"""From a number to SIP URIs by the NAPTR records of its ENUM domain (RFC 6116, RFC 3403, RFC 3764).

    order preference flags services regexp, separated by tabs:
    10   100   u   E2U+sip   !^\\+4930(.*)$!sip:\\1@berlin.example!

The records come from DNS, and their expressions are not trusted. Only simple ones are used: no quantifier on a group
and three quantifiers at most, so that the time for a number of 16 characters is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from appliance.sip.errors import MalformedMessage
from appliance.sip.uri import Uri, parse_uri

RECORDS_MAX: Final = 20
REGEXP_LEN_MAX: Final = 255
QUANTIFIERS_MAX: Final = 3
DIGITS_MAX: Final = 15
# Atoms with a quantifier at most, groups without one, anchors. RFC 3402 3.2: a POSIX extended expression.
_ATOM: Final = r"(?:\\[+*#.$^()|?\[\]{}\\]|\[\^?[0-9+*#-]{1,20}\]|[0-9A-Za-z@:#.])"
_SIMPLE: Final = re.compile(rf"\^?(?:{_ATOM}[*+?]?|\((?:{_ATOM}[*+?]?)*\))*\$?")
_QUANTIFIED: Final = re.compile(r"(?<!\\)[*+?]")
_NUMBER: Final = re.compile(r"[0-9]{1,5}")
_REFERENCE: Final = re.compile(r"\\([0-9])")


def enum_domain(number: bytes, suffix: bytes) -> bytes:
    """RFC 6116 3.2: the digits of a global number in reverse order; b"" for any other number."""
    digits = number[1:]
    if not number.startswith(b"+") or not digits.isdigit() or len(digits) > DIGITS_MAX:
        return b""
    return b".".join((*(digits[at : at + 1] for at in range(len(digits) - 1, -1, -1)), suffix))


def uris_of(number: bytes, records: Iterable[str]) -> list[Uri]:
    """The URIs of the lowest order that has any, by preference; records that cannot be used are passed over."""
    found: list[tuple[int, int, Uri]] = []
    for record in list(records)[:RECORDS_MAX]:
        rule = _usable(record)
        uri = _applied(number, rule[2]) if rule is not None else None
        if rule is not None and uri is not None:
            found.append((rule[0], rule[1], uri))
    found.sort(key=lambda each: each[:2])
    # RFC 3403 4.1: once a record of an order is used, those of higher orders are not.
    return [uri for order, _, uri in found if order == found[0][0]]


def _usable(record: str) -> tuple[int, int, str] | None:
    """(order, preference, regexp) of a terminal record for SIP."""
    parts = record.split("\t")
    if len(parts) != 5 or not (_NUMBER.fullmatch(parts[0]) and _NUMBER.fullmatch(parts[1])):
        return None
    order, preference, flags, services, regexp = parts
    # RFC 6116 3.4.3; RFC 2916 had the service first.
    words = services.lower().split("+")
    is_sip = "e2u" in (words[0], words[-1]) and any(word.partition(":")[0] == "sip" for word in words)
    return (int(order), int(preference), regexp) if flags.lower() == "u" and is_sip else None


def _applied(number: bytes, regexp: str) -> Uri | None:
    """RFC 3402 3.2: what the substitution makes of the number; None where it does not match, or makes no SIP URI."""
    if not 3 < len(regexp) <= REGEXP_LEN_MAX:
        return None
    delimiter = regexp[0]
    parts = regexp[1:].split(delimiter)
    if len(parts) != 3 or parts[2] not in ("", "i") or not is_simple(parts[0]):
        return None
    match = _match(parts[0], number.decode(), re.IGNORECASE if parts[2] else 0)
    if match is None:
        return None
    groups = (match[0], *match.groups())

    def group(reference: re.Match[str]) -> str:
        place = int(reference[1])
        return (groups[place] or "") if place < len(groups) else ""

    return _sip_uri(_REFERENCE.sub(group, parts[1]))


def _match(expression: str, number: str, flags: int) -> re.Match[str] | None:
    try:
        return re.search(expression, number, flags)
    except re.error:
        # A range that goes backwards, for example.
        return None


def is_simple(expression: str) -> bool:
    """May this expression be tried?"""
    return bool(_SIMPLE.fullmatch(expression)) and len(_QUANTIFIED.findall(expression)) <= QUANTIFIERS_MAX


def _sip_uri(text: str) -> Uri | None:
    try:
        uri = parse_uri(text.encode())
    except (MalformedMessage, UnicodeEncodeError):
        return None
    return uri if uri.is_sip else None
