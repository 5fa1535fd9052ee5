"""The commands of operators, by way of the management process: one method for each command.

An answer is plain names and values; `error` and `remedy` are in it when nothing was done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from appliance import clock
from appliance.messages.bus_messages import BusMessage, ClearFailures, EndRegistrations, OperatorCommand
from appliance.supervisor.alarm_monitor import AlarmMonitor
from appliance.supervisor.commit_coordinator import CommitCoordinator
from appliance.supervisor.decisions import WorkerState
from appliance.supervisor.status_report import in_minutes
from appliance.supervisor.worker_pool import WorkerPool
from appliance.supervisor.worker_record import WorkerRecord

Answer = dict[str, Any]


class Node(Protocol):
    """The supervisor, as far as it can be ordered about."""

    configuring: CommitCoordinator
    watching: AlarmMonitor
    worker_pool: WorkerPool

    def log(self, sentence: str) -> None: ...
    def tell_all(self, message: BusMessage) -> list[int]: ...
    def send(self, number: int, messages: Sequence[BusMessage]) -> bool: ...


class OperatorCommands:
    """Obeys orders."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._by_name: dict[str, Callable[[bytes, dict[str, Any], float], Answer | None]] = {
            "commit": node.configuring.commit,
            "confirm": self._confirm,
            "alarms": self._alarms,
            "alarm history": self._alarm_history,
            "acknowledge alarm": self._acknowledge,
            "authentication failures": self._failures,
            "clear authentication failures": self._clear_failures,
            "end registrations": self._end_registrations,
            "drain worker": self._drain,
            "undrain worker": self._undrain,
            "restart worker": self._restart,
            "reload": self._reload,
            "reload cancel": self._cancel_reload,
        }

    def obey(self, asker: bytes, order: OperatorCommand, now: float) -> Answer | None:
        """The answer, or None when it comes later."""
        obeyed = self._by_name.get(order.do)
        if obeyed is None:
            return {"error": f"Unknown request `{order.do}`."}
        try:
            return obeyed(asker, order.args, now)
        except (KeyError, ValueError, TypeError) as fault:
            return {"error": f"Malformed request `{order.do}`: {fault!r}."}

    def _confirm(self, asker: bytes, args: dict[str, Any], now: float) -> Answer:
        return self._node.configuring.confirm(args)

    def _alarms(self, asker: bytes, args: dict[str, Any], now: float) -> Answer:
        return {"alarms": self._node.watching.alarms.rows()}

    def _acknowledge(self, asker: bytes, args: dict[str, Any], now: float) -> Answer:
        name, subject, user = str(args["name"]), str(args["subject"]), str(args["user"])
        count = self._node.watching.alarms.acknowledge(name, subject, user, clock.wall_time())
        if not count:
            of = f" of {subject}" if subject else ""
            return {"error": f"No alarm {name}{of} is active.", "remedy": "see `show alarms`"}
        return {"acknowledged": count}

    def _alarm_history(self, asker: bytes, args: dict[str, Any], now: float) -> Answer:
        return {"events": self._node.watching.alarms.history(int(args["limit"]))}

    def _failures(self, asker: bytes, args: dict[str, Any], now: float) -> Answer:
        return self._node.watching.failures.rows(int(args["limit"]), now, clock.wall_time())

    def _clear_failures(self, asker: bytes, args: dict[str, Any], now: float) -> Answer:
        who = str(args["who"])
        self._node.tell_all(ClearFailures(who))
        return {"cleared": self._node.watching.failures.clear(who)}

    def _end_registrations(self, asker: bytes, args: dict[str, Any], now: float) -> Answer:
        """One worker ends them, and the others have it from that one."""
        order = EndRegistrations(str(args["username"]), str(args["realm"]))
        for record in self._node.worker_pool.records:
            if record.life == WorkerState.LIVE and self._node.send(record.number, [order]):
                return {"worker": record.number}
        return {"error": "No worker is live.", "remedy": "try again when a worker is live"}

    def _restart(self, asker: bytes, args: dict[str, Any], now: float) -> Answer:
        number = int(args["number"])
        answer = self._node.worker_pool.restart(number, now)
        return answer if "error" in answer else {"number": number, "state": "draining"}

    def _reload(self, asker: bytes, args: dict[str, Any], now: float) -> Answer:
        minutes = int(args["minutes"])
        was_in_s = self._node.worker_pool.reload_in_s(now)
        self._node.worker_pool.reload(now + 60 * minutes)
        text = f"All workers restart one by one{f' in {in_minutes(60.0 * minutes)}' if minutes else ''}."
        if was_in_s is not None:
            text += f" This replaces the reload scheduled in {in_minutes(was_in_s)}."
        self._node.log(f"Reload by {args.get('user', '')}: {text[0].lower()}{text[1:]}")
        return {"text": text}

    def _cancel_reload(self, asker: bytes, args: dict[str, Any], now: float) -> Answer:
        if not self._node.worker_pool.cancel_reload():
            return {"error": "No reload is scheduled.", "remedy": "type `reload in MINUTES` to schedule one"}
        self._node.log(f"Reload cancelled by {args.get('user', '')}.")
        return {"text": "The reload is cancelled."}

    def _drain(self, asker: bytes, args: dict[str, Any], now: float) -> Answer:
        """Take the slots away; the process stays."""
        record = self._record(args)
        if isinstance(record, dict):
            return record
        others = [other for other in self._node.worker_pool.records if other is not record and _takes_calls(other)]
        if not others:
            return {"error": "No other worker accepts calls.", "remedy": "undrain another worker first"}
        record.is_parked = True
        self._node.log(f"Worker {record.number} is drained; its slots move to the other workers.")
        return {"number": record.number, "state": "drained", "transactions": record.gauges.get("transactions", 0)}

    def _undrain(self, asker: bytes, args: dict[str, Any], now: float) -> Answer:
        record = self._record(args)
        if isinstance(record, dict):
            return record
        record.is_parked = False
        self._node.log(f"Worker {record.number} accepts calls again.")
        return {"number": record.number, "state": record.life.name.lower()}

    def _record(self, args: dict[str, Any]) -> WorkerRecord | Answer:
        number, records = int(args["number"]), self._node.worker_pool.records
        if not 0 <= number < len(records):
            return {"error": f"There is no worker {number}.", "remedy": f"type a number from 0 to {len(records) - 1}"}
        return records[number]


def _takes_calls(record: WorkerRecord) -> bool:
    return record.life == WorkerState.LIVE and not record.is_parked
