"""`signalbox hash-secret`: the hash of a secret, for the configuration."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from appliance.catalogue.password_hash import hash_of
from appliance.commands.password_prompt import read_password

if TYPE_CHECKING:
    from appliance.commands.command_line import Commands


def add_to(commands: Commands) -> None:
    """Add the subcommand to the command line."""
    parser = commands.add_parser(
        "hash-secret",
        help="generate the hash of a secret",
        description="Prompt for a secret and print its hash, for `secret` of an operator and for `enable secret`.",
    )
    parser.add_argument("--secret-stdin", action="store_true", help="read it from the first line of standard input")
    parser.set_defaults(command=_hash_secret)


def _hash_secret(options: argparse.Namespace) -> int:
    print(hash_of(read_password(options.secret_stdin, "the account", "--secret-stdin"), os.urandom(16)))
    return 0
