"""The formats of a state folder: noted, and refused when a later version has written it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from appliance.storage.state_format import FORMATS, NewerFormat, take_folder


def noted(folder: Path) -> dict[str, int]:
    formats: dict[str, int] = json.loads((folder / "formats").read_text())["formats"]
    return formats


def test_a_folder_of_before_is_taken_and_noted(tmp_path: Path) -> None:
    assert take_folder(tmp_path) == ""
    assert noted(tmp_path) == FORMATS


def test_a_later_version_raises_the_numbers_and_reads_the_earlier_ones(tmp_path: Path) -> None:
    take_folder(tmp_path, {"configuration": 1})
    take_folder(tmp_path, {"configuration": 2, "calls": 1})
    assert noted(tmp_path) == {"configuration": 2, "calls": 1}


@pytest.mark.parametrize("later", [{"configuration": 2}, {"configuration": 1, "calls": 1}])
def test_a_folder_of_a_later_version_is_refused_and_left_alone(tmp_path: Path, later: dict[str, int]) -> None:
    take_folder(tmp_path, later)
    before = (tmp_path / "formats").read_bytes()
    with pytest.raises(NewerFormat, match=r"^The state folder .* Nothing was changed. Install Signalbox .* later\.$"):
        take_folder(tmp_path, {"configuration": 1})
    assert (tmp_path / "formats").read_bytes() == before


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"formats": 1}', b'{"formats": {"calls": "x"}}', b"\xff"])
def test_a_damaged_note_is_said_and_written_again(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "formats").write_bytes(damage)
    assert "was damaged" in take_folder(tmp_path)
    assert noted(tmp_path) == FORMATS
