"""The two demo subscribers of `make run`, and what to type into a softphone.

Their passwords are drawn at random at the first run and kept in STATE/demo-subscribers.txt, readable by its owner
only, one line `username domain password` each. The demo user agent of `make call` reads that file.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from appliance import clock
from appliance.catalogue.errors import alternatives
from appliance.catalogue.settings import Settings
from appliance.catalogue.transports import SIP_PORT, TRANSPORT_NAMES
from appliance.management.errors import CommandFailed
from appliance.management.subscriber_commands import realm_of
from appliance.storage.set_aside import set_aside
from appliance.storage.subscriber import StoreError, Subscriber, new_subscriber
from appliance.storage.subscriber_database import SubscriberStore, database_url

FILE_NAME = "demo-subscribers.txt"
USERNAMES = ("alice", "bob")
PASSWORD_LEN = 10
# Without letters and digits that look like each other: it has to be typed.
PASSWORD_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def prepare_demo(settings: Settings, state_dir: Path) -> str:
    """Make the demo subscribers where they are missing; returns what to tell the user. Raises CommandFailed."""
    if not settings.domains:
        raise CommandFailed("The demo needs a configuration with a domain: add a line `domain NAME`.")
    domain = settings.domains[0]
    passwords, note = _passwords(state_dir / FILE_NAME, domain)
    realm = realm_of(domain, settings)
    try:
        store = SubscriberStore(database_url(settings.subscribers_url, state_dir))
        try:
            for username, password in passwords.items():
                _put(store, new_subscriber(username, realm, password, clock.wall_time()))
        finally:
            store.close()
    except (StoreError, ValueError) as fault:
        raise CommandFailed(f"The demo subscribers cannot be stored: {fault}.") from None
    return "\n".join([*([note] if note else []), *_instructions(settings, passwords)])


def _put(store: SubscriberStore, wanted: Subscriber) -> None:
    """Store the subscriber, with the password of the file if it was changed there."""
    found = store.find(wanted.username.encode(), wanted.realm.encode())
    if found is not None and found.ha1_sha256 != wanted.ha1_sha256:
        store.remove(wanted.username, wanted.realm)
        found = None
    if found is None:
        store.add(wanted)


def _passwords(path: Path, domain: str) -> tuple[dict[str, str], str]:
    """The passwords of the file, made now when there is none; and a sentence when the file had to be set aside."""
    note = ""
    try:
        if path.exists():
            passwords = _read(path, domain)
            if passwords is not None:
                return passwords, ""
            aside = set_aside(path)
            note = f"{path} was not from this demo. It was renamed to {aside.name}, and new passwords were created."
        made = {username: _draw() for username in USERNAMES}
        _write(path, domain, made)
    except OSError as fault:
        raise CommandFailed(f"The file {path} cannot be used: {fault.strerror}.") from None
    return made, note


def _draw() -> str:
    return "".join(secrets.choice(PASSWORD_LETTERS) for _ in range(PASSWORD_LEN))


def _read(path: Path, domain: str) -> dict[str, str] | None:
    """The passwords by user name; None when the file is not as `_write` makes it."""
    rows = [line.split() for line in path.read_text("utf-8", "replace").splitlines()]
    if any(len(row) != 3 for row in rows):
        return None
    passwords = {row[0]: row[2] for row in rows if row[1] == domain}
    return passwords if tuple(passwords) == USERNAMES else None


def _write(path: Path, domain: str, passwords: dict[str, str]) -> None:
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        for username, password in passwords.items():
            file.write(f"{username} {domain} {password}\n")
    unfinished.rename(path)


def _instructions(settings: Settings, passwords: dict[str, str]) -> list[str]:
    caller, callee = USERNAMES
    hosts = _hosts(settings)
    lines = ["", "  Signalbox demo", ""]
    for listener in settings.listeners:
        transports = " and ".join(TRANSPORT_NAMES[number].upper() for number in listener.transports)
        lines.append(f"  listens on    {listener.address} port {listener.port}, {transports}")
    lines.append("")
    for username, password in passwords.items():
        lines.append(f"  subscriber    sip:{username}@{hosts[0]}   password {password}")
    lines += [
        "",
        "  Into a softphone on this machine type:",
        f"    user name (and authentication name)   {caller}",
        f"    password                              {passwords[caller]}",
        f"    domain (also called server, proxy)    {hosts[0]}",
        f"    transport                             {alternatives([name.upper() for name in TRANSPORT_NAMES])}",
        f"  and the same for {callee} into another one; then call sip:{callee}@{hosts[0]}.",
    ]
    if settings.digest.realm and len(hosts) > 1:
        lines.append(f"  {alternatives(hosts[1:])} may stand for {hosts[0]}: the subscribers are the same.")
    lines += ["", "  In another terminal, `make call` places a call between the two. Ctrl-C stops.", ""]
    return lines


def _hosts(settings: Settings) -> list[str]:
    """What may stand behind the @, the first listener's address first; with a port where it is not the usual one."""
    listener = settings.listeners[0]
    port = "" if listener.port == SIP_PORT else f":{listener.port}"
    address = f"[{listener.address}]" if ":" in listener.address else listener.address
    return [f"{host}{port}" for host in dict.fromkeys([address, *settings.domains])]
