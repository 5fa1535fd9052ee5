"""The options of the shell, for the two commands that have them: `signalbox cli` and `signalbox-shell`.

Knows nothing of the shell.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

DEFAULT_STATE_DIR = Path("/var/lib/signalbox")
# A login shell gets no options: an account's environment may name its state folder.
STATE_VARIABLE = "SIGNALBOX_STATE"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the shell."""
    parser.add_argument(
        "-c", dest="commands", action="append", metavar="COMMAND", help="do this and end; may be given several times"
    )
    parser.add_argument("--json", action="store_true", help="for programs: every result as JSON")
    parser.add_argument(
        "--state",
        type=Path,
        metavar="DIR",
        default=Path(os.environ.get(STATE_VARIABLE) or DEFAULT_STATE_DIR),
        help=f"the state folder (default: ${STATE_VARIABLE}, else {DEFAULT_STATE_DIR})",
    )
