"""The socket of the lease process: bounded, and no reader holds it up."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.cluster.leases.lease_reports import READERS_MAX, LeaseReports


@pytest.fixture
def reports(tmp_path: Path) -> Iterator[LeaseReports]:
    made = LeaseReports(tmp_path / "lease.sock")
    yield made
    made.close()


def connected(tmp_path: Path) -> socket.socket:
    reader = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    reader.connect(str(tmp_path / "lease.sock"))
    return reader


def test_orders_are_read_and_replies_sent(reports: LeaseReports, tmp_path: Path) -> None:
    with connected(tmp_path) as reader:
        end = reports.accept()
        assert end is not None
        reader.send(b'{"order": "stop"}')
        assert reports.order_of(end) == {"order": "stop"}
        assert reports.send(end, {"reply": ""})
        assert reader.recv(100) == b'{"reply": ""}'


@pytest.mark.parametrize("octets", [b"{", b"[]", b"\xff", b'"stop"'])
def test_what_is_no_order_is_read_as_none(reports: LeaseReports, tmp_path: Path, octets: bytes) -> None:
    with connected(tmp_path) as reader:
        end = reports.accept()
        assert end is not None
        reader.send(octets)
        assert reports.order_of(end) == {}


def test_a_reader_that_has_gone_is_noticed(reports: LeaseReports, tmp_path: Path) -> None:
    reader = connected(tmp_path)
    end = reports.accept()
    assert end is not None
    reader.close()
    assert reports.order_of(end) is None
    reports.forget(end)
    assert not reports.readers


def test_there_are_so_many_readers_and_no_more(reports: LeaseReports, tmp_path: Path) -> None:
    readers = [connected(tmp_path) for _ in range(READERS_MAX)]
    assert all(reports.accept() for _ in readers)
    with connected(tmp_path):
        assert reports.accept() is None
    for reader in readers:
        reader.close()


def test_a_reader_that_does_not_read_is_told_nothing_more(reports: LeaseReports, tmp_path: Path) -> None:
    with connected(tmp_path):
        end = reports.accept()
        assert end is not None
        assert not all(reports.send(end, {"report": "x" * 1000}) for _ in range(10_000))


def test_only_the_owner_of_the_process_may_connect(reports: LeaseReports, tmp_path: Path) -> None:
    assert (tmp_path / "lease.sock").stat().st_mode & 0o777 == 0o600
    assert reports.listener.getblocking() is False
