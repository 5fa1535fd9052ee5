"""A certification authority of the tests: made by the openssl command, in a folder of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path

SUBJECT = "/CN=Signalbox test"


class CertificateAuthority:
    """Issues certificates with keys on the curve P-256; `trust` is the PEM file that names it."""

    def __init__(self, folder: Path, subject: str = SUBJECT + " CA") -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.trust = folder / "ca.pem"
        self._key = folder / "ca.key"
        self._make_key(self._key)
        openssl("req", "-x509", "-new", "-key", self._key, "-subj", subject, "-days", "30", "-out", self.trust)

    def issue(
        self, name: str, names: str, days: int = 30, usage: str = "serverAuth,clientAuth", subject: str = SUBJECT
    ) -> tuple[Path, Path]:
        """(chain, key); `names` as OpenSSL has them, such as `DNS:a.example,URI:sip:b.example,IP:127.0.0.1`."""
        chain, key = self.chain(name), self._folder / f"{name}.key"
        request, extensions = self._folder / f"{name}.csr", self._folder / f"{name}.ext"
        self._make_key(key)
        extensions.write_text(f"subjectAltName={names}\nextendedKeyUsage={usage}\n")
        openssl("req", "-new", "-key", key, "-subj", subject, "-out", request)
        signer = ("-CA", self.trust, "-CAkey", self._key, "-CAcreateserial", "-extfile", extensions)
        openssl("x509", "-req", "-in", request, *signer, "-days", str(days), "-out", chain)
        return chain, key

    def chain(self, name: str) -> Path:
        """The certificate that was issued by this name."""
        return self._folder / f"{name}.pem"

    def sign(self, request: Path, days: int = 30) -> Path:
        """The certificate for a request, with the names that it asks for."""
        chain = request.with_suffix(".issued.pem")
        signer = ("-CA", self.trust, "-CAkey", self._key, "-CAcreateserial", "-copy_extensions", "copy")
        openssl("x509", "-req", "-in", request, *signer, "-days", str(days), "-out", chain)
        return chain

    def revoke(self, *chains: Path, is_overdue: bool = False) -> Path:
        """The revocation list with these certificates."""
        database, settings, listed = (self._folder / name for name in ("index.txt", "ca.cnf", "ca.crl"))
        database.write_text("")
        settings.write_text(f"[ca]\ndefault_ca=own\n[own]\ndatabase={database}\ndefault_md=sha256\n")
        signer = ("ca", "-config", settings, "-keyfile", self._key, "-cert", self.trust)
        for chain in chains:
            openssl(*signer, "-revoke", chain)
        overdue = ("-crl_lastupdate", "200101000000Z", "-crl_nextupdate", "200102000000Z")
        openssl(*signer, "-gencrl", *(overdue if is_overdue else ("-crldays", "30")), "-out", listed)
        return listed

    @staticmethod
    def _make_key(path: Path) -> None:
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", path)
        path.chmod(0o600)


def openssl(*words: str | Path) -> None:
    """Run the command; it has to succeed."""
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)
