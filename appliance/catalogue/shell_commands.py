"""The commands of the shell itself: rights, terminal, history, and editing the candidate.

Settings are typed in configuration mode, too; they are declared in settings.py, not here again.
"""

from __future__ import annotations

from typing import Final

from appliance.catalogue import results
from appliance.catalogue.action_commands import COMMENT
from appliance.catalogue.command_declaration import Command, Field, Mode, Parameter, Right, Shape, configure, shell
from appliance.catalogue.value_types import Integer, Text

TEXT, INTEGER = Shape.TEXT, Shape.INTEGER
FILE: Final = Parameter("file", Text(4096, "FILE"), "A local file.", completes="file")
NUMBER: Final = Parameter("number", Integer(1, 10**9), "The commit.", completes="commit")
MINUTES_MAX: Final = 7 * 24 * 60

# fmt: off
SHELL_COMMANDS: Final[tuple[Command, ...]] = (
    shell("enable", "Enter privileged mode."),
    shell("disable", "Leave privileged mode."),
    shell("configure", "Enter configuration mode.", right=Right.ADMIN),
    shell("configure terminal", "Enter configuration mode.", right=Right.ADMIN),
    shell("write", "No operation: every commit is saved.", right=Right.ADMIN, mode=Mode.BOTH),
    shell("write memory", "No operation: every commit is saved.", right=Right.ADMIN, mode=Mode.BOTH),
    shell("copy running-config startup-config", "No operation: every commit is saved.", right=Right.ADMIN),
    shell("show history", "The commands of this session.", mode=Mode.BOTH),
    shell("show terminal", "Terminal settings.", mode=Mode.BOTH),
    shell("show candidate", "The candidate configuration.", mode=Mode.BOTH),
    shell("show diff", "Uncommitted changes.", mode=Mode.BOTH),
    shell("show configuration", "Uncommitted changes.", mode=Mode.CONFIGURE),
    shell("show configuration diff", "Uncommitted changes.", mode=Mode.BOTH),
    shell("terminal length", "Number of lines per page.", (
        Parameter("lines", Integer(0, 512, "lines"), "0 turns paging off."),)),
    shell("terminal no length", "Use the height of the terminal."),
    shell("terminal width", "Maximum width of a table; wider tables are split into groups of columns.", (
        Parameter("columns", Integer(0, 1000, "columns"), "0 is no limit."),)),
    shell("terminal no width", "Use the width of the terminal."),
    shell("terminal no monitor", "Stop showing log messages."),
    shell("exit", "Leave the current mode or the shell.", mode=Mode.BOTH),
    shell("quit", "Leave the shell."),
    shell("logout", "Leave the shell."),
    Command(("import", "routes"), "Replace the route tables, for operators of a region its own, by a CSV file.",
            "import routes", (FILE,), (Field("text", TEXT, "The result."), Field("number", INTEGER, "The version.")),
            Right.ADMIN, Mode.EXEC),
    shell("end", "Return to exec mode.", mode=Mode.CONFIGURE),
    configure("validate", "Check the candidate and show its faults and changes.", "check", (),
              results.CHECKED),
    configure("commit", "Check, save and activate the candidate.", "commit", (COMMENT,),
              results.COMMITTED),
    configure("commit confirmed", "Commit, and revert automatically unless `confirm` is typed in time.", "commit", (
        Parameter("minutes", Integer(1, MINUTES_MAX, "minutes"), "Time until the commit reverts."), COMMENT,
    ), results.COMMITTED),
    shell("abort", "Discard the candidate and leave configuration mode.", mode=Mode.CONFIGURE),
    shell("rollback", "Load an earlier commit into the candidate.", (NUMBER,), Mode.CONFIGURE),
    configure("rebase", "Merge the candidate with commits made since it was opened.", "rebase", (), results.REBASED),
    shell("load", "Replace the candidate with the contents of a file.", (FILE,), Mode.CONFIGURE),
    shell("load merge", "Merge a file into the candidate; the file takes precedence.", (FILE,), Mode.CONFIGURE),
    shell("save", "Write the candidate to a file.", (FILE,), Mode.CONFIGURE),
)
# fmt: on
