"""SIGKILL to the supervisor at any moment of a commit: what starts next is whole, the old one or the new one.

Ten times as a rule; SIGNALBOX_KILLS=100 for as many as design asks for.
"""

from __future__ import annotations

import os
import random
import threading
import time
from contextlib import closing, suppress
from pathlib import Path
from zlib import crc32

from appliance.catalogue.node_status import WorkerStatus
from appliance.ipc.bus import BusUnavailable, ask_supervisor
from appliance.messages.supervisor_requests import CommitConfiguration, StatusReply, StatusRequest
from appliance.storage.commits import CommitStore
from tests.ports import free_port
from tests.supervisor.test_run import PATIENCE_S, Appliance

KILLS = int(os.environ.get("SIGNALBOX_KILLS", "10"))
# A commit of two stand-ins takes about this long: the blow falls within it, before it and after it.
COMMIT_S = 0.03


def text_of(port: int, step: int) -> str:
    # Long enough that it takes more than one page of the disk.
    remarks = "".join(f"! {step} {line}\n" for line in range(500))
    return f"workers 2\nlistener local\n  port {port}\n!\ntimers\n  t1 {400 + step % 100}\n!\n{remarks}"


def commit(state_dir: Path, text: str, base: int) -> None:
    with suppress(BusUnavailable):
        ask_supervisor(state_dir / "run", CommitConfiguration(text, base, "anna"), 0.5)


def workers(state_dir: Path) -> list[WorkerStatus]:
    reply = ask_supervisor(state_dir / "run", StatusRequest(), PATIENCE_S)
    assert isinstance(reply, StatusReply)
    return reply.status.workers


def configs(state_dir: Path) -> set[int]:
    """What the workers go by; 0 for one that has not said."""
    return {worker.gauges.get("config", 0) for worker in workers(state_dir)}


def test_a_supervisor_killed_during_a_commit_leaves_the_old_or_the_new_one(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    port = free_port()
    CommitStore(tmp_path / "configuration").add(text_of(port, 0), "anna", "", 1.0)
    outcomes = {"old": 0, "new": 0}
    for step in range(1, KILLS + 1):
        with closing(Appliance(tmp_path, port)) as appliance:
            appliance.wait_until_ready()
            head = CommitStore(tmp_path / "configuration").head
            assert head is not None
            wanted = text_of(port, step)
            committing = threading.Thread(target=commit, args=(tmp_path, wanted, head.number))
            committing.start()
            time.sleep(chance.uniform(0.0, COMMIT_S))
        committing.join()

        after = CommitStore(tmp_path / "configuration")
        assert after.remarks == []
        assert after.head is not None and after.head.text in (head.text, wanted), f"seed {seed}, step {step}"
        outcomes["new" if after.head.text == wanted else "old"] += 1

    with closing(Appliance(tmp_path, port)) as last:
        last.wait_until_ready()
        assert after.head is not None
        expected = {crc32(after.head.text.encode())}
        begun = time.monotonic()
        while configs(tmp_path) != expected and time.monotonic() - begun < PATIENCE_S:
            time.sleep(0.05)
        assert configs(tmp_path) == expected
        last.process.terminate()
        last.end()
    print(outcomes)
