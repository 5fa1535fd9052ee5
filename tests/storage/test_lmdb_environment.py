"""The door to LMDB: keys of addresses, and who holds the write lock (cluster notes 5)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from appliance.storage.lmdb_environment import Environment, LockLayoutUnknown, WriteLock, address_key

HOLD = """
import sys
from appliance.storage.lmdb_environment import Environment
environment = Environment(sys.argv[1], map_size=1 << 20)
with environment.begin(write=True):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_short_addresses_are_their_own_keys_and_long_ones_end_in_a_digest() -> None:
    assert address_key(b"sip:alice@example.com") == b"sip:alice@example.com"
    long, other = b"sip:" + b"a" * 500 + b"@x", b"sip:" + b"a" * 500 + b"@y"
    assert len(address_key(long)) == 432
    assert address_key(long) != address_key(other)


def test_the_holder_of_the_lock_is_its_thread(tmp_path: Path) -> None:
    with Environment(str(tmp_path), map_size=1 << 20) as environment:
        lock = WriteLock(tmp_path)
        assert lock.holder() == 0
        with environment.begin(write=True) as transaction:
            assert lock.holder() == threading.get_native_id()
            transaction.put(b"a", b"1")
        assert lock.holder() == 0
        lock.verify(environment)
    lock.close()


def test_each_transaction_moves_the_number_of_the_last(tmp_path: Path) -> None:
    with Environment(str(tmp_path), map_size=1 << 20) as environment:
        lock = WriteLock(tmp_path)
        seen = []
        for number in range(3):
            with environment.begin(write=True) as transaction:
                transaction.put(b"a", b"%d" % number)
            seen.append(lock.last_transaction())
        assert seen == [1, 2, 3]
        assert environment.info()["last_txnid"] == 3


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    with Environment(str(tmp_path), map_size=1 << 20):
        lock = WriteLock(tmp_path)
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert lock.holder() == holder.pid
        os.kill(holder.pid, signal.SIGKILL)
        holder.communicate()
        assert lock.holder() == 0


def test_to_look_at_the_lock_does_not_make_the_environment_look_unused(tmp_path: Path) -> None:
    # LMDB makes the mutexes anew when it can lock the whole lock file.
    lock_all = "import fcntl, sys; fcntl.lockf(open(sys.argv[1], 'r+b'), fcntl.LOCK_EX | fcntl.LOCK_NB, 1)"
    command = [sys.executable, "-c", lock_all, str(tmp_path / "lock.mdb")]
    with Environment(str(tmp_path), map_size=1 << 20):
        lock = WriteLock(tmp_path)
        assert subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 1
    lock.close()
    lock.close()
    assert subprocess.run(command, check=False).returncode == 0


def test_what_is_no_lock_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lock.mdb").write_bytes(b"short")
    with pytest.raises(LockLayoutUnknown):
        WriteLock(tmp_path)
