"""What every kind of lookup has in common: who is asked, and what may come of it.

Two things may go wrong, and both mean "cannot know". A server that does not answer is left alone for a while
(lookup_servers.py). An answer that cannot be used says nothing of the server: the next number may have a good one, so
no dialled number can keep a server from being asked.
"""

from __future__ import annotations

from typing import Final, Protocol

from appliance.routing.lookup_templates import LookupValues

ANSWER_LEN_MAX: Final = 65536


class ServerFailed(Exception):
    """The server did not answer. The message says why, as a part of a sentence."""


class AnswerUnusable(Exception):
    """The server has answered, and nothing can be made of it. The message says why, as a part of a sentence."""


class LookupClient(Protocol):
    """Asks one server. For one event loop."""

    async def find(self, values: LookupValues) -> list[str]:
        """What is found, best first, [] for nothing (routing/lookup_results.py).

        May be cancelled at any time. Raises ServerFailed and AnswerUnusable.
        """

    def close(self) -> None:
        """Give up the connections; nothing is asked any more."""
