"""The commands at the first prompt that change something: each is one request, and an entry of the audit log."""

from __future__ import annotations

from typing import Final

from appliance.catalogue import results
from appliance.catalogue.command_declaration import Command, Extent, Mode, Parameter, Right, act
from appliance.catalogue.settings import WORKERS_MAX
from appliance.catalogue.value_types import Integer, Switch, Text

WORKER: Final = Parameter("number", Integer(0, WORKERS_MAX - 1), "The worker.", completes="worker")
COMMENT: Final = Parameter(
    "comment", Text(200, "COMMENT"), "Why; it stays with the commit.", "comment", True, extent=Extent.TEXT
)
SUBSCRIBER: Final = Parameter("address", Text(256, "USER@DOMAIN"), "The subscriber.", completes="subscriber")

# fmt: off
ACTION_COMMANDS: Final[tuple[Command, ...]] = (
    act("clear authentication failures", "Forget wrong passwords, and refuse no source for them any longer.",
        "clear authentication failures",
        (Parameter("who", Text(256, "SOURCE|USER@DOMAIN"), "Only those of one source or one user, as they are shown.",
                   is_optional=True),), results.CLEARED),
    act("clear counters", "Let all counters begin at 0.", "clear counters", (), results.CLEARED),
    act("clear logging", "Clear what `show logging` shows; the log file keeps its lines.", "clear logging", (),
        results.SENTENCE),
    act("clear registration", "Forget the contacts of an address; its phones may register again.",
        "clear registration",
        (Parameter("address", Text(256, "USER@DOMAIN"), "The address.", completes="address"),), results.CLEARED),
    act("acknowledge alarm", "Note that you have seen an alarm; it stays active until its cause is gone.",
        "acknowledge alarm", (
            Parameter("name", Text(64, "ALARM"), "The alarm, as in `show alarms`.", completes="alarm"),
            Parameter("subject", Text(256, "SUBJECT"), "What it is about, where only one of several is meant.", "of",
                      is_optional=True),
        ), results.ACKNOWLEDGED),
    act("clear session", "End the session of an operator.", "clear session",
        (Parameter("number", Integer(1, 10**9), "The session, as in `show users`.", completes="session"),),
        results.CLEARED),
    act("hash-secret", "Make the hash of a secret, to stand in a configuration.", "hash secret", (
        Parameter("secret", Text(256, "SECRET"), "The secret; without it, the shell asks for it.", is_optional=True),
    ), results.HASH),
    act("drain worker", "Give a worker no new calls and let it finish those it has.", "drain worker", (WORKER,),
        results.WORKER_STATE),
    act("undrain worker", "Give a drained worker calls again.", "undrain worker", (WORKER,), results.WORKER_STATE),
    act("restart worker", "Drain a worker, end it, and start it anew.", "restart worker", (WORKER,),
        results.WORKER_STATE),
    act("reload", "Restart all workers one by one; calls go on. A new version takes a restart of the service.",
        "reload",
        (Parameter("minutes", Integer(1, 24 * 60, "minutes"), "How long to wait.", "in", is_optional=True),),
        results.SENTENCE),
    act("reload cancel", "Cancel a reload that has not begun.", "reload cancel", (), results.SENTENCE),
    act("subscriber add", "Add a subscriber.", "subscriber add", (
        SUBSCRIBER,
        Parameter("password", Text(256, "PASSWORD"), "The password; without it, the shell asks for it.", "password",
                  is_optional=True),
    ), results.SENTENCE),
    act("subscriber password", "Change the password of a subscriber.", "subscriber password", (
        SUBSCRIBER,
        Parameter("password", Text(256, "PASSWORD"), "The password; without it, the shell asks for it.", "password",
                  is_optional=True),
    ), results.SENTENCE),
    act("subscriber remove", "Remove a subscriber.", "subscriber remove", (SUBSCRIBER,), results.SENTENCE),
    Command(("confirm",), "Keep the configuration that `commit confirmed` has put on trial.", "confirm", (),
            results.NUMBERED, Right.ACT, Mode.BOTH),
    act("rollback", "Go back to an earlier configuration, by a new commit; shows what changes, and asks.", "rollback", (
        Parameter("number", Integer(1, 10**9), "The commit to go back to; without it, the one before.",
                  is_optional=True, completes="commit"),
        Parameter("is_confirmed", Switch(), "Do not ask.", "confirm", is_optional=True, is_local=True), COMMENT,
    ), results.NUMBERED),
)
# fmt: on
