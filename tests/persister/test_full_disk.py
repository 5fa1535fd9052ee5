"""A real disk that is full: registrations go on in memory, an alarm says so, and all is written once there is room."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve()
PROGRAM = f"""
import sys, time
sys.path.insert(0, {str(HERE.parents[2])!r})
from pathlib import Path
from tests.persister.registrations import Node, register, turns_of

disk = Path(sys.argv[1])
node = Node.__new__(Node)
from appliance.storage.table_folder import TableFolder
node.folder = disk / "registrations"
node.tables = TableFolder.prepared(Path(sys.argv[2]))
node.started()
register(node.table, range(200), 1)
assert node.flush()
filler = disk / "filler"
try:
    with filler.open("wb") as file:
        while True:
            file.write(b"x" * 4096)
except OSError:
    pass
register(node.table, range(3000), 2)
for _ in range(3):
    node.persister.work()
assert not node.flush()
print(node.persister.alarms()[0].split()[0])
assert set(turns_of(node.table, range(3000))) == {{2}}
filler.unlink()
until = time.monotonic() + 30
while node.persister.alarms() and time.monotonic() < until:
    node.persister.work()
    time.sleep(0.05)
assert node.flush(), node.persister.alarms()
node.cut_power()
node.started()
assert set(turns_of(node.table, range(3000))) == {{2}}
node.persister.close()
print("caught up")
"""


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("unshare") is None, reason="only root can mount a small disk")
def test_a_full_disk_is_told_and_caught_up_with(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    run = f'exec {sys.executable} -c "$PROGRAM" {disk} {tmp_path / "table"}'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", f"mount -t tmpfs -o size=2m none {disk} && {run}"],
        env={**os.environ, "PROGRAM": PROGRAM},
        capture_output=True,
        text=True,
        timeout=120,
    )
    if "mount:" in done.stderr or "unshare" in done.stderr:
        pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")
    assert done.stdout.split("\n")[:2] == ["state-store-failing", "caught up"], done.stderr
