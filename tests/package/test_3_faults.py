"""What goes wrong on a machine: one clear sentence in the journal and in the status, and nothing stored is lost."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.storage.commits import CommitStore
from tests.live.processes import Processes
from tests.package.calls import can_call, place_calls
from tests.package.node import Node, Service, wait_until

STATE = "var/lib/signalbox"


def alarms(node: Node) -> str:
    """The names and texts of all that are active."""
    return node.said("signalbox", "cli", "-c", "show alarms")


def runs_by_itself(service: Service) -> None:
    """Systemd tries again until it succeeds."""
    wait_until(lambda: service.is_active, "the service runs again by itself")
    wait_until(can_call, "and takes calls")


def owner_of(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_uid, status.st_gid


def test_a_port_in_use_is_said_and_tried_again(node: Node, service: Service) -> None:
    service.control("stop")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as foreign:
        foreign.bind(("127.0.0.1", 5060))
        node.run("systemctl", "start", "--no-block", "signalbox")
        sentence = "Listener phones: UDP port 5060 of 127.0.0.1 is in use by another program."
        wait_until(lambda: sentence in service.journal(), "the journal says so")
        wait_until(lambda: sentence.removesuffix(".") in service.fact("StatusText"), "the status says so")
    runs_by_itself(service)


def test_a_read_only_disk_is_said_and_tried_again(node: Node, service: Service) -> None:
    with service.drop_in(f"ReadOnlyPaths=/{STATE}", "StateDirectory="):
        sentence = f"The state folder /{STATE} cannot be used: Read-only file system"
        wait_until(lambda: sentence in service.journal(), "the journal says so")
        wait_until(lambda: sentence in service.fact("StatusText"), "the status says so")
        assert not service.is_active
    runs_by_itself(service)


def test_missing_capabilities_are_said_and_calls_go_on(service: Service, processes: Processes) -> None:
    with service.drop_in("CapabilityBoundingSet=", "AmbientCapabilities="):
        wait_until(lambda: service.is_active, "the service runs")
        for name in ("CAP_NET_BIND_SERVICE", "CAP_NET_ADMIN", "CAP_SYS_NICE"):
            assert f"{name} is missing: " in service.journal()
        place_calls(processes)


@contextmanager
def small_disk(node: Node, service: Service) -> Iterator[None]:
    """The state on a disk of its own, of which nothing is free."""
    service.control("stop")
    folder = f"/{STATE}"
    node.run("cp", "--archive", folder, "/tmp/state")
    node.run("mount", "-t", "tmpfs", "-o", "size=64m,mode=0710,uid=signalbox,gid=signalbox", "tmpfs", folder)
    try:
        node.run("sh", "-c", f"cp --archive /tmp/state/. {folder}/")
        service.control("start")
        yield
    finally:
        service.control("stop")
        node.run("umount", folder)
        node.run("rm", "--recursive", "/tmp/state")
        service.control("start")


def test_on_a_full_disk_calls_go_on_under_an_alarm(node: Node, service: Service, processes: Processes) -> None:
    with small_disk(node, service):
        node.run("sh", "-c", f"cat /dev/zero >/{STATE}/full", check=False)
        place_calls(processes)
        commit = node.shell("enable", "configure", "banner Full", "commit", check=False)
        assert commit.returncode != 0
        assert "No space left on device" in commit.stdout + commit.stderr
        # A restart finds the disk as full as it was.
        service.control("restart")
        place_calls(processes)
        node.run("rm", f"/{STATE}/full")
        wait_until(lambda: "state-store-failing" not in alarms(node), "the alarm is cleared")


def test_a_damaged_state_is_set_aside_and_the_rest_is_used(node: Node, service: Service, processes: Processes) -> None:
    service.control("stop")
    key, formats = node.root / STATE / "key", node.root / STATE / "formats"
    key.write_bytes(b"damaged")
    formats.write_bytes(b"\xff\xff")
    last = max((node.root / STATE / "configuration").glob("commit-*"))
    kept = last.read_bytes()
    last.write_bytes(kept[: len(kept) // 2])
    service.control("start")
    for sentence in (f"The key in /{STATE}/key was damaged", "formats was damaged", f"{last.name} cannot be read"):
        assert sentence in service.journal()
        assert sentence in node.said("signalbox", "cli", "--json", "-c", "show alarms")
    assert can_call()
    service.control("stop")
    last.write_bytes(kept)
    service.control("start")


def test_a_configuration_of_a_later_version_gives_way_to_the_last_that_can_be_read(
    node: Node, service: Service, processes: Processes
) -> None:
    service.control("stop")
    folder = node.root / STATE / "configuration"
    store = CommitStore(folder)
    assert store.head is not None
    later = store.add(store.head.text + "colour blue\n", "anna", "of a later version", 1.0, source=store.head.source)
    os.chown(folder / f"commit-{later.number:06d}", *owner_of(folder))
    service.control("start")
    sentence = f"Commit {later.number} is from an incompatible version of Signalbox: commit "
    assert sentence in service.journal()
    assert sentence in node.said("signalbox", "cli", "--json", "-c", "show alarms")
    place_calls(processes)
    history = json.loads(node.said("signalbox", "cli", "--json", "-c", "show configuration history"))
    assert later.number in [commit["number"] for commit in history["commits"]]
