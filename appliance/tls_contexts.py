"""Certificates and private keys from their files, as OpenSSL uses them (RFC 8446, RFC 5246, RFC 5922).

What a file lacks is a fault with the sentence to type. A context is made anew only when its files or settings have
changed, so that sessions of clients go on. What a certificate says (names, end) is read by a handshake in memory in
which the certificate itself is the trust anchor: the standard library reads only what it has verified.
"""

from __future__ import annotations

import os
import ssl
import stat
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from appliance.catalogue.certificate_settings import CertificateSettings, TlsSettings
from appliance.catalogue.errors import Fault
from appliance.catalogue.settings import OPEN, ListenerSettings, Settings
from appliance.catalogue.transports import TRANSPORTS
from appliance.security.certificate_names import identities_of

PEM_LEN_MAX: Final = 1 << 20
VERSIONS: Final = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
CLIENT_CERTIFICATES: Final = {"request": ssl.CERT_OPTIONAL, "require": ssl.CERT_REQUIRED}
# Others than the owner may not read a key; a group may where the owner has given it to the service.
FORBIDDEN_MODE: Final = stat.S_IRWXO | stat.S_IWGRP | stat.S_IXGRP
_END: Final = "-----END CERTIFICATE-----"
_CRL: Final = "-----BEGIN X509 CRL-----"

Facts = Mapping[str, Any]
"""What a certificate says, as ssl.SSLObject.getpeercert gives it."""


class CertificateUnusable(Exception):
    """A file that cannot be used: what is wrong, and what to type."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem}; {remedy}")
        self.problem = problem
        self.remedy = remedy


class NotValid(CertificateUnusable):
    """A certificate that no peer accepts now: expired, not valid yet, or not for servers."""


@dataclass(frozen=True, slots=True)
class _Made:
    """A context, and what it was made of."""

    of: Hashable
    files: tuple[str, ...]
    context: ssl.SSLContext


class TlsContexts:
    """The contexts of one configuration. `faults`: what of it cannot be used; those listeners accept nothing by TLS."""

    def __init__(self, settings: Settings, former: TlsContexts | None = None) -> None:
        """`former`: those in force, whose contexts are kept where nothing has changed."""
        self.faults: list[Fault] = []
        self._made: dict[Hashable, _Made] = {}
        self._former = former._made if former is not None else {}
        self._settings = settings
        self._tls = settings.tls
        self.ends: dict[str, float] = {}
        """Until when each certificate in use is valid, in unix time; 0 for one that is not valid any more."""
        self._certificates = {certificate.name: certificate for certificate in settings.certificates}
        self._servers: dict[int, ssl.SSLContext] = {}
        self._client: ssl.SSLContext | None = None
        for place, listener in enumerate(settings.listeners):
            if listener.standing == OPEN and is_secure(listener):
                self._add_server(place, listener)
        if any(is_secure(listener) for listener in settings.listeners):
            self._add_client()
        self._former = {}

    def server(self, listener: int) -> ssl.SSLContext | None:
        """That of a listener, by its place; None where its certificate cannot be used."""
        return self._servers.get(listener)

    @property
    def client(self) -> ssl.SSLContext | None:
        """That of the connections that are opened here; None where the trust store cannot be used."""
        return self._client

    def _add_server(self, place: int, listener: ListenerSettings) -> None:
        chosen = [self._certificates[name] for name in listener.certificates]
        files = [*_stores_of(self._tls), *(path for one in chosen for path in (one.chain, one.key))]
        made = self._context(("server", listener.client_certificate, *files), files)
        contexts: list[ssl.SSLContext] = []
        # None for the first one: a context that leads to itself would never be freed (workers collect no cycles).
        by_name: dict[str, ssl.SSLContext | None] = {}
        for certificate in chosen:
            try:
                if made is None:
                    context = server_context(certificate, self._tls, listener.client_certificate)
                    contexts.append(context)
                facts = self._note_end(certificate)
                for name in identities_of(facts) if made is None else ():
                    by_name.setdefault(name, context if len(contexts) > 1 else None)
            except CertificateUnusable as fault:
                self.faults.append(Fault(0, 0, f"certificate {certificate.name}: {fault.problem}", fault.remedy))
        if made is None and contexts:
            if len(contexts) > 1:
                contexts[0].sni_callback = _choice_among(by_name)
            made = self._keep(contexts[0])
        if made is not None:
            self._servers[place] = made

    def _note_end(self, certificate: CertificateSettings) -> Facts:
        """What it says; nothing where it is not valid now, which is said elsewhere."""
        try:
            facts = facts_of(certificate, self._tls)
        except NotValid:
            self.ends[certificate.name] = 0.0
            return {}
        self.ends[certificate.name] = ssl.cert_time_to_seconds(facts["notAfter"])
        return facts

    def renewed(self) -> TlsContexts | None:
        """Those of the files as they are now; None where they have not changed."""
        if all(made.of == (self._tls, tuple(map(_mark_of, made.files))) for made in self._made.values()):
            return None
        return TlsContexts(self._settings, self)

    def _add_client(self) -> None:
        certificate = self._certificates.get(self._tls.client_certificate)
        files = [*_stores_of(self._tls), *([certificate.chain, certificate.key] if certificate else [])]
        try:
            made = self._context(("client", *files), files)
            self._client = made or self._keep(client_context(certificate, self._tls))
        except CertificateUnusable as fault:
            self.faults.append(Fault(0, 0, f"tls: {fault.problem}", fault.remedy))

    def _context(self, key: Hashable, files: Sequence[str]) -> ssl.SSLContext | None:
        """The one that was made of the same files and settings, if there is one."""
        self._key, self._files = key, tuple(files)
        self._of = (self._tls, tuple(map(_mark_of, files)))
        for made in (self._made.get(key), self._former.get(key)):
            if made is not None and made.of == self._of:
                self._made[key] = made
                return made.context
        return None

    def _keep(self, context: ssl.SSLContext) -> ssl.SSLContext:
        self._made[self._key] = _Made(self._of, self._files, context)
        return context


def is_secure(listener: ListenerSettings) -> bool:
    """Has it a transport with certificates?"""
    return any(TRANSPORTS[number].is_secure for number in listener.transports)


def certificate_faults(settings: Settings) -> list[Fault]:
    """What of the certificates of a configuration cannot be used, or is not valid now."""
    contexts = TlsContexts(settings)
    faults = list(contexts.faults)
    for certificate in settings.certificates:
        try:
            facts_of(certificate, settings.tls)
        except CertificateUnusable as fault:
            found = Fault(0, 0, f"certificate {certificate.name}: {fault.problem}", fault.remedy)
            if found not in faults:
                faults.append(found)
    return faults


def _choice_among(
    by_name: Mapping[str, ssl.SSLContext | None],
) -> Callable[[ssl.SSLObject, str | None, ssl.SSLContext], None]:
    """RFC 6066 3: the certificate of the name that the client asks for, else the first of the listener."""

    def choose(end: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        chosen = by_name.get(name.lower()) if name else None
        if chosen is not None:
            end.context = chosen

    return choose


# -- contexts ----------------------------------------------------------------------------------------


def server_context(
    certificate: CertificateSettings, tls: TlsSettings, client_certificate: str = "none"
) -> ssl.SSLContext:
    """The context of a listener. Raises CertificateUnusable."""
    context = _context(ssl.PROTOCOL_TLS_SERVER, tls)
    _load(context, certificate)
    if client_certificate != "none":
        # RFC 5922 7.4
        context.verify_mode = CLIENT_CERTIFICATES[client_certificate]
        _trust(context, tls)
    return context


def client_context(certificate: CertificateSettings | None, tls: TlsSettings) -> ssl.SSLContext:
    """That of connections opened here; names are compared elsewhere (RFC 5922 7.3). Raises CertificateUnusable."""
    context = _context(ssl.PROTOCOL_TLS_CLIENT, tls)
    context.check_hostname = False
    _trust(context, tls)
    if certificate is not None:
        _load(context, certificate)
    return context


def _context(protocol: int, tls: TlsSettings) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = VERSIONS[tls.version_min]
    try:
        context.set_ciphers(tls.ciphers)
    except ssl.SSLError:
        raise CertificateUnusable(f"{tls.ciphers} names no cipher suite", "type `no ciphers` for the default") from None
    # RFC 9325 3.3, 3.5
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    return context


def _stores_of(tls: TlsSettings) -> list[str]:
    return [tls.trust, tls.revoked] if tls.revoked else [tls.trust]


def _trust(context: ssl.SSLContext, tls: TlsSettings) -> None:
    path = tls.trust
    _read(path, "the trust store")
    try:
        context.load_verify_locations(path)
    except ssl.SSLError:
        raise CertificateUnusable(f"{path} has no certificate", "name a PEM file with `trust FILE`") from None
    if tls.revoked:
        _revoke(context, tls.revoked)


def _revoke(context: ssl.SSLContext, path: str) -> None:
    """RFC 5280 6.3: what its issuer has revoked is not accepted, nor what has an issuer without a current list."""
    text = _read(path, "the revocation list")
    # OpenSSL would trust a certificate in this file.
    if _CRL not in text or _END in text:
        raise CertificateUnusable(f"{path} is no revocation list", "name a PEM file of CRLs only with `revoked FILE`")
    try:
        context.load_verify_locations(path)
    except ssl.SSLError:
        raise CertificateUnusable(f"{path} is damaged", "replace the file") from None
    context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF


def _load(context: ssl.SSLContext, certificate: CertificateSettings) -> None:
    for path, word in ((certificate.chain, "chain"), (certificate.key, "key")):
        if not path:
            raise CertificateUnusable(f"it has no {word}", f"type `{word} FILE` in its section")
    if _END not in _read(certificate.chain, "the certificate"):
        raise CertificateUnusable(f"{certificate.chain} has no certificate", "name a PEM file with `chain FILE`")
    _check_key(certificate.key)
    try:
        context.load_cert_chain(certificate.chain, certificate.key, _no_password)
    except ssl.SSLError as fault:
        if fault.reason == "KEY_VALUES_MISMATCH":
            problem = f"the key {certificate.key} does not belong to {certificate.chain}"
            raise CertificateUnusable(problem, "name the key of that certificate with `key FILE`") from None
        reason = (fault.reason or "damaged").lower().replace("_", " ")
        problem = f"OpenSSL does not take {certificate.chain} with {certificate.key} ({reason})"
        raise CertificateUnusable(problem, "replace the damaged file") from None


def _no_password() -> str:
    """A key with a password is refused before; OpenSSL is not to ask at the terminal."""
    return ""


def _check_key(path: str) -> None:
    text = _read(path, "the key")
    if "PRIVATE KEY-----" not in text:
        raise CertificateUnusable(f"{path} has no private key", "name a PEM file with `key FILE`")
    if "ENCRYPTED" in text:
        raise CertificateUnusable(f"{path} is encrypted", f"type openssl pkey -in {path} -out FILE, and name that file")
    if os.stat(path).st_mode & FORBIDDEN_MODE:
        raise CertificateUnusable(f"other users can read the key {path}", f"type chmod 600 {path}")


def _read(path: str, what: str) -> str:
    try:
        with open(path, encoding="latin-1") as file:
            return file.read(PEM_LEN_MAX)
    except OSError as fault:
        reason = (fault.strerror or "no file").lower()
        problem = f"{what} {path} cannot be read ({reason})"
        raise CertificateUnusable(problem, "correct the path, or let the service read it") from None


def _mark_of(path: str) -> Hashable:
    """What changes when a file does."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return path, found.st_ino, found.st_size, found.st_mtime_ns, found.st_mode


# -- what a certificate says -------------------------------------------------------------------------


def facts_of(certificate: CertificateSettings, tls: TlsSettings) -> Facts:
    """What it says, where it is valid now and fit for a server. Raises CertificateUnusable."""
    server = server_context(certificate, tls)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    leaf = _read(certificate.chain, "the certificate").partition(_END)
    client.load_verify_locations(cadata=leaf[0][leaf[0].index("-----BEGIN") :] + leaf[1] + "\n")
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (client.wrap_bio(to_client, to_server), server.wrap_bio(to_server, to_client, server_side=True))
    try:
        for end in (*ends, ends[0]):
            _advance(end)
    except ssl.SSLCertVerificationError as fault:
        raise NotValid(f"{certificate.chain}: {fault.verify_message}", "renew the certificate") from None
    return ends[0].getpeercert() or {}


def _advance(end: ssl.SSLObject) -> None:
    with suppress(ssl.SSLWantReadError):
        end.do_handshake()
