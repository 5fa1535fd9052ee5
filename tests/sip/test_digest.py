"""Digest arithmetic against the figures printed in RFC 2617 and RFC 7616, and the forms that have none."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.sip.digest import (
    Credentials,
    digest,
    ha1,
    is_supported,
    parse_credentials,
    response,
    verify,
    write_challenge,
)
from appliance.sip.errors import MalformedMessage
from appliance.sip.headers import parse_auth


def _vectors() -> list[dict[str, str]]:
    with (Path(__file__).parent / "digest_vectors.tsv").open(encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table, delimiter="\t"))


def _md5(text: str) -> bytes:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest().encode()


def _credentials(qop: bytes = b"auth", algorithm: bytes = b"MD5", body: bytes = b"") -> Credentials:
    secret = ha1(algorithm, b"otto", b"harbour.example", b"anchor")
    empty = Credentials(
        b"otto", b"harbour.example", b"n0nce", b"sip:harbour.example", b"", algorithm, qop, b"0000001f", b"c0", b"o", 31
    )
    value = response(
        algorithm,
        secret,
        b"n0nce",
        b"0000001f",
        b"c0",
        qop,
        b"REGISTER",
        b"sip:harbour.example",
        digest(algorithm, body),
    )
    return replace(empty, response=value)


@pytest.mark.parametrize("row", _vectors(), ids=lambda row: row["source"] + " " + row["algorithm"])
def test_printed_figures(row: dict[str, str]) -> None:
    text = {name: value.encode() for name, value in row.items()}
    secret = ha1(text["algorithm"], text["username"], text["realm"], text["password"])
    assert text["response"] == response(
        text["algorithm"],
        secret,
        text["nonce"],
        text["nc"],
        text["cnonce"],
        text["qop"],
        text["method"],
        text["uri"],
    )


def test_session_form() -> None:
    """RFC 7616 3.4.2: HA1 is hashed again with nonce and cnonce."""
    secret = ha1(b"MD5-sess", b"otto", b"r", b"p")
    assert secret == _md5("otto:r:p")
    session = _md5(f"{secret.decode()}:n:c")
    ha2 = _md5("BYE:sip:a@b")
    expected = _md5(f"{session.decode()}:n:00000001:c:auth:{ha2.decode()}")
    assert response(b"MD5-sess", secret, b"n", b"00000001", b"c", b"auth", b"BYE", b"sip:a@b") == expected


def test_without_qop() -> None:
    """RFC 2069 and RFC 3261 22.4: clients without qop."""
    secret = _md5("otto:r:p")
    expected = _md5(f"{secret.decode()}:n:{_md5('BYE:sip:a@b').decode()}")
    assert response(b"MD5", secret, b"n", b"", b"", b"", b"BYE", b"sip:a@b") == expected


@pytest.mark.parametrize("algorithm", [b"MD5", b"sha-256", b"SHA-512-256", b"MD5-sess", b"SHA-256-SESS"])
@pytest.mark.parametrize("qop", [b"", b"auth", b"auth-int"])
def test_credentials_prove_the_password(algorithm: bytes, qop: bytes) -> None:
    secret = ha1(algorithm, b"otto", b"harbour.example", b"anchor")
    credentials = _credentials(qop, algorithm, b"body")
    assert verify(credentials, secret, b"REGISTER", b"body")
    assert verify(replace(credentials, response=credentials.response.upper()), secret, b"REGISTER", b"body")
    assert not verify(credentials, secret, b"INVITE", b"body")
    assert verify(credentials, secret, b"REGISTER", b"other") is (qop != b"auth-int")
    assert not verify(credentials, ha1(algorithm, b"otto", b"harbour.example", b"Anchor"), b"REGISTER", b"body")


def test_what_is_not_known_proves_nothing() -> None:
    secret = ha1(b"MD5", b"otto", b"harbour.example", b"anchor")
    assert not verify(replace(_credentials(), algorithm=b"MD4"), secret, b"REGISTER", b"")
    assert not verify(replace(_credentials(), qop=b"token"), secret, b"REGISTER", b"")
    assert not verify(replace(_credentials(), response=b"\xff"), secret, b"REGISTER", b"")
    assert not is_supported(b"SHA-1")


def test_credentials_are_read_with_and_without_qop() -> None:
    """RFC 7616 3.4; RFC 2617 3.2.2 without qop."""
    text = b'Digest username="otto", realm="harbour.example", nonce="n0", uri="sip:dock.example", response="00ff"'
    bare = parse_credentials(text)
    assert (bare.username, bare.realm) == (b"otto", b"harbour.example")
    assert (bare.nonce, bare.uri) == (b"n0", b"sip:dock.example")
    assert (bare.response, bare.algorithm, bare.qop, bare.nonce_count) == (b"00ff", b"MD5", b"", 0)
    full = parse_credentials(text + b', algorithm=SHA-256, cnonce="c0", qop=auth, nc=0000000a, opaque="o"')
    assert (full.algorithm, full.qop, full.cnonce) == (b"SHA-256", b"auth", b"c0")
    assert (full.nc, full.nonce_count, full.opaque) == (b"0000000a", 10, b"o")


@pytest.mark.parametrize(
    "value",
    [
        b"Basic x=y",
        b"Digest realm=r",
        b'Digest username="a", realm="r", nonce="n", uri="u", response="r", qop=auth',
        b'Digest username="a", realm="r", nonce="n", uri="u", response="r", qop=auth, cnonce="c", nc=1',
        b'Digest username="a", realm="r", nonce="n", uri="u", response="r", qop=auth, cnonce="c", nc=0000000x',
    ],
)
def test_credentials_that_are_not_whole(value: bytes) -> None:
    with pytest.raises(MalformedMessage):
        parse_credentials(value)


def test_a_challenge() -> None:
    """RFC 7616 3.3."""
    value = write_challenge(b'the "r"', b"n1", b"SHA-256", b"auth,auth-int", True, b"o")
    assert parse_auth(value) == (
        b"digest",
        {
            b"realm": b'the "r"',
            b"nonce": b"n1",
            b"algorithm": b"SHA-256",
            b"qop": b"auth,auth-int",
            b"opaque": b"o",
            b"stale": b"true",
        },
    )
    assert b"stale" not in write_challenge(b"r", b"n1")
