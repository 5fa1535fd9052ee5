"""SipHash-2-4 (Aumasson and Bernstein, 2012, appendix A and the authors' list of vectors)."""

from __future__ import annotations

import pytest

from appliance.sip.siphash import SipHash

KEY = bytes(range(16))


@pytest.mark.parametrize(
    ("size", "value"),
    [
        (0, 0x726FDB47DD0E0E31),
        (1, 0x74F839C593DC67FD),
        (8, 0x93F5F5799A932462),
        (15, 0xA129CA6149BE45E5),
    ],
)
def test_the_authors_vectors(size: int, value: int) -> None:
    assert SipHash(KEY).of(bytes(range(size))) == value


def test_each_octet_and_the_key_count() -> None:
    text = b"z9hG4bK-one|192.0.2.9:5060|call-1@desk"
    values = {SipHash(KEY).of(text[:size]) for size in range(len(text) + 1)}
    values |= {SipHash(KEY).of(text[:at] + b"?" + text[at + 1 :]) for at in range(len(text))}
    values.add(SipHash(KEY[::-1]).of(text))
    assert len(values) == 2 * len(text) + 2


def test_a_key_has_sixteen_octets() -> None:
    with pytest.raises(ValueError, match="15"):
        SipHash(KEY[:15])
