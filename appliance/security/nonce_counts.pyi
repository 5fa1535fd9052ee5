"""The face of nonce_counts.pyx for type checkers."""

FIRST: int
AGAIN: int
FORGOTTEN: int
FIRST_IN_PLACE: int

class NonceCounts:
    def __init__(self, memory: bytearray | memoryview) -> None: ...
    def use(self, mark: int, issued: int, expired: int) -> int: ...
