"""The engine keeps its identity, and counts its starts (RFC 3411 5, RFC 3414 2.2)."""

from __future__ import annotations

from pathlib import Path

from appliance.management.snmp.engine_state import started_engine


def test_each_start_is_counted_and_the_identity_stays(tmp_path: Path) -> None:
    first, second = started_engine(tmp_path), started_engine(tmp_path)
    assert (first.boots, second.boots) == (1, 2) and first.engine_id == second.engine_id
    assert first.engine_id[0] & 0x80 and len(first.engine_id) == 13


def test_a_lost_file_makes_another_engine(tmp_path: Path) -> None:
    """With the old identity and a count from 1, old messages could be replayed."""
    first = started_engine(tmp_path)
    (tmp_path / "engine.json").unlink()
    assert started_engine(tmp_path).engine_id != first.engine_id
