"""Files encrypted by a passphrase: read back whole, or refused with a reason."""

from __future__ import annotations

import io
import json

import pytest

from appliance.storage.encrypted_file import CHUNK_LEN, MAGIC, EncryptedReader, EncryptedWriter, NotReadable


def sealed(octets: bytes, passphrase: str = "open sesame") -> bytes:
    file = io.BytesIO()
    writer = EncryptedWriter(file, passphrase)
    for start in range(0, len(octets), 10_000):
        writer.write(octets[start : start + 10_000])
    writer.close()
    return file.getvalue()


def opened(octets: bytes, passphrase: str = "open sesame") -> bytes:
    return EncryptedReader(io.BytesIO(octets), passphrase).read()


TEXT = bytes(range(256)) * 800  # more than three chunks


@pytest.mark.parametrize("length", [0, 1, CHUNK_LEN - 1, CHUNK_LEN, CHUNK_LEN + 1, len(TEXT)])
def test_what_is_written_is_read_back(length: int) -> None:
    assert opened(sealed(TEXT[:length])) == TEXT[:length]


def test_it_shows_nothing_of_its_content_and_is_new_each_time() -> None:
    octets = sealed(b"secret " * 100)
    assert b"secret" not in octets and octets != sealed(b"secret " * 100)


def test_a_wrong_passphrase_is_said() -> None:
    with pytest.raises(NotReadable, match=r"^The passphrase is wrong, or the file is damaged\.$"):
        opened(sealed(TEXT), "open barley")


def test_another_file_is_said() -> None:
    with pytest.raises(NotReadable, match="no backup"):
        opened(b"PK\x03\x04")


def test_every_damage_is_found() -> None:
    octets = sealed(TEXT)
    first = octets.index(b"\n", len(MAGIC)) + 1
    chunk = CHUNK_LEN + 16 + 4
    for position in (len(MAGIC) + 3, first + 2, first + 50, first + chunk + 50, len(octets) - 1):
        damaged = bytearray(octets)
        damaged[position] ^= 1
        with pytest.raises(NotReadable):
            opened(bytes(damaged))
    without_second = octets[: first + chunk] + octets[first + 2 * chunk :]
    for shorter in (octets[:-1], octets[: first + chunk], octets[:first], without_second):
        with pytest.raises(NotReadable):
            opened(shorter)


def test_a_file_cannot_ask_for_all_the_memory() -> None:
    header = json.dumps({"n": 1 << 30, "r": 8, "p": 1, "salt": "00"}).encode()
    with pytest.raises(NotReadable, match="out of range"):
        opened(MAGIC + header + b"\n")
