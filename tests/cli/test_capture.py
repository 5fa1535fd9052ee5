"""A capture file of `debug sip`: what tshark and its kin read."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cli.capture import HEADER, checksum, record_of
from tests.cli.shells import new_session, script
from tests.cli.stand_in import CALLEE, MESSAGES, StandIn

IPV6 = {**MESSAGES[0], "local": "[2001:db8::1]:5060", "remote": "2001:db8::2:5070"}


def packet_of(event: dict[str, Any]) -> bytes:
    return record_of(event)[16:]


def test_the_header_is_that_of_raw_ip_in_microseconds() -> None:
    assert struct.unpack("<IHHiIII", HEADER) == (0xA1B2C3D4, 2, 4, 0, 0, 262144, 101)


def test_a_message_is_a_datagram_from_its_sender_to_its_receiver() -> None:
    packet = packet_of(MESSAGES[0])
    assert packet[12:16] == bytes([192, 0, 2, 7]) and packet[16:20] == bytes([192, 0, 2, 1])
    assert struct.unpack("!HH", packet[20:24]) == (5060, 5060)
    assert packet[28:].startswith(b"INVITE sip:bob@example.com SIP/2.0")
    assert packet_of(MESSAGES[2])[16:20] == bytes([192, 0, 2, 9]), CALLEE


def test_times_and_lengths_are_in_the_record() -> None:
    seconds, micro, kept, whole = struct.unpack("<IIII", record_of(MESSAGES[3])[:16])
    assert (seconds, kept, whole) == (1764000000, *[len(packet_of(MESSAGES[3]))] * 2)
    assert abs(micro - 100_000) <= 1


@pytest.mark.parametrize("event", [MESSAGES[0], MESSAGES[1], IPV6])
def test_checksums_are_right(event: dict[str, Any]) -> None:
    packet = packet_of(event)
    begin, addresses = (40, packet[8:40]) if packet[0] >> 4 == 6 else (20, packet[12:20])
    assert begin == 40 or checksum(packet[:20]) == 0
    assert checksum(addresses + struct.pack("!II", len(packet) - begin, 17) + packet[begin:]) == 0


def test_debug_sip_saves_what_it_shows(stand_in: StandIn, tmp_path: Path) -> None:
    path = tmp_path / "call.pcap"
    ended = script(new_session(stand_in), "enable", f"debug sip lines 5 save {path}")
    assert ended.status == 0 and ended.lines[-1] == "5 messages shown."
    octets, place, count = path.read_bytes(), len(HEADER), 0
    while place < len(octets):
        place += 16 + struct.unpack("<I", octets[place + 8 : place + 12])[0]
        count += 1
    assert (count, place) == (5, len(octets))
    assert ("debug sip", {"lines": 5}) in stand_in.seen
    assert "Cannot write " in script(new_session(stand_in), "enable", "debug sip save /no/such/file").err


@pytest.mark.skipif(shutil.which("tshark") is None, reason="there is no tshark")
def test_tshark_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "call.pcap"
    path.write_bytes(HEADER + b"".join(record_of(event) for event in [*MESSAGES, IPV6]))
    done = subprocess.run(["tshark", "-r", path, "-Y", "sip"], capture_output=True, text=True, timeout=60)
    assert len(done.stdout.splitlines()) == 6, done.stderr
