"""What a worker answers when an operator asks it, by the words of the question."""

from __future__ import annotations

from typing import Any

from appliance.inspection import tables as listing
from appliance.inspection.dry_run import Trial, dry_run
from appliance.location.deregistration import removal_of
from appliance.proxy.environment import ProxyEnvironment
from appliance.sip.parser import SyntaxLimits
from appliance.sip.uri import canonical_user

LIMIT_DEFAULT = 100


def inspect(node: ProxyEnvironment, do: str, args: dict[str, Any], limits: SyntaxLimits, now: float) -> dict[str, Any]:
    """Names and plain values; `error` and `remedy` when it cannot be answered."""
    limit, offset = int(args.get("limit", LIMIT_DEFAULT)), int(args.get("offset", 0))
    try:
        if do == "hello":
            return {}
        if do == "registrations" and "after" in args:
            return listing.registrations_part(node, str(args.get("address", "")), limit, str(args["after"]), now)
        if do == "registrations":
            return listing.registrations(node, str(args.get("address", "")), limit, now)
        if do == "transactions":
            return listing.transactions(node, limit, offset)
        if do == "calls":
            return listing.calls(node, limit, offset)
        if do == "rate-limits":
            return {"limits": node.rate_limits.rows()}
        if do == "clear registration":
            return _clear(node, str(args["address"]), now)
        if do == "test route":
            return dry_run(node, _trial_of(args), limits, now)
    except (ValueError, KeyError) as fault:
        return {"error": f"Invalid request: {fault}.", "remedy": "type USER@DOMAIN, or a SIP URI"}
    return {"error": f"Unknown request `{do}`."}


def _trial_of(args: dict[str, Any]) -> Trial:
    caller, source, listener = (str(args.get(name, "")) for name in ("from", "source", "listener"))
    return Trial(
        str(args["uri"]), caller, source, listener, bool(args.get("unauthenticated")), dict(args.get("known", {}))
    )


def _clear(node: ProxyEnvironment, address: str, now: float) -> dict[str, Any]:
    """End the registrations of an address, on every worker."""
    aor = listing.aor_of_text(node, address)
    change = removal_of(aor, node.bindings.entries(aor), node.wall_time(now), node.worker)
    if change is None:
        return {"error": f"{address} has no registration.", "remedy": "see `show registrations`"}
    cleared = len(change.bindings)
    node.publish(change)
    return {"cleared": cleared}


def end_registrations(node: ProxyEnvironment, username: bytes, realm: bytes, now: float) -> None:
    """End the registrations of a removed subscriber on every worker, and forget what the database said of it."""
    node.subscribers.forget(username)
    aor = node.names.aor_of(canonical_user(username), realm)
    change = removal_of(aor, node.bindings.entries(aor), node.wall_time(now), node.worker)
    if change is not None:
        node.publish(change)
