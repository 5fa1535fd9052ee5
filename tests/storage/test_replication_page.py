"""The page and the event by which workers and the replicator of a node tell each other of changes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.location.binding import BindingChange
from appliance.storage.registrations import SharedTable
from appliance.storage.replication_page import NO_NODE, ReplicationMemory, ReplicationPage
from tests.location.bindings import binding

GENERATION = 7


@pytest.fixture
def memory() -> Iterator[ReplicationMemory]:
    made = ReplicationMemory()
    yield made
    made.close()


@pytest.fixture
def page(memory: ReplicationMemory) -> Iterator[ReplicationPage]:
    opened = ReplicationPage(memory.page_fd, memory.event_fd)
    yield opened
    opened.close()


def test_there_is_no_node_to_wait_for_at_first(page: ReplicationPage) -> None:
    assert page.acknowledged(GENERATION) == NO_NODE
    page.changed()
    assert not page.take_event()


def test_what_another_node_has_is_seen_by_all(memory: ReplicationMemory, page: ReplicationPage) -> None:
    other = ReplicationPage(memory.page_fd, memory.event_fd)
    other.note(GENERATION, 41, True)
    assert page.acknowledged(GENERATION) == 41
    assert page.acknowledged(GENERATION + 1) == NO_NODE
    other.note(GENERATION, 41, False)
    assert page.acknowledged(GENERATION) == NO_NODE
    other.close()


def test_the_event_wakes_who_wants_it(page: ReplicationPage) -> None:
    page.want(True)
    page.changed()
    page.changed()
    assert page.take_event()
    assert not page.take_event()


def test_an_event_that_is_full_is_enough(page: ReplicationPage) -> None:
    page.want(True)
    os.eventfd_write(page.event_fd, 2**64 - 2)
    page.changed()
    assert page.take_event()


def test_links_are_known_by_node(page: ReplicationPage) -> None:
    page.note_links([2, 4095])
    assert [node for node in range(4096) if page.is_linked(node)] == [2, 4095]


def test_a_cleared_page_makes_no_answer_wait(memory: ReplicationMemory, page: ReplicationPage) -> None:
    page.note(GENERATION, 41, True)
    page.note_links([2])
    memory.clear()
    assert page.acknowledged(GENERATION) == NO_NODE
    assert not page.is_linked(2)


def test_a_table_says_which_changes_another_node_has(page: ReplicationPage, tmp_path: Path) -> None:
    table = SharedTable.create(tmp_path / "table", 100, GENERATION)
    table.replication = page
    page.want(True)

    def register(user: bytes) -> int:
        number = table.apply(BindingChange(user, (binding(aor=user),)))
        assert table.commit()
        return number

    page.note(GENERATION, 0, True)
    first = register(b"sip:a@example.com")
    assert page.take_event()
    assert table.acknowledged() < first == table.committed()
    second = register(b"sip:b@example.com")
    page.note(GENERATION, table.last_seq - 1, True)
    assert table.acknowledged() == first
    page.note(GENERATION, table.last_seq, True)
    assert table.acknowledged() == second
    third = register(b"sip:c@example.com")
    assert table.acknowledged() == second
    page.note(GENERATION, table.last_seq - 1, False)
    assert table.acknowledged() == third
    table.close()
