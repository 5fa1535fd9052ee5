"""STATE/sealing-keys: found again by an appliance with the same key, and by no other."""

from __future__ import annotations

from pathlib import Path

from appliance.messages.sealing_keys import first_keys
from appliance.storage.sealing_key_file import read_sealing_keys, sealing_keys_path, write_sealing_keys

KEY = bytes(32)
ROTATED = first_keys(KEY).with_next(b"1" * 32).with_next_in_use(17.5)


def test_without_a_file_the_key_of_the_appliance_seals(tmp_path: Path) -> None:
    assert read_sealing_keys(tmp_path, KEY) == (first_keys(KEY), "")


def test_what_was_written_is_read(tmp_path: Path) -> None:
    write_sealing_keys(tmp_path, KEY, ROTATED)
    assert read_sealing_keys(tmp_path, KEY) == (ROTATED, "")
    assert sealing_keys_path(tmp_path).stat().st_mode & 0o777 == 0o600


def test_the_file_of_another_key_is_of_no_use(tmp_path: Path) -> None:
    write_sealing_keys(tmp_path, b"k" * 32, ROTATED)
    assert read_sealing_keys(tmp_path, KEY) == (first_keys(KEY), "")


def test_a_damaged_file_is_told_and_does_not_stop_a_start(tmp_path: Path) -> None:
    write_sealing_keys(tmp_path, KEY, ROTATED)
    path = sealing_keys_path(tmp_path)
    path.write_text(path.read_text()[:60])
    keys, remark = read_sealing_keys(tmp_path, KEY)
    assert keys == first_keys(KEY)
    assert remark.startswith(f"The file {path} cannot be used")
