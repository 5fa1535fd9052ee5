"""Does a message look as a flow says? Only what is written is compared.

    Name: pattern      one value of that header field fits the pattern
    no Name            there is no such header field
    2 Via              there are so many values of it
    first Name: ...    its first value fits
    body 1500          the body has so many octets

In patterns `*` is anything, and `{word}` is remembered where it stands for the first time and has to
be the same afterwards.
"""

from __future__ import annotations

import re
from enum import Enum

from appliance.proxy.events import Event
from appliance.transport.flow import Flow
from tests.flows.wire import Message

Bindings = dict[str, str]


def mismatch(message: Message, start: str, details: list[str], bound: Bindings) -> str:
    """Why the message is not the expected one, "" when it is. `start` is a Request-URI or reason phrase."""
    actual = message.uri if message.is_request else message.reason
    if start and not fits(actual, start, bound):
        return f"it has {actual!r}, not {start!r}"
    for line in details:
        if not _is_fulfilled(message, line, bound):
            return f"not so: {line}"
    return ""


def event_mismatch(event: Event, name: str, details: list[str], bound: Bindings) -> str:
    """The same for an event: `details` are its fields as text."""
    if type(event).__name__ != name:
        return f"it is {event}"
    for line in details:
        field, _, pattern = line.partition(":")
        if not fits(_text(getattr(event, field)), pattern.strip(), bound):
            return f"not so: {line}, but {event}"
    return ""


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, Enum):
        return value.name
    return f"{value.remote[0]}:{value.remote[1]}" if isinstance(value, Flow) else str(value)


def _is_fulfilled(message: Message, line: str, bound: Bindings) -> bool:
    words = line.split()
    if words[0] == "no":
        return not message.values(words[1])
    if words[0] == "body":
        return len(message.body) == int(words[1])
    if words[0].isdigit():
        return len(message.values(words[1])) == int(words[0])
    name, _, pattern = line.removeprefix("first ").partition(":")
    values = message.values(name)[:1] if words[0] == "first" else message.values(name)
    return any(fits(value, pattern.strip(), bound) for value in values)


def fits(text: str, pattern: str, bound: Bindings) -> bool:
    """Does the whole text fit the pattern? Remembers the words it meets for the first time."""
    match = re.fullmatch(_expression(pattern, bound), text)
    if match is not None:
        bound.update(match.groupdict())
    return match is not None


def _expression(pattern: str, bound: Bindings) -> str:
    parts = re.split(r"(\*|\{\w+\})", pattern)
    return "".join(_part(part, bound) for part in parts)


def _part(part: str, bound: Bindings) -> str:
    if part == "*":
        return ".*"
    if not re.fullmatch(r"\{\w+\}", part):
        return re.escape(part)
    word = part[1:-1]
    return re.escape(bound[word]) if word in bound else f"(?P<{word}>.+?)"


def fill(text: str, bound: Bindings) -> str:
    """The text with every remembered `{word}` in place."""
    return re.sub(r"\{(\w+)\}", lambda match: bound[match.group(1)], text)
