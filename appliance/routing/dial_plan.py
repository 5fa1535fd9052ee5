"""From what was dialled to the normal form of a number: E.164 with `+`, or a local number as it is.

    dialled         normal form, with international-prefix 00, national-prefix 0, country-code 49, area-code 30
    110             110                 an emergency number: first of all
    0044201234567   +44201234567
    089123456       +4989123456
    123456          +4930123456         local numbers of `local-length` digits or more
    4711            4711                a short number
"""

from __future__ import annotations

from typing import Final

from appliance.catalogue.routing_settings import RoutePolicySettings
from appliance.routing.called_number import CalledNumber, canonical_context, is_number

NONE: Final = b""


class DialPlan:
    """The rules of one route policy. Never changed."""

    __slots__ = ("_area", "_contexts", "_country", "_emergency", "_international", "_local_len", "_national",
                 "_national_len")

    def __init__(self, settings: RoutePolicySettings) -> None:
        self._international = settings.international_prefix.encode()
        self._national = settings.national_prefix.encode()
        self._country = settings.country_code.encode()
        self._area = settings.area_code.encode()
        self._national_len = settings.national_length
        self._local_len = settings.local_length
        self._emergency = frozenset(number.encode() for number in settings.emergency)
        self._contexts = frozenset(canonical_context(context.encode()) for context in settings.contexts)

    def normal_form(self, number: CalledNumber) -> bytes:
        """The called number; b"" where its phone-context is not one of the policy."""
        digits = number.digits
        if digits.startswith(b"+"):
            return digits
        # RFC 3966 5.1.5: a call to a local number needs its context to be understood. A context is no prefix.
        if number.context and number.context not in self._contexts:
            return NONE
        return self._of_dialled(digits)

    def routing_form(self, number: CalledNumber) -> bytes:
        """What the call is routed by: the routing number of a ported number (RFC 4694 5), else the called number."""
        routing = number.routing
        if not routing:
            return self.normal_form(number)
        if not is_number(routing) or not (routing.startswith(b"+") or number.rn_context in self._contexts):
            return NONE
        return routing

    def _of_dialled(self, digits: bytes) -> bytes:
        if digits in self._emergency or not digits.isdigit():
            return digits
        if self._international and digits.startswith(self._international):
            rest = digits[len(self._international) :]
            return b"+" + rest if rest else digits
        if not self._country:
            return digits
        if self._national and digits.startswith(self._national):
            rest = digits[len(self._national) :]
            return b"".join((b"+", self._country, rest)) if rest else digits
        if self._national_len and len(digits) == self._national_len:
            return b"".join((b"+", self._country, digits))
        if self._local_len and len(digits) >= self._local_len:
            return b"".join((b"+", self._country, self._area, digits))
        return digits
