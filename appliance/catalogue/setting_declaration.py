"""How a setting is declared: once, as a field of a settings class, with all that its faces need.

    expires_min_s: int = setting(60, "expires minimum", Integer(1, 86400, "seconds"), LIVE, "...", "RFC 3261 10.3")

`declared` and `sections` read the declarations back: the configuration language, the help, the
manual and the checks are made from them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from enum import Enum
from typing import Any, TypeVar

from appliance.catalogue.errors import Fault
from appliance.catalogue.value_types import Kind, Switch, accepts

T = TypeVar("T")


class Effect(Enum):
    """When a change of a setting is applied: at once, after removed items have finished their calls, by a restart of
    the workers one by one, or when the appliance starts.
    """

    LIVE = "immediately"
    DRAIN = "after draining"
    RESTART = "by rolling restart"
    START = "at the next start"


LIVE, DRAIN, RESTART, START = Effect.LIVE, Effect.DRAIN, Effect.RESTART, Effect.START


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. `words` is what is typed before the value; `is_many`: one line for each value of a tuple."""

    words: tuple[str, ...]
    kind: Kind
    effect: Effect
    help: str
    rfc: str
    default: Any
    is_many: bool = False
    attribute: str = ""

    @property
    def keyword(self) -> str:
        return " ".join(self.words)

    @property
    def syntax(self) -> str:
        """The line as it is typed, with the placeholder for its value."""
        return f"{self.keyword} {self.kind.placeholder}".rstrip()

    @property
    def range_text(self) -> str:
        """What is allowed, in words."""
        return self.kind.range_text + (", on as many lines as needed" if self.is_many else "")

    @property
    def is_switch(self) -> bool:
        return isinstance(self.kind, Switch)


@dataclass(frozen=True, slots=True)
class Section:
    """A group of settings under a line of its own; with `name_kind`, any number of them, each with a name.

    `effect`: what it takes to add or remove a named one.
    """

    keyword: str
    settings_class: type[Any]
    help: str
    default: Any
    name_kind: Kind | None = None
    attribute: str = ""
    effect: Effect = Effect.LIVE


def setting(
    default: T, words: str, kind: Kind, effect: Effect, help: str, rfc: str = "", is_many: bool = False
) -> T:
    """A field of a settings class that is a setting."""
    declaration = Setting(tuple(words.split()), kind, effect, help, rfc, default, is_many)
    return field(default=default, metadata={"setting": declaration})


def section(default: T, keyword: str, help: str) -> T:
    """A field that holds the settings of one section, which stands there at most once."""
    return field(default=default, metadata={"section": Section(keyword, type(default), help, default)})


def name_of_section(default: T, kind: Kind) -> T:
    """The field `name` of a settings class whose sections have names."""
    return field(default=default, metadata={"name": kind})


def named_sections(
    section_class: type[T], default: tuple[T, ...], keyword: str, effect: Effect, help: str
) -> tuple[T, ...]:
    """A field that holds the settings of sections that each have a name (the attribute `name`)."""
    declared_fields = fields(section_class)  # type: ignore[arg-type]  # the decorator has made it a dataclass
    name_kind = next(field.metadata["name"] for field in declared_fields if "name" in field.metadata)
    declaration = Section(keyword, section_class, help, default, name_kind, effect=effect)
    return field(default=default, metadata={"section": declaration})


def declared(settings_class: type[Any]) -> tuple[Setting, ...]:
    """The settings of a class, in the order of its fields."""
    return tuple(
        replace(field.metadata["setting"], attribute=field.name)
        for field in fields(settings_class)
        if "setting" in field.metadata
    )


def sections(settings_class: type[Any]) -> tuple[Section, ...]:
    """The sections of a class, in the order of its fields."""
    return tuple(
        replace(field.metadata["section"], attribute=field.name)
        for field in fields(settings_class)
        if "section" in field.metadata
    )


def is_blank(declaration: Setting, value: Any) -> bool:
    """Is the value empty, of a setting that has one by default? The language has no line for that."""
    return value == "" and declaration.default != "" and not declaration.is_many


def value_faults(settings: Any) -> list[Fault]:
    """A fault for each value that its kind does not allow, for settings that were made without a text."""
    faults = []
    for declaration in declared(type(settings)):
        value = getattr(settings, declaration.attribute)
        for item in value if declaration.is_many else (value,):
            if not (declaration.is_switch and isinstance(item, bool)) and not accepts(declaration.kind, item):
                problem = f"{declaration.keyword} cannot be {item!r}"
                faults.append(Fault(0, 0, problem, f"use {declaration.kind.range_text}"))
        if is_blank(declaration, value):
            faults.append(Fault(0, 0, f"{declaration.keyword} cannot be empty", f"use {declaration.kind.range_text}"))
    for field_ in fields(settings):
        name_kind = field_.metadata.get("name")
        if name_kind is not None and not accepts(name_kind, getattr(settings, field_.name)):
            problem = f"{getattr(settings, field_.name)!r} is not a name"
            faults.append(Fault(0, 0, problem, f"use {name_kind.range_text}"))
    return faults
