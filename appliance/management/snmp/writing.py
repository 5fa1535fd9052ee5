"""SET of sysContact, sysName and sysLocation: a commit, and a line in the audit log. Nothing else is writable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from appliance import clock
from appliance.catalogue.errors import ConfigError
from appliance.catalogue.mib_objects import Oid
from appliance.catalogue.settings import Settings
from appliance.configuration.text import parse_configuration, write_configuration
from appliance.ipc.bus import BusUnavailable
from appliance.management.audit_log import AuditLog
from appliance.management.snmp.engine import CommitRefused, CommitUnknown, NotWritable, WrongValue
from appliance.management.snmp.object_tree import Plain
from appliance.management.snmp.system_objects import SYS_CONTACT, SYS_LOCATION, SYS_NAME
from appliance.messages.bus_messages import BusRequest
from appliance.messages.supervisor_requests import CommitConfiguration
from appliance.storage.commits import CommitStore

_WORDS: Final = {SYS_CONTACT: "sysContact", SYS_NAME: "sysName", SYS_LOCATION: "sysLocation"}


class SystemWriter:
    """`ask` asks the supervisor, and waits: the agent answers nothing else meanwhile. It raises CommitRefused, or
    BusUnavailable where there is no answer.
    """

    def __init__(self, state_dir: Path, ask: Callable[[BusRequest[Any]], Any]) -> None:
        self._state_dir = state_dir
        self._ask = ask

    def write(self, user: str, values: Sequence[tuple[Oid, Plain]]) -> None:
        """`user`: how the audit log calls it. Raises NotWritable, WrongValue, CommitRefused, CommitUnknown."""
        changes = {oid: _text(oid, value) for oid, value in values}
        head = CommitStore(self._state_dir / "configuration").head
        if head is None:
            raise CommitRefused("there is no commit to change")
        try:
            text = write_configuration(_changed(parse_configuration(head.text), changes))
        except ConfigError as fault:
            raise WrongValue(str(fault)) from None
        words = {_WORDS[oid]: value for oid, value in changes.items()}
        comment = f"SNMP SET of {', '.join(words)}"
        self._note(user, words, "begun")
        try:
            self._ask(CommitConfiguration(text, head.number, user, comment))
        except CommitRefused as fault:
            self._note(user, words, f"refused: {fault}")
            raise
        except BusUnavailable as fault:
            self._note(user, words, f"not known: {fault}")
            raise CommitUnknown(str(fault)) from None
        self._note(user, words, "done")

    def _note(self, user: str, words: dict[str, str], result: str) -> None:
        audit = AuditLog(self._state_dir / "log" / "audit.log")
        try:
            audit.write(clock.wall_time(), user, "snmp set", words, result, "snmp")
        except OSError as fault:
            raise CommitRefused(f"the audit log cannot be written: {fault.strerror}") from None


def _text(oid: Oid, value: Plain) -> str:
    if oid not in _WORDS:
        raise NotWritable
    if not isinstance(value, bytes) or not value.isascii():
        raise WrongValue("no printable text")
    return value.decode("ascii")


def _changed(settings: Settings, changes: dict[Oid, str]) -> Settings:
    """Raises ConfigError."""
    snmp = replace(
        settings.snmp,
        contact=changes.get(SYS_CONTACT, settings.snmp.contact),
        location=changes.get(SYS_LOCATION, settings.snmp.location),
    )
    return replace(settings, hostname=changes.get(SYS_NAME, settings.hostname), snmp=snmp)
