"""`system upgrade`: when a new version counts as running, and what is kept for the way back."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.image.programs import program

installation = program("installation")
ServiceState = installation.ServiceState
LOOKS = int(installation.STEADY_S / installation.LOOK_INTERVAL_S)


def reason_for(*states: object) -> str:
    """What is said of a service that is seen in these states, one after another; the last one stays."""
    seen = list(states)
    look = lambda: seen.pop(0) if len(seen) > 1 else seen[0]  # noqa: E731
    return str(installation.why_it_does_not_run(look, lambda seconds: None))


def test_a_version_runs_when_the_same_process_has_served_for_a_while() -> None:
    starting = ServiceState("activating", 7)
    assert reason_for(starting, starting, ServiceState("active", 7)) == ""


def test_a_version_that_serves_and_ends_does_not_run() -> None:
    # Each of them lives for almost long enough.
    lives = [[ServiceState("active", pid, pid)] * (LOOKS - 1) for pid in range(installation.RESTARTS_MAX + 1)]
    assert reason_for(*(state for life in lives for state in life)) == "it ends again and again"


def test_a_version_that_has_failed_says_why() -> None:
    failed = ServiceState("failed", 0, 0, "The state folder is of Signalbox 9.9.")
    assert reason_for(ServiceState("activating", 7), failed) == "The state folder is of Signalbox 9.9"


def test_a_version_that_never_starts_is_waited_for_with_an_end() -> None:
    assert reason_for(ServiceState("activating", 7)) == "it did not start within 600 s"


def test_what_cannot_be_known_of_formats_counts_as_a_change() -> None:
    facts = [json.dumps({"formats": {"registrations": number}}) for number in (2, 3)]
    assert not installation.stores_otherwise(facts[0], facts[0])
    assert installation.stores_otherwise(*facts)
    assert installation.stores_otherwise(facts[0], "") and installation.stores_otherwise("", facts[1])


def test_a_state_is_copied_whole_and_a_former_copy_goes(tmp_path: Path) -> None:
    state, kept = tmp_path / "state", tmp_path / "kept/state"
    (state / "configuration").mkdir(parents=True, mode=0o700)
    (state / "key").write_bytes(b"1")
    installation.copy_state(state, kept)
    (kept / "left over").touch()
    (state / "key").write_bytes(b"2")
    installation.copy_state(state, kept)
    assert sorted(path.name for path in kept.iterdir()) == ["configuration", "key"]
    assert (kept / "key").read_bytes() == b"2" and (kept / "configuration").stat().st_mode & 0o777 == 0o700
    assert [path.name for path in kept.parent.iterdir()] == ["state"]


def test_a_state_that_cannot_be_copied_leaves_the_service_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a full disk: a service that was stopped for it would stay so."""
    ran: list[tuple[str, ...]] = []
    said: list[str] = []
    monkeypatch.setattr(installation, "_run", lambda *argv: ran.append(argv) or 0)
    monkeypatch.setattr(installation, "kept_package", lambda folder: tmp_path / "installed.deb")
    monkeypatch.setattr(installation, "facts_here", lambda: "")
    monkeypatch.setattr(installation, "STATE", tmp_path / "no such state")
    assert installation.install(tmp_path / "signalbox.deb", said.append, tmp_path / "kept") == 1
    assert [argv for argv in ran if argv[0] == "systemctl"] == [
        ("systemctl", "stop", "signalbox"),
        ("systemctl", "start", "signalbox"),
    ]
    assert not [argv for argv in ran if argv[0] == "apt-get" and "--simulate" not in argv]
    assert "nothing was installed" in said[-1]


def test_a_copy_that_fails_leaves_the_target_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state/key").write_bytes(b"1")
    with pytest.raises(subprocess.CalledProcessError):
        installation.copy_state(tmp_path / "missing", tmp_path / "state")
    assert [path.name for path in tmp_path.rglob("*")] == ["state", "key"]


@pytest.mark.parametrize("source", ["/dev/zero", "fifo", ".", "missing", "http://192.0.2.1/x", "file:///etc/passwd"])
def test_what_is_no_file_of_a_package_is_not_read(tmp_path: Path, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A device has no end, and a pipe without a writer never begins."""
    upgrade = program("upgrade")
    monkeypatch.chdir(tmp_path)
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(upgrade.NotInstalled):
        upgrade.fetch(source, tmp_path / "signalbox.deb")


def test_a_file_has_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    upgrade = program("upgrade")
    monkeypatch.setattr(upgrade, "PACKAGE_LEN_MAX", upgrade.PIECE_LEN)
    with (tmp_path / "large").open("wb") as file:
        file.truncate(upgrade.PIECE_LEN + 1)
    with pytest.raises(upgrade.NotInstalled, match="has more than 1 MiB"):
        upgrade.fetch(str(tmp_path / "large"), tmp_path / "signalbox.deb")
