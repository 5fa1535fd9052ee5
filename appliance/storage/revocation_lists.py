"""The revocation lists of a PEM file (RFC 5280 5): until when they hold, and which certificates they name.

OpenSSL tells the first with the first refusal, and the second in a handshake only.
"""

from __future__ import annotations

import os
import re
from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import Final, NamedTuple

from cryptography import x509

_LIST: Final = re.compile(rb"-----BEGIN X509 CRL-----.*?-----END X509 CRL-----", re.DOTALL)
# A list is told when so much of its time is left, or this part of all of it where that is less.
NOTICE_S: Final = 86400.0
NOTICE_PART: Final = 0.25


class RevocationList(NamedTuple):
    """The issuer as RFC 4514 writes it; when the next list has to be there, and since when that is told (unix time);
    the list itself."""

    issuer: str
    due_at: float
    told_at: float
    entries: x509.CertificateRevocationList


def lists_in(path: str) -> list[RevocationList]:
    """The lists of a file that have an end. What cannot be read is left out: it is another alarm's."""
    try:
        text = Path(path).read_bytes()
    except OSError:
        return []
    found = []
    for part in _LIST.findall(text):
        try:
            read = x509.load_pem_x509_crl(part)
            due, since = read.next_update_utc, read.last_update_utc
            issuer = read.issuer.rfc4514_string()
        except ValueError:
            continue
        if due is not None:
            due_at = due.timestamp()
            notice_s = min(NOTICE_S, NOTICE_PART * (due_at - since.timestamp()))
            found.append(RevocationList(issuer, due_at, due_at - notice_s, read))
    return found


class RevocationLists:
    """Those of one file, read again when it has changed."""

    def __init__(self) -> None:
        self._mark: Hashable = None
        self._lists: list[RevocationList] = []

    def read(self, path: str) -> bool:
        """Look at the file; "" for none. Has it changed?"""
        mark = _mark_of(path)
        if mark == self._mark:
            return False
        self._mark, self._lists = mark, lists_in(path) if path else []
        return True

    def revoked_of(self, certificates: Iterable[bytes]) -> set[bytes]:
        """Those of these certificates (DER) that are in the list of their issuer (RFC 5280 5.3)."""
        lists = [(each.entries.issuer, each.entries) for each in self._lists]
        shown = [(_read_certificate(certificate), certificate) for certificate in certificates if lists]
        found = set()
        for issuer, entries in lists:
            # A list may be long, and is gone through once.
            by_serial = {read.serial_number: own for read, own in shown if read is not None and read.issuer == issuer}
            if by_serial:
                found |= {by_serial[entry.serial_number] for entry in entries if entry.serial_number in by_serial}
        return found

    def due(self, wall_time: float) -> list[str]:
        """A sentence for each list that is overdue, or will be soon."""
        sentences = []
        for each in self._lists:
            if wall_time >= each.due_at:
                sentences.append(f"The revocation list of {each.issuer} is overdue.")
            elif wall_time >= each.told_at:
                hours = int((each.due_at - wall_time) // 3600)
                sentences.append(f"The revocation list of {each.issuer} is overdue in {hours} h.")
        return sentences


def _read_certificate(certificate: bytes) -> x509.Certificate | None:
    try:
        return x509.load_der_x509_certificate(certificate)
    except ValueError:
        return None


def _mark_of(path: str) -> Hashable:
    try:
        found = os.stat(path)
    except OSError:
        return path
    return path, found.st_ino, found.st_size, found.st_mtime_ns
