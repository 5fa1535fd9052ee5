"""The answer to a question of another node: what an operator of this node would see who may only look.

The other node says who asks. An account is looked up here, so that one without an account sees nothing. The
answer needs no more than the right to view, whatever the other node says, and only what is declared for it can be asked
(catalogue/node_parameter.py).
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any, Final

from appliance.catalogue.commands import NODE_REQUESTS
from appliance.catalogue.node_parameter import NODE
from appliance.management.appliance_client import ApplianceClient, Call
from appliance.management.arguments import Arguments
from appliance.management.errors import Refused
from appliance.management.node_questions import ANSWER_MAX, ARGUMENTS_MAX
from appliance.management.requests import obey
from appliance.management.sessions import VIEW, Session
from appliance.messages.node_questions import AskNode

# Lists of which the last entries are kept when they are too long.
NEWEST_LAST: Final = frozenset({"lines", "entries", "events"})

log = logging.getLogger("signalbox.management")


async def answer_node(client: ApplianceClient, question: AskNode) -> bytes:
    """A JSON object with `result` or `error`, of at most ANSWER_MAX octets."""
    try:
        result = await _result(client, question)
    except Refused as refusal:
        return json.dumps({"error": {"message": refusal.message, "remedy": refusal.remedy}}).encode()
    except Exception:
        log.exception("the request %r of node %d failed", question.do, question.node)
        message = f"`{question.do}` failed because of a software fault."
        return json.dumps({"error": {"message": message, "remedy": "see `show logging` there"}}).encode()
    return await asyncio.to_thread(encoded, result)


async def _result(client: ApplianceClient, question: AskNode) -> dict[str, Any]:
    if question.do not in NODE_REQUESTS:
        raise Refused(f"The node does not know `{question.do}` for other nodes.", "its version may be older")
    arguments = _arguments(question.arguments)
    session = Session(question.user, VIEW, question.is_at_home, is_admin=False, is_script=True)
    return await obey(question.do, arguments, Call(client, session, Arguments(arguments), _no_event))


def _arguments(text: str) -> dict[str, Any]:
    """Raises Refused."""
    try:
        arguments = json.loads(text) if len(text) <= ARGUMENTS_MAX else None
    except (ValueError, RecursionError):
        arguments = None
    if not isinstance(arguments, dict) or NODE in arguments:
        raise Refused("The arguments of the question cannot be read.")
    return arguments


async def _no_event(values: dict[str, Any]) -> None:
    """What is asked of another node has none."""


def encoded(result: dict[str, Any]) -> bytes:
    """The octets of a result; where it is too long, its longest list is cut, and `cut` says so."""
    while len(octets := json.dumps({"result": result}).encode()) > ANSWER_MAX:
        lists = [name for name, value in result.items() if isinstance(value, list) and len(value) > 1]
        if not lists:
            return json.dumps({"error": {"message": f"The answer has more than {ANSWER_MAX} octets."}}).encode()
        longest = max(lists, key=lambda name: len(json.dumps(result[name])))
        count = len(result[longest]) // 2
        kept = result[longest][-count:] if longest in NEWEST_LAST else result[longest][:count]
        cut = f"The answer was longer than {ANSWER_MAX >> 20} MiB; {count} entries are shown."
        result = {**result, longest: kept, "cut": cut}
    return octets
