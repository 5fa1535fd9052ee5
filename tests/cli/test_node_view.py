"""`show ... node NAME|all`: each node under its heading, a sentence for one that does not answer."""

from __future__ import annotations

import json

from tests.cli.shells import new_session, script
from tests.cli.stand_in import StandIn


def test_each_node_is_drawn_under_its_name(stand_in: StandIn) -> None:
    session = new_session(stand_in, is_script=True)
    alone = script(session, "show workers")
    done = script(session, "show workers node node-2")
    assert done.status == 0
    assert done.lines == ["Node node-2:", *alone.lines]
    assert stand_in.seen[-1] == ("show workers", {"node": "node-2"})


def test_a_node_that_does_not_answer_has_a_sentence_and_the_script_fails(stand_in: StandIn) -> None:
    session = new_session(stand_in, is_script=True)
    alone = script(session, "show counters all")
    done = script(session, "show counters all node all", "show clock")
    assert done.status == 1
    assert done.lines == [
        "Node node-1:", *alone.lines, "", "Node node-2:", "% The node is unreachable. See `show cluster`."
    ]  # fmt: skip
    assert "show clock" not in [do for do, _ in stand_in.seen]


def test_programs_get_the_names_as_keys(stand_in: StandIn) -> None:
    session = new_session(stand_in, is_script=True)
    alone = json.loads(script(session, "show connections | json").out)
    done = script(session, "show connections node all | json")
    document = json.loads(done.out)
    assert done.status == 1
    assert list(document) == ["node-1", "node-2"]
    assert document["node-1"]["rows"] == alone["rows"]
    assert document["node-2"]["error"]["message"] == "The node is unreachable."


def test_rows_of_all_nodes_are_counted(stand_in: StandIn) -> None:
    session = new_session(stand_in, is_script=True)
    alone = script(session, "show workers | count")
    assert script(session, "show workers node all | count").lines[0] == alone.lines[0]
