"""What operators see of the SNMP agent, and a test of its targets."""

from __future__ import annotations

from typing import Any, Final

from appliance.catalogue.snmp_values import READ_WRITE, community_of, listen_of, user_of
from appliance.management.appliance_client import Call
from appliance.messages.plain_values import plain
from appliance.messages.snmp_messages import RequestTestNotification, ShowSnmp, SnmpState

Result = dict[str, Any]
_HASHES: Final = {"sha1": "SHA-1", "sha256": "SHA-256"}


async def show_snmp(call: Call) -> Result:
    settings = call.client.settings.snmp
    found = await call.client.ask(ShowSnmp())
    return {
        "state": _state(found, settings.is_on),
        "engine_id": found.report.engine_id,
        "engine_boots": found.report.engine_boots,
        "location": settings.location,
        "contact": settings.contact,
        "listens": [plain(listen_of(value)) for value in settings.listen],
        "counters": [{"name": name, "value": value} for name, value in found.report.counts.items()],
    }


def _state(found: SnmpState, is_on: bool) -> str:
    if not is_on:
        return "off"
    return found.fault or ("running" if found.is_running else "being started")


async def show_snmp_users(call: Call) -> Result:
    settings = call.client.settings.snmp
    communities = [
        {
            "kind": "community",
            "name": str(number),
            "security": "SNMPv2c, no encryption",
            "source": ", ".join(community.networks) or "loopback",
            "access": _access(community.may_write),
        }
        for number, community in enumerate(map(community_of, settings.communities), 1)
    ]
    users = [
        {
            "kind": "user",
            "name": user.name,
            "security": f"SNMPv3, {_HASHES[user.hash]}, AES-128",
            "source": "any address",
            "access": _access(user.may_write),
        }
        for user in map(user_of, settings.users)
    ]
    return {"users": [*communities, *users]}


def _access(may_write: bool) -> str:
    return READ_WRITE if may_write else "read"


async def show_snmp_targets(call: Call) -> Result:
    return {"targets": plain((await call.client.ask(ShowSnmp())).report.targets)}


async def test_notification(call: Call) -> Result:
    return {"text": (await call.client.ask(RequestTestNotification(call.session.user))).text}
