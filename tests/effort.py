"""How much is tried where as much as one likes could be tried: the compiled build is several times faster."""

from __future__ import annotations

from typing import Final

from appliance import stack

IS_COMPILED: Final = not str(stack.__file__).endswith(".py")


def examples(count: int) -> int:
    """So many, or a third of them on the Python sources."""
    return count if IS_COMPILED else count // 3
