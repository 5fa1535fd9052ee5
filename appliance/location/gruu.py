"""Public GRUUs: a URI that names one device of a user, made from nothing but the two names.

RFC 5627 4.1 (use), 5.1, 5.4 (construction), 6.1 (request targeting). The public GRUU is the address-of-record with
the parameter `gr`, whose value is the instance ID: no state is needed to make or to understand one. Temporary GRUUs
are not made, so a `gr` without a value never belongs to this appliance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from appliance.sip.uri import Uri

NOT_OURS: Final = b" "  # no instance is called this

# RFC 3261 25.1 paramchar, without "%".
_PLAIN: Final = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.!~*'()[]/:&+$"


def public_gruu(aor: bytes, instance: bytes) -> bytes:
    """The GRUU URI of an instance. aor: canonical. instance: as in Binding.instance, without quotes and angle
    brackets.
    """
    return aor + b";gr=" + _escaped(instance)


def instance_of(uri: Uri) -> bytes:
    """The instance that a Request-URI of our domain names; b"" when it names the user; NOT_OURS when it is no GRUU
    that was made here.
    """
    value = uri.parameter(b"gr")
    if value is None:
        return b""
    return canonical_instance(value) if value else NOT_OURS


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
