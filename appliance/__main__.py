"""The `signalbox` command.

Exit status: 0 done, 1 it could not be done (sentences on standard error say why), 2 the command line is wrong,
78 the appliance cannot start before an operator has changed something.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from appliance.commands.command_line import command_line
from appliance.management.errors import CommandFailed
from appliance.storage.system_journal import write_failure


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    options = command_line().parse_args(arguments)
    try:
        status: int = options.command(options)
        sys.stdout.flush()
        return status
    except CommandFailed as failure:
        write_failure(str(failure))
        return failure.status
    except BrokenPipeError:
        # The reader of the output has closed the pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
