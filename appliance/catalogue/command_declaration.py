"""How a command is declared: once, with all that the shell, its help, completion and the manual need.

    command("show registrations", "Registered contacts, of one address or of all.", "show registrations",
            (ADDRESS, LIMIT), REGISTRATIONS)

A command is its words, then its parameters: those with a keyword of their own in any order, the
others by their place. `do` is what the shell asks the control socket; "" is done by the shell itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from appliance.catalogue.value_types import Kind


class Mode(Enum):
    """Where a command may be typed."""

    EXEC = "in exec mode"
    CONFIGURE = "in configuration mode"
    BOTH = "in all modes"


class Right(Enum):
    """What the operator needs: `view` shows, `admin` (after `enable`) changes."""

    VIEW = "view"
    ADMIN = "admin"


class Extent(Enum):
    """How many words a value takes: one, all that follow as words, or all that follow as one text."""

    ONE = "one"
    WORDS = "words"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value of a command.

    `name`        of the argument that is sent.
    `keyword`     the word typed before it; "" for a value that is known by its place.
    `completes`   the live names that Tab offers: `what` of the request `complete`, or "file".
    `is_local`    stays in the shell: it changes what is shown, not what is asked.
    """

    name: str
    kind: Kind
    help: str
    keyword: str = ""
    is_optional: bool = False
    completes: str = ""
    extent: Extent = Extent.ONE
    is_local: bool = False

    @property
    def syntax(self) -> str:
        """As the manual writes it: `[limit NUMBER]`."""
        placeholder = self.kind.placeholder + (" ..." if self.extent is Extent.TEXT else "")
        text = f"{self.keyword} {placeholder}".strip()
        return f"[{text}]" if self.is_optional else text


class Shape(Enum):
    """What the value of a field is; the value is its JSON Schema type."""

    TEXT = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    TEXTS = "array"
    ROWS = "array of rows"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Field:
    """One name in a result. `heading` is the column in a table, "" for none; a unit in it says how to draw it."""

    name: str
    shape: Shape
    help: str
    heading: str = ""
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Command:
    """One command. `events` are the fields of each event of a command that goes on for a while.

    `is_of_node`  it shows what is one node's, so `node NAME|all` may follow (node_parameter.py).
    """

    words: tuple[str, ...]
    help: str
    do: str
    parameters: tuple[Parameter, ...]
    result: tuple[Field, ...]
    right: Right
    mode: Mode
    events: tuple[Field, ...] = ()
    is_of_node: bool = False

    @property
    def name(self) -> str:
        """The words, with blanks between them."""
        return " ".join(self.words)

    @property
    def syntax(self) -> str:
        """The line as it is typed, with placeholders."""
        return " ".join([self.name, *(parameter.syntax for parameter in self.parameters)])

    @property
    def is_stream(self) -> bool:
        """Does it go on until it is done or stopped?"""
        return bool(self.events)


def show(
    words: str,
    help: str,
    do: str,
    parameters: tuple[Parameter, ...] = (),
    result: tuple[Field, ...] = (),
    is_of_node: bool = False,
) -> Command:
    """A command that only reads, everywhere."""
    return Command(tuple(words.split()), help, do, parameters, result, Right.VIEW, Mode.BOTH, (), is_of_node)


def act(
    words: str, help: str, do: str, parameters: tuple[Parameter, ...] = (), result: tuple[Field, ...] = ()
) -> Command:
    """A command at the first prompt that changes something, and so needs `enable`."""
    return Command(tuple(words.split()), help, do, parameters, result, Right.ADMIN, Mode.EXEC)


def shell(
    words: str, help: str, parameters: tuple[Parameter, ...] = (), mode: Mode = Mode.EXEC, right: Right = Right.VIEW
) -> Command:
    """A command that the shell does by itself, or by several requests."""
    return Command(tuple(words.split()), help, "", parameters, (), right, mode)


def configure(
    words: str, help: str, do: str, parameters: tuple[Parameter, ...] = (), result: tuple[Field, ...] = ()
) -> Command:
    """A command in configuration mode that asks the appliance about the candidate."""
    return Command(tuple(words.split()), help, do, parameters, result, Right.ADMIN, Mode.CONFIGURE)


# -- JSON Schema -------------------------------------------------------------------------------------


def result_schema(fields: tuple[Field, ...]) -> dict[str, Any]:
    """The JSON Schema of an object with these fields. More may be there: later versions add names, and remove none."""
    return {"type": "object", "properties": {field.name: _field_schema(field) for field in fields}}


def _field_schema(field: Field) -> dict[str, Any]:
    if field.shape is Shape.ROWS:
        return {"type": "array", "description": field.help, "items": result_schema(field.fields)}
    if field.shape is Shape.TEXTS:
        return {"type": "array", "description": field.help, "items": {"type": "string"}}
    if field.shape is Shape.ANY:
        return {"description": field.help}
    return {"type": field.shape.value, "description": field.help}
