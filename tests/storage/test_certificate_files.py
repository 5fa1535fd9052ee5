"""A key, its request, and the certificate that comes for it (RFC 2986, RFC 5922)."""

from __future__ import annotations

import stat
import time
from pathlib import Path

import pytest

from appliance.commands.command_line import command_line
from appliance.management.errors import CommandFailed
from appliance.storage.certificate_files import CertificateFault, import_chain, make_request
from tests.certificate_authority import CertificateAuthority, openssl

NOW = time.time()


@pytest.fixture
def authority(tmp_path: Path) -> CertificateAuthority:
    return CertificateAuthority(tmp_path / "authority")


def run(*words: str | Path) -> int:
    options = command_line().parse_args(list(map(str, words)))
    status: int = options.command(options)
    return status


def test_a_request_is_signed_and_imported(
    tmp_path: Path, authority: CertificateAuthority, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "tls"
    words = ("edge.example", "sip:example.com", "192.0.2.1")
    assert run("certificate", "request", "edge", "--folder", folder, *words) == 0
    assert stat.S_IMODE((folder / "edge.key").stat().st_mode) == 0o600
    issued = authority.sign(folder / "edge.csr")
    # With the certificate of the issuer before it: the order is put right.
    (tmp_path / "reply.pem").write_text(authority.trust.read_text() + issued.read_text())
    assert run("certificate", "import", "edge", tmp_path / "reply.pem", "--folder", folder) == 0
    printed = capsys.readouterr().out
    assert "edge.example, sip:example.com, 192.0.2.1" in printed
    assert f"certificate edge\n  chain {folder}/edge.pem\n  key {folder}/edge.key\n!" in printed
    openssl("verify", "-CAfile", authority.trust, "-purpose", "sslserver", folder / "edge.pem")
    assert (folder / "edge.pem").read_text().startswith(issued.read_text().strip()[:200])
    # Renewed: the chain is replaced.
    assert run("certificate", "import", "edge", issued, "--folder", folder) == 0


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    make_request(tmp_path / "a.key", tmp_path / "a.csr", ["a.example"])
    before = (tmp_path / "a.key").read_bytes()
    with pytest.raises(CertificateFault, match="exists already"):
        make_request(tmp_path / "a.key", tmp_path / "b.csr", ["a.example"])
    assert (tmp_path / "a.key").read_bytes() == before


@pytest.mark.parametrize("name", ["", "*.example.com", "a b", "sip:", "sip:bob@example.com", "example..com"])
def test_a_name_that_no_certificate_may_have_is_refused(tmp_path: Path, name: str) -> None:
    """RFC 5922 7.1, 7.2."""
    with pytest.raises(CertificateFault, match="no host name"):
        make_request(tmp_path / "a.key", tmp_path / "a.csr", [name])
    assert not list(tmp_path.iterdir())


def test_a_certificate_of_another_key_is_refused(tmp_path: Path, authority: CertificateAuthority) -> None:
    make_request(tmp_path / "a.key", tmp_path / "a.csr", ["a.example"])
    other, _ = authority.issue("other", "DNS:a.example")
    with pytest.raises(CertificateFault, match="belongs to the key"):
        import_chain(other, tmp_path / "a.key", tmp_path / "a.pem", NOW)
    assert not (tmp_path / "a.pem").exists()


def test_files_that_cannot_be_used_are_named(tmp_path: Path, authority: CertificateAuthority) -> None:
    chain, key = authority.issue("expired", "DNS:a.example", days=1)
    with pytest.raises(CertificateFault, match="has expired"):
        import_chain(chain, key, tmp_path / "a.pem", NOW + 2 * 86400)
    (tmp_path / "text").write_text("hello")
    with pytest.raises(CertificateFault, match="no certificate in PEM"):
        import_chain(tmp_path / "text", key, tmp_path / "a.pem", NOW)
    with pytest.raises(CertificateFault, match="no private key"):
        import_chain(chain, tmp_path / "text", tmp_path / "a.pem", NOW)
    with pytest.raises(CertificateFault, match="cannot be read: No such file"):
        import_chain(tmp_path / "none", key, tmp_path / "a.pem", NOW)


def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="is no name"):
        run("certificate", "request", "../edge", "--folder", tmp_path, "a.example")
