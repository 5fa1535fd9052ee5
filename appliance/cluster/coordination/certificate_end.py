"""When the certificate of a PEM file ends (RFC 5280 4.1.2.5).

The standard library says that only of a certificate that it has verified for a server, and the one that a member shows
to etcd is a client's. So the few fields before it are passed over here: X.690 8.1, tag, length, content.
"""

from __future__ import annotations

import ssl
from calendar import timegm
from typing import Final

_VERSION: Final = 0xA0
_UTC_TIME: Final = 0x17
_GENERALIZED_TIME: Final = 0x18


def end_of_certificate(pem: str) -> float:
    """The unix time after which the first certificate of a PEM text is not valid. Raises ValueError."""
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    first = pem[pem.find(begin) :].partition(end)[0] + end
    try:
        certificate = _content(ssl.PEM_cert_to_DER_cert(first), 0)[1]
        fields = _content(certificate, 0)[1]
        at = 0
        # Version (which may be left out), serial number, algorithm, issuer.
        for _ in range(4 if fields[0] == _VERSION else 3):
            at = _content(fields, at)[2]
        validity = _content(fields, at)[1]
        tag, text, _ = _content(validity, _content(validity, 0)[2])
        return _unix_time(tag, text.decode("ascii"))
    except IndexError as fault:
        raise ValueError("it is no certificate") from fault


def _unix_time(tag: int, text: str) -> float:
    """RFC 5280 4.1.2.5.1, 4.1.2.5.2. Raises ValueError."""
    if tag == _UTC_TIME:
        text = f"{'20' if text < '50' else '19'}{text}"
    elif tag != _GENERALIZED_TIME:
        raise ValueError("its end is no time")
    year, *rest = (int(text[at : at + size]) for at, size in ((0, 4), (4, 2), (6, 2), (8, 2), (10, 2), (12, 2)))
    return float(timegm((year, *rest)))


def _content(octets: bytes, at: int) -> tuple[int, bytes, int]:
    """The tag of what begins there, its content, and where it ends. Raises IndexError and ValueError."""
    tag, size = octets[at], octets[at + 1]
    begin = at + 2
    if size >= 0x80:
        long = size - 0x80
        size = int.from_bytes(octets[begin : begin + long], "big")
        begin += long
    if begin + size > len(octets):
        raise ValueError("it is cut")
    return tag, octets[begin : begin + size], begin + size
