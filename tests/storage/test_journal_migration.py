"""The journal of before: all that is whole in it is read, and it is moved out of the way."""

from __future__ import annotations

from pathlib import Path

from appliance.messages.record_frames import HEADER, frame
from appliance.storage.journal_migration import journal_segments, segment_records, set_journal_aside


def segment(folder: Path, serial: int, octets: bytes) -> Path:
    path = folder / f"worker-000-{17:016x}-{serial:06d}.journal"
    path.write_bytes(octets)
    return path


def records_of(path: Path, remarks: list[str]) -> list[bytes]:
    return [record for records in segment_records(path, remarks) for record in records]


def test_the_records_of_a_segment_are_read_in_their_order(tmp_path: Path) -> None:
    remarks: list[str] = []
    path = segment(tmp_path, 1, HEADER + frame(b"one") + frame(b"two"))
    assert records_of(path, remarks) == [b"one", b"two"]
    assert remarks == []


def test_a_torn_end_is_normal(tmp_path: Path) -> None:
    remarks: list[str] = []
    path = segment(tmp_path, 1, HEADER + frame(b"one") + frame(b"two")[:-1])
    assert records_of(path, remarks) == [b"one"]
    assert remarks == []


def test_damage_is_stepped_over_and_told(tmp_path: Path) -> None:
    remarks: list[str] = []
    path = segment(tmp_path, 1, HEADER + frame(b"one") + b"?" * 9 + frame(b"two"))
    assert records_of(path, remarks) == [b"one", b"two"]
    assert remarks == [f"{path} is damaged: 9 octets could not be read."]


def test_a_segment_of_a_later_version_is_told(tmp_path: Path) -> None:
    remarks: list[str] = []
    path = segment(tmp_path, 1, b"signalbox registrations, format 9\n" + frame(b"one"))
    assert records_of(path, remarks) == []
    assert len(remarks) == 1


def test_segments_are_moved_together_and_nothing_else_is(tmp_path: Path) -> None:
    later, earlier = segment(tmp_path, 2, HEADER), segment(tmp_path, 1, HEADER)
    (tmp_path / "data.mdb").write_bytes(b"")
    assert journal_segments(tmp_path) == [earlier, later]
    aside = set_journal_aside(tmp_path)
    assert journal_segments(tmp_path) == []
    assert sorted(path.name for path in aside.iterdir()) == [earlier.name, later.name]
    assert (tmp_path / "data.mdb").exists()


def test_a_folder_that_is_not_there_has_none(tmp_path: Path) -> None:
    assert journal_segments(tmp_path / "none") == []
