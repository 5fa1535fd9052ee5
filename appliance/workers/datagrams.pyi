"""The face of datagrams.pyx for type checkers."""

from appliance.transport.flow import Flow, Outgoing

Parcel = tuple[Outgoing, bytes, tuple[str, int]]
BATCH_MAX: int

class DatagramSocket:
    fd: int
    listener: int
    received: int
    sent: int
    truncated: int
    overflowed: int
    has_errors: bool
    delay_s: float
    waiting_count: int
    denied: list[Parcel] | None

    def __init__(
        self, fd: int, listener: int, flow_cache_max: int, queue_max: int = 4096, datagram_len_max: int = 65535
    ) -> None: ...
    @property
    def flows_count(self) -> int: ...
    def read_batch(self) -> list[tuple[bytes, Flow]]: ...
    def read_errors(self) -> list[tuple[bytes, Flow]]: ...
    def write_batch(self, parcels: list[Parcel]) -> list[Parcel]: ...
