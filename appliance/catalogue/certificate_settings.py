"""The settings of TLS: certificates by name, and what holds for all of its connections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from appliance.catalogue.checked_settings import CheckedSettings
from appliance.catalogue.setting_declaration import LIVE, name_of_section, setting
from appliance.catalogue.value_types import Choice, FilePath, Integer, Name, Remark, Text

# The certification authorities that Debian trusts (package ca-certificates).
SYSTEM_TRUST: Final = "/etc/ssl/certs/ca-certificates.crt"
VERSION: Final = Choice(("1.2", "1.3"), ("TLS 1.2 and later.", "TLS 1.3 only."))



# fmt: off
@dataclass(frozen=True, slots=True)
class CertificateSettings(CheckedSettings):
    """A certificate with its private key."""

    name: str = name_of_section("certificate", Name())
    description: str = setting("", "description", Remark(80), LIVE, "A description for operators.")
    chain: str = setting(
        "", "chain", FilePath(), LIVE,
        "The PEM file with the certificate, followed by the certificates of its issuers.", "RFC 8446 4.4.2")
    key: str = setting(
        "", "key", FilePath(), LIVE,
        "The PEM file with the private key. Other users must not be able to read it.")


@dataclass(frozen=True, slots=True)
class TlsSettings(CheckedSettings):
    """TLS, for all listeners (RFC 8446, RFC 5246)."""

    version_min: str = setting("1.2", "version minimum", VERSION, LIVE, "The oldest version of TLS to accept.")
    ciphers: str = setting(
        "ECDHE+AESGCM:ECDHE+CHACHA20", "ciphers", Text(256), LIVE,
        "The cipher suites of TLS 1.2, as OpenSSL names them.", "RFC 9325 4.2")
    trust: str = setting(
        SYSTEM_TRUST, "trust", FilePath(), LIVE,
        "The PEM file with the certification authorities that are trusted.", "RFC 5922 7.1")
    revoked: str = setting(
        "", "revoked", FilePath(), LIVE,
        "The PEM file with the revocation lists (CRLs) of all authorities in `trust` whose certificates are accepted.",
        "RFC 5280 5")
    client_certificate: str = setting(
        "", "client certificate", Name(is_optional=True), LIVE,
        "The certificate that is shown to servers that ask for one, by the name of its section.", "RFC 5922 7.4")
    handshakes_max: int = setting(
        1000, "handshakes", Integer(1, 1000000), LIVE,
        "Maximum number of TLS handshakes in progress, at each worker. At the limit the oldest is given up.")
    handshake_timeout_ms: int = setting(
        5000, "handshake timeout", Integer(10, 60000, "milliseconds"), LIVE,
        "Maximum time from the first to the last byte of a TLS handshake.")
# fmt: on
