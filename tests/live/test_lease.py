"""Virtual addresses whose owner fails, in network namespaces, as root: one owner at every moment, IPv4 and IPv6.

A client asks both families every 2 ms and captures what speaks for the addresses. Figures: test_lease_figures.py.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.messages.membership import Membership
from tests.live.lease_namespaces import (
    FIRST,
    SECOND,
    SECOND_V4,
    SECOND_V6,
    V4,
    V6,
    Namespaces,
    Node,
    Observed,
    need_namespaces,
)
from tests.live.machine import STATISTICAL
from tests.live.processes import wait_until


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Namespaces]:
    """Three nodes; the first address is node 1's, the second one node 2's."""
    need_namespaces()
    with Namespaces(tmp_path) as namespaces:
        namespaces.start()
        yield namespaces


def moved(net: Namespaces) -> None:
    """Wait until another node than the first owns the first address."""
    others = [node for number, node in net.nodes.items() if number != 1]
    wait_until(lambda: any(node.stance() == "owning" for node in others), "another node owns the address")


def test_all_processes_of_a_node_are_killed(net: Namespaces) -> None:
    with net.polling() as finish:
        net.nodes[1].signal_all(signal.SIGKILL)
        moved(net)
        seen = Observed(finish())
    seen.check_one_owner()
    for address in (V4, V6):
        assert len(seen.changes(address)) == 2
        assert seen.answering(address)[0] == "1"
    for address in (SECOND_V4, SECOND_V6):
        assert seen.answering(address) == ["2"]


@STATISTICAL
def test_the_guard_gives_the_addresses_away_when_the_lease_process_is_killed(net: Namespaces) -> None:
    with net.polling() as finish:
        os.kill(net.nodes[1].lease_pid, signal.SIGKILL)
        moved(net)
        seen = Observed(finish())
    seen.check_one_owner()
    # Well before its lease would have ended.
    assert seen.longest_gap_s(V4, V6) < net.settings.lease_s / 2
    assert V4 not in net.nodes[1].run("ip", "addr", "show", "dev", "eth0")


def test_a_frozen_node_is_silent_before_another_one_speaks_and_after_it_goes_on(net: Namespaces) -> None:
    with net.polling() as finish:
        net.nodes[1].freeze()
        moved(net)
        net.nodes[1].signal_all(signal.SIGCONT)
        wait_until(lambda: net.nodes[1].stance() == "following", "the first owner follows")
        seen = Observed(finish())
    seen.check_one_owner()
    assert len(seen.changes(V4)) == 2


def test_an_owner_that_members_do_not_hear_gives_up_though_clients_reach_it(net: Namespaces) -> None:
    with net.polling() as finish:
        net.cut((1, 2), (2, 1), (1, 3), (3, 1))
        moved(net)
        net.heal()
        wait_until(lambda: net.nodes[1].stance() == "following", "the first owner follows")
        seen = Observed(finish())
    seen.check_one_owner()
    assert len(seen.changes(V4)) == 2


def test_an_owner_that_one_member_does_not_hear_stays(net: Namespaces) -> None:
    with net.polling() as finish:
        net.cut((1, 3), (3, 1))
        lost = lambda: net.nodes[3].status()["members"][0]["heard_ms_ago"] > 1500  # noqa: E731
        wait_until(lost, "node 3 has not heard node 1 for longer than a lease")
        net.heal()
        seen = Observed(finish())
    assert seen.answering(V4) == ["1"]


@STATISTICAL
def test_a_switchover_by_order(net: Namespaces) -> None:
    with net.polling() as finish:
        assert net.nodes[1].ask({"order": "switchover", "address": FIRST, "to": 3}) == ""
        moved(net)
        seen = Observed(finish())
    seen.check_one_owner()
    assert seen.answering(V4) == ["1", "3"]
    assert seen.longest_gap_s(V4, V6) < net.settings.lease_s / 2


@STATISTICAL
def test_a_lease_process_that_is_told_to_end_gives_its_addresses_away(net: Namespaces) -> None:
    node = net.nodes[1]
    with net.polling() as finish:
        assert node.ask({"order": "stop"}) == ""
        moved(net)
        seen = Observed(finish())
    seen.check_one_owner()
    assert node.lease is not None and node.lease.wait(60) == 0
    assert seen.longest_gap_s(V4, V6) < net.settings.lease_s / 2


def test_a_connection_to_an_address_that_is_lost_is_closed(net: Namespaces) -> None:
    node = net.nodes[1]
    server = (
        "import socket; s = socket.create_server(('10.77.0.50', 5070)); print('ready', flush=True); c, _ = s.accept()\n"
        "try: print(c.recv(1))\nexcept OSError as fault: print(type(fault).__name__)"
    )
    client = (
        "import socket, sys; s = socket.create_connection(('10.77.0.50', 5070)); print('ready', flush=True)\n"
        "sys.stdin.read()"
    )
    serving, calling = net.program(node.namespace, server), net.program(net.client, client)
    wait_until(lambda: "5070" in node.run("ss", "-tnH", "state", "established"), "the connection is there")
    assert node.ask({"order": "switchover", "address": FIRST, "to": 2}) == ""
    assert b"Connection" in serving.communicate(timeout=60)[0]
    calling.communicate(timeout=60)


def test_two_nodes_and_a_witness(tmp_path: Path) -> None:
    need_namespaces()
    with Namespaces(tmp_path, has_witness=True) as net:
        net.start()
        net.nodes[1].signal_all(signal.SIGKILL)
        net.wait_for_owner(2, FIRST)
        # Two of three members vote: that is a majority, and the witness owns nothing.
        net.nodes[2].signal_all(signal.SIGKILL)
        silent = lambda: net.nodes[3].status()["members"][1]["heard_ms_ago"] > 1500  # noqa: E731
        wait_until(silent, "the witness has not heard the last node for longer than a lease")
        assert net.owner(FIRST) == net.owner(SECOND) == 0


@STATISTICAL
def test_a_member_joins_and_another_one_is_removed_and_no_address_moves(tmp_path: Path) -> None:
    need_namespaces()
    with Namespaces(tmp_path, members=4) as net:
        joining, members = net.nodes.pop(4), net.membership.members
        net.membership = Membership(1, members[:3])
        net.start()
        net.nodes[4] = joining
        epochs = epochs_of(net.nodes[1])
        with net.polling() as finish:
            net.change_members(members)
            joining.start()
            joining.start_echo()
            wait_until(lambda: joining.stance() and joining.owners() == [1, 2], "the fourth member knows who owns what")
            net.change_members((*members[:2], members[3]))
            assert net.nodes[3].ask({"order": "stop"}) == ""
            for node in (net.nodes[1], net.nodes[2], joining):
                others = {1, 2, 4} - {node.number}
                wait_until(lambda node=node, others=others: heard_by(node) == others, "the members are those")
            ends_at = time.monotonic() + 2 * net.settings.lease_s
            wait_until(lambda: time.monotonic() > ends_at, "no lease of before lasts still")
            seen = Observed(finish())
        seen.check_one_owner()
        assert (seen.answering(V4), seen.answering(SECOND_V4)) == (["1"], ["2"])
        assert epochs_of(net.nodes[1]) == epochs
        assert seen.longest_gap_s(V4, V6, SECOND_V4, SECOND_V6) < net.settings.lease_s / 2
        # The one that has joined votes; and what is no change of one other member is refused.
        order = {"order": "members", **net.nodes[1].launch().fields_of_members}
        assert "more than one other member" in net.nodes[1].ask(order)
        net.nodes[1].signal_all(signal.SIGKILL)
        net.wait_for_owner(2)


def epochs_of(node: Node) -> list[int]:
    """Of the addresses, as a node knows them."""
    return [address["epoch"] for address in node.status()["addresses"]]


def heard_by(node: Node) -> set[int]:
    """The members that a node has heard."""
    return {member["member"] for member in node.status()["members"] if member["heard_ms_ago"] is not None}


def test_an_address_that_a_machine_outside_of_the_cluster_has_is_not_taken(tmp_path: Path) -> None:
    need_namespaces()
    with Namespaces(tmp_path) as net:
        net.run("ip", "-n", net.client, "addr", "add", f"{V4}/24", "dev", "eth0")
        for node in net.nodes.values():
            node.start()
        wait_until(lambda: net.owner(SECOND), "the other address has an owner")
        assert net.owner(FIRST) == 0
        assert net.nodes[1].status()["addresses"][0]["is_elsewhere"]
        net.run("ip", "-n", net.client, "addr", "del", f"{V4}/24", "dev", "eth0")
        wait_until(lambda: net.owner(FIRST), "it is taken when no other machine has it", timeout_s=30)


def test_a_second_lease_process_on_a_machine_is_refused(net: Namespaces) -> None:
    second = net.nodes[1]
    first = second.lease
    second.start()
    assert second.lease is not None and second.lease.wait(60) == 2
    assert "Another lease process runs here" in (net.folder / "lease1.log").read_text()
    second.lease = first
    assert second.stance() == "owning"


def test_recorded_and_forged_heartbeats_change_nothing(net: Namespaces) -> None:
    """A machine on the network repeats what it has recorded, and changes it, with the address of a member."""
    record = (
        "import socket; s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x800))\n"
        "s.bind(('eth0', 0x800)); print('ready', flush=True); n = 0\n"
        "while n < 40:\n"
        "    f, (_, _, kind, _, _) = s.recvfrom(2000)\n"
        "    if kind == 0 and f[23] == 17 and f[26:30] == bytes([10, 77, 0, 1]): print(f.hex(), flush=True); n += 1\n"
    )
    recorded = net.program(net.nodes[3].namespace, record).communicate(timeout=60)[0].decode().split()
    forge = (
        "import socket, sys; s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(('eth0', 0))\n"
        "print('ready', flush=True); own = s.getsockname()[4]\n"
        "for line in sys.stdin:\n"
        "    f = bytearray.fromhex(line); f[6:12] = own; f[40:42] = b'\\0\\0'; s.send(f); f[-20] ^= 1; s.send(f)\n"
    )
    with net.polling() as finish:
        net.program(net.client, forge).communicate("\n".join(recorded).encode(), timeout=60)
        counters = net.nodes[3].status()["counters"]
        seen = Observed(finish())
    assert counters["datagrams_repeated"] >= len(recorded)
    assert counters["datagrams_foreign"] >= len(recorded)
    assert seen.answering(V4) == ["1"]
    assert net.owner() == 1


def test_the_report_says_who_took_what_from_whom_why_and_how_long_it_took(net: Namespaces) -> None:
    with net.nodes[2].connection() as control:
        control.settimeout(60)
        net.nodes[1].signal_all(signal.SIGKILL)
        while "change" not in (document := json.loads(control.recv(1 << 16))):
            assert document["member"] == 2
    change = document["change"]
    assert (change["address"], change["owner"], change["last_owner"]) == (FIRST, 2, 1)
    assert change["reason"] == "the last owner: not heard"
    assert net.settings.lease_ms <= change["gap_ms"]
