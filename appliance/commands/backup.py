"""`signalbox backup` and `signalbox restore`: one archive, encrypted by a passphrase.

It is what an appliance is replaced by.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from appliance.commands.last_configuration import last_configuration
from appliance.commands.password_prompt import ask_password, read_password
from appliance.commands.state_option import add_state, make_folder, state_of
from appliance.management.errors import CommandFailed
from appliance.privileges import acting_as_owner
from appliance.storage.state_format import NewerFormat

if TYPE_CHECKING:
    from appliance.commands.command_line import Commands

CONFIG_DIR: Final = Path("/etc/signalbox")


def add_to(commands: Commands) -> None:
    """Add the subcommands to the command line."""
    backup = commands.add_parser(
        "backup",
        help="write a backup of configuration, subscribers, key and certificates",
        description="Write a backup: all commits, subscribers, the key of the appliance, and the configuration folder "
        "with its certificates, in one file that is encrypted by a passphrase. The appliance may run meanwhile.",
    )
    backup.set_defaults(command=_backup)
    restore = commands.add_parser(
        "restore",
        help="put a backup back",
        description="Put a backup back, on this or another machine. The appliance must be stopped. What was there is "
        "kept in a folder of the state folder. Nothing is changed unless the whole backup can be read.",
    )
    restore.set_defaults(command=_restore)
    for parser in (backup, restore):
        parser.add_argument("file", type=Path, metavar="FILE", help="the backup")
        help = "read the passphrase from the first line of standard input"
        parser.add_argument("--passphrase-stdin", action="store_true", help=help)
        help = "the configuration folder (default: %(default)s)"
        parser.add_argument("--config-dir", type=Path, metavar="DIR", default=CONFIG_DIR, help=help)
        add_state(parser)


def _backup(options: argparse.Namespace) -> int:
    from appliance.storage.backup import PASSPHRASE_LEN_MIN, left_out, write_backup

    state = state_of(options)
    if not (state / "key").exists() and os.access(state, os.X_OK):
        raise CommandFailed(f"There is no appliance in {state}. Use --state DIR to select the state folder.")
    passphrase = read_password(options.passphrase_stdin, "the backup", "--passphrase-stdin", "Passphrase")
    if len(passphrase) < PASSPHRASE_LEN_MIN:
        raise CommandFailed(f"The passphrase has {len(passphrase)} characters: type at least {PASSPHRASE_LEN_MIN}.")
    unfinished = options.file.with_name(f"{options.file.name}.new")
    try:
        with _created(unfinished) as file, acting_as_owner(state):
            names = write_backup(file, passphrase, state, options.config_dir)
            missing = left_out(options.config_dir)
            file.flush()
            # A former backup of this name goes only when this one is on the disk.
            os.fsync(file.fileno())
        unfinished.rename(options.file)
    except OSError as fault:
        unfinished.unlink(missing_ok=True)
        raise CommandFailed(f"The backup {options.file} cannot be written: {fault.strerror or fault}.") from None
    commits = sum(name.startswith("state/configuration/commit-") for name in names)
    print(f"Backup written to {options.file}: {commits} commits, {len(names) - commits - 1} other files.")
    if missing:
        print(f"Not in it, for their names: {', '.join(map(repr, missing))}.", file=sys.stderr)
    settings = last_configuration(state)
    if settings is not None and settings.subscribers_url:
        warning = "The subscribers are in the database of `subscribers database`: back it up by its own means."
        print(warning, file=sys.stderr)
    return 0


def _restore(options: argparse.Namespace) -> int:
    from appliance.storage.backup import RestoreIncomplete, restore_backup
    from appliance.storage.encrypted_file import NotReadable
    from appliance.storage.state_lock import StateInUse

    state = state_of(options)
    make_folder(state)
    if options.passphrase_stdin:
        passphrase = sys.stdin.readline().rstrip("\r\n")
    else:
        passphrase = ask_password("Passphrase of the backup: ", "--passphrase-stdin")
    try:
        with options.file.open("rb") as file:
            kept = restore_backup(file, passphrase, state, options.config_dir, lambda: acting_as_owner(state))
    except StateInUse as fault:
        raise CommandFailed(f"{fault} Stop it first: `systemctl stop signalbox`.") from None
    except (NotReadable, NewerFormat) as fault:
        raise CommandFailed(f"{fault} Nothing was changed.") from None
    except RestoreIncomplete as fault:
        raise CommandFailed(f"{fault} Restore the backup again: what was there is kept.") from None
    except OSError as fault:
        sentence = f"{options.file} cannot be restored: {fault.strerror or fault}. Nothing was changed."
        raise CommandFailed(sentence) from None
    print(f"{options.file} is restored. What was there before is in {kept}.")
    print("Start the appliance: `systemctl start signalbox`.")
    return 0


def _created(path: Path) -> BinaryIO:
    """A new file for its owner only."""
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb")
