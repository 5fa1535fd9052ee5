"""`signalbox subscriber`: addresses, realms, the sentences, and the word to a running appliance."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.catalogue.authentication_settings import DigestSettings
from appliance.catalogue.settings import ListenerSettings, Settings
from appliance.ipc.bus import BusUnavailable
from appliance.management import subscriber_commands
from appliance.management.errors import CommandFailed
from appliance.management.operator_lookups import is_subscriber
from appliance.management.subscriber_commands import Address, SubscriberCommands, read_address
from appliance.messages.bus_messages import BusMessage
from appliance.messages.supervisor_requests import EndRegistrations, ForgetSubscriber, WorkersTold

ONE_REALM = Settings(
    domains=("example.com", "sip.example.com", "[::1]"),
    digest=DigestSettings(realm="example.com"),
    listeners=(ListenerSettings(address="192.0.2.1"),),
)
TWO_REALMS = Settings(domains=("example.com", "example.org"))
AWAY = "No appliance runs on this state folder."


@pytest.mark.parametrize(
    ("text", "settings", "address"),
    [
        ("alice@Example.COM", None, Address("alice", "example.com")),
        ("sip:alice@example.com", TWO_REALMS, Address("alice", "example.com")),
        ("alice@example.org", TWO_REALMS, Address("alice", "example.org")),
        ("alice@sip.example.com", ONE_REALM, Address("alice", "example.com")),
        ("alice@::1", ONE_REALM, Address("alice", "example.com")),
        ("alice@192.0.2.1", ONE_REALM, Address("alice", "example.com")),
        ("alice@[::1]", None, Address("alice", "[::1]")),
        ("alice@127.0.0.1", TWO_REALMS, Address("alice", "127.0.0.1")),
        ("sip:alice", TWO_REALMS, Address("alice", "example.com")),
    ],
)
def test_an_address_is_a_name_and_the_realm_of_its_domain(
    text: str, settings: Settings | None, address: Address
) -> None:
    assert read_address(text, settings) == address


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", '"" is not an address: type USER@DOMAIN, such as alice@example.com.'),
        ("@example.com", '"@example.com" is not an address'),
        ("alice@", '"" is not a domain name'),
        ("alice@exmaple.com", '"exmaple.com" is not a domain of this appliance; did you mean "example.com"?'),
        ("alice@zzz", "use example.com, sip.example.com, [::1] or 192.0.2.1."),
    ],
)
def test_an_address_that_cannot_be_used_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(CommandFailed) as refusal:
        read_address(text, ONE_REALM)
    assert sentence in str(refusal.value)


def test_a_name_without_a_domain_needs_a_configuration_that_has_one() -> None:
    for settings in (None, Settings(domains=())):
        with pytest.raises(CommandFailed, match='"alice" is not an address: type USER@DOMAIN'):
            read_address("alice", settings)


@pytest.fixture
def commands(tmp_path: Path) -> Iterator[SubscriberCommands]:
    opened = SubscriberCommands(ONE_REALM, tmp_path)
    yield opened
    opened.close()


def test_add_list_remove(commands: SubscriberCommands) -> None:
    alice = Address("alice", "example.com")
    assert commands.add(alice, "wonderland") == f"Subscriber alice@example.com added. {AWAY}"
    assert list(commands.list()) == ["alice@example.com"]
    with pytest.raises(CommandFailed, match=r"^alice@example\.com is a subscriber already\.$"):
        commands.add(alice, "looking-glass")
    assert commands.remove(alice) == f"Subscriber alice@example.com removed. {AWAY}"
    with pytest.raises(CommandFailed, match=r"^alice@example\.com is not a subscriber\.$"):
        commands.remove(alice)


def test_a_password_is_changed_and_nothing_else(commands: SubscriberCommands) -> None:
    alice = Address("alice", "example.com")
    with pytest.raises(CommandFailed, match=r"^alice@example\.com is not a subscriber\.$"):
        commands.password(alice, "looking-glass")
    commands.add(alice, "wonderland")
    before = commands._store.find(b"alice", b"example.com")
    assert commands.password(alice, "looking-glass") == f"Password of alice@example.com changed. {AWAY}"
    after = commands._store.find(b"alice", b"example.com")
    assert before is not None and after is not None
    assert (before.ha1_md5 != after.ha1_md5, before.created == after.created) == (True, True)
    with pytest.raises(CommandFailed, match="has 5 characters"):
        commands.password(alice, "short")


def imported(commands: SubscriberCommands, path: Path) -> str:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return commands.import_csv(lines, str(path), is_replacing=False)


def test_what_is_exported_can_be_imported(commands: SubscriberCommands, tmp_path: Path) -> None:
    commands.add(Address("alice", "example.com"), "wonderland")
    before = commands._store.find(b"alice", b"example.com")
    path = tmp_path / "export.csv"
    with path.open("w", newline="") as file:
        assert commands.export(file) == 1
    assert "wonderland" not in path.read_text()
    commands.remove(Address("alice", "example.com"))
    assert imported(commands, path).startswith("1 subscriber imported.")
    after = commands._store.find(b"alice", b"example.com")
    assert before is not None and after is not None and before.ha1_sha256 == after.ha1_sha256
    path.write_text("bob,example.com,12,\n")
    with pytest.raises(CommandFailed, match="must be 32 hexadecimal digits"):
        imported(commands, path)


def test_a_password_that_the_policy_forbids_is_not_stored(commands: SubscriberCommands) -> None:
    with pytest.raises(CommandFailed, match=r"^The password of alice has 6 characters: type at least 8"):
        commands.add(Address("alice", "example.com"), "secret")
    assert list(commands.list()) == []


def test_import_gives_the_count_or_every_bad_line(commands: SubscriberCommands, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes("\ufeffusername,domain,password\r\nalice,sip.example.com,wonderland\r\nbob,example.com,builders\r\n".encode())
    assert imported(commands, path) == f"2 subscribers imported. {AWAY}"
    assert list(commands.list()) == ["alice@example.com", "bob@example.com"]
    path.write_text("carol,example.com,christmas\nbob,example.com,builders\ndave,example.net,diamonds\nerin,example.com,erin\n")
    with pytest.raises(CommandFailed) as refusal:
        imported(commands, path)
    assert str(refusal.value).splitlines() == [
        f"No subscribers were imported. {path} has invalid rows:",
        "  line 2: bob@example.com is a subscriber already",
        '  line 3: "example.net" is not a domain of this appliance; did you mean "example.com"?',
        "  line 4: the password of erin has 4 characters: type at least 8 (`passwords length`)",
    ]
    assert list(commands.list()) == ["alice@example.com", "bob@example.com"]


def test_a_running_appliance_is_told_to_forget(
    commands: SubscriberCommands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[BusMessage] = []

    def ask(runtime_dir: Path, request: BusMessage, timeout_s: float) -> WorkersTold:
        assert runtime_dir == tmp_path / "run"
        told.append(request)
        return WorkersTold([0, 1])

    monkeypatch.setattr(subscriber_commands, "ask_supervisor", ask)
    assert commands.add(Address("alice", "example.com"), "wonderland").endswith("The running appliance is updated.")
    commands.remove(Address("alice", "example.com"))
    path = tmp_path / "people.csv"
    path.write_text("bob,example.com,builders\n")
    imported(commands, path)
    assert told == [
        ForgetSubscriber(b"alice"),
        ForgetSubscriber(b"alice"),
        EndRegistrations("alice", "example.com"),
        ForgetSubscriber(b""),
    ]


def test_one_that_cannot_be_told_is_no_failure(commands: SubscriberCommands, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(*_: object) -> dict[str, str]:
        raise BusUnavailable("The supervisor did not answer within 2 s.")

    monkeypatch.setattr(subscriber_commands, "ask_supervisor", ask)
    assert " added." in commands.add(Address("alice", "example.com"), "wonderland")


def test_a_damaged_database_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "subscribers.sqlite3").write_bytes(b"x" * 5000)
    with pytest.raises(CommandFailed, match=r"^The subscriber database .* is damaged .*\.$"):
        SubscriberCommands(None, tmp_path)


def test_a_listing_makes_no_database(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match=r"The subscriber database .* does not exist\."):
        SubscriberCommands(ONE_REALM, tmp_path, may_make=False)
    assert list(tmp_path.iterdir()) == []


def test_a_look_up_of_test_route_makes_no_database(tmp_path: Path) -> None:
    assert asyncio.run(is_subscriber("alice", "example.com", ONE_REALM, tmp_path)) is False
    assert list(tmp_path.iterdir()) == []
