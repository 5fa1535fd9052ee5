"""SIPp as caller and callee in the namespace of the client, for calls at a virtual address."""

from __future__ import annotations

import csv
import signal
import subprocess
from dataclasses import dataclass

from tests.live.cluster_namespaces import ClusterOfAppliances
from tests.live.lease_namespaces import V4
from tests.live.processes import find_program, wait_until
from tests.live.sipp import BUFFER_LEN, SCENARIOS, outcome

CLIENT = "10.77.0.100"
CALLER_PORT, CALLEE_PORT = 7000, 7100
TIMEOUT_S = 170


@dataclass(frozen=True, slots=True)
class Course:
    """How far the calls of a SIPp have come: begun, answered, and ended as they should."""

    begun: int
    answered: int
    ended: int

    @property
    def failed_ringing(self) -> int:
        return self.begun - self.answered

    @property
    def failed_established(self) -> int:
        return self.answered - self.ended


class SippAtClient:
    """One SIPp, which gives up after `timeout_s`."""

    def __init__(
        self,
        net: ClusterOfAppliances,
        scenario: str,
        port: int,
        calls: int,
        *options: str,
        timeout_s: int = TIMEOUT_S,
    ) -> None:
        self._timeout_s = timeout_s
        self.folder = net.folder
        self.figures = net.folder / f"{scenario}-{port}.csv"
        self.figures.unlink(missing_ok=True)
        argv = [find_program("sipp", "sip-tester"), "-sf", str(SCENARIOS / f"{scenario}.xml"), "-s", "bob", "-nostdin"]
        argv += ["-i", CLIENT, "-p", str(port), "-mp", str(port + 10), "-cp", str(port + 20), "-m", str(calls)]
        argv += ["-timeout", f"{timeout_s}s", "-timeout_error", "-buff_size", str(BUFFER_LEN)]
        argv += ["-trace_stat", "-stf", str(self.figures), "-fd", "1", "-recv_timeout", "30000", "-trace_counts"]
        argv += ["-trace_err", "-error_file", str(net.folder / f"{scenario}-{port}-errors.log"), *options]
        with (net.folder / f"{scenario}-{port}.log").open("ab") as log:
            self.process = subprocess.Popen(
                ["ip", "netns", "exec", net.client, *argv],
                cwd=net.folder,
                env={"TERM": "dumb", "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        net.started.append(self.process)

    def finish(self) -> None:
        """Have it begin no more calls; it ends with the last one."""
        self.process.send_signal(signal.SIGUSR1)

    def end(self) -> None:
        """Kill it, where it runs still."""
        self.process.kill()
        self.process.wait(60)

    def outcome(self) -> tuple[int, int]:
        """Calls that went as the scenario says, and that did not; waits for its end."""
        self.process.wait(self._timeout_s + 10)
        return outcome(self.figures)

    def course(self) -> Course:
        """Of a caller that has ended, by what SIPp counted for each message of the scenario."""
        last = self._last_counts()
        counts = {name.split("_", 1)[1]: int(count) for name, count in last.items() if name and name[0].isdigit()}
        answers = [int(count) for name, count in last.items() if name and name.endswith("_200_Recv")]
        return Course(counts["INVITE_Sent"], answers[0], answers[1])

    def sent(self) -> int:
        """How many messages one that has ended has sent, those that it sent again included."""
        counts = self._last_counts()
        messages = [name.removesuffix("_Sent") for name in counts if name and name.endswith("_Sent")]
        return sum(int(counts[f"{name}_{how}"]) for name in messages for how in ("Sent", "Retrans"))

    def _last_counts(self) -> dict[str, str]:
        (file,) = self.folder.glob(f"*_{self.process.pid}_counts.csv")
        with file.open(encoding="ascii") as rows:
            return list(csv.DictReader(rows, delimiter=";"))[-1]


def start_calls(
    net: ClusterOfAppliances,
    calls: int,
    per_s: int,
    ring_ms: int,
    *options: str,
    talk_ms: int = 100,
    at: str = V4,
    timeout_s: int = TIMEOUT_S,
) -> tuple[SippAtClient, SippAtClient]:
    """Caller and callee: calls at an address that ring and last for so long."""
    callee = SippAtClient(net, "callee-rings-long", CALLEE_PORT, calls, "-d", str(ring_ms), timeout_s=timeout_s)
    bound = f"{CLIENT}:{CALLEE_PORT}"
    listing = ("ip", "netns", "exec", net.client, "ss", "-uln")
    wait_until(lambda: bound in net.run(*listing), "the callee has its port open")
    caller_options = ("-r", str(per_s), "-d", str(talk_ms), "-key", "domain", bound, *options, f"{at}:5060")
    return SippAtClient(net, "caller", CALLER_PORT, calls, *caller_options, timeout_s=timeout_s), callee
