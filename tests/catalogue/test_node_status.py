"""The status of a node and the declarations of what commands show of it say the same."""

from __future__ import annotations

from dataclasses import fields

import pytest

from appliance.catalogue import results
from appliance.catalogue.command_declaration import Field
from appliance.catalogue.node_status import (
    ListenerStatus,
    NodeStatus,
    ProcessStatus,
    SlotRange,
    WorkerStatus,
    read_status,
)


@pytest.mark.parametrize(
    ("declared", "row"),
    [
        (results.WORKERS[0].fields, WorkerStatus),
        (results.LISTENERS[0].fields, ListenerStatus),
        (results.PROCESSES[0].fields, ProcessStatus),
        (results.SLOTS[0].fields, SlotRange),
        (results.STATUS, NodeStatus),
    ],
)
def test_what_a_command_declares_is_in_the_status(declared: tuple[Field, ...], row: type) -> None:
    # A description is configured; it is no state.
    names = {field.name for field in declared} - {"description"}
    assert names <= {field.name for field in fields(row)}


def test_a_status_of_another_version_is_read_as_far_as_it_goes() -> None:
    assert read_status({}) == NodeStatus()
    values = {"hostname": "box", "novelty": 1, "workers": [{"number": 7, "mood": "fine"}], "supervisor": {"pid": 5}}
    status = read_status(values)
    assert (status.hostname, status.workers[0], status.supervisor.pid) == ("box", WorkerStatus(7), 5)
