"""STUN Binding requests on the UDP port of SIP (RFC 5626 8, RFC 5389)."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from appliance.transport.keep_alives import is_keep_alive
from appliance.transport.stun import binding_answer

COOKIE = bytes.fromhex("2112a442")
TRANSACTION = b"abcdefghijkl"


def request(attributes: bytes = b"", kind: int = 1) -> bytes:
    return kind.to_bytes(2, "big") + len(attributes).to_bytes(2, "big") + COOKIE + TRANSACTION + attributes


def attribute(kind: int, value: bytes) -> bytes:
    return kind.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value + bytes(-len(value) % 4)


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1", "fe80::1%eth0"])
def test_a_binding_request_is_told_its_address(address: str) -> None:
    answer = binding_answer(request(), address, 32853)
    assert answer[:2] == b"\x01\x01"
    assert answer[4:20] == COOKIE + TRANSACTION
    assert int.from_bytes(answer[2:4], "big") == len(answer) - 20
    # RFC 5389 15.2
    assert answer[20:22] == b"\x00\x20"
    assert int.from_bytes(answer[26:28], "big") ^ 0x2112 == 32853
    masked = zip(answer[28:], COOKIE + TRANSACTION, strict=False)
    assert bytes(octet ^ mask for octet, mask in masked) == ip_address(address.partition("%")[0]).packed


def test_the_example_of_rfc_5769_2_2() -> None:
    asked = bytes.fromhex("000100002112a442b7e7a701bc34d686fa87dfae")
    answer = binding_answer(asked, "192.0.2.1", 32853)
    assert answer[20:] == bytes.fromhex("002000080001a147e112a643")


def test_optional_attributes_are_ignored() -> None:
    """RFC 5389 15.10: SOFTWARE; 15.5: FINGERPRINT."""
    answer = binding_answer(request(attribute(0x8022, b"phone 1.0") + attribute(0x8028, b"abcd")), "192.0.2.1", 1)
    assert answer[:2] == b"\x01\x01"


def test_an_attribute_that_has_to_be_understood_is_named_in_the_error() -> None:
    """RFC 5389 7.3.1."""
    answer = binding_answer(request(attribute(0x0003, bytes(4))), "192.0.2.1", 1)
    assert answer[:2] == b"\x01\x11"
    assert attribute(0x0009, bytes((0, 0, 4, 20))) in answer
    assert attribute(0x000A, b"\x00\x03") in answer


@pytest.mark.parametrize(
    "data",
    [
        request(kind=0x0011),
        request(kind=0x0101),
        request()[:-1],
        request() + b"x",
        request(b"abc"),
        request(b"\x00\x03\x00\x08abcd"),
        request().replace(COOKIE, b"abcd"),
        b"\x00\x01",
        b"\x00" * 19,
    ],
    ids=["indication", "response", "short", "long", "unaligned", "overlong", "rfc3489", "stub", "zeros"],
)
def test_anything_else_gets_no_answer(data: bytes) -> None:
    assert binding_answer(data, "192.0.2.1", 1) == b""


def test_what_is_a_keep_alive_and_what_is_a_message() -> None:
    """RFC 5626 8: the first octet tells STUN from SIP."""
    assert is_keep_alive(b"")
    assert is_keep_alive(b"\r\n\r\n")
    assert is_keep_alive(b"\0\0\0\0")
    assert is_keep_alive(request())
    assert not is_keep_alive(b"x")
    assert not is_keep_alive(b"OPTIONS sip:example.com SIP/2.0\r\n\r\n")
