"""One file of the journal: what is written is there whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from appliance.messages.record_frames import HEADER
from appliance.storage.journal_segment import Segment


@pytest.fixture
def segment(tmp_path: Path) -> Segment:
    return Segment(tmp_path / "segment")


def refuse(*_: object) -> int:
    raise OSError(28, "No space left on device")


def half_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk takes half of what is written next, and then nothing."""
    write = os.write

    def write_half(fd: int, data: bytes) -> int:
        monkeypatch.setattr("appliance.storage.journal_segment.os.write", refuse)
        return write(fd, data[: len(data) // 2])

    monkeypatch.setattr("appliance.storage.journal_segment.os.write", write_half)


def test_what_is_written_follows_the_header(segment: Segment) -> None:
    segment.create()
    segment.write(b"one")
    segment.write(b"two")
    assert segment.path.read_bytes() == HEADER + b"onetwo"
    assert segment.size == len(HEADER) + 6
    # Who is registered, and where, is nobody else's business.
    assert segment.path.stat().st_mode & 0o077 == 0
    segment.close()
    assert segment.fd == -1


def test_a_write_in_portions_is_whole(segment: Segment, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr("appliance.storage.journal_segment.os.write", lambda fd, data: write(fd, data[:2]))
    segment.create()
    segment.write(b"abcdefg")
    assert segment.path.read_bytes() == HEADER + b"abcdefg"
    segment.close()


def test_what_is_half_written_is_taken_back(segment: Segment, monkeypatch: pytest.MonkeyPatch) -> None:
    segment.create()
    segment.write(b"one")
    with monkeypatch.context() as full, pytest.raises(OSError, match="No space left"):
        half_of_it(full)
        segment.write(b"another")
    assert segment.path.read_bytes() == HEADER + b"one"
    assert not segment.is_torn
    segment.write(b"two")
    assert segment.path.read_bytes() == HEADER + b"onetwo"
    segment.close()


def test_what_cannot_be_taken_back_is_known(segment: Segment, monkeypatch: pytest.MonkeyPatch) -> None:
    segment.create()
    with monkeypatch.context() as broken, pytest.raises(OSError, match="No space left"):
        half_of_it(broken)
        broken.setattr("appliance.storage.journal_segment.os.ftruncate", refuse)
        segment.write(b"half")
    assert segment.is_torn
    assert segment.size == len(HEADER)
    segment.close()


def test_a_header_that_does_not_fit_leaves_no_file(segment: Segment, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as full, pytest.raises(OSError, match="No space left"):
        half_of_it(full)
        segment.create()
    assert not segment.path.exists()
    assert segment.fd == -1


def test_another_file_of_the_name_is_left_as_it_is(segment: Segment) -> None:
    segment.path.write_bytes(b"another's")
    with pytest.raises(FileExistsError):
        segment.create()
    assert segment.path.read_bytes() == b"another's"
