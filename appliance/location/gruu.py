"""GRUUs: a URI that names one device of a user. The public one is made from nothing but the two names.

RFC 5627 4.1 (use), 5.1, 5.4 (construction), 6.1 (request targeting). The public GRUU is the address-of-record with
the parameter `gr`, whose value is the instance ID: no state is needed to make or to understand one. A temporary GRUU
has `gr` without a value, and a user part that only this appliance can read (security/temporary_gruu.py). It says for
which instance it was issued, and when; the bindings that there are now say whether it is still valid: the `series` of
each is the version since which temporary GRUUs of its instance count (binding.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from appliance.location.record_version import time_of
from appliance.sip.fnv import fnv

if TYPE_CHECKING:
    from appliance.location.binding import Binding
    from appliance.sip.uri import Uri

NOT_OURS: Final = b" "  # no instance is called this
TEMPORARY: Final = b"tgruu."  # how the user part of a temporary GRUU begins

# RFC 3261 25.1 paramchar, without "%".
_PLAIN: Final = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.!~*'()[]/:&+$"


def public_gruu(aor: bytes, instance: bytes) -> bytes:
    """The GRUU URI of an instance. aor: canonical. instance: as in Binding.instance, without quotes and angle
    brackets.
    """
    return aor + b";gr=" + _escaped(instance)


def instance_of(uri: Uri) -> bytes:
    """The instance that a Request-URI of our domain names; b"" when it names the user; NOT_OURS when that is no public
    GRUU.
    """
    value = uri.parameter(b"gr")
    if value is None:
        return b""
    return canonical_instance(value) if value else NOT_OURS


class IssuedGruu(NamedTuple):
    """What a temporary GRUU says: the user of the address; the version of registrations at which it was issued; a
    digest of the instance ID (32 bits). Digest of the Call-ID and reg-id only make that of each binding another one.
    """

    user: bytes
    version: int
    instance_digest: int
    call_digest: int
    reg_id: int


class TemporaryGruuWriter(Protocol):
    """Makes the user part of a temporary GRUU; b"" for none."""

    def write(self, issued: IssuedGruu) -> bytes: ...


def issued_with(binding: Binding, user: bytes, live: Iterable[Binding]) -> IssuedGruu:
    """The temporary GRUU of a REGISTER that made this binding: the same as long as the live bindings of its instance
    are not refreshed.
    """
    # Another node, whose clock is ahead, may have made one of them.
    version = max(binding.version, valid_since(live, binding.instance))
    return IssuedGruu(user, version, fnv(binding.instance), fnv(binding.call_id), binding.reg_id)


def valid_since(live: Iterable[Binding], instance: bytes) -> int:
    """The version since which temporary GRUUs of an instance count, by the live bindings of its address; 0 where it has
    none.
    """
    return max((binding.series for binding in live if binding.instance == instance), default=0)


def valid_instance(issued: IssuedGruu, live: Iterable[Binding]) -> bytes:
    """The instance that a temporary GRUU stands for, by the live bindings of its address; b"" where it is invalid.

    RFC 5627 5.1: it is valid until a contact or a flow of its instance is registered with another Call-ID; 5.3: and
    until the last contact of the instance ends.
    """
    mates = [binding for binding in live if binding.instance and fnv(binding.instance) == issued.instance_digest]
    # One that has joined again comes after what it was (registration.py), by less than the time in a version tells.
    if not mates or max(time_of(binding.series) for binding in mates) > time_of(issued.version):
        return b""
    return mates[0].instance


def instance_from_parameter(value: bytes) -> bytes:
    """The instance ID in a +sip.instance value (RFC 5626 4.1): quotes and angle brackets taken off, in one spelling."""
    return canonical_instance(value.strip(b'"').strip().removeprefix(b"<").removesuffix(b">"))


def canonical_instance(instance: bytes) -> bytes:
    """RFC 5626 4.1: instance IDs are compared as their URN says. RFC 4122 3: a UUID in any case; RFC 2141 5: of others
    the part that names the namespace.
    """
    scheme, _, rest = instance.partition(b":")
    if scheme.lower() != b"urn":
        return instance
    namespace, _, text = rest.partition(b":")
    namespace = namespace.lower()
    return b":".join((b"urn", namespace, text.lower() if namespace == b"uuid" else text))


def _escaped(text: bytes) -> bytes:
    if not text.strip(_PLAIN):
        return text
    return b"".join(bytes([octet]) if octet in _PLAIN else b"%%%02X" % octet for octet in text)
