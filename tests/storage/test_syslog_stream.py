"""The log to a syslog server by TCP (RFC 6587) and TLS (RFC 5425): framing, servers that come and go, a full queue."""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from appliance.catalogue.alarms import LOG_HOST_UNREACHABLE
from appliance.catalogue.certificate_settings import CertificateSettings, TlsSettings
from appliance.catalogue.settings import Settings
from appliance.storage.log_file import lines_lost, log_by, log_conditions
from tests.certificate_authority import CertificateAuthority
from tests.live.processes import wait_until

GIVEN_UP_S = 60.0
log = logging.getLogger("signalbox.supervisor")


@pytest.fixture(autouse=True)
def without_hosts() -> Iterator[None]:
    """Each test has a handler of its own."""
    yield
    log_by(Settings())
    ours = logging.getLogger("signalbox")
    for handler in list(ours.handlers):
        ours.removeHandler(handler)


@contextmanager
def listening(port: int = 0) -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", port)) as server:
        server.settimeout(GIVEN_UP_S)
        yield server


def accepted(server: socket.socket) -> socket.socket:
    connection, _ = server.accept()
    connection.settimeout(GIVEN_UP_S)
    return connection


def settings(server: socket.socket, transport: str = "tcp", **more: object) -> Settings:
    host = f"127.0.0.1 transport {transport} port {server.getsockname()[1]}"
    return Settings(hostname="sip1", logging_hosts=(host,), **more)  # type: ignore[arg-type]


class Frames:
    """The messages of a connection: MSG-LEN SP SYSLOG-MSG."""

    def __init__(self, connection: socket.socket) -> None:
        self._file = connection.makefile("rb")

    def next(self) -> str:
        length = b""
        while (octet := self._file.read(1)) != b" ":
            assert octet.isdigit()
            length += octet
        return self._file.read(int(length)).decode().partition("\ufeff")[2]


def unreached() -> list[str]:
    return [condition.subject for condition in log_conditions() if condition.name == LOG_HOST_UNREACHABLE]


def test_lines_are_counted_in_octets() -> None:
    """RFC 6587 3.4.1: a line may have any octet in it."""
    with listening() as server:
        log_by(settings(server))
        with accepted(server) as connection:
            frames = Frames(connection)
            log.error("Worker 0\nis down: %s", "\N{SNOWMAN}")
            log.error("next")
            assert frames.next() == "Worker 0 is down: \N{SNOWMAN}"
            assert frames.next() == "next"
            assert unreached() == [] and lines_lost() == 0


def test_lines_wait_for_a_server_that_comes_later() -> None:
    with listening() as server:
        port = server.getsockname()[1]
        wanted = settings(server)
    log_by(wanted)
    log.error("before")
    wait_until(lambda: unreached() == ["127.0.0.1"], "the alarm is raised", GIVEN_UP_S)
    with listening(port) as server, accepted(server) as connection:
        assert Frames(connection).next() == "before"
        wait_until(lambda: unreached() == [], "the alarm is cleared", GIVEN_UP_S)
    assert lines_lost() == 0


def test_a_server_that_closes_is_connected_to_again() -> None:
    with listening() as server:
        log_by(settings(server))
        with accepted(server) as connection:
            log.error("first")
            assert Frames(connection).next() == "first"
        with accepted(server) as connection:
            log.error("second")
            assert Frames(connection).next() == "second"


def test_a_full_queue_loses_its_oldest_lines_and_says_so() -> None:
    with listening() as server:
        port = server.getsockname()[1]
        wanted = settings(server, logging_queue_max=10)
    log_by(wanted)
    for number in range(25):
        log.error("line %d", number)
    assert lines_lost() == 15
    with listening(port) as server, accepted(server) as connection:
        frames = Frames(connection)
        assert frames.next() == "15 lines of this log could not be sent and are lost."
        assert frames.next() == "line 15"
    assert lines_lost() == 15


def test_other_settings_keep_the_connection_and_what_waits() -> None:
    with listening() as server:
        wanted = settings(server)
        log_by(wanted)
        with accepted(server) as connection:
            log_by(settings(server, exec_timeout_min=5))
            log.error("still there")
            assert Frames(connection).next() == "still there"


def test_the_end_of_a_process_sends_what_waits() -> None:
    with listening() as server:
        log_by(settings(server))
        with accepted(server) as connection:
            log.error("the last")
            log_by(Settings())
            frames = Frames(connection)
            assert frames.next() == "the last"


# -- TLS ---------------------------------------------------------------------------------------------------


@pytest.fixture
def authority(tmp_path: Path) -> CertificateAuthority:
    return CertificateAuthority(tmp_path / "ca")


Secured = Callable[[socket.socket], ssl.SSLSocket]


def secured_by(authority: CertificateAuthority, names: str, wants_client: bool = False) -> Secured:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("log", names))
    context.load_verify_locations(authority.trust)
    context.verify_mode = ssl.CERT_REQUIRED if wants_client else ssl.CERT_NONE
    return lambda connection: context.wrap_socket(connection, server_side=True)


@pytest.mark.parametrize(("names", "name"), [("IP:127.0.0.1", ""), ("DNS:log.example", " name log.example")])
def test_a_server_is_proved_by_its_certificate(authority: CertificateAuthority, names: str, name: str) -> None:
    """RFC 5425 5.2: by its address, or by the name that the operator has given."""
    secured = secured_by(authority, names)
    with listening() as server:
        host = f"127.0.0.1 transport tls port {server.getsockname()[1]}{name}"
        log_by(Settings(logging_hosts=(host,), tls=TlsSettings(trust=str(authority.trust))))
        with secured(accepted(server)) as connection:
            log.error("over TLS")
            assert Frames(connection).next() == "over TLS"


def test_a_server_with_another_name_gets_nothing(authority: CertificateAuthority) -> None:
    secured = secured_by(authority, "DNS:other.example")
    with listening() as server:
        log_by(settings(server, "tls", tls=TlsSettings(trust=str(authority.trust))))
        log.error("confidential")
        with pytest.raises(OSError), secured(accepted(server)) as connection:
            assert connection.recv(4096) == b""
            raise ConnectionResetError
        wait_until(lambda: unreached() == ["127.0.0.1"], "the alarm is raised", GIVEN_UP_S)
    (condition,) = log_conditions()
    assert "IP address mismatch" in condition.text and "Lines waiting: 1, lost: 0." in condition.text


def test_a_server_that_asks_gets_the_certificate_of_the_appliance(authority: CertificateAuthority) -> None:
    """RFC 5425 4.2.1"""
    secured = secured_by(authority, "IP:127.0.0.1", wants_client=True)
    chain, key = authority.issue("own", "DNS:sip1.example")
    own = CertificateSettings("own", chain=str(chain), key=str(key))
    tls = TlsSettings(trust=str(authority.trust), client_certificate="own")
    with listening() as server:
        log_by(settings(server, "tls", tls=tls, certificates=(own,)))
        with secured(accepted(server)) as connection:
            log.error("mutual")
            assert Frames(connection).next() == "mutual"
            assert ("DNS", "sip1.example") in connection.getpeercert()["subjectAltName"]  # type: ignore[index]


def test_a_trust_store_that_is_missing_is_named() -> None:
    with listening() as server:
        log_by(settings(server, "tls", tls=TlsSettings(trust="/none.pem")))
        wait_until(lambda: unreached() == ["127.0.0.1"], "the alarm is raised", GIVEN_UP_S)
        (condition,) = log_conditions()
        assert "/none.pem" in condition.text
