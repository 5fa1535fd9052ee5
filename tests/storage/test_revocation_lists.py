"""Revocation lists are told before they are overdue (RFC 5280 5.1.2.5)."""

from __future__ import annotations

from pathlib import Path

from appliance.storage.revocation_lists import RevocationLists, lists_in
from tests.certificate_authority import CertificateAuthority

DAY_S = 86400.0


def test_a_list_is_told_a_day_before_it_is_overdue(tmp_path: Path) -> None:
    path = str(CertificateAuthority(tmp_path / "authority").revoke())
    ((issuer, due_at, told_at),) = lists_in(path)
    assert told_at == due_at - DAY_S
    lists = RevocationLists()
    lists.read(path)
    assert lists.due(told_at - 1) == []
    assert lists.due(due_at - 7200) == [f"The revocation list of {issuer} is overdue in 2 h."]
    assert lists.due(due_at) == [f"The revocation list of {issuer} is overdue."]


def test_each_list_of_a_file_is_told_until_the_file_is_replaced(tmp_path: Path) -> None:
    first, second = (CertificateAuthority(tmp_path / name) for name in ("first", "second"))
    file = tmp_path / "both.crl"
    file.write_bytes(first.revoke(is_overdue=True).read_bytes() + second.revoke(is_overdue=True).read_bytes())
    lists = RevocationLists()
    lists.read(str(file))
    (one, other) = lists_in(str(file))
    assert len(lists.due(other.due_at)) == 2 and one.told_at == one.due_at - DAY_S / 4
    file.write_bytes(first.revoke().read_bytes())
    lists.read(str(file))
    assert lists.due(other.due_at) == []
    lists.read("")
    assert lists.due(1e12) == []


def test_what_is_no_list_is_another_alarms(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.crl"
    damaged.write_text("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n")
    assert lists_in(str(damaged)) == lists_in(str(tmp_path / "none")) == []
