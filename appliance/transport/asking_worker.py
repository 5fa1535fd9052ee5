"""The worker of another node that had a request sent by a connection of this one, as our Via names it.

The peer gives the Via back in each response (RFC 3261 8.2.6.2), so the node that holds the connection has to remember
nothing. The branch beside it is sealed (security/keys.py): a response is passed to another node only where its branch
was made by this appliance.
"""

from __future__ import annotations

import re
from typing import Final

from appliance.sip.message import Request
from appliance.sip.names import VIA
from appliance.sip.via import parse_via
from appliance.transport.process_id import (
    NO_PROCESS,
    NODE_MAX,
    WORKER_MAX,
    ProcessId,
    node_of,
    process_id,
    worker_of,
)
from appliance.transport.via import TOP_VIA

# RFC 3261 25.1: via-extension.
_PARAMETER: Final = re.compile(rb";node=([0-9]{1,4})-([0-9]{1,5})(?=;|$)")


def name_asker(request: Request, process: ProcessId) -> None:
    """Name the worker in the top Via, which is ours."""
    text = b"%b;node=%d-%d" % (request.read_top_via().text, node_of(process), worker_of(process))
    request.replace_first_value(VIA, text)
    # It needs no second parsing.
    request._via = parse_via(text)


def asker_of(via_text: bytes) -> ProcessId:
    """The worker that a Via of ours names; NO_PROCESS where it names none."""
    found = _PARAMETER.search(via_text)
    if found is None:
        return NO_PROCESS
    node, worker = int(found[1]), int(found[2])
    return process_id(node, worker) if 0 < node <= NODE_MAX and worker <= WORKER_MAX else NO_PROCESS


def asker_of_request(data: bytes) -> ProcessId:
    """The same of a whole request that is to be sent."""
    found = TOP_VIA.search(data)
    return NO_PROCESS if found is None or data.startswith(b"SIP/2.0 ") else asker_of(found.group(1).strip())
