"""A file encrypted by a passphrase: written and read as a stream, whole or refused.

    SIGNALBOX-BACKUP 1 LF
    a line of JSON: {"n", "r", "p", "salt"}, the parameters of scrypt (RFC 7914)
    chunks: 4 octets of length, big-endian; then that many octets of ChaCha20-Poly1305 (RFC 8439)

The nonce of a chunk is its number and, in the last octet, whether it is the last one: so chunks that are left out,
moved or cut off are found. The first two lines are the associated data of each chunk.
"""

from __future__ import annotations

import json
import os
import struct
from typing import BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

MAGIC: Final = b"SIGNALBOX-BACKUP 1\n"
CHUNK_LEN: Final = 64 * 1024
TAG_LEN: Final = 16
HEADER_LEN_MAX: Final = 1024
# 32 MiB of memory for each guess. Bounds for files of others: what they ask of this machine.
COST: Final = {"n": 32768, "r": 8, "p": 1}
COST_MAX: Final = {"n": 1 << 20, "r": 16, "p": 4}
_LENGTH: Final = struct.Struct(">I")


class NotReadable(Exception):
    """The file is no backup, is damaged, or the passphrase is wrong; the message is a sentence for the operator."""


class EncryptedWriter:
    """Takes octets by `write`; what is written is whole after `close`."""

    def __init__(self, file: BinaryIO, passphrase: str) -> None:
        salt = os.urandom(16)
        self._file = file
        self._header = MAGIC + json.dumps({**COST, "salt": salt.hex()}).encode() + b"\n"
        self._cipher = _cipher(passphrase, salt, COST)
        self._buffer = b""
        self._number = 0
        file.write(self._header)

    def write(self, octets: bytes) -> int:
        """Take octets."""
        self._buffer += octets
        while len(self._buffer) > CHUNK_LEN:
            self._write_chunk(self._buffer[:CHUNK_LEN], is_last=False)
            self._buffer = self._buffer[CHUNK_LEN:]
        return len(octets)

    def close(self) -> None:
        """Write the last chunk; the file below stays open."""
        self._write_chunk(self._buffer, is_last=True)

    def _write_chunk(self, octets: bytes, is_last: bool) -> None:
        sealed = self._cipher.encrypt(_nonce(self._number, is_last), octets, self._header)
        self._file.write(_LENGTH.pack(len(sealed)) + sealed)
        self._number += 1


class EncryptedReader:
    """Gives octets by `read`. Raises NotReadable; nothing that was read counts until the end was reached."""

    def __init__(self, file: BinaryIO, passphrase: str) -> None:
        self._file = file
        if file.readline(len(MAGIC)) != MAGIC:
            raise NotReadable("The file is no backup of Signalbox.")
        line = file.readline(HEADER_LEN_MAX)
        self._header = MAGIC + line
        try:
            values = json.loads(line)
            cost = {name: int(values[name]) for name in COST}
            salt = bytes.fromhex(values["salt"])
        except (ValueError, KeyError, TypeError):
            raise NotReadable("The file is a damaged backup: its header cannot be read.") from None
        if any(not 0 < cost[name] <= most for name, most in COST_MAX.items()) or cost["n"] & (cost["n"] - 1):
            raise NotReadable("The file is a damaged backup: its header has values out of range.")
        self._cipher = _cipher(passphrase, salt, cost)
        self._buffer = b""
        self._number = 0
        self._is_over = False

    def read(self, length: int = -1) -> bytes:
        """Up to so many octets; b"" at the end."""
        while not self._is_over and (length < 0 or len(self._buffer) < length):
            self._buffer += self._next_chunk()
        octets = self._buffer if length < 0 else self._buffer[:length]
        self._buffer = self._buffer[len(octets) :]
        return octets

    def _next_chunk(self) -> bytes:
        head = self._file.read(_LENGTH.size)
        if len(head) < _LENGTH.size:
            raise NotReadable("The file is a damaged backup: its end is missing.")
        (length,) = _LENGTH.unpack(head)
        sealed = self._file.read(length) if length <= CHUNK_LEN + TAG_LEN else b""
        for is_last in (False, True):
            try:
                octets = self._cipher.decrypt(_nonce(self._number, is_last), sealed, self._header)
            except InvalidTag:
                continue
            self._number += 1
            self._is_over = is_last
            return octets
        reason = "The passphrase is wrong, or the file" if self._number == 0 else "The file"
        raise NotReadable(f"{reason} is damaged.")


def _nonce(number: int, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])


def _cipher(passphrase: str, salt: bytes, cost: dict[str, int]) -> ChaCha20Poly1305:
    derived = Scrypt(salt=salt, length=32, n=cost["n"], r=cost["r"], p=cost["p"]).derive(passphrase.encode())
    return ChaCha20Poly1305(derived)
