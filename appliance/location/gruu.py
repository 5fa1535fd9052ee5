"""GRUUs: a URI that names one device of a user. The public one is made from nothing but the two names.

RFC 5627 4.1 (use), 5.1, 5.4 (construction), 6.1 (request targeting). The public GRUU is the address-of-record with
the parameter `gr`, whose value is the instance ID: no state is needed to make or to understand one. A temporary GRUU
has `gr` without a value, and a user part that only this appliance can read (security/temporary_gruu.py). It says for
which binding and Call-ID it was issued, and when; the bindings that there are now say whether it is still valid.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

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
    """What a temporary GRUU says: the user of the address; the version of the binding that it was issued with; digests
    of the instance ID and of the Call-ID (32 bits); the reg-id, 0 for none.
    """

    user: bytes
    version: int
    instance_digest: int
    call_digest: int
    reg_id: int


class TemporaryGruuWriter(Protocol):
    """Makes the user part of a temporary GRUU; b"" for none."""

    def write(self, issued: IssuedGruu) -> bytes: ...


def issued_with(binding: Binding, user: bytes) -> IssuedGruu:
    """The temporary GRUU of a REGISTER that made this binding: the same as long as the binding is not refreshed."""
    return IssuedGruu(user, binding.version, fnv(binding.instance), fnv(binding.call_id), binding.reg_id)


def valid_instance(issued: IssuedGruu, live: Iterable[Binding]) -> bytes:
    """The instance that a temporary GRUU stands for, by the live bindings of its address; b"" where it is invalid.

    RFC 5627 5.1: it is valid until its instance registers with another Call-ID; that counts for each flow (reg-id) on
    its own. RFC 5627 5.3: and until the last contact of the instance ends; as long as another flow of it lasts, it is
    valid without its own (RFC 5627 4.2).
    """
    mates = [binding for binding in live if binding.instance and fnv(binding.instance) == issued.instance_digest]
    own = [binding for binding in mates if binding.reg_id == issued.reg_id]
    if not own:
        lasts = issued.reg_id and any(binding.series <= issued.version for binding in mates)
        return mates[0].instance if lasts else b""
    newest = max(own, key=_version)
    if fnv(newest.call_id) != issued.call_digest:
        return b""
    lasts = any(binding.series <= issued.version for binding in own if binding.call_id == newest.call_id)
    return newest.instance if lasts else b""


def _version(binding: Binding) -> int:
    return binding.version


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
