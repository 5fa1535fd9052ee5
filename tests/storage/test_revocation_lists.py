"""Revocation lists are told before they are overdue (RFC 5280 5.1.2.5)."""

from __future__ import annotations

import ssl
from pathlib import Path

from appliance.storage.revocation_lists import RevocationLists, lists_in
from tests.certificate_authority import CertificateAuthority

DAY_S = 86400.0


def test_a_list_is_told_a_day_before_it_is_overdue(tmp_path: Path) -> None:
    path = str(CertificateAuthority(tmp_path / "authority").revoke())
    ((issuer, due_at, told_at, _),) = lists_in(path)
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


def test_a_certificate_is_revoked_by_the_list_of_its_issuer_only(tmp_path: Path) -> None:
    """RFC 5280 5.3: two authorities may give the same number."""
    own, other = (CertificateAuthority(tmp_path / name, f"/CN={name}") for name in ("own", "other"))
    chains = [own.issue("good", "DNS:good.example")[0], own.issue("bad", "DNS:bad.example")[0]]
    good, bad = (ssl.PEM_cert_to_DER_cert(chain.read_text()) for chain in chains)
    lists = RevocationLists()
    assert lists.read(str(own.revoke(chains[1])))
    assert lists.revoked_of([good, bad, b"no certificate"]) == {bad}
    assert not lists.read(str(tmp_path / "own" / "ca.crl"))
    assert lists.read(str(other.revoke(chains[1])))
    assert lists.revoked_of([good, bad]) == set()
