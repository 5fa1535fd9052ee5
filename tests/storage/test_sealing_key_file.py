"""STATE/sealing-keys: found again by an appliance with the same key, and by no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.messages.sealing_keys import first_keys
from appliance.storage.sealing_key_file import (
    SealingKeysDamaged,
    keys_at_start,
    read_sealing_keys,
    sealing_keys_path,
    write_sealing_keys,
)

KEY = bytes(32)
ROTATED = first_keys(KEY).with_next(b"1" * 32).with_next_in_use(17.5)


def test_without_a_file_the_key_of_the_appliance_seals(tmp_path: Path) -> None:
    assert read_sealing_keys(tmp_path, KEY) == first_keys(KEY)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    write_sealing_keys(tmp_path, KEY, ROTATED)
    assert read_sealing_keys(tmp_path, KEY) == ROTATED
    assert sealing_keys_path(tmp_path).stat().st_mode & 0o777 == 0o600


def test_the_file_of_another_key_is_of_no_use(tmp_path: Path) -> None:
    write_sealing_keys(tmp_path, b"k" * 32, ROTATED)
    assert read_sealing_keys(tmp_path, KEY) == first_keys(KEY)


@pytest.mark.parametrize("text", ["", "no fingerprint", "0123456789abcdef {", "0123456789abcdef 7", "\0" * 300])
def test_what_is_no_file_of_keys_does_not_make_the_first_key_good_again(tmp_path: Path, text: str) -> None:
    """Who knows the first key, which was rotated away, could relay with what it seals."""
    path = sealing_keys_path(tmp_path)
    path.write_text(text)
    with pytest.raises(SealingKeysDamaged, match="cannot be used"):
        read_sealing_keys(tmp_path, KEY)
    keys, remark = keys_at_start(tmp_path, KEY, False)
    assert keys.in_use.key != KEY
    assert keys.other is None
    assert remark.startswith(f"The file {path} cannot be used")
    assert remark.endswith(
        "It was renamed to sealing-keys.damaged-1, and a new key seals: calls that were up are treated as new ones."
    )
    assert (tmp_path / "sealing-keys.damaged-1").read_text() == text
    # The next start goes on with it.
    assert keys_at_start(tmp_path, KEY, False) == (keys, "")


def test_in_a_cluster_a_damaged_file_gives_way_to_the_keys_in_etcd(tmp_path: Path) -> None:
    path = sealing_keys_path(tmp_path)
    write_sealing_keys(tmp_path, KEY, ROTATED)
    path.write_text(path.read_text()[:60])
    keys, remark = keys_at_start(tmp_path, KEY, True)
    assert (keys.in_use.key != KEY, keys.step) == (True, 0)
    assert "Until etcd answers with the keys of the cluster" in remark
    assert not path.exists()


def test_a_damaged_file_that_cannot_be_replaced_is_told(tmp_path: Path) -> None:
    sealing_keys_path(tmp_path).mkdir()
    (tmp_path / "sealing-keys.new").mkdir()
    keys, remark = keys_at_start(tmp_path, KEY, False)
    assert keys.in_use.key != KEY
    assert remark.endswith("so each start has a new key, and calls that were up are treated as new ones.")
