"""The options of the shell, for the two commands that have them: `signalbox cli` and `signalbox-shell`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

# A login shell gets no options: an account's environment may name its state folder.
STATE_VARIABLE = "SIGNALBOX_STATE"


def _named_state() -> Path | None:
    name = os.environ.get(STATE_VARIABLE)
    return Path(name) if name else None


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the shell."""
    parser.add_argument(
        "-c", dest="commands", action="append", metavar="COMMAND", help="run a command and exit; may be repeated"
    )
    parser.add_argument("--json", action="store_true", help="print every result as JSON")
    parser.add_argument(
        "--state",
        type=Path,
        metavar="DIR",
        default=_named_state(),
        help=f"state folder (default: ${STATE_VARIABLE}, else that of the running appliance)",
    )
