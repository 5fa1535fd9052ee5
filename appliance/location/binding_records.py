"""Bindings as octets: the record of an address-of-record, and that of a change.

The record of an address (format 2) is all that the registration table holds of it. Layout, little-endian: format,
length of the aor, number of bindings, how many of them are no tombstones, the second under which the address lies in
the expiry index, the time at which all of it may be forgotten, the aor; then each binding as fixed fields, lengths,
texts. A key that equals the URI is not written twice. The header and the times are read without the rest.

The record of a change (format 3) is everything that one REGISTER did to one address, so that it is applied whole or not
at all. Its bindings are written in the same way. Format 1 is still read. Its versions hold the number of a worker in 8
bits; that number is put where the node has its place, so the order of these records stays what it was.
"""

from __future__ import annotations

from struct import Struct
from struct import error as StructError
from typing import TYPE_CHECKING, Final

from appliance.location.binding import Binding, BindingChange
from appliance.transport.process_id import NO_PROCESS, SINGLE_NODE, process_id

if TYPE_CHECKING:
    pass

FORMAT: Final = 3
FORMAT_OF_WORKERS: Final = 1
ADDRESS_FORMAT: Final = 2
EVER: Final = -1e300  # before every time
SECOND_MAX: Final = 2**32 - 1
_ADDRESS: Final = Struct("<BHHHId")
_pack_address: Final = _ADDRESS.pack
_ADDRESS_SIZE: Final = _ADDRESS.size
_DUE: Final = Struct("<I")
_DUE_AT: Final = 7
_TIMES: Final = Struct("<dd")
_TIMES_AT: Final = 16  # in the fixed fields of a binding
_LENGTHS: Final = Struct("<BHHHHHHH")
_LENGTHS_AT: Final = 60
_CHANGE_MARKS: Final = (b"\x01", b"\x03")
_CHANGE: Final = Struct("<BHHd")
# series, version, expires_at, forget_at, connection, cseq, reg_id, q, source_port, transport, listener, process;
# lengths of source address, key, uri, parameters, Call-ID, Path, instance, User-Agent
_BINDING: Final = Struct("<QQddqIIHHhhiBHHHHHHH")
_BINDING_OF_WORKERS: Final = Struct("<QQddqIIHHhhhBHHHHHHH")
_VERSION_BITS: Final = 0xFFFFFFFFFFFFFFFF
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
            binding.process,
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
        _check_format(form)
        at = _CHANGE_SIZE + aor_len
        aor = record[_CHANGE_SIZE:at]
        bindings = []
        for _ in range(count):
            binding, at = _decode_binding(record, at, aor, form)
            bindings.append(binding)
    except (StructError, UnicodeDecodeError) as fault:
        raise RecordError(f"malformed binding record: {fault}") from fault
    if at != len(record):
        raise RecordError(f"binding record of {len(record)} octets, its fields say {at}")
    return BindingChange(aor, tuple(bindings))


def _check_format(form: int) -> None:
    if form not in (FORMAT, FORMAT_OF_WORKERS):
        raise RecordError(f"binding record of format {form}, this version reads {FORMAT}")


def _decode_binding(record: bytes, at: int, aor: bytes, form: int) -> tuple[Binding, int]:
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
        process,
        ip_len,
        key_len,
        uri_len,
        parameters_len,
        call_id_len,
        path_len,
        instance_len,
        user_agent_len,
    ) = (_BINDING if form == FORMAT else _BINDING_OF_WORKERS).unpack_from(record, at)
    if expires_at != expires_at or forget_at != forget_at:
        raise RecordError("a time in a binding record is not a number")
    at += _BINDING_SIZE if form == FORMAT else _BINDING_OF_WORKERS.size
    if form == FORMAT_OF_WORKERS:
        process = NO_PROCESS if transport < 0 or process < 0 else process_id(SINGLE_NODE, process)
        series, version = _with_node(series), _with_node(version)
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
    binding = Binding.__new__(Binding)
    binding.aor = aor
    binding.key = key or uri
    binding.uri = uri
    binding.parameters = parameters
    binding.q = q
    binding.expires_at = expires_at
    binding.forget_at = forget_at
    binding.call_id = call_id
    binding.cseq = cseq
    binding.path_text = path_text
    binding.instance = instance
    binding.reg_id = reg_id
    binding.transport = transport
    binding.listener = listener
    binding.process = process
    binding.connection = connection
    binding.source_ip = source_ip
    binding.source_port = source_port
    binding.user_agent = user_agent
    binding.series = series
    binding.version = version
    binding.bucket = 0
    binding.is_counted = False
    return binding, at + user_agent_len


def _with_node(version: int) -> int:
    return ((version >> 8) << 12 | version & 0xFF) & _VERSION_BITS


def encode_address(aor: bytes, bindings: list[Binding], due: int) -> bytes:
    """The record of an address: `due` is the second under which it lies in the expiry index."""
    parts = [b"", aor]
    forget_at = 0.0
    live = 0
    for binding in bindings:
        if binding.forget_at > forget_at:
            forget_at = binding.forget_at
        if binding.expires_at > 0:
            live += 1
        _append_binding(parts, binding)
    parts[0] = _pack_address(ADDRESS_FORMAT, len(aor), len(bindings), live, due, forget_at)
    return b"".join(parts)


def decode_address(record: bytes, alive_at: float = EVER) -> list[Binding]:
    """The bindings of an address, in no order; only those that are alive at a unix time, where one is given. Takes the
    record of a change as well. Raises RecordError.
    """
    bindings: list[Binding] = []
    try:
        if record[:1] in _CHANGE_MARKS:
            return [each for each in decode_change(record).bindings if each.expires_at > alive_at]
        form, aor_len, count, _, _, _ = _ADDRESS.unpack_from(record)
        if form != ADDRESS_FORMAT:
            raise RecordError(f"address record of format {form}, this version reads {ADDRESS_FORMAT}")
        at = _ADDRESS_SIZE + aor_len
        aor = record[_ADDRESS_SIZE:at]
        for _ in range(count):
            binding, at = _decode_binding(record, at, aor, FORMAT)
            if binding.expires_at > alive_at:
                bindings.append(binding)
    except (StructError, UnicodeDecodeError) as fault:
        raise RecordError(f"malformed address record: {fault}") from fault
    if at != len(record):
        raise RecordError(f"address record of {len(record)} octets, its fields say {at}")
    return bindings


def aor_of(record: bytes) -> bytes:
    """The address that a record of either format is of. Raises RecordError."""
    try:
        if record[:1] in _CHANGE_MARKS:
            form, aor_len, _, _ = _CHANGE.unpack_from(record)
            return record[_CHANGE_SIZE : _CHANGE_SIZE + aor_len]
        form, aor_len, _, _, _, _ = _ADDRESS.unpack_from(record)
    except StructError as fault:
        raise RecordError(f"malformed address record: {fault}") from fault
    if form != ADDRESS_FORMAT:
        raise RecordError(f"address record of format {form}, this version reads {ADDRESS_FORMAT}")
    return record[_ADDRESS_SIZE : _ADDRESS_SIZE + aor_len]


def head_of(record: bytes) -> tuple[int, int, int]:
    """Of the record of an address: bindings that are no tombstones, tombstones, the second of the expiry index. b"" is
    the record of one that has nothing. Raises RecordError.
    """
    if not record:
        return (0, 0, 0)
    try:
        form, _, count, live, due, _ = _ADDRESS.unpack_from(record)
    except StructError as fault:
        raise RecordError(f"malformed address record: {fault}") from fault
    if form != ADDRESS_FORMAT:
        raise RecordError(f"address record of format {form}, this version reads {ADDRESS_FORMAT}")
    return (live, count - live, due)


def with_due(record: bytes, due: int) -> bytes:
    """The same record, which lies under another second of the expiry index."""
    return record[:_DUE_AT] + _DUE.pack(due) + record[_DUE_AT + 4 :]


def second_after(moment: float) -> int:
    """The first whole second after a unix time, as the expiry index has them."""
    if moment >= SECOND_MAX:
        return SECOND_MAX
    return int(moment) + 1 if moment > 0 else 1


def next_event_of(record: bytes) -> int:
    """The second at which a binding of an address ends or is forgotten. Reads the times alone. Raises RecordError."""
    try:
        _, aor_len, count, _, _, _ = _ADDRESS.unpack_from(record)
        at = _ADDRESS_SIZE + aor_len
        second = SECOND_MAX
        for _ in range(count):
            expires_at, forget_at = _TIMES.unpack_from(record, at + _TIMES_AT)
            second = min(second, second_after(expires_at if expires_at > 0 else forget_at))
            at += _BINDING_SIZE + sum(_LENGTHS.unpack_from(record, at + _LENGTHS_AT))
    except StructError as fault:
        raise RecordError(f"malformed address record: {fault}") from fault
    return second


def binding_places(record: bytes) -> list[tuple[int, int]]:
    """(start, end) of each binding in the record of an address. A binding begins with its series and its version, 8
    octets each, then when it ends and when it is forgotten. Raises RecordError.
    """
    places: list[tuple[int, int]] = []
    try:
        form, aor_len, count, _, _, _ = _ADDRESS.unpack_from(record)
        at = _ADDRESS_SIZE + aor_len
        for _ in range(count):
            end = at + _BINDING_SIZE + sum(_LENGTHS.unpack_from(record, at + _LENGTHS_AT))
            places.append((at, end))
            at = end
    except StructError as fault:
        raise RecordError(f"malformed address record: {fault}") from fault
    if form != ADDRESS_FORMAT or at != len(record):
        raise RecordError(f"address record of format {form} and {len(record)} octets, its fields say {at}")
    return places


def forget_at_of(record: bytes) -> float:
    """The unix time from which a record of either format means nothing any more. Raises RecordError."""
    try:
        if record[:1] == b"\x02":
            return float(_ADDRESS.unpack_from(record)[5])
        form, _, _, forget_at = _CHANGE.unpack_from(record)
    except StructError as fault:
        raise RecordError(f"malformed binding record: {fault}") from fault
    _check_format(form)
    return float(forget_at)
