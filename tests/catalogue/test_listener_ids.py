"""Listeners keep their places while a node runs."""

from __future__ import annotations

from dataclasses import replace

from appliance.catalogue.listener_ids import CLOSED, let_go, names_of, place, placed_by_names, with_places
from appliance.catalogue.settings import ENDING, GONE, OPEN, ListenerSettings, Settings

A = ListenerSettings(name="a", port=5060)
B = ListenerSettings(name="b", port=5070)
C = ListenerSettings(name="c", port=5080)


def standings(listeners: tuple[ListenerSettings, ...]) -> list[tuple[str, int]]:
    return [(listener.name, listener.standing) for listener in listeners]


def test_what_stays_keeps_its_place_whatever_else_of_it_changes() -> None:
    changed = replace(B, relay="none", peers=("192.0.2.1",))
    assert place((A, B), (changed, A)) == (A, changed)


def test_what_is_removed_ends_and_what_is_new_comes_after() -> None:
    assert standings(place((A, B), (B, C))) == [("a", ENDING), ("b", OPEN), ("c", OPEN)]


def test_another_port_is_another_place() -> None:
    moved = replace(A, port=6060)
    assert standings(place((A, B), (moved, B))) == [("a", ENDING), ("b", OPEN), ("a", OPEN)]


def test_another_name_is_not() -> None:
    renamed = replace(A, name="z")
    assert place((A, B), (renamed, B)) == (renamed, B)


def test_what_comes_back_in_time_finds_its_place() -> None:
    without = place((A, B), (B,))
    assert place(without, (A, B)) == (A, B)


def test_a_place_that_is_gone_is_given_again() -> None:
    gone = let_go(place((A, B), (B,)), [0])
    assert standings(gone) == [("gone", GONE), ("b", OPEN)]
    assert place(gone, (B, C)) == (C, B)


def test_only_what_ends_can_be_let_go() -> None:
    assert let_go((A, B), [0, 1]) == (A, B)


def test_udp_and_tcp_of_one_address_may_be_two_listeners() -> None:
    datagrams, streams = replace(A, transports=(0,)), replace(A, name="s", transports=(1,))
    assert place((datagrams, streams), (streams, datagrams)) == (datagrams, streams)


def test_another_process_places_them_alike() -> None:
    here = place((A, B), (B, C))
    names = names_of(here)
    assert names == ["", "b", "c"]
    assert placed_by_names((B, C), names, (A, B)) == here
    assert placed_by_names((B, C), names) == (CLOSED, B, C)


def test_settings_with_places_are_settings() -> None:
    listeners = place((A, B), (B, replace(A, name="x", port=5061)))
    assert with_places(Settings(), listeners).listeners == listeners
