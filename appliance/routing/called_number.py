"""The called number of a Request-URI (RFC 3966, RFC 3261 19.1.6, RFC 4694).

    sip:+1-973-555-1212@example.com;user=phone      tel:+1-973-555-1212
    sip:5551212;phone-context=+1973@example.com     tel:555-1212;phone-context=+1973
    sip:+19735551212;npdi;rn=+12125550000@example.com

A user part that is written with digits only is a number with or without `user=phone`. What the caller has dialled
becomes one normal form by a dial plan (dial_plan.py).
"""

from __future__ import annotations

from typing import Final

from appliance.sip.characters import unescape
from appliance.sip.uri import Uri

SEPARATORS: Final = b"-.()"
LOCAL_DIGITS: Final = b"0123456789*#"
DIGITS: Final = b"0123456789"
# Of a number or a routing number; E.164 allows 15.
NUMBER_LEN_MAX: Final = 32


class CalledNumber:
    """The parts of a telephone number.

    `digits`      as dialled, with `+` in front of a global number, without visual separators.
    `context`     the phone-context of a local number in one spelling, b"" for none.
    `routing`     the routing number of a ported number (RFC 4694 `rn`), b"" for none.
    `rn_context`  the context of a local routing number, b"" for none.
    `parameters`  the other parameters of the number, as they came.
    """

    __slots__ = ("context", "digits", "parameters", "rn_context", "routing")

    def __init__(self, digits: bytes, parameters: bytes) -> None:
        self.digits = digits
        self.context = b""
        self.routing = b""
        self.rn_context = b""
        self.parameters = b""
        for text in parameters.split(b";") if parameters else ():
            self._take(text)

    def _take(self, text: bytes) -> None:
        name, value = _read(text)
        if name == b"phone-context":
            self.context = canonical_context(value)
            return
        if name == b"rn":
            self.routing = value.translate(None, SEPARATORS)
        elif name == b"rn-context":
            self.rn_context = canonical_context(value)
        if text:
            self.parameters += b";" + text


def called_number(uri: Uri) -> CalledNumber | None:
    """The number that a sip, sips or tel URI calls; None where it names something else."""
    if uri.scheme == b"tel":
        text, parameters = uri.user or b"", uri.text.partition(b";")[2]
    elif uri.user is None:
        return None
    else:
        text, _, parameters = uri.user.partition(b";")
    # RFC 3261 19.1.2: escapes are undone for reading only; what is written again stays as it came.
    digits = unescape(text).translate(None, SEPARATORS)
    if not is_number(digits) or _has_unknown_mandatory(parameters):
        return None
    return CalledNumber(digits, parameters)


def is_number(digits: bytes) -> bool:
    """Is that a global or local number of digits, `*` and `#`, without separators?"""
    if not 0 < len(digits) <= NUMBER_LEN_MAX:
        return False
    if digits.startswith(b"+"):
        return len(digits) > 1 and not digits[1:].translate(None, DIGITS)
    return not digits.translate(None, LOCAL_DIGITS)


def canonical_context(text: bytes) -> bytes:
    """A phone-context in the spelling in which contexts are compared (RFC 3966 4)."""
    text = text.lower()
    return text.translate(None, SEPARATORS) if text.startswith(b"+") else text


def _has_unknown_mandatory(parameters: bytes) -> bool:
    # RFC 3966 5.4: a number with mandatory parameters that are not known must not be used.
    return any(_read(text)[0].startswith(b"m-") for text in parameters.split(b";"))


def _read(parameter: bytes) -> tuple[bytes, bytes]:
    """The name, in lower case, and the value of a parameter, both unescaped."""
    name, _, value = parameter.partition(b"=")
    return unescape(name).lower(), unescape(value)
