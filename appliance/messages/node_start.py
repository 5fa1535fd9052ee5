"""What the workers of a node have in common from one start of the appliance to its end."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NodeStart:
    """`boot`: octets that tell this start from others; `nonce_memory`: see nonce_table.py, None for own memory;
    `addresses`: those of the machine.
    """

    boot: bytes = b""
    nonce_memory: memoryview | None = None
    addresses: tuple[str, ...] = ()


# A stack without siblings.
ALONE = NodeStart()
