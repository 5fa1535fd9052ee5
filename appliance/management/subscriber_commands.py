"""`signalbox subscriber add`, `password`, `remove`, `list`, `import`, `export`: each does one thing to the database.

An address is USER@DOMAIN; USER alone is in the first domain of the configuration.
Subscribers are kept by realm, so the configuration says which realm a domain has:
the one given, else the one the appliance of this state folder ran with last. A running appliance
removes a changed subscriber from its caches; whether it was reached is part of the sentence, never a failure.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from appliance import clock
from appliance.catalogue.authentication_settings import PasswordSettings
from appliance.catalogue.errors import ValueFault, alternatives, nearest
from appliance.catalogue.settings import Settings
from appliance.catalogue.value_types import Host
from appliance.ipc.bus import BusUnavailable, ask_supervisor
from appliance.management.errors import CommandFailed, sentence_of
from appliance.management.password_policy import check_password
from appliance.messages.bus_messages import BusReply, BusRequest, Refusal
from appliance.messages.supervisor_requests import EndRegistrations, ForgetSubscriber
from appliance.storage.subscriber import ImportFault, StoreError, database_path, new_subscriber

TIMEOUT_S = 2.0
# Stands for all subscribers when the caches of an appliance are cleared.
ALL_SUBSCRIBERS = ""


@dataclass(frozen=True, slots=True)
class Address:
    """A subscriber's name and realm."""

    username: str
    realm: str

    def __str__(self) -> str:
        return f"{self.username}@{self.realm}"


def realm_of(domain: str, settings: Settings | None) -> str:
    """The realm of a domain by the configuration; the domain itself where there is none. Raises ValueError."""
    try:
        host = Host(is_bracketed=True).read([domain])
    except ValueFault as fault:
        raise ValueError(str(fault)) from None
    if settings is None or host == settings.digest.realm:
        return host
    served = [*settings.domains, *(Host(is_bracketed=True).read([item.address]) for item in settings.listeners)]
    if host not in served:
        near = nearest(host, served)
        hint = f'did you mean "{near}"?' if near else f"use {alternatives(dict.fromkeys(served))}"
        raise ValueError(f'"{domain}" is not a domain of this appliance; {hint}')
    return settings.digest.realm or host


def read_address(text: str, settings: Settings | None) -> Address:
    """USER@DOMAIN, or USER in the first domain, as name and realm; a leading `sip:` may stand. Raises CommandFailed."""
    address = text.removeprefix("sip:")
    if address and "@" not in address and settings is not None and settings.domains:
        address = f"{address}@{settings.domains[0]}"
    username, at, domain = address.rpartition("@")
    if not at or not username:
        raise CommandFailed(f'"{text}" is not an address: type USER@DOMAIN, such as alice@example.com.')
    try:
        return Address(username, realm_of(domain, settings))
    except ValueError as fault:
        raise CommandFailed(sentence_of(fault)) from None


class SubscriberCommands:
    """The commands on the database of one appliance. Raises CommandFailed when it cannot be opened."""

    def __init__(self, settings: Settings | None, state_dir: Path, may_make: bool = True) -> None:
        """Unless `may_make`, a database file that is missing stays so: that is CommandFailed."""
        if not may_make and not (settings and settings.subscribers_url) and not database_path(state_dir).exists():
            raise CommandFailed(f"The subscriber database {database_path(state_dir)} does not exist.")
        self._settings = settings
        self._runtime_dir = state_dir / "run"
        # Only here: until subscribers are asked for, the management process saves the memory that the database takes.
        from appliance.storage.subscriber_database import SubscriberStore, database_url

        try:
            self._store = SubscriberStore(database_url(settings.subscribers_url if settings else "", state_dir))
        except (StoreError, ValueError) as fault:
            raise CommandFailed(sentence_of(fault)) from None

    def close(self) -> None:
        """Give the database back."""
        self._store.close()

    def add(self, address: Address, password: str) -> str:
        """Add a subscriber. Raises CommandFailed."""
        try:
            self._check_password(address.username, password)
            self._store.add(new_subscriber(address.username, address.realm, password, clock.wall_time()))
        except (StoreError, ValueError) as fault:
            raise CommandFailed(sentence_of(fault)) from None
        return f"Subscriber {address} added. {self._tell(address.username)}"

    def password(self, address: Address, password: str) -> str:
        """Give a subscriber another password. Raises CommandFailed."""
        try:
            self._check_password(address.username, password)
            changed = new_subscriber(address.username, address.realm, password, clock.wall_time())
            was_there = self._store.change(changed)
        except (StoreError, ValueError) as fault:
            raise CommandFailed(sentence_of(fault)) from None
        if not was_there:
            raise CommandFailed(f"{address} is not a subscriber.")
        return f"Password of {address} changed. {self._tell(address.username)}"

    def export(self, file: TextIO) -> int:
        """Write all subscribers as CSV with their hashes, which are as good as passwords; returns how many."""
        rows = csv.writer(file, lineterminator="\n")
        count = 0
        try:
            rows.writerow(("username", "domain", "ha1-md5", "ha1-sha256"))
            for found in self._store.list():
                rows.writerow((found.username, found.realm, found.ha1_md5.decode(), found.ha1_sha256.decode()))
                count += 1
        except StoreError as fault:
            raise CommandFailed(sentence_of(fault)) from None
        return count

    def remove(self, address: Address) -> str:
        """Remove a subscriber; a running appliance ends its registrations. Raises CommandFailed."""
        try:
            was_there = self._store.remove(address.username, address.realm)
        except StoreError as fault:
            raise CommandFailed(sentence_of(fault)) from None
        if not was_there:
            raise CommandFailed(f"{address} is not a subscriber.")
        end = EndRegistrations(address.username, address.realm)
        return f"Subscriber {address} removed. {self._tell(address.username, end)}"

    def list(self, after: str = "") -> Iterator[str]:
        """The addresses behind one, in order. Raises CommandFailed."""
        username, _, realm = after.rpartition("@")
        try:
            for subscriber in self._store.list(realm, username):
                yield f"{subscriber.username}@{subscriber.realm}"
        except StoreError as fault:
            raise CommandFailed(sentence_of(fault)) from None

    def import_csv(self, lines: TextIO, name: str, is_replacing: bool) -> str:
        """Add the rows `username,domain,password` of the file `name`, all or none.

        Raises CommandFailed with the bad lines, OSError.
        """
        try:
            count = self._store.import_csv(
                lines,
                clock.wall_time(),
                is_replacing,
                lambda domain: realm_of(domain, self._settings),
                self._check_password,
            )
        except ImportFault as fault:
            heading = f"No subscribers were imported. {name} has invalid rows:"
            raise CommandFailed("\n".join([heading, *(f"  line {n}: {what}" for n, what in fault.faults)])) from None
        except StoreError as fault:
            raise CommandFailed(sentence_of(fault)) from None
        return f"{count} subscriber{'' if count == 1 else 's'} imported. {self._tell(ALL_SUBSCRIBERS)}"

    def _check_password(self, username: str, password: str) -> None:
        settings = self._settings.passwords if self._settings is not None else PasswordSettings()
        check_password(username, password, settings)

    def _tell(self, username: str, *further: BusRequest[BusReply]) -> str:
        """Clear the caches of a running appliance, and pass on further requests; a sentence with the outcome."""
        try:
            for request in (ForgetSubscriber(username.encode()), *further):
                reply = ask_supervisor(self._runtime_dir, request, TIMEOUT_S)
                if isinstance(reply, Refusal):
                    return f"The running appliance was not updated: {reply.sentence}"
        except BusUnavailable:
            return "No appliance runs on this state folder."
        return "The running appliance is updated."
