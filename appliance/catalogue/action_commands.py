"""The exec commands that change something: each is one request, and an entry of the audit log."""

from __future__ import annotations

from typing import Final

from appliance.catalogue import results
from appliance.catalogue.command_declaration import Command, Extent, Mode, Parameter, Right, act
from appliance.catalogue.settings import WORKERS_MAX
from appliance.catalogue.value_types import Integer, Switch, Text

WORKER: Final = Parameter("number", Integer(0, WORKERS_MAX - 1), "The worker.", completes="worker")
COMMENT: Final = Parameter(
    "comment", Text(200, "COMMENT"), "A comment, stored with the commit.", "comment", True, extent=Extent.TEXT
)
CONFIRMED: Final = Parameter(
    "is_confirmed", Switch(), "Do not ask for confirmation.", "confirm", is_optional=True, is_local=True
)
SUBSCRIBER: Final = Parameter("address", Text(256, "USER@DOMAIN"), "The subscriber.", completes="subscriber")

# fmt: off
ACTION_COMMANDS: Final[tuple[Command, ...]] = (
    act("clear authentication failures", "Clear failed attempts, and unblock their sources.",
        "clear authentication failures",
        (Parameter("who", Text(256, "SOURCE|USER@DOMAIN"),
        "Only this source or user, as in `show authentication failures`.",
                   is_optional=True),), results.CLEARED),
    act("clear counters", "Reset all counters to 0.", "clear counters", (), results.CLEARED),
    act("clear logging", "Clear the output of `show logging`; the log file is kept.", "clear logging", (),
        results.SENTENCE),
    act("clear registration", "Remove the contacts of an address; its phones can register again.",
        "clear registration",
        (Parameter("address", Text(256, "USER@DOMAIN"), "The address.", completes="address"),), results.CLEARED),
    act("acknowledge alarm", "Acknowledge an alarm; it stays active until its cause is removed.",
        "acknowledge alarm", (
            Parameter("name", Text(64, "ALARM"), "The alarm, as in `show alarms`.", completes="alarm"),
            Parameter("subject", Text(256, "SUBJECT"), "The subject, if only one of several is acknowledged.", "of",
                      is_optional=True),
        ), results.ACKNOWLEDGED),
    act("clear session", "End the session of an operator.", "clear session",
        (Parameter("number", Integer(1, 10**9), "The session, as in `show users`.", completes="session"),),
        results.CLEARED),
    act("hash-secret", "Generate the hash of a secret, for a configuration.", "hash secret", (
        Parameter("secret", Text(256, "SECRET"), "The secret; prompted for if omitted.", is_optional=True),
    ), results.HASH),
    act("drain worker",
        "Stop assigning new calls to a worker; existing calls are completed.", "drain worker", (WORKER,),
        results.WORKER_STATE),
    act("undrain worker",
        "Resume assigning calls to a drained worker.", "undrain worker", (WORKER,), results.WORKER_STATE),
    act("restart worker", "Drain, stop and restart a worker.", "restart worker", (WORKER,),
        results.WORKER_STATE),
    act("reload", "Restart all workers one by one. To upgrade the software, restart the service.", "reload",
        (Parameter("minutes", Integer(1, 24 * 60, "minutes"), "Delay before the reload.", "in", is_optional=True),
         CONFIRMED),
        results.SENTENCE),
    act("reload cancel", "Cancel a scheduled reload.", "reload cancel", (), results.SENTENCE),
    act("subscriber add", "Add a subscriber.", "subscriber add", (
        SUBSCRIBER,
        Parameter("password", Text(256, "PASSWORD"), "The password; prompted for if omitted.", "password",
                  is_optional=True),
    ), results.SENTENCE),
    act("subscriber password", "Change the password of a subscriber.", "subscriber password", (
        SUBSCRIBER,
        Parameter("password", Text(256, "PASSWORD"), "The password; prompted for if omitted.", "password",
                  is_optional=True),
    ), results.SENTENCE),
    act("subscriber remove", "Remove a subscriber.", "subscriber remove", (SUBSCRIBER,), results.SENTENCE),
    Command(("confirm",), "Confirm the commit made by `commit confirmed`.", "confirm", (),
            results.NUMBERED, Right.ADMIN, Mode.BOTH),
    act("rollback",
        "Restore an earlier configuration by a new commit. Shows the changes and asks for confirmation.", "rollback", (
        Parameter("number", Integer(1, 10**9), "The commit to restore (default: the previous one).",
                  is_optional=True, completes="commit"),
        CONFIRMED, COMMENT,
    ), results.NUMBERED),
)
# fmt: on
