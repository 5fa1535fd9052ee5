"""`show` of the node: version, status, workers, slots, listeners, processes, memory, clock, counters, logs."""

from __future__ import annotations

import asyncio
import logging
import platform
import time
from collections.abc import Iterator
from typing import Any, Final

from appliance import clock
from appliance.catalogue.counters import COUNTERS, Counter
from appliance.catalogue.node_status import ListenerStatus
from appliance.catalogue.transports import TRANSPORTS
from appliance.management.appliance_client import ApplianceClient, Call
from appliance.messages.plain_values import plain
from appliance.messages.supervisor_requests import (
    AcknowledgeAlarm,
    ClearFailures,
    ListAlarmEvents,
    ListAlarms,
    ListFailures,
)
from appliance.storage.log_file import CLEARED, latest_lines, log_path
from appliance.version import build_text, version_text

Result = dict[str, Any]
STREAM_NAMES: Final = frozenset(row.name for row in TRANSPORTS if row.is_stream)

log = logging.getLogger("signalbox.management")


async def show_version(call: Call) -> Result:
    status = await call.client.read_status()
    return {
        "version": version_text(),
        "build": build_text(),
        "python": platform.python_version(),
        "hostname": status.hostname,
        "uptime_s": status.supervisor.uptime_s,
        "commit": status.commit,
    }


async def show_status(call: Call) -> Result:
    result: Result = plain(await call.client.read_status())
    return result


async def show_workers(call: Call) -> Result:
    return {"workers": plain((await call.client.read_status()).workers)}


async def show_processes(call: Call) -> Result:
    return {"processes": plain((await call.client.read_status()).processes)}


async def show_listeners(call: Call) -> Result:
    """Those that have sockets, and those that are shut down."""
    status, configured = await call.client.read_status(), call.client.settings.listeners
    shut = [
        ListenerStatus(
            name=listener.name,
            address=listener.address,
            port=listener.port,
            role=listener.role,
            authenticate=listener.authenticate,
            standing="shutdown",
        )
        for listener in configured
        if listener.is_shut_down
    ]
    remarks = {listener.name: listener.description for listener in configured}
    rows = [*status.listeners, *shut]
    return {"listeners": [{**plain(row), "description": remarks.get(row.name, "")} for row in rows]}


async def show_sockets(call: Call) -> Result:
    """The sockets that wait for what comes from outside, and that for operators."""
    status = await call.client.read_status()
    workers = sum(bool(worker.pid) for worker in status.workers)
    rows = [
        {
            "protocol": transport,
            "address": listener.address,
            "port": listener.port,
            "listener": listener.name,
            "processes": f"{workers} workers",
            "steered": listener.steered and transport not in STREAM_NAMES,
        }
        for listener in status.listeners
        for transport in listener.transports
    ]
    control = str(call.client.state_dir / "run" / "control.sock")
    local = {"protocol": "unix", "address": control, "port": 0, "listener": "", "processes": "management"}
    return {"sockets": [*rows, {**local, "steered": False}]}


async def show_domains(call: Call) -> Result:
    """What stands behind the @ of our subscribers, and the realm in which they prove their passwords."""
    settings = call.client.settings
    named = [(domain, "domain") for domain in settings.domains]
    for listener in settings.listeners:
        if not listener.is_shut_down:
            named.append((listener.address, f"listener {listener.name}"))
            if listener.advertise:
                named.append((listener.advertise, f"listener {listener.name}"))
    sources: dict[str, str] = {}
    for name, source in named:
        sources.setdefault(name, source)
    realm = settings.digest.realm
    return {"domains": [{"domain": name, "source": source, "realm": realm or name} for name, source in sources.items()]}


async def show_slots(call: Call) -> Result:
    status = await call.client.read_status()
    return {"slots": plain(status.slots), "epoch": status.epoch}


async def show_memory(call: Call) -> Result:
    status = await call.client.read_status()
    rows = [{"process": process.name, "pid": process.pid, "rss": process.rss} for process in status.processes]
    tables = [{"worker": worker.number, **worker.gauges} for worker in status.workers]
    return {"memory": rows, "tables": tables, "total_rss": sum(process.rss for process in status.processes)}


async def show_clock(call: Call) -> Result:
    wall_time = clock.wall_time()
    return {
        "clock": [
            {
                "local_time": clock.local_time_text(),
                "wall_time": round(wall_time, 3),
                "zone": time.strftime("%Z", time.localtime(wall_time)),
                "uptime_s": round(clock.monotonic(), 1),
            }
        ]
    }


async def show_counters(call: Call) -> Result:
    return {"counters": list(_counter_rows(call.client, COUNTERS))}


async def show_drops(call: Call) -> Result:
    return {"counters": list(_counter_rows(call.client, tuple(row for row in COUNTERS if row.is_drop)))}


def _counter_rows(client: ApplianceClient, counters: tuple[Counter, ...]) -> Iterator[Result]:
    counts = client.samples.latest
    for counter in counters:
        rates = client.samples.rates(counter.name)
        yield {
            "name": counter.name,
            "group": counter.group,
            "help": counter.help,
            "value": max(counts.get(counter.name, 0) - client.cleared.get(counter.name, 0), 0),
            "rate_5s": rates[0],
            "rate_1min": rates[1],
            "rate_5min": rates[2],
        }


async def clear_counters(call: Call) -> Result:
    """From now on `show counters` counts from here; what SNMP and others read goes on."""
    await call.client.sample()
    call.client.cleared = dict(call.client.samples.latest)
    return {"cleared": len(call.client.cleared)}


async def show_logging(call: Call) -> Result:
    count = call.args.integer("lines", 1, 10000, call.client.settings.logging_buffered)
    return {"lines": await asyncio.to_thread(latest_lines, log_path(call.client.state_dir), count)}


async def clear_logging(call: Call) -> Result:
    """`show logging` begins anew; the file keeps what it has."""
    log.warning("%s%s.", CLEARED, call.session.user)
    return {"text": "The log is cleared."}


async def show_audit(call: Call) -> Result:
    count = call.args.integer("lines", 1, 10000, 100)
    return {"entries": await asyncio.to_thread(call.client.audit.latest, count)}


async def terminal_monitor(call: Call) -> Result:
    """Every new line of the log, until the operator has seen enough."""
    path = log_path(call.client.state_dir)
    place = path.stat().st_size if path.exists() else 0
    inode = path.stat().st_ino if path.exists() else 0
    while True:
        await asyncio.sleep(0.3)
        if not path.exists():
            continue
        status = path.stat()
        if status.st_ino != inode or status.st_size < place:
            inode, place = status.st_ino, 0
        if status.st_size > place:
            with path.open("rb") as file:
                file.seek(place)
                octets = file.read(1 << 20)
            whole = octets[: octets.rfind(b"\n") + 1]
            place += len(whole)
            for line in whole.decode("utf-8", "replace").splitlines():
                await call.event({"line": line})


async def show_alarms(call: Call) -> Result:
    return {"alarms": plain((await call.client.ask(ListAlarms())).alarms)}


async def show_alarm_history(call: Call) -> Result:
    return {"events": plain((await call.client.ask(ListAlarmEvents(call.args.limit()))).events)}


async def acknowledge_alarm(call: Call) -> Result:
    name, subject = call.args.text("name"), call.args.text("subject", "")
    return {"acknowledged": (await call.client.ask(AcknowledgeAlarm(name, subject, call.session.user))).count}


async def show_authentication_failures(call: Call) -> Result:
    found = await call.client.ask(ListFailures(call.args.limit()))
    return {"total": found.total, "shown": len(found.rows), "rows": plain(found.rows)}


async def clear_authentication_failures(call: Call) -> Result:
    return {"cleared": (await call.client.ask(ClearFailures(call.args.text("who", "")))).count}
