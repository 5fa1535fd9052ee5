"""A change of bindings as octets: what siblings send each other and what the journal keeps.

One record is one change: everything that one REGISTER did to one address-of-record, so that it is applied whole or
not at all. Layout, little-endian: format, length of the aor, number of bindings, the time at which all of them may be
forgotten, the aor; then each binding as fixed fields, lengths, texts. A key that equals the URI is not written twice.
"""

from __future__ import annotations

from struct import Struct
from struct import error as StructError
from typing import TYPE_CHECKING, Final

from appliance.location.binding import Binding, BindingChange, new_binding
from appliance.location.binding_table import BindingTable
from appliance.transport.flow import Flow

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMAT: Final = 1
_CHANGE: Final = Struct("<BHHd")
# series, version, expires_at, forget_at, connection, cseq, reg_id, q, source_port, transport, listener, worker;
# lengths of source address, key, uri, parameters, Call-ID, Path, instance, User-Agent
_BINDING: Final = Struct("<qqddqIIHHhhhBHHHHHHH")
_pack_change: Final = _CHANGE.pack
_pack_binding: Final = _BINDING.pack
_CHANGE_SIZE: Final = _CHANGE.size
_BINDING_SIZE: Final = _BINDING.size


class RecordError(ValueError):
    """Octets that are no record of a format known here. The message says what was wrong."""


def encode_change(change: BindingChange) -> bytes:
    """The record of a change."""
    return encode_bindings(change.aor, change.bindings)


def encode_bindings(aor: bytes, bindings: tuple[Binding, ...] | list[Binding]) -> bytes:
    """The record of these bindings of one address."""
    parts = [b"", aor]
    forget_at = 0.0
    for binding in bindings:
        forget_at = max(forget_at, binding.forget_at)
        _append_binding(parts, binding)
    parts[0] = _pack_change(FORMAT, len(aor), len(bindings), forget_at)
    return b"".join(parts)


def _append_binding(parts: list[bytes], binding: Binding) -> None:
    key = b"" if binding.key == binding.uri else binding.key
    source_ip = binding.source_ip.encode()
    parts.append(
        _pack_binding(
            binding.series,
            binding.version,
            binding.expires_at,
            binding.forget_at,
            binding.connection,
            binding.cseq,
            binding.reg_id,
            binding.q,
            binding.source_port,
            binding.transport,
            binding.listener,
            binding.worker,
            len(source_ip),
            len(key),
            len(binding.uri),
            len(binding.parameters),
            len(binding.call_id),
            len(binding.path_text),
            len(binding.instance),
            len(binding.user_agent),
        )
    )
    parts.append(source_ip)
    parts.append(key)
    parts.append(binding.uri)
    parts.append(binding.parameters)
    parts.append(binding.call_id)
    parts.append(binding.path_text)
    parts.append(binding.instance)
    parts.append(binding.user_agent)


def decode_change(record: bytes) -> BindingChange:
    """The change a record holds. Raises RecordError for anything that encode_change() does not make."""
    try:
        form, aor_len, count, _ = _CHANGE.unpack_from(record)
        if form != FORMAT:
            raise RecordError(f"binding record of format {form}, this version reads {FORMAT}")
        at = _CHANGE_SIZE + aor_len
        aor = record[_CHANGE_SIZE:at]
        bindings = []
        for _ in range(count):
            binding, at = _decode_binding(record, at, aor)
            bindings.append(binding)
    except (StructError, UnicodeDecodeError) as fault:
        raise RecordError(f"malformed binding record: {fault}") from fault
    if at != len(record):
        raise RecordError(f"binding record of {len(record)} octets, its fields say {at}")
    return BindingChange(aor, tuple(bindings))


def _decode_binding(record: bytes, at: int, aor: bytes) -> tuple[Binding, int]:
    (
        series,
        version,
        expires_at,
        forget_at,
        connection,
        cseq,
        reg_id,
        q,
        source_port,
        transport,
        listener,
        worker,
        ip_len,
        key_len,
        uri_len,
        parameters_len,
        call_id_len,
        path_len,
        instance_len,
        user_agent_len,
    ) = _BINDING.unpack_from(record, at)
    at += _BINDING_SIZE
    source_ip = record[at : at + ip_len].decode()
    at += ip_len
    key = record[at : at + key_len]
    at += key_len
    uri = record[at : at + uri_len]
    at += uri_len
    parameters = record[at : at + parameters_len]
    at += parameters_len
    call_id = record[at : at + call_id_len]
    at += call_id_len
    path_text = record[at : at + path_len]
    at += path_len
    instance = record[at : at + instance_len]
    at += instance_len
    user_agent = record[at : at + user_agent_len]
    source = (source_ip, source_port)
    flow = None if transport < 0 else Flow(transport, listener, source, worker, connection)
    binding = new_binding(
        aor,
        key or uri,
        uri,
        parameters,
        q,
        expires_at,
        forget_at,
        call_id,
        cseq,
        (),
        instance,
        reg_id,
        flow,
        source if source_ip else None,
        user_agent,
        series,
        version,
    )
    binding.path_text = path_text
    return binding, at + user_agent_len


def forget_at_of(record: bytes) -> float:
    """The unix time from which a record means nothing any more. Raises RecordError."""
    try:
        form, _, _, forget_at = _CHANGE.unpack_from(record)
    except StructError as fault:
        raise RecordError(f"malformed binding record: {fault}") from fault
    if form != FORMAT:
        raise RecordError(f"binding record of format {form}, this version reads {FORMAT}")
    return float(forget_at)


class BindingRecords:
    """The binding table as replication and journal see it: records in, records out."""

    __slots__ = ("_table",)

    def __init__(self, table: BindingTable) -> None:
        self._table = table

    def apply_record(self, record: bytes) -> bool:
        """Whether it changed anything. Raises RecordError."""
        return self._table.apply(decode_change(record))

    def records_of_range(self, place: int) -> Iterator[bytes]:
        """A range of addresses (0..255), one record an address. What comes to the range meanwhile may be missed."""
        for aor in self._table.aors_of_range(place):
            entries = self._table.entries(aor)
            if entries:
                yield encode_bindings(aor, entries)

    def settled_second(self) -> int:
        """The last second (unix time) whose ends of bindings are all dealt with: digests can be had up to there."""
        return self._table.settled_second

    def newest_second(self) -> int:
        """The last second from which anything is known here."""
        return self._table.newest_second

    def digests_at(self, second: int) -> list[int]:
        """256 digests without what is dated after `second`; [] where they cannot be known."""
        return self._table.digests_at(second)

    def count(self) -> int:
        """How many live bindings there are."""
        return len(self._table)

    def forget_at(self, record: bytes) -> float:
        """The unix time from which a record means nothing any more. Raises RecordError."""
        return forget_at_of(record)

    def is_current(self, record: bytes) -> bool:
        """Whether the table still holds something of this record as it is here. Raises RecordError."""
        change = decode_change(record)
        for entry in self._table.entries(change.aor):
            for binding in change.bindings:
                if entry.key == binding.key and entry.version == binding.version:
                    return True
        return False
