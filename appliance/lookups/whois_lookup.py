"""Lookups in a directory by whois++ (RFC 1835): one search, and the values of attributes of the records.

    client   phone=\\+4930123456
    server   % 220-LOCAL WHOIS++ server ready
             % 200 Command okay
             # FULL USER EXAMPLE.COM ALICE
              name: Alice
              sip: sip:alice@example.com
             # END
             % 226 Transaction complete
             % 203 Bye, bye

A transaction without 226 is not complete, and says nothing. Servers that are named to ask further are not asked.
"""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import urlsplit

from appliance.catalogue.lookup_settings import LookupSettings
from appliance.lookups.lookup_client import ANSWER_LEN_MAX, AnswerUnusable, ServerFailed
from appliance.routing.lookup_results import RESULTS_MAX
from appliance.routing.lookup_templates import LookupValues, filled, in_whois_query

PORT: Final = 63
# RFC 1835 2.5: 226 transaction complete, 203 good-bye; 4xx and 5xx are failures.
COMPLETE: Final = 226
ENDS: Final = (203, COMPLETE)


class WhoisClient:
    """Asks one server, by a connection for each question (lookup_client.py)."""

    def __init__(self, server: str, settings: LookupSettings) -> None:
        parts = urlsplit(server)
        self._host, self._port = parts.hostname or "", parts.port or PORT
        self._settings = settings

    async def find(self, values: LookupValues) -> list[str]:
        """The values of the attributes. Raises ServerFailed and AnswerUnusable."""
        query = filled(self._settings.query, values, in_whois_query)
        try:
            reader, writer = await asyncio.open_connection(self._host, self._port, limit=ANSWER_LEN_MAX)
        except OSError as fault:
            raise ServerFailed(f"{self._host} port {self._port} cannot be reached: {fault.strerror}") from None
        try:
            writer.write(query.encode("ascii") + b"\r\n")
            return values_in(await _answer_of(reader), self._settings.attributes)
        except OSError as fault:
            raise ServerFailed(f"the connection to {self._host} was lost: {fault.strerror}") from None
        finally:
            writer.transport.abort()

    def close(self) -> None:
        """There is no connection without a question."""


async def _answer_of(reader: asyncio.StreamReader) -> list[str]:
    """The lines up to the end of the transaction."""
    lines: list[str] = []
    size = 0
    while True:
        try:
            line = await reader.readline()
        except ValueError:
            raise AnswerUnusable("a line of the answer is too long") from None
        if not line:
            raise ServerFailed("the connection was closed before the answer was complete")
        size += len(line)
        if size > ANSWER_LEN_MAX:
            raise AnswerUnusable(f"the answer is longer than {ANSWER_LEN_MAX} octets")
        text = line.decode("latin-1").rstrip("\r\n")
        lines.append(text)
        if _code_of(text) in ENDS or _code_of(text) >= 400:
            return lines


def values_in(lines: list[str], attributes: tuple[str, ...]) -> list[str]:
    """The values of these attributes in the records of an answer. Raises ServerFailed and AnswerUnusable."""
    wanted = {name.lower() for name in attributes}
    found: list[str] = []
    is_complete = is_value_wanted = False
    for line in lines:
        code = _code_of(line)
        if code >= 400:
            # RFC 1835 2.5: 4xx is the server's trouble, and passes.
            raise (ServerFailed if code < 500 else AnswerUnusable)(f"the server answered {line[2:60]}")
        is_complete = is_complete or code == COMPLETE
        if line.startswith("+") and is_value_wanted:
            # A long value goes on.
            found[-1] += line[1:].strip()
        elif line.startswith((" ", "-")):
            name, colon, value = line[1:].partition(":")
            is_value_wanted = bool(colon) and name.strip().lower() in wanted
            if is_value_wanted:
                found.append(value.strip())
        else:
            is_value_wanted = False
    if not is_complete:
        raise AnswerUnusable("the transaction is not complete")
    return found[:RESULTS_MAX]


def _code_of(line: str) -> int:
    """The number of a system message; 0 for any other line."""
    digits = line[2:5]
    return int(digits) if line.startswith("% ") and len(digits) == 3 and digits.isascii() and digits.isdigit() else 0
