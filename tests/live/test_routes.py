"""Calls to telephone numbers go by the route tables, which are replaced while the appliance runs."""

from __future__ import annotations

import csv
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.commands.route_files import import_routes
from appliance.privileges import acting_as_owner
from appliance.storage.route_store import RouteStore
from benchmarks.figures import percentile
from tests.live.appliance import SIGNALBOX, Appliance
from tests.live.control import Control
from tests.live.machine import STATISTICAL, rate
from tests.live.phones import Phone
from tests.live.processes import LOOPBACK, Processes, wait_until
from tests.live.sipp import Sipp, start_callee

CALLS_PER_S = rate(300)
SECONDS = 20.0
IMPORTS = 20
# Of SIPp, should nothing end it.
CALLS_MAX = 1_000_000
GIVE_UP_S = 600
# With tables that change, p99 may be so much longer; the clock of a loaded machine goes by ticks of 4 ms.
P99_FACTOR = 1.5
P99_MS = 8.0
NUMBER = "4989123456"
POLICY = "route-policy office\n  listener main\n  country-code 49\n  national-prefix 0\n!\n"


def routes(appliance: Appliance, *words: str) -> subprocess.CompletedProcess[str]:
    argv = [str(SIGNALBOX), "routes", *words, "--state", str(appliance.state)]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)


def imported(appliance: Appliance, folder: Path, *rows: str) -> None:
    path = folder / "routes.csv"
    path.write_text("\n".join(("table,prefix,action,priority", *rows)) + "\n")
    done = routes(appliance, "import", str(path))
    assert done.returncode == 0, done.stderr


def next_hop(control: Control, number: str) -> list[str]:
    route = control.ask("test route", uri=number, source=LOOPBACK)
    return [target["uri"] for target in route["targets"]]


@pytest.mark.parametrize("workers", [2])
def test_call_goes_by_the_tables_in_force(
    start_appliance: Callable[..., Appliance], workers: int, tmp_path: Path
) -> None:
    appliance = start_appliance(POLICY, workers=workers, listener=("role core", f"peer {LOOPBACK}"))
    control = Control(appliance.state)
    with Phone(appliance, "alice") as alice, Phone(appliance, "first") as first, Phone(appliance, "second") as second:
        for gateway in (first, second):
            hop = f"sip:{LOOPBACK}:{gateway.port}"
            imported(appliance, tmp_path, f"default,+49,{hop},1")
            wanted = [f"sip:+4989123456@{LOOPBACK}:{gateway.port};user=phone"]
            wait_until(lambda wanted=wanted: next_hop(control, "089123456") == wanted, "the routes are in force")  # type: ignore[misc]
            # Another worker may hear of it a moment later.
            wait_until(lambda gateway=gateway: _arrives(alice, gateway), "calls arrive at the gateway")  # type: ignore[misc]
    assert control.ask("show route-table", table="default", prefix="+49")["rows"][0]["action"] == hop
    assert "version 1" in routes(appliance, "rollback").stdout


def test_a_region_may_be_another_node(start_appliance: Callable[..., Appliance], tmp_path: Path) -> None:
    """The core's table names the regional node as the next hop; the policy of that node goes on."""
    core, regional = (start_appliance(POLICY, listener=("role core", f"peer {LOOPBACK}")) for _ in range(2))
    with Phone(core, "alice") as alice, Phone(regional, "gateway") as gateway:
        imported(core, tmp_path, f"default,+49,sip:{LOOPBACK}:{regional.port}", "default,any,reject 404 No Region")
        imported(regional, tmp_path, f"default,+4989,sip:{LOOPBACK}:{gateway.port}")
        # Another worker may hear of it a moment later.
        wait_until(lambda: _arrives(alice, gateway), "calls arrive at the gateway of the region")


def _arrives(caller: Phone, gateway: Phone) -> bool:
    caller.invite("089-123456")
    try:
        request = gateway.expect("INVITE", 0.5)
    except AssertionError:
        return False
    assert request.start.split()[1] == f"sip:+4989123456@{LOOPBACK}:{gateway.port};user=phone"
    return True


@pytest.mark.load
@STATISTICAL
def test_no_call_fails_while_the_tables_change_twenty_times(
    processes: Processes,
    start_appliance: Callable[..., Appliance],
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    """Each import has another rule for the number, and a thousand other prefixes. Calls go on until the last one."""
    appliance = start_appliance(workers=2, listener=("role core", f"peer {LOOPBACK}"))
    callee = start_callee(processes, calls=CALLS_MAX, timeout_s=GIVE_UP_S)  # type: ignore[arg-type]
    hop = f"sip:{LOOPBACK}:{callee.port}"
    imported(appliance, tmp_path, f"default,49,{hop},1")
    control = Control(appliance.state)
    wait_until(lambda: next_hop(control, NUMBER) != [], "the routes are in force")
    started = time.time()
    caller = Sipp(
        processes, "caller", "-r", str(CALLS_PER_S), "-d", "300", "-trace_rtt", "-rtt_freq", "1", user=NUMBER,
        proxy=appliance, calls=CALLS_MAX, keys={"domain": appliance.domain}, timeout_s=GIVE_UP_S,
    )  # fmt: skip
    calm = calls_while(time.sleep)
    busy = calls_while(lambda seconds: import_often(appliance, tmp_path, hop, seconds / IMPORTS))
    assert caller.process.is_running, "the calls ended before the imports did"
    # It begins no more calls, and ends when the last one has.
    caller.process.popen.send_signal(signal.SIGUSR1)
    caller.succeed()
    rows = [(started + seconds, ms) for seconds, ms in setup_times(processes.folder, caller)]
    calm_p99, busy_p99 = (percentile([ms for at, ms in rows if begin <= at < end], 0.99) for begin, end in (calm, busy))
    record_property("calls", len(rows))
    record_property("p99_ms", [round(calm_p99, 1), round(busy_p99, 1)])
    assert appliance.counter("calls-failed") == 0
    assert appliance.counter("calls-answered") == len(rows)
    assert busy_p99 <= P99_FACTOR * calm_p99 + P99_MS
    assert f"{IMPORTS + 1} in force" in routes(appliance, "list").stdout


def calls_while(pass_time: Callable[[float], None]) -> tuple[float, float]:
    """When it began, and ended (unix time)."""
    began = time.time()
    pass_time(SECONDS)
    return began, time.time()


def import_often(appliance: Appliance, folder: Path, hop: str, pause_s: float) -> None:
    """As `signalbox routes import` does: in this process, for its start would cost more than the import."""
    begun, path = time.monotonic(), folder / "changed.csv"
    for change in range(IMPORTS):
        others = (f"default,9{change:02d}{number:03d},reject 404 None,1" for number in range(1000))
        rows = (f"default,{NUMBER[: 1 + change % 9]},{hop},{change}", *others)
        path.write_text("\n".join(("table,prefix,action,priority", *rows)) + "\n")
        with acting_as_owner(appliance.state):
            import_routes(RouteStore(appliance.state), path)
        time.sleep(max(begun + (change + 1) * pause_s - time.monotonic(), 0.0))


def setup_times(folder: Path, caller: Sipp) -> list[tuple[float, float]]:
    """Of each call: when its 200 came, in seconds after the start, and the milliseconds from INVITE to then."""
    (file,) = folder.glob(f"*_{caller.process.pid}_rtt.csv")
    with file.open(encoding="ascii") as rows:
        found = csv.DictReader(rows, delimiter=";")
        return [(float(row["Date_ms"]) / 1000, float(row["response_time_ms"])) for row in found]
