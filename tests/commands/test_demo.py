"""The demo subscribers: made once, kept, and explained."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from appliance.catalogue.authentication_settings import DigestSettings
from appliance.catalogue.settings import ListenerSettings, Settings
from appliance.commands.demo import FILE_NAME, prepare_demo
from appliance.configuration.text import parse_configuration
from appliance.management.errors import CommandFailed
from appliance.storage.subscriber import new_subscriber
from appliance.storage.subscriber_database import SubscriberStore, database_url

DEMO = parse_configuration((Path(__file__).parents[2] / "packaging/demo.conf").read_text())


def passwords(state_dir: Path) -> dict[str, str]:
    rows = [line.split() for line in (state_dir / FILE_NAME).read_text().splitlines()]
    assert [row[:2] for row in rows] == [["alice", "signalbox.test"], ["bob", "signalbox.test"]]
    return {row[0]: row[2] for row in rows}


def is_password(state_dir: Path, username: str, password: str) -> bool:
    store = SubscriberStore(database_url("", state_dir))
    found = store.find(username.encode(), b"signalbox.test")
    store.close()
    return found is not None and found.ha1_md5 == new_subscriber(username, "signalbox.test", password, 0).ha1_md5


def test_the_first_run_draws_passwords_and_says_what_to_type(tmp_path: Path) -> None:
    text = prepare_demo(DEMO, tmp_path)
    drawn = passwords(tmp_path)
    assert drawn["alice"] != drawn["bob"]
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600
    for username, password in drawn.items():
        assert is_password(tmp_path, username, password)
        assert f"sip:{username}@127.0.0.1   password {password}" in text
    assert "127.0.0.1 port 5060, UDP and TCP" in text
    assert "::1 port 5060, UDP and TCP" in text
    assert "signalbox.test, localhost or [::1] may stand for 127.0.0.1" in text
    assert "make call" in text


def test_the_next_run_keeps_them(tmp_path: Path) -> None:
    assert prepare_demo(DEMO, tmp_path) == prepare_demo(DEMO, tmp_path)


def test_the_file_holds_even_when_the_database_was_changed(tmp_path: Path) -> None:
    prepare_demo(DEMO, tmp_path)
    store = SubscriberStore(database_url("", tmp_path))
    store.remove("bob", "signalbox.test")
    store.remove("alice", "signalbox.test")
    store.add(new_subscriber("alice", "signalbox.test", "another", 0))
    store.close()
    prepare_demo(DEMO, tmp_path)
    for username, password in passwords(tmp_path).items():
        assert is_password(tmp_path, username, password)


@pytest.mark.parametrize(
    "octets", [b"", b"alice signalbox.test\n", b"\xff\x00", b"alice other.test a\nbob other.test b\n"]
)
def test_a_file_of_something_else_is_set_aside(tmp_path: Path, octets: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(octets)
    text = prepare_demo(DEMO, tmp_path)
    assert f"renamed to {FILE_NAME}.damaged-1, and new passwords were created" in text
    assert (tmp_path / f"{FILE_NAME}.damaged-1").read_bytes() == octets
    assert len(passwords(tmp_path)) == 2


def test_another_port_is_part_of_what_to_type(tmp_path: Path) -> None:
    listener = ListenerSettings(address="::1", port=5070)
    settings = Settings(domains=("a.test", "b.test"), listeners=(listener,), digest=DigestSettings(realm="a.test"))
    text = prepare_demo(settings, tmp_path)
    assert "call sip:bob@[::1]:5070" in text
    assert "a.test:5070 or b.test:5070 may stand for [::1]:5070" in text


def test_without_a_domain_there_is_no_demo(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="add a line `domain NAME`"):
        prepare_demo(Settings(), tmp_path)
