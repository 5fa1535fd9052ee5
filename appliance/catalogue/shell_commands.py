"""The commands of the shell itself: rights, terminal, history, and editing the candidate.

Settings are typed in configuration mode, too; they are declared in settings.py, not here again.
"""

from __future__ import annotations

from typing import Final

from appliance.catalogue import results
from appliance.catalogue.action_commands import COMMENT
from appliance.catalogue.command_declaration import Command, Mode, Parameter, Right, configure, shell
from appliance.catalogue.value_types import Integer, Text

FILE: Final = Parameter("file", Text(4096, "FILE"), "A file on the machine of this shell.", completes="file")
NUMBER: Final = Parameter("number", Integer(1, 10**9), "The commit.", completes="commit")
MINUTES_MAX: Final = 7 * 24 * 60

# fmt: off
SHELL_COMMANDS: Final[tuple[Command, ...]] = (
    shell("enable", "Take the right to change things."),
    shell("disable", "Give the right to change things back."),
    shell("configure", "Edit a private copy of the configuration.", right=Right.ACT),
    shell("configure terminal", "Edit a private copy of the configuration.", right=Right.ACT),
    shell("write", "Nothing: a commit is saved at once.", right=Right.ACT, mode=Mode.BOTH),
    shell("write memory", "Nothing: a commit is saved at once.", right=Right.ACT, mode=Mode.BOTH),
    shell("copy running-config startup-config", "Nothing: a commit is saved at once.", right=Right.ACT),
    shell("show history", "The commands of this session.", mode=Mode.BOTH),
    shell("show terminal", "How this terminal is set.", mode=Mode.BOTH),
    shell("show candidate", "The configuration as a commit would make it.", mode=Mode.BOTH),
    shell("show diff", "What a commit would change.", mode=Mode.BOTH),
    shell("show configuration", "What a commit would change.", mode=Mode.CONFIGURE),
    shell("show configuration diff", "What a commit would change.", mode=Mode.BOTH),
    shell("terminal length", "Lines shown before the shell waits.", (
        Parameter("lines", Integer(0, 512, "lines"), "0 never waits."),)),
    shell("terminal no length", "Wait after each page of this terminal's height."),
    shell("terminal width", "How wide a table may be; a wider one is shown in groups of columns.", (
        Parameter("columns", Integer(0, 1000, "columns"), "0 is any width."),)),
    shell("terminal no width", "Tables as wide as this terminal."),
    shell("terminal no monitor", "Stop showing the log."),
    shell("exit", "Leave this mode, or the shell.", mode=Mode.BOTH),
    shell("quit", "Leave the shell."),
    shell("logout", "Leave the shell."),
    shell("end", "Go back to the first prompt.", mode=Mode.CONFIGURE),
    configure("validate", "Name every fault of the candidate, and what it would change.", "check", (),
              results.CHECKED),
    configure("commit", "Check the candidate, save it, and put it in force.", "commit", (COMMENT,),
              results.COMMITTED),
    configure("commit confirmed", "The same, on trial: it is taken back unless `confirm` comes in time.", "commit", (
        Parameter("minutes", Integer(1, MINUTES_MAX, "minutes"), "How long the trial lasts."), COMMENT,
    ), results.COMMITTED),
    shell("abort", "Throw the candidate away and leave configuration mode.", mode=Mode.CONFIGURE),
    shell("rollback", "Make the candidate what an earlier commit was.", (NUMBER,), Mode.CONFIGURE),
    configure("rebase", "Put the candidate on top of what others have committed since.", "rebase", (), results.REBASED),
    shell("load", "Make the candidate what a file says.", (FILE,), Mode.CONFIGURE),
    shell("load merge", "Add what a file says to the candidate; the file wins.", (FILE,), Mode.CONFIGURE),
    shell("save", "Write the candidate to a file.", (FILE,), Mode.CONFIGURE),
)
# fmt: on
