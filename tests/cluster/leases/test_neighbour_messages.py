"""Frames that tell neighbours where an address is (RFC 826, RFC 5227, RFC 4861)."""

from __future__ import annotations

from ipaddress import IPv4Address

from appliance.cluster.leases.neighbour_messages import announcements, probe, sender_of

HARDWARE = bytes.fromhex("020000000001")


def test_gratuitous_arp_comes_as_request_and_as_reply() -> None:
    request, reply = announcements("10.77.0.50/24", HARDWARE)
    assert request[:6] == reply[:6] == b"\xff" * 6
    assert (request[20:22], reply[20:22]) == (b"\0\1", b"\0\2")
    for frame in (request, reply):
        assert sender_of(frame) == (HARDWARE, IPv4Address("10.77.0.50"))
        assert frame[28:32] == frame[38:42]


def test_a_probe_names_no_sender_so_that_it_changes_no_table() -> None:
    frame = probe("10.77.0.50/24", HARDWARE)
    assert sender_of(frame) is None
    assert frame[38:42] == bytes([10, 77, 0, 50])


def test_an_unsolicited_advertisement_goes_to_all_nodes_with_the_override_flag() -> None:
    (frame,) = announcements("fd77::50/64", HARDWARE)
    assert frame[:6] == bytes.fromhex("333300000001")
    packet = frame[14:]
    # RFC 4861 7.1.2: a hop limit of 255.
    assert packet[7] == 255
    assert packet[40] == 136 and packet[44] == 0x20
    assert packet[64:72] == bytes([2, 1]) + HARDWARE
    # The checksum of the whole, with its pseudo header, is right.
    pseudo = packet[8:40] + len(packet[40:]).to_bytes(4, "big") + (58).to_bytes(4, "big")
    octets = pseudo + packet[40:]
    total = sum(int.from_bytes(octets[i : i + 2], "big") for i in range(0, len(octets), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    assert total == 0xFFFF


def test_what_is_no_arp_frame_says_nothing() -> None:
    assert sender_of(b"") is None
    assert sender_of(b"\0" * 60) is None
