"""Who is connected, where from, for how long; and sessions that are ended: by an operator, by time, by a removal."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from appliance.catalogue.operator_settings import OperatorSettings
from appliance.catalogue.password_hash import hash_of
from appliance.catalogue.settings import Settings
from appliance.management.client_address import address_of, terminal_name
from appliance.management.errors import Refused
from appliance.management.login_log import NOTED_MAX, LoginLog
from appliance.management.open_sessions import OpenSessions
from appliance.management.sessions import ADMIN, VIEW, Session, login, new_session, take_machine_account
from appliance.management.system_commits import note_own_commits
from appliance.storage.commits import SYSTEM
from tests.management.test_control_socket import TEXT, Client, Supervised, served

HASH = hash_of("open sesame", b"0123456789abcdef")
ANNA = OperatorSettings(name="anna", role="admin", secret=HASH)


class Ended(list[str]):
    """A client that keeps what it was told, and why its session was ended."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Any] = []

    def tell(self, **values: Any) -> None:
        self.told.append(values)

    def end(self, why: str) -> None:
        self.append(why)


def opened(sessions: OpenSessions, user: str = "anna", right: str = ADMIN, now: float = 0.0) -> tuple[Session, Ended]:
    session = new_session(1001, 1000, "stranger")
    session.user, session.right = user, right
    ended = Ended()
    sessions.add(session, ended, now)
    return session, ended


def test_sessions_are_numbered_and_forgotten() -> None:
    sessions = OpenSessions()
    first, _ = opened(sessions)
    second, _ = opened(sessions)
    sessions.remove(first)
    assert [session.number for session in sessions] == [second.number]
    assert first.number != second.number


def test_a_session_is_ended_by_its_number() -> None:
    sessions = OpenSessions()
    session, ended = opened(sessions)
    sessions.end(session.number, "by ben")
    assert ended == ["by ben"]
    with pytest.raises(Refused, match="no session 9"):
        sessions.end(9, "by ben")


def test_an_idle_session_is_ended_after_the_exec_timeout() -> None:
    settings = Settings(operators=(ANNA,), exec_timeout_min=10)
    sessions = OpenSessions()
    session, ended = opened(sessions)
    sessions.tend(599.0, settings)
    assert ended == []
    session.active_at = 599.0
    sessions.tend(600.0, settings)
    assert ended == []
    sessions.tend(1199.0, settings)
    assert ended == ["The session was idle for 10 minutes."]


def test_a_session_with_a_command_under_way_is_not_idle_and_0_is_never() -> None:
    sessions = OpenSessions()
    session, ended = opened(sessions)
    session.running = 1
    sessions.tend(100000.0, Settings(operators=(ANNA,), exec_timeout_min=1))
    session.running = 0
    sessions.tend(100000.0, Settings(operators=(ANNA,), exec_timeout_min=0))
    assert ended == []


def test_the_session_of_a_removed_operator_is_ended() -> None:
    sessions = OpenSessions()
    _, ended = opened(sessions)
    _, waiting = opened(sessions, user="", right="none")
    sessions.tend(1.0, Settings())
    assert ended == ["The account anna was removed."]
    assert waiting == []


def test_the_session_of_a_demoted_operator_goes_on_without_the_right_to_act() -> None:
    sessions = OpenSessions()
    session, ended = opened(sessions)
    sessions.tend(1.0, Settings(operators=(OperatorSettings(name="anna", secret=HASH),)))
    assert ended == [] and session.right == VIEW


@pytest.mark.parametrize(("secret", "what"), [(hash_of("another", b"0123456789abcdef"), "changed"), ("", "removed")])
def test_the_session_of_an_operator_whose_password_is_changed_is_ended(secret: str, what: str) -> None:
    sessions = OpenSessions()
    session, ended = opened(sessions)
    login(session, "anna", "open sesame", Settings(operators=(ANNA,)))
    sessions.tend(1.0, Settings(operators=(ANNA,)))
    assert ended == []
    sessions.tend(2.0, Settings(operators=(OperatorSettings(name="anna", role="admin", secret=secret),)))
    assert ended == [f"The password of anna was {what}."]


def test_an_operator_who_came_without_a_password_stays_when_it_is_changed() -> None:
    sessions = OpenSessions()
    session, ended = opened(sessions, user="", right="none")
    session.machine_user = "anna"
    take_machine_account(session, Settings(operators=(ANNA,)))
    sessions.tend(1.0, Settings(operators=(OperatorSettings(name="anna", role="admin"),)))
    assert ended == []


def test_a_client_is_told_of_another_hostname_and_another_right_once() -> None:
    sessions = OpenSessions()
    _, client = opened(sessions)
    sessions.tend(1.0, Settings(operators=(ANNA,), hostname="box"))
    sessions.tend(2.0, Settings(operators=(ANNA,), hostname="box"))
    assert client.told == []
    sessions.tend(3.0, Settings(operators=(OperatorSettings(name="anna", secret=HASH),), hostname="new"))
    sessions.tend(4.0, Settings(operators=(OperatorSettings(name="anna", secret=HASH),), hostname="new"))
    rights = {"right": "view", "is_admin": False, "needs_secret": False}
    news = {"hostname": "new", "timezone": "", **rights, "aliases": {}}
    assert client.told == [{"session": news}]


def test_rights_are_looked_up_at_each_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getuid", lambda: 77777)
    monkeypatch.setattr("pwd.getpwuid", lambda uid: type("Entry", (), {"pw_name": "stranger"}))
    monkeypatch.setattr("appliance.management.sessions.ROOT", 77778)

    async def talk(client: Client, desk: Supervised) -> None:
        desk.settings = Settings(operators=(ANNA,))
        assert (await client.do(1, "login", user="anna", password="open sesame"))["result"]["right"] == "view"
        await client.do(2, "enable", secret="")
        assert "result" in await client.do(3, "restart worker", number=0)
        desk.settings = Settings(operators=(OperatorSettings(name="anna", secret=HASH),))
        error = (await client.do(4, "restart worker", number=0))["error"]
        assert (error["message"], error["right"]) == ("`restart worker` requires privileged mode.", "view")
        assert "result" in await client.do(5, "show version")
        desk.settings = Settings()
        error = (await client.do(6, "show version"))["error"]
        assert (error["message"], error["right"]) == ("The account anna was removed.", "none")
        assert len(desk.ordered) == 1

    served(tmp_path, talk)


def test_a_stream_of_an_operator_who_is_removed_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.management.sessions.ROOT", 77778)
    monkeypatch.setattr("os.getuid", lambda: 77777)

    async def talk(client: Client, desk: Supervised) -> None:
        desk.settings = Settings(operators=(ANNA,))
        await client.do(1, "login", user="anna", password="open sesame")
        client.send(b'{"id": 7, "do": "terminal monitor"}')
        await client.do(2, "show version")
        desk.settings = Settings()
        (tmp_path / "log" / "signalbox.log").write_text("a secret of the appliance\n")
        assert (await client.receive())["error"]["message"] == "The account anna was removed."

    served(tmp_path, talk)


def test_users_are_shown_and_a_session_is_cleared(tmp_path: Path) -> None:
    async def talk(client: Client, desk: Supervised) -> None:
        await client.do(1, "hello", address="192.0.2.7")
        await client.do(2, "enable", secret="")
        other = Client(*await asyncio.open_unix_connection(tmp_path / "control.sock"))
        await other.do(1, "hello")
        rows = (await client.do(3, "show users"))["result"]["users"]
        assert [(row["address"], row["right"], row["is_self"]) for row in rows] == [
            ("192.0.2.7", "admin", True),
            ("", "view", False),
        ]
        cleared = await client.do(4, "clear session", number=rows[1]["number"])
        assert cleared["result"]["cleared"] == 1
        end = await other.receive()
        assert end["id"] is None and end["over"].startswith("The session was cleared by ")
        assert await other.reader.read() == b""
        assert len((await client.do(5, "show users"))["result"]["users"]) == 1

    served(tmp_path, talk)


def test_logins_and_enables_are_in_the_audit_log_with_their_place(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")

    async def talk(client: Client, desk: Supervised) -> None:
        desk.settings = Settings(operators=(ANNA,), enable_secret=HASH)
        await client.do(1, "hello", address="192.0.2.7")
        await client.do(2, "login", user="anna", password="wrong")
        await client.do(3, "login", user="secret typed as name", password="wrong")
        await client.do(4, "login", user="anna", password="open sesame")
        await client.do(5, "enable", secret="open sesame")
        other = Client(*await asyncio.open_unix_connection(tmp_path / "control.sock"))
        await other.do(1, "enable", secret="wrong")
        entries = desk.audit.latest(10)
        assert [(row["user"], row["command"], row["result"]) for row in entries[1:]] == [
            ("anna", "login", "refused: The name or the password is wrong."),
            ("(unknown name)", "login", "refused: The name or the password is wrong."),
            ("anna", "login", "done"),
            ("anna", "enable", "done"),
            (entries[0]["user"], "enable", "refused: The enable secret is wrong."),
        ]
        assert (entries[0]["command"], entries[0]["result"]) == ("login", "done")
        assert all(row["from"].startswith("192.0.2.7") for row in entries[:-1])

    served(tmp_path, talk)
    assert "login of anna from 192.0.2.7" in caplog.text
    assert "failed login of anna from 192.0.2.7" in caplog.text
    assert "typed as name" not in caplog.text


def test_the_end_of_a_session_is_in_the_log_and_the_audit_log_with_its_place(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")

    async def talk(client: Client, desk: Supervised) -> None:
        await client.do(1, "hello", address="192.0.2.7")
        first, second = [Client(*await asyncio.open_unix_connection(tmp_path / "control.sock")) for _ in range(2)]
        await first.do(1, "hello", address="192.0.2.8")
        number = (await second.do(1, "hello", address="192.0.2.9"))["result"]["session"]
        first.writer.close()
        desk.sessions.end(number, "The session was idle for 10 minutes.")
        while len(desk.audit.latest(10)) < 5:
            await asyncio.sleep(0)
        ended = [row for row in desk.audit.latest(10) if row["command"] == "logout"]
        assert sorted((row["from"].split()[0], row["result"]) for row in ended) == [
            ("192.0.2.8", "done"),
            ("192.0.2.9", "The session was idle for 10 minutes."),
        ]

    served(tmp_path, talk)
    assert "from 192.0.2.9" in caplog.text and "The session was idle for 10 minutes." in caplog.text


def test_failed_logins_do_not_crowd_the_audit_log_out(tmp_path: Path) -> None:
    noted: list[Any] = []
    logins = LoginLog(lambda *words: noted.append(words))
    session = new_session(1001, 1000, "stranger")
    for number in range(5 * NOTED_MAX):
        logins.failed(session, "login", "anna", "wrong", number / 100)
    assert len(noted) == NOTED_MAX
    logins.failed(session, "login", "anna", "wrong", 70.0)
    assert len(noted) == NOTED_MAX + 1
    assert noted[-1][3].endswith(f"({4 * NOTED_MAX} more not logged)")


@pytest.mark.parametrize(
    ("number", "name"), [(0, ""), (0x8803, "pts/3"), (0x0401, "tty1"), (0x0440, "ttyS0"), (0x0501, "")]
)
def test_the_name_of_a_terminal_is_the_kernels(number: int, name: str) -> None:
    assert terminal_name(number) == name


@pytest.mark.parametrize(
    ("text", "address"), [("192.0.2.7", "192.0.2.7"), ("2001:DB8::1", "2001:db8::1"), ("evil\n", ""), (5, ""), ("", "")]
)
def test_an_address_that_a_client_says_is_an_address(text: Any, address: str) -> None:
    assert address_of(text) == address


def test_automatic_commits_are_in_the_audit_log_once(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    desk = Supervised(tmp_path / "a")
    desk.store().add(TEXT, "anna", "on trial", 2.0)
    desk.store().add(TEXT, SYSTEM, "commit 2 was not confirmed: reverted to commit 1", 3.0)
    note_own_commits(desk.store(), desk.audit)
    note_own_commits(desk.store(), desk.audit)
    (entry,) = desk.audit.latest(10)
    assert (entry["user"], entry["wall_time"], entry["result"]) == (SYSTEM, 3.0, "done: 3")
    assert entry["command"] == "commit comment=commit 2 was not confirmed: reverted to commit 1"
    assert json.dumps(entry)
