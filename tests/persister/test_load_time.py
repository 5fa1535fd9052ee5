"""How long a cold start takes with 1,000,000 registrations on the disk."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.location.binding_records import encode_address, second_after
from appliance.persister.persister import Persister
from appliance.storage.durable_registrations import DurableRegistrations
from appliance.storage.table_folder import TableFolder
from tests.persister.registrations import aor_of, binding

COUNT = 1_000_000
STEP = 20_000
LONGEST_S = 60.0


@pytest.mark.load
def test_a_million_registrations_are_loaded_within_seconds(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    store = DurableRegistrations(tmp_path / "registrations")
    for start in range(0, COUNT, STEP):
        bindings = [binding(number) for number in range(start, start + STEP)]
        records = [encode_address(each.aor, [each], second_after(each.expires_at)) for each in bindings]
        store.write([(each.aor, record) for each, record in zip(bindings, records, strict=True)], 0, 0)
    store.close()
    tables = TableFolder.prepared(Path("/dev/shm") / f"test-{tmp_path.name}-{time.time_ns()}")
    try:
        persister = Persister(tmp_path / "registrations", tables, COUNT, time.time)
        began, cpu_began = time.monotonic(), time.process_time()
        persister.load()
        loaded_s, cpu_s = time.monotonic() - began, time.process_time() - cpu_began
        assert persister._table is not None
        assert len(persister._table) == COUNT
        assert persister._table.find(aor_of(COUNT // 2), time.time())
        assert persister.flush(time.monotonic() + LONGEST_S)
        compared_s = time.monotonic() - began - loaded_s
        persister.close()
        again = Persister(tmp_path / "registrations", tables, COUNT, time.time)
        began = time.monotonic()
        again.load()
        reused_s = time.monotonic() - began
        again.close()
    finally:
        tables.remove()
    record_property("load_s", round(loaded_s, 2))
    record_property("load_cpu_s", round(cpu_s, 2))
    record_property("compare_s", round(compared_s, 2))
    record_property("reuse_s", round(reused_s, 2))
    print(f"load {loaded_s:.2f} s (CPU {cpu_s:.2f}), comparison {compared_s:.2f} s, use again {reused_s:.2f} s")
    assert loaded_s < LONGEST_S
