"""Is a value what a JSON Schema of the catalogue describes? As much of JSON Schema as the catalogue uses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

KINDS: dict[str, Any] = {
    "object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float),
}  # fmt: skip


def deviations(value: Any, schema: dict[str, Any], place: str = "result") -> Iterator[str]:
    """What is missing, and what is of another type; what the schema does not name may be there."""
    kind = schema.get("type")
    if kind is not None and not isinstance(value, KINDS[kind]):
        yield f"{place} is {value!r}, and no {kind}"
    elif kind == "object":
        for name, inner in schema["properties"].items():
            if name not in value:
                yield f"{place} has no {name}"
            else:
                yield from deviations(value[name], inner, f"{place}.{name}")
    elif kind == "array":
        for item in value:
            yield from deviations(item, schema["items"], f"{place}[]")
