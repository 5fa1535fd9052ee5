"""A request that waits goes on at the stage that asked, by its name, whatever its role has become meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from appliance.catalogue import counters
from appliance.catalogue.settings import Settings
from appliance.proxy.roles import ROLES
from appliance.proxy.stage_chain import Role
from appliance.proxy.stages.authenticate import authenticate
from appliance.proxy.stages.locate import locate
from appliance.routing.lookup_questions import SubscriberAnswer
from appliance.stack import Stack
from tests.proxy.test_call_transfer import slots_go
from tests.stack_bench import ALICE, NOW, SETTINGS, request, sent, stack

INVITE = request("INVITE", "sip:bob@example.com")
CLOSED = replace(SETTINGS, listeners=(replace(SETTINGS.listeners[0], authenticate=True),))

GoOn = Callable[[Stack, Settings], Stack]


def in_place(one: Stack, settings: Settings) -> Stack:
    """The same worker goes by a new configuration; the answer comes afterwards."""
    one.reconfigure(settings, NOW)
    return one


def elsewhere(one: Stack, settings: Settings) -> Stack:
    """The request moves to a worker that goes by the new configuration."""
    new = stack(1, settings)
    slots_go(new, 1, 2)
    moved = slots_go(one, 1, 2)
    assert moved is not None
    new.receive_messages([(0, moved)], NOW)
    return new


def waiting() -> Stack:
    """An INVITE for a user of ours without contacts waits at `locate`."""
    one = stack(0)
    one.receive_datagrams([(INVITE, ALICE)], NOW)
    assert one.gauges()["waiting"] == 1
    return one


def answered(one: Stack, asked_before: Stack) -> list[int]:
    """The statuses that the request gets once the database has answered all that was asked."""
    questions = {question.id: question for asker in (asked_before, one) for question in asker.questions_to_ask()}
    one.receive_answers([SubscriberAnswer(number, False, False) for number in questions], NOW)
    return [message.status for message in sent(one) if message.status >= 200]


@pytest.mark.parametrize("go_on", [in_place, elsewhere])
def test_a_role_with_fewer_stages_is_entered_at_the_stage_that_asked(
    go_on: GoOn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its place in the list the request would have gone past `relay`, or past the end."""
    one = waiting()
    stages = ROLES["user"].stages
    monkeypatch.setitem(ROLES, "user", Role(stages[stages.index(authenticate) :]))
    assert answered(go_on(one, SETTINGS), one) == [404]


@pytest.mark.parametrize("go_on", [in_place, elsewhere])
def test_a_request_whose_stage_is_no_more_begins_anew_and_has_to_authenticate(
    go_on: GoOn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 3261 22.3: what the new role asks for is not skipped; nor is the answer given to another stage."""
    one = waiting()
    stages = tuple(stage for stage in ROLES["user"].stages if stage is not locate)
    monkeypatch.setitem(ROLES, "user", Role(stages))
    new = go_on(one, CLOSED)
    assert answered(new, one) == [407]
    assert new.gauges()["waiting"] == 0
    assert new.counters[counters.SOFTWARE_FAULTS] == 0


def test_the_stages_of_a_role_have_names_of_their_own() -> None:
    role = ROLES["user"]
    assert role.names[:3] == ("validate", "loose_route", "throttle")
    assert [role.position_of(name) for name in role.names] == list(range(len(role.stages)))
    assert role.position_of("no such stage") == 0
    with pytest.raises(ValueError, match="locate"):
        Role((locate, authenticate, locate))
