"""Completion of live names, of names and values in the candidate, and of files."""

from __future__ import annotations

from pathlib import Path

from cli.completion import Completion, complete
from tests.cli.shells import new_session, script
from tests.cli.stand_in import StandIn


def test_live_names_complete(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    assert session.live_names("address", "al") == ["alice@example.com", "alina@example.com"]
    assert session.live_names("nonsense", "") == []


def test_names_and_values_in_the_candidate_complete(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    script(session, "enable", "conf t", "domain example.com", "listener phones", "listener trunks", "exit")

    def completed(text: str) -> Completion:
        return complete(session.grammars, text, session.live_names)

    assert completed("no listener ph") == Completion("ones ")
    assert completed("listener ") == Completion("", ("phones", "trunks"))
    assert completed("no domain ex") == Completion("ample.com ")


def test_files_complete(stand_in: StandIn, tmp_path: Path) -> None:
    session = new_session(stand_in)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file.conf").touch()
    assert session.live_names("file", f"{tmp_path}/f") == [f"{tmp_path}/file.conf", f"{tmp_path}/folder/"]
    assert session.live_names("file", f"{tmp_path}/nowhere/x") == []
