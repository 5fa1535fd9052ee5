"""Private keys, certificate signing requests and chains in PEM files (RFC 2986, RFC 5280, RFC 5922 5).

A key is written before its request, readable by the owner of its folder only, and never over another one.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PEM_LEN_MAX: Final = 1 << 20
CHAIN_LEN_MAX: Final = 10


class CertificateFault(Exception):
    """What is wrong with a file or a name; the message is a sentence for the operator."""


def make_request(key_file: Path, request_file: Path, names: Sequence[str]) -> None:
    """Write a key on the curve P-256 and the request for a certificate with these names. Raises CertificateFault.

    `names`: host names, addresses, and SIP URIs of domains; the first is the common name as well.
    """
    alternatives = [_general_name(name) for name in names]
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0].removeprefix("sip:")[:64])])
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    request = builder.add_extension(usage, critical=False).sign(key, hashes.SHA256())
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write_new(key_file, pem, 0o600)
    _write_new(request_file, request.public_bytes(serialization.Encoding.PEM), 0o644)


def import_chain(source: Path, key_file: Path, chain_file: Path, wall_time: float) -> list[str]:
    """Put a certificate that was issued for a key in its place, with those of its issuers in their order.

    The certificate in force, if any, is replaced at once. Returns the names that it proves. Raises CertificateFault.
    """
    chain = _ordered(_certificates_in(source), _public_key_of(key_file), source, key_file)
    leaf = chain[0]
    now = datetime.fromtimestamp(wall_time, tz=leaf.not_valid_after_utc.tzinfo)
    if leaf.not_valid_after_utc <= now:
        raise CertificateFault(f"The certificate in {source} has expired.")
    names = _names_of(leaf)
    if not names:
        raise CertificateFault(f"The certificate in {source} has no DNS name, address or SIP URI (subjectAltName).")
    text = b"".join(one.public_bytes(serialization.Encoding.PEM) for one in chain)
    _replace(chain_file, text)
    return names


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass
    try:
        host = name.removeprefix("sip:")
        # RFC 5922 7.2: no wildcards.
        if not host or not all(part and part.replace("-", "a").isalnum() for part in host.split(".")):
            raise ValueError
        return x509.UniformResourceIdentifier(name) if host != name else x509.DNSName(name)
    except ValueError:
        raise CertificateFault(f"{name} is no host name, address, or SIP URI such as sip:example.com.") from None


def _write_new(path: Path, octets: bytes, mode: int) -> None:
    """Write a file that belongs to the owner of its folder. Raises CertificateFault where there is one."""
    try:
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with os.fdopen(descriptor, "wb") as file:
            _give_to_owner(descriptor, path.parent)
            file.write(octets)
            file.flush()
            os.fsync(descriptor)
    except FileExistsError:
        raise CertificateFault(f"{path} exists already: move it away, or use another name.") from None
    except OSError as fault:
        raise CertificateFault(f"{path} cannot be written: {fault.strerror}.") from None


def _give_to_owner(descriptor: int, folder: Path) -> None:
    """Where root runs the command, the service that owns the folder has to read what is in it."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _replace(path: Path, octets: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        _write_new(temporary, octets, 0o644)
        temporary.replace(path)
    except OSError as fault:
        temporary.unlink(missing_ok=True)
        raise CertificateFault(f"{path} cannot be written: {fault.strerror}.") from None


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(PEM_LEN_MAX)
    except OSError as fault:
        raise CertificateFault(f"{path} cannot be read: {fault.strerror}.") from None


def _certificates_in(path: Path) -> list[x509.Certificate]:
    try:
        found = x509.load_pem_x509_certificates(_read(path))
    except ValueError:
        raise CertificateFault(f"{path} has no certificate in PEM.") from None
    if len(found) > CHAIN_LEN_MAX:
        raise CertificateFault(f"{path} has more than {CHAIN_LEN_MAX} certificates.")
    return found


def _public_key_of(key_file: Path) -> bytes:
    try:
        key = serialization.load_pem_private_key(_read(key_file), None)
    except (TypeError, ValueError):
        raise CertificateFault(f"{key_file} has no private key in PEM without a password.") from None
    return _spki(key.public_key())


def _spki(key: object) -> bytes:
    octets: bytes = key.public_bytes(  # type: ignore[attr-defined]
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return octets


def _ordered(
    found: list[x509.Certificate], public_key: bytes, source: Path, key_file: Path
) -> list[x509.Certificate]:
    """RFC 8446 4.4.2: the certificate of the key, then its issuer, and so on; others are left out."""
    leaf = next((one for one in found if _spki(one.public_key()) == public_key), None)
    if leaf is None:
        raise CertificateFault(f"No certificate in {source} belongs to the key {key_file}.")
    chain = [leaf]
    while (issuer := _issuer_of(chain[-1], found)) is not None and issuer not in chain:
        chain.append(issuer)
    return chain


def _issuer_of(certificate: x509.Certificate, found: list[x509.Certificate]) -> x509.Certificate | None:
    for other in found:
        if other.subject == certificate.issuer and other is not certificate:
            try:
                certificate.verify_directly_issued_by(other)
            except Exception:  # its signature is another's, or of a kind that is not known
                continue
            return other
    return None


def _names_of(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    uris = [uri for uri in names.get_values_for_type(x509.UniformResourceIdentifier) if uri.startswith("sip:")]
    addresses = [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    return [*names.get_values_for_type(x509.DNSName), *uris, *addresses]
