"""The persister with a real table and a real store: what is registered outlives a crash, and a power cut."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.catalogue.counters import BINDINGS_EXPIRED, RECORDS_PERSISTED, STORE_COMPARISONS
from appliance.location.binding import BindingChange
from appliance.location.binding_records import encode_change
from appliance.messages.record_frames import HEADER, frame
from appliance.persister import persister as persister_module
from appliance.persister.table_loading import TableLoading
from appliance.storage.durable_registrations import DATA_FILE, DurableRegistrations, StoreFailing
from appliance.storage.registration_check import faults_of
from tests.persister.registrations import Node, aor_of, binding, commit, register, turns_of

SOME = range(300)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    node = Node(tmp_path)
    yield node
    node.persister.close()


def test_after_a_power_cut_all_that_was_written_is_loaded(node: Node) -> None:
    register(node.table, SOME, 1)
    node.persister.work()
    register(node.table, range(10), 2)
    register(node.table, range(10, 20), 2, lifetime_s=0)
    assert node.flush()
    node.cut_power()
    node.started()
    assert turns_of(node.table, range(30)) == [2] * 10 + [0] * 10 + [1] * 10
    assert len(node.table) == 290
    assert faults_of(node.table) == []


def test_after_a_crash_the_table_in_memory_is_used_again(node: Node) -> None:
    register(node.table, SOME, 1)
    node.persister.work()
    register(node.table, SOME, 2)
    generation = node.persister.generation
    node.crash()
    node.started()
    assert node.persister.generation == generation
    assert set(turns_of(node.table, SOME)) == {2}
    # And the disk goes on where it was, without a comparison.
    assert node.flush()
    assert node.persister.counters[STORE_COMPARISONS] == 0
    assert node.persister.counters[RECORDS_PERSISTED] == 300


def test_what_is_unchanged_is_not_written_again_after_a_start(node: Node) -> None:
    register(node.table, SOME, 1)
    node.flush()
    node.cut_power()
    node.started()
    assert node.flush()
    assert node.persister.counters[RECORDS_PERSISTED] == 0


def test_what_is_over_goes_from_memory_and_disk(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    register(node.table, SOME, 1, lifetime_s=100)
    node.flush()
    later = time.time() + 10_000
    node.persister._wall_time = lambda: later
    node.flush()
    node.persister.work()
    assert node.flush()
    assert len(node.table) == 0
    assert node.persister.counters[BINDINGS_EXPIRED] == 300
    node.crash()
    store = DurableRegistrations(node.folder)
    assert len(store) == 0
    store.close()


def test_who_falls_out_of_the_log_compares(node: Node) -> None:
    node.table.changes_max = 0
    node.persister.work()
    register(node.table, range(3000), 1)
    register(node.table, range(3000), 2)
    assert node.table.first_seq > 0
    assert node.flush()
    assert node.persister.counters[STORE_COMPARISONS] == 2
    node.cut_power()
    node.started()
    assert set(turns_of(node.table, range(3000))) == {2}


def test_while_the_disk_fails_an_alarm_says_so_and_all_is_written_later(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(node.table, SOME, 1)
    node.flush()
    register(node.table, SOME, 2)

    def fail(*args: object) -> None:
        raise StoreFailing("No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(DurableRegistrations, "write", fail)
        node.persister.work()
        assert [alarm.split()[0] for alarm in node.persister.alarms()] == ["state-store-failing"]
        assert not node.flush()
    node.persister._opening._retry_at = 0.0
    node.persister.work()
    assert node.flush()
    assert node.persister.alarms() == []
    node.cut_power()
    node.started()
    assert set(turns_of(node.table, SOME)) == {2}


def test_a_disk_that_fails_at_the_start_is_read_when_it_is_well(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    register(node.table, SOME, 1)
    node.flush()
    node.cut_power()

    def fail(*args: object) -> None:
        raise StoreFailing("Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(DurableRegistrations, "__init__", fail)
        node.started()
        node.persister.work()
    assert len(node.table) == 0
    register(node.table, range(10), 2)
    node.persister._opening._retry_at = 0.0
    node.persister.work()
    assert node.flush()
    assert turns_of(node.table, range(12)) == [2] * 10 + [1] * 2
    node.cut_power()
    node.started()
    assert turns_of(node.table, range(12)) == [2] * 10 + [1] * 2
    assert len(node.table) == 300


@pytest.mark.parametrize("how", ["cut off", "overwritten", "one record"])
def test_of_a_damaged_store_what_can_be_read_is_kept_and_the_file_is_set_aside(node: Node, how: str) -> None:
    register(node.table, range(3000), 1)
    node.flush()
    node.cut_power()
    octets = bytearray((node.folder / DATA_FILE).read_bytes())
    if how == "cut off":
        del octets[len(octets) // 2 :]
    elif how == "overwritten":
        octets[:8192] = b"?" * 8192
    else:
        while (at := octets.find(aor_of(77) + b"sip:")) >= 0 or (at := octets.find(b"sip:000077@192")) >= 0:
            octets[at] ^= 1
    (node.folder / DATA_FILE).write_bytes(octets)
    node.started()
    alarms = node.persister.alarms()
    assert [alarm.split()[0] for alarm in alarms] == ["start-remark"]
    assert DATA_FILE + ".unread-" in alarms[0]
    assert len(node.table) >= (1000 if how == "cut off" else 2999)
    loaded = len(node.table)
    assert node.flush()
    assert list(node.folder.glob(f"{DATA_FILE}.unread-*")) == []
    assert len(list(node.folder.glob(f"{DATA_FILE}.damaged-*"))) == 1
    node.cut_power()
    node.started()
    assert node.persister.alarms() == []
    assert len(node.table) == loaded


def test_a_store_set_aside_is_read_again_until_all_of_it_is_stored(node: Node) -> None:
    register(node.table, SOME, 1)
    node.flush()
    node.cut_power()
    with (node.folder / DATA_FILE).open("r+b") as file:
        file.write(b"?" * 8192)
    node.started()
    # The power is cut again before anything was written.
    node.cut_power()
    node.started()
    assert len(node.table) == 300
    assert node.flush()


def test_a_store_found_damaged_while_it_runs_is_written_anew_from_the_table(node: Node) -> None:
    register(node.table, SOME, 1)
    node.flush()
    shutil.copy(node.folder / DATA_FILE, node.folder / "copy")
    node.crash()
    octets = bytearray((node.folder / DATA_FILE).read_bytes())
    while (at := octets.find(b"sip:000077@192")) >= 0:
        octets[at] ^= 1
    (node.folder / DATA_FILE).write_bytes(octets)
    node.started()
    node.table.changes_max = 0
    register(node.table, range(5000), 2)
    assert not node.persister._is_done()
    node.persister.work()
    assert node.flush()
    assert len(list(node.folder.glob(f"{DATA_FILE}.damaged-*"))) == 1
    node.cut_power()
    node.started()
    assert set(turns_of(node.table, range(5000))) == {2}


def test_a_store_that_was_twice_not_read_to_its_end_is_set_aside(node: Node) -> None:
    register(node.table, SOME, 1)
    node.flush()
    node.cut_power()
    # As when the process is killed for a page that the disk does not give.
    (node.folder / "reading").write_text("2")
    node.started()
    assert "could not be read in 2 attempts" in node.persister.alarms()[0]
    assert len(node.table) == 300
    assert not (node.folder / "reading").exists()


def test_the_journal_of_before_is_read_once_and_set_aside(node: Node) -> None:
    node.cut_power()
    records = [encode_change(BindingChange(aor_of(number), (binding(number, 5),))) for number in SOME]
    stale = [encode_change(BindingChange(aor_of(number), (binding(number, 4),))) for number in SOME]
    path = node.folder / f"worker-000-{1:016x}-000001.journal"
    path.write_bytes(HEADER + b"".join(map(frame, records)) + frame(records[0])[:9])
    later = node.folder / f"worker-001-{2:016x}-000001.journal"
    later.write_bytes(HEADER + b"".join(map(frame, stale)))
    node.started()
    assert set(turns_of(node.table, SOME)) == {5}
    # Until all of it is in the store it stays where it is.
    assert path.exists()
    assert node.flush()
    assert not path.exists()
    assert len(list(node.folder.glob("journal-read-*/*.journal"))) == 2
    node.cut_power()
    node.started()
    assert set(turns_of(node.table, SOME)) == {5}


def test_a_journal_that_the_last_version_wrote_is_read(node: Node) -> None:
    """Two workers, 90 phones; every third registered again, every ninth has ended its registration. The end is torn."""
    node.cut_power()
    shutil.copytree(Path(__file__).with_name("journal_of_before"), node.folder, dirs_exist_ok=True)
    node.started()
    for number in range(90):
        found = node.table.find(b"user%03d@example.com" % number, time.time())
        wanted = [] if number % 9 == 0 else [2 if number % 3 == 0 else 1]
        assert [each.cseq for each in found] == wanted
        assert all(each.user_agent == b"Phone/1.%d" % each.cseq and each.flow for each in found)
        assert all(len(each.path) == (number % 7 == 0) for each in found)
    assert len(node.table) == 80
    assert node.persister.alarms() == []
    assert node.flush()
    assert list(node.folder.glob("*.journal")) == []


def test_an_unsound_table_is_made_anew_of_the_disk_and_of_what_can_be_read(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(node.table, range(200), 1)
    node.flush()
    register(node.table, range(100, 300), 2)
    generation = node.persister.generation
    node.persister.rebuild(str(node.tables.directory(generation)), "a page is missing")
    node.persister.work()
    assert node.persister.generation > generation
    assert not node.tables.directory(generation).exists()
    assert turns_of(node.table, SOME) == [1] * 100 + [2] * 200
    assert faults_of(node.table) == []
    assert node.persister.alarms()[0].startswith("table-rebuilt ")
    # What others say of the table of before is old news.
    node.persister.rebuild(str(node.tables.directory(generation)), "a page is missing")
    node.persister.work()
    assert node.persister.generation == node.tables.current()
    assert node.flush()


def test_a_table_that_cannot_be_opened_at_a_start_is_made_anew(node: Node) -> None:
    register(node.table, SOME, 1)
    node.flush()
    node.crash()
    path = node.tables.directory(node.persister.generation) / DATA_FILE
    with path.open("r+b") as file:
        file.write(b"?" * 8192)
    node.started()
    assert set(turns_of(node.table, SOME)) == {1}
    assert node.persister.alarms()[0].startswith("table-rebuilt ")


def test_what_the_table_has_no_room_for_stays_on_the_disk(node: Node) -> None:
    register(node.table, range(60_000), 1)
    node.flush()
    node.cut_power()
    node.started(limit=1)
    assert "no room" in node.persister.alarms()[0]
    assert node.flush()
    node.cut_power()
    node.started()
    assert len(node.table) == 60_000


def test_a_table_that_cannot_grow_raises_an_alarm(node: Node) -> None:
    node.persister.limit = 1
    node.persister.work()
    assert node.persister.alarms() == []
    register(node.table, range(60_000), 1)
    node.persister.work()
    assert [alarm.split()[0] for alarm in node.persister.alarms()] == ["table-near-limit"]


def test_octets_that_are_no_record_cost_only_themselves(node: Node) -> None:
    loading = TableLoading(node.table)
    records = [encode_change(BindingChange(aor_of(number), (binding(number),))) for number in range(5)]
    loading.add([*records[:2], b"\x63nonsense", *records[2:]])
    assert (loading.loaded, loading.unreadable) == (5, 1)
    assert len(node.table) == 5


def test_a_sweep_is_bounded_and_goes_on_with_the_next_pass(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persister_module, "SWEEP_STEP", 10)
    monkeypatch.setattr(persister_module, "SWEEPS_MAX", 2)
    register(node.table, range(50), 1, lifetime_s=100)
    commit(node.table)
    later = time.time() + 200
    node.persister._wall_time = lambda: later
    lengths = []
    for _ in range(3):
        node.persister.work()
        lengths.append(len(node.table))
    assert lengths == [30, 10, 0]
