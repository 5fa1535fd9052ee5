"""Certificates and keys from files: what cannot be used is a fault with the sentence to type (RFC 5922, RFC 9325)."""

from __future__ import annotations

import ssl
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.catalogue.certificate_settings import CertificateSettings, TlsSettings
from appliance.catalogue.settings import ListenerSettings, Settings
from appliance.catalogue.transports import TLS
from appliance.tls_contexts import TlsContexts, certificate_faults, client_context, facts_of, server_context
from tests.certificate_authority import CertificateAuthority, openssl


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    return CertificateAuthority(tmp_path_factory.mktemp("authority"))


def settings_with(authority: CertificateAuthority, chain: Path | str, key: Path | str, **tls: str) -> Settings:
    return Settings(
        listeners=(ListenerSettings(port=5061, transports=(TLS,), certificates=("own",)),),
        certificates=(CertificateSettings(name="own", chain=str(chain), key=str(key)),),
        tls=TlsSettings(**{"trust": str(authority.trust), **tls}),
    )


def fault_of(settings: Settings) -> str:
    (fault,) = certificate_faults(settings)
    return str(fault)


def test_a_good_certificate_has_no_fault(authority: CertificateAuthority) -> None:
    settings = settings_with(authority, *authority.issue("good", "DNS:a.example,URI:sip:b.example"))
    assert certificate_faults(settings) == []
    facts = facts_of(settings.certificates[0], settings.tls)
    assert set(facts["subjectAltName"]) == {("DNS", "a.example"), ("URI", "sip:b.example")}
    assert "notAfter" in facts


def test_a_certificate_that_is_expired(authority: CertificateAuthority) -> None:
    settings = settings_with(authority, *authority.issue("expired", "DNS:a.example", days=-1))
    assert "certificate has expired; renew the certificate" in fault_of(settings)
    # It is shown all the same by an appliance that has it: another one would take the calls with it.
    assert TlsContexts(settings).server(0) is not None


def test_a_certificate_for_clients_only(authority: CertificateAuthority) -> None:
    settings = settings_with(authority, *authority.issue("client", "DNS:a.example", usage="clientAuth"))
    assert "unsuitable certificate purpose" in fault_of(settings)


def test_a_key_of_another_certificate(authority: CertificateAuthority) -> None:
    chain, _ = authority.issue("one", "DNS:a.example")
    _, key = authority.issue("two", "DNS:a.example")
    assert f"the key {key} does not belong to {chain}; name the key" in fault_of(settings_with(authority, chain, key))


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o660, 0o640])
def test_a_key_that_others_can_read(authority: CertificateAuthority, mode: int) -> None:
    chain, key = authority.issue("open", "DNS:a.example")
    key.chmod(mode)
    settings = settings_with(authority, chain, key)
    if mode == 0o640:
        assert certificate_faults(settings) == []
    else:
        assert f"other users can read the key {key}; type chmod 600 {key}" in fault_of(settings)


def test_an_encrypted_key_is_not_asked_for_at_the_terminal(authority: CertificateAuthority, tmp_path: Path) -> None:
    chain, key = authority.issue("locked", "DNS:a.example")
    locked = tmp_path / "locked.key"
    openssl("pkey", "-in", key, "-aes256", "-passout", "pass:secret", "-out", locked)
    assert f"type openssl pkey -in {locked} -out FILE" in fault_of(settings_with(authority, chain, locked))


def test_files_that_are_missing_or_something_else(authority: CertificateAuthority, tmp_path: Path) -> None:
    chain, key = authority.issue("files", "DNS:a.example")
    assert "it has no chain; type `chain FILE`" in fault_of(settings_with(authority, "", key))
    missing = tmp_path / "missing.pem"
    assert f"the certificate {missing} cannot be read" in fault_of(settings_with(authority, missing, key))
    assert f"the key {missing} cannot be read" in fault_of(settings_with(authority, chain, missing))
    assert f"{key} has no certificate; name a PEM file with `chain" in fault_of(settings_with(authority, key, key))
    assert f"{chain} has no private key; name a PEM file" in fault_of(settings_with(authority, chain, chain))
    assert "the trust store" in fault_of(settings_with(authority, chain, key, trust=str(missing)))
    assert "has no certificate" in fault_of(settings_with(authority, chain, key, trust=str(key)))


def test_a_damaged_certificate(authority: CertificateAuthority) -> None:
    chain, key = authority.issue("damaged", "DNS:a.example")
    text = chain.read_text().splitlines()
    chain.write_text("\n".join([text[0], *text[5:]]))
    assert "replace the damaged file" in fault_of(settings_with(authority, chain, key))


def test_ciphers_that_do_not_exist(authority: CertificateAuthority) -> None:
    settings = settings_with(authority, *authority.issue("ciphers", "DNS:a.example"), ciphers="NOTHING")
    assert any("NOTHING names no cipher suite" in str(fault) for fault in certificate_faults(settings))


def test_a_fault_of_one_listener_leaves_the_others(authority: CertificateAuthority) -> None:
    good = settings_with(authority, *authority.issue("other", "DNS:a.example"))
    bad = CertificateSettings(name="bad", chain="/missing.pem", key="/missing.key")
    listener = replace(good.listeners[0], name="second", port=5062, certificates=("bad",))
    contexts = TlsContexts(replace(good, listeners=(*good.listeners, listener), certificates=(*good.certificates, bad)))
    assert contexts.server(0) is not None and contexts.server(1) is None
    assert len(contexts.faults) == 1


def handshake(settings: Settings, chain: Path, key: Path) -> None:
    """One of a client that shows a certificate, in memory. Raises ssl.SSLError where it is refused."""
    own = settings.certificates[0]
    server = server_context(own, settings.tls, "require")
    client = client_context(CertificateSettings(name="client", chain=str(chain), key=str(key)), settings.tls)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (client.wrap_bio(to_client, to_server), server.wrap_bio(to_server, to_client, server_side=True))
    for end in (*ends, *ends):
        with suppress(ssl.SSLWantReadError):
            end.do_handshake()
    assert ends[1].getpeercert()


def test_a_revoked_certificate_is_refused_and_others_are_not(authority: CertificateAuthority) -> None:
    """RFC 5280 6.3."""
    good, bad = authority.issue("good", "DNS:a.example"), authority.issue("bad", "DNS:b.example")
    settings = settings_with(authority, *good, revoked=str(authority.revoke(bad[0])))
    assert certificate_faults(settings) == []
    handshake(settings, *good)
    with pytest.raises(ssl.SSLCertVerificationError, match="certificate revoked"):
        handshake(settings, *bad)


def test_a_list_that_is_overdue_lets_no_client_in(authority: CertificateAuthority) -> None:
    """RFC 5280 6.3.3: cannot know is not no."""
    good = authority.issue("good", "DNS:a.example")
    settings = settings_with(authority, *good, revoked=str(authority.revoke(is_overdue=True)))
    with pytest.raises(ssl.SSLCertVerificationError, match="CRL has expired"):
        handshake(settings, *good)


def test_a_new_list_is_taken(authority: CertificateAuthority) -> None:
    chain, key = authority.issue("good", "DNS:a.example")
    settings = settings_with(authority, chain, key, revoked=str(authority.revoke()))
    contexts = TlsContexts(settings)
    assert contexts.renewed() is None
    authority.revoke(chain)
    renewed = contexts.renewed()
    assert renewed is not None and renewed.client is not contexts.client


def test_a_file_that_is_no_revocation_list(authority: CertificateAuthority, tmp_path: Path) -> None:
    """A certificate in it would be trusted."""
    good = authority.issue("good", "DNS:a.example")
    assert "is no revocation list; name" in fault_of(settings_with(authority, *good, revoked=str(authority.trust)))
    damaged = tmp_path / "damaged.crl"
    damaged.write_text("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n")
    assert "is damaged; replace the file" in fault_of(settings_with(authority, *good, revoked=str(damaged)))
