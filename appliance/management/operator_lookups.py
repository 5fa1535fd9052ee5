"""Look-ups that the management process makes for an operator: hosts in DNS, subscribers in the database.

"Cannot know" is None, and is never "no".
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from appliance.catalogue.settings import Settings
from appliance.messages.worker_requests import LookupNeeded, LookupResult
from appliance.storage.subscriber import StoreError, database_path


async def addresses_of(host: str, settings: Settings) -> list[str] | None:
    """The addresses of a host, [] where there is none; None when DNS does not answer."""
    # Only here: a management process that is not asked for names does without what DNS takes.
    from appliance.resolver import HostResolver, LookupFailed

    try:
        return list((await HostResolver(settings.limits.lookup_timeout_ms / 1000).lookup(host)).addresses)
    except LookupFailed:
        return None


async def is_subscriber(username: str, realm: str, settings: Settings, state_dir: Path) -> bool | None:
    """Does the database have the subscriber? None when it does not answer."""
    return await asyncio.to_thread(_find, username, realm, settings, state_dir)


def _find(username: str, realm: str, settings: Settings, state_dir: Path) -> bool | None:
    if not settings.subscribers_url and not database_path(state_dir).exists():
        # Opening would make it.
        return False
    from appliance.storage.subscriber_database import SubscriberStore, database_url

    try:
        store = SubscriberStore(database_url(settings.subscribers_url, state_dir))
        try:
            return store.find(username.encode(), realm.encode()) is not None
        finally:
            store.close()
    except (StoreError, ValueError):
        return None


async def _found_host(fields: dict[str, str], settings: Settings, state_dir: Path) -> list[str] | None:
    return await addresses_of(fields["host"], settings)


async def _found_subscriber(fields: dict[str, str], settings: Settings, state_dir: Path) -> list[str] | None:
    is_found = await is_subscriber(fields["username"], fields["realm"], settings, state_dir)
    return None if is_found is None else [fields["username"]] * is_found


async def _found_enum(fields: dict[str, str], settings: Settings, state_dir: Path) -> list[str] | None:
    from appliance.resolver import HostResolver, LookupFailed

    try:
        found = await HostResolver(settings.limits.lookup_timeout_ms / 1000).naptr(fields["domain"])
    except LookupFailed:
        return None
    return list(found.records)


async def _found_servers(fields: dict[str, str], settings: Settings, state_dir: Path) -> list[str] | None:
    from appliance.resolver import HostResolver, LookupFailed

    try:
        resolver = HostResolver(settings.limits.lookup_timeout_ms / 1000)
        found = await resolver.records(fields["name"], fields["record_type"])
    except LookupFailed:
        return None
    return list(found.records)


async def _found_routes(fields: dict[str, str], settings: Settings, state_dir: Path) -> list[str] | None:
    from appliance.lookups.lookup_clients import new_client
    from appliance.lookups.number_lookup import LookupFailed, NumberLookup
    from appliance.routing.lookup_templates import LookupValues

    configured = next((each for each in settings.lookups if each.name == fields["lookup"]), None)
    if configured is None:
        return None
    lookup = NumberLookup(configured, new_client)
    try:
        return await lookup.find(LookupValues(fields["number"], fields["caller"], fields["domain"]))
    except LookupFailed:
        return None
    finally:
        lookup.close()


# By the kind of the question (routing/lookup_questions.py); of others, nothing can be known here.
DOORS: Final[dict[str, Callable[[dict[str, str], Settings, Path], Awaitable[list[str] | None]]]] = {
    "host": _found_host,
    "subscriber": _found_subscriber,
    "enum": _found_enum,
    "lookup": _found_routes,
    "servers": _found_servers,
}


async def answer_to(needed: LookupNeeded, settings: Settings, state_dir: Path) -> LookupResult:
    """The answer to one question of a dry run."""
    door = DOORS.get(needed.kind)
    found = None if door is None else await door(needed.fields, settings, state_dir)
    return LookupResult(needed.kind, needed.subject, found)
