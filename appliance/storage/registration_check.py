"""Whether a registration table in shared memory is sound: records, expiry index, counts, log, each by the others.

All of it is read in one transaction, which takes seconds for a large table: while it is open the file grows with every
change. So this is for a start, and for tests.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Final

from appliance.location.binding_records import RecordError, aor_of, decode_address, encode_address, head_of
from appliance.storage import lmdb_environment as lmdb
from appliance.storage.lmdb_environment import address_key

if TYPE_CHECKING:
    from appliance.storage.lmdb_environment import Transaction
    from appliance.storage.registrations import SharedTable
    from appliance.storage.shared_store import SharedStore

FAULTS_MAX: Final = 10
_PAIR: Final = Struct("<qq")
_SECOND: Final = Struct(">I")
_SEQUENCE: Final = Struct(">Q")


def faults_of(table: SharedTable) -> list[str]:
    """What is wrong, the first ten faults; [] for a sound table."""
    store = table.store
    faults: list[str] = []
    try:
        with store.environment.begin() as reading:
            _check_records(store, reading, faults)
            _check_log(store, reading, faults)
    except lmdb.Error as fault:
        faults.append(f"{type(fault).__name__}: {fault}")
    return faults[:FAULTS_MAX]


def _check_records(store: SharedStore, reading: Transaction, faults: list[str]) -> None:
    live = dead = count = 0
    for raw_key, raw_record in reading.cursor(store.registrations):
        key, record = bytes(raw_key), bytes(raw_record)
        count += 1
        try:
            aor, (live_here, dead_here, due) = aor_of(record), head_of(record)
            if encode_address(aor, decode_address(record), due) != record:
                faults.append(f"the header of {aor!r} does not fit its bindings")
        except (RecordError, ValueError) as fault:
            faults.append(f"the record of {key!r} cannot be read: {fault}")
            continue
        live += live_here
        dead += dead_here
        if address_key(aor) != key:
            faults.append(f"{aor!r} lies under the key {key!r}")
        if reading.get(_SECOND.pack(due) + key, None, store.due) is None:
            faults.append(f"{aor!r} is not in the expiry index under {due}")
        if len(faults) >= FAULTS_MAX:
            return
    indexed = reading.stat(store.due)["entries"]
    if indexed != count:
        faults.append(f"{count} addresses have {indexed} entries in the expiry index")
    counts = reading.get(b"counts", None, store.facts)
    counted = _PAIR.unpack(counts) if counts else (0, 0)
    if counted != (live, dead):
        faults.append(f"{live} bindings and {dead} tombstones are counted as {counted[0]} and {counted[1]}")


def _check_log(store: SharedStore, reading: Transaction, faults: list[str]) -> None:
    last = 0
    for key in reading.cursor(store.changes).iternext(keys=True, values=False):
        seq = _SEQUENCE.unpack(key)[0]
        if last and seq != last + 1:
            faults.append(f"change {seq} comes after {last} in the log")
            return
        last = seq
