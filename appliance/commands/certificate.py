"""`signalbox certificate`: make a key with a request for its certificate, and import the certificate."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final

from appliance import clock
from appliance.management.errors import CommandFailed

if TYPE_CHECKING:
    from appliance.commands.command_line import Commands

FOLDER: Final = Path("/etc/signalbox/tls")


def add_to(commands: Commands) -> None:
    """Add the subcommand to the command line."""
    certificate = commands.add_parser(
        "certificate",
        help="request and import certificates for TLS",
        description="Make a private key with a request for its certificate, and import the certificate (docs/tls.md).",
    )
    actions = certificate.add_subparsers(metavar="ACTION", required=True)
    request = actions.add_parser(
        "request",
        help="make a private key and a certificate signing request",
        description="Write NAME.key and NAME.csr. Send NAME.csr to the certification authority.",
    )
    request.set_defaults(command=_request)
    importing = actions.add_parser(
        "import",
        help="import the certificate that was issued for a request",
        description="Check that the certificate belongs to NAME.key, and write it with its issuers to NAME.pem. A "
        "running appliance uses it within 10 seconds.",
    )
    importing.set_defaults(command=_import)
    for action in (request, importing):
        action.add_argument("name", metavar="NAME", help="the name of the certificate, as in `certificate NAME`")
        action.add_argument(
            "--folder", type=Path, default=FOLDER, metavar="DIR", help=f"where the files are (default: {FOLDER})"
        )
    request.add_argument(
        "names", nargs="+", metavar="HOST", help="a host name, an address, or a domain as SIP URI: sip:example.com"
    )
    importing.add_argument("file", type=Path, metavar="FILE.pem", help="the certificate and those of its issuers")


def _request(options: argparse.Namespace) -> int:
    from appliance.storage.certificate_files import CertificateFault, make_request

    key, request = (_file(options, suffix) for suffix in ("key", "csr"))
    try:
        make_request(key, request, options.names)
    except CertificateFault as fault:
        raise CommandFailed(str(fault)) from None
    print(f"The key is in {key}, the request for its certificate in {request}.")
    print(f"Send the request to the authority; then: signalbox certificate import {options.name} FILE.pem")
    return 0


def _import(options: argparse.Namespace) -> int:
    from appliance.storage.certificate_files import CertificateFault, import_chain

    key, chain = (_file(options, suffix) for suffix in ("key", "pem"))
    try:
        names = import_chain(options.file, key, chain, clock.wall_time())
    except CertificateFault as fault:
        raise CommandFailed(str(fault)) from None
    print(f"The certificate for {', '.join(names)} is in {chain}.")
    print(f"Its section of the configuration:\n\ncertificate {options.name}\n  chain {chain}\n  key {key}\n!")
    return 0


def _file(options: argparse.Namespace, suffix: str) -> Path:
    folder: Path = options.folder
    name: str = options.name
    if not name.replace("-", "a").replace("_", "a").isalnum():
        raise CommandFailed(f"{name} is no name: use letters, digits, `-` and `_`.")
    return folder.absolute() / f"{name}.{suffix}"
