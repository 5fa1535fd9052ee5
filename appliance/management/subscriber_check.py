"""What is looked at before anything runs: the subscriber database."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from appliance.catalogue.settings import Settings
from appliance.management.errors import CommandFailed, sentence_of
from appliance.storage.subscriber import StoreError, database_path

# What SQLite says of a disk that is full or for reading only.
PASSING: Final = ("disk I/O error", "database or disk is full", "attempt to write a readonly database")


def check_subscribers(settings: Settings, state_dir: Path) -> str:
    """Open the subscriber database and read it once, before an appliance starts; "" when it is sound.

    A server that does not answer may come back, and a full disk is made room on, so that is a warning, which is
    returned. Any other file that cannot be used stays so: raises CommandFailed. One that is not there yet needs no
    looking at.
    """
    if not settings.subscribers_url and not database_path(state_dir).exists():
        return ""
    from appliance.storage.subscriber_database import SubscriberStore, database_url

    url = database_url(settings.subscribers_url, state_dir)
    try:
        store = SubscriberStore(url)
        try:
            store.check()
        finally:
            store.close()
    except (StoreError, ValueError) as fault:
        sentence = sentence_of(fault)
        if url.startswith("postgresql:") or sentence.removesuffix(".").endswith(PASSING):
            return f"{sentence} Requests of subscribers are rejected with 503 until it responds."
        raise CommandFailed(sentence) from None
    return ""


def probe_database(url: str, state_dir: Path) -> None:
    """Open the database of a URL, as a worker would. Raises CommandFailed with what is wrong."""
    from appliance.storage.subscriber_database import SubscriberStore, database_url

    try:
        SubscriberStore(database_url(url, state_dir)).close()
    except (StoreError, ValueError) as fault:
        raise CommandFailed(sentence_of(fault)) from None
