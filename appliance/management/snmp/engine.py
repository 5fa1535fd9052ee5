"""The SNMP engine: the only file that uses pysnmp.

It decodes, authenticates and encodes; what is served comes from a `Mib`, and who may do what is decided by `Access`.
Datagrams reach it by `process`, after `receive` has let them wait for fresh figures.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Protocol

from pysnmp.carrier.asyncio.dgram import udp, udp6
from pysnmp.carrier.asyncio.dispatch import AsyncioDispatcher
from pysnmp.entity import config
from pysnmp.entity.engine import SnmpEngine
from pysnmp.entity.rfc3413 import cmdrsp, context, ntforg
from pysnmp.proto import rfc1902, rfc1905
from pysnmp.proto.api import v2c
from pysnmp.proto.secmod.cache import Cache
from pysnmp.smi import error, instrum

from appliance.catalogue.mib_objects import Oid
from appliance.catalogue.snmp_settings import SnmpSettings
from appliance.catalogue.snmp_values import Target, User, community_of, target_of, user_of
from appliance.management.snmp.access import Principal
from appliance.management.snmp.bulk_reading import Binding, bulk_bindings
from appliance.management.snmp.engine_state import EngineState
from appliance.management.snmp.object_tree import Missing, Plain, Value, Variable
from appliance.management.snmp.system_objects import COUNTER_MODULES, SYS_UP_TIME, TRAP_OID
from appliance.management.snmp.variable_encoding import encoded_bindings

# What one response to GETBULK holds at most.
VARIABLES_MAX: Final = 100
TIMER_S: Final = 0.5
# The place of the variables in a PDU (RFC 3416 3).
_BINDINGS: Final = 3
# Transports that send notifications, beside those of the sockets that were inherited.
_SENDING: Final = 1000
_HASHES: Final = {"sha1": config.USM_AUTH_HMAC96_SHA, "sha256": config.USM_AUTH_HMAC192_SHA256}
_TYPES: Final[dict[str, Any]] = {
    "SnmpAdminString": rfc1902.OctetString,
    "OctetString": rfc1902.OctetString,
    "DateAndTime": rfc1902.OctetString,
    "Integer32": rfc1902.Integer32,
    "Gauge32": rfc1902.Gauge32,
    "Unsigned32": rfc1902.Unsigned32,
    "Counter32": rfc1902.Counter32,
    "Counter64": rfc1902.Counter64,
    "TimeTicks": rfc1902.TimeTicks,
    "TimeStamp": rfc1902.TimeTicks,
    "TruthValue": rfc1902.Integer32,
    "ObjectIdentifier": rfc1902.ObjectIdentifier,
}

log = logging.getLogger("signalbox.snmp")

Receive = Callable[[Any, bytes, Any], None]
Delivered = Callable[[str], None]


class NotAllowed(Exception):
    """The principal may not do that."""


class NotWritable(Exception):
    """The variable cannot be written."""


class WrongValue(Exception):
    """The variable cannot have that value."""


class CommitRefused(Exception):
    """The change could not be put in force."""


class CommitUnknown(Exception):
    """Whether the change is in force cannot be known."""


class _RequestToSender(Exception):
    """A request has arrived at a socket that sends notifications."""


class Mib(Protocol):
    """What is served."""

    def get(self, oid: Oid) -> Value | Missing: ...
    def next_after(self, oid: Oid) -> Variable | None: ...
    def may_read(self, principal: Principal) -> bool: ...
    def write(self, principal: Principal, values: Sequence[tuple[Oid, Plain]]) -> None:
        """Raises NotAllowed, NotWritable, WrongValue, CommitRefused, CommitUnknown."""


class Engine:
    """One engine in a running event loop."""

    def __init__(self, state: EngineState, mib: Mib, folder: Path) -> None:
        """`folder`: where pysnmp keeps a count of its own."""
        self._engine = _new_engine(state.engine_id, folder)
        (boots,) = self._symbols("__SNMP-FRAMEWORK-MIB", "snmpEngineBoots")
        boots.syntax = boots.syntax.clone(state.boots)
        self._receive: Receive | None = None
        self._senders: dict[bool, Any] = {}
        """By whether they are of IPv6; only for families of addresses that targets have."""
        self._targets: dict[str, str] = {}
        self._users: dict[str, str] = {}
        self._communities: set[str] = set()
        self._notifier = ntforg.NotificationOriginator()
        served = context.SnmpContext(self._engine)
        served.unregister_context_name(b"")
        served.register_context_name(b"", _Controller(mib))
        cmdrsp.GetCommandResponder(self._engine, served)
        cmdrsp.NextCommandResponder(self._engine, served)
        _BulkResponder(self._engine, served)
        cmdrsp.SetCommandResponder(self._engine, served)
        self._engine.observer.register_observer(_refuse_at_sender, "rfc3412.receiveMessage:request")

    def _symbols(self, module: str, *names: str) -> Any:
        return self._engine.get_mib_builder().import_symbols(module, *names)

    # -- sockets -------------------------------------------------------------------------------------

    def open(self, sockets: Sequence[tuple[str, int, int]], receive: Receive) -> None:
        """Read the inherited sockets; `receive` gets each datagram with its transport and its sender."""
        self._receive = receive
        self._engine.register_transport_dispatcher(AsyncioDispatcher())
        self._engine.transport_dispatcher.set_timer_resolution(TIMER_S)
        for number, (address, _, fd) in enumerate(sockets, 1):
            is_ipv6 = ":" in address
            transport = _Transport6(receive) if is_ipv6 else _Transport4(receive)
            transport.open_server_mode(sock=socket.socket(fileno=fd))
            config.add_transport(self._engine, (*_domain(is_ipv6), number), transport)
        self._set_senders(receive)

    def _set_senders(self, receive: Receive) -> None:
        wanted = {":" in target_of(value).address for value in self._targets.values()}
        for is_ipv6 in self._senders.keys() - wanted:
            # It stays registered until another replaces it: an inform that is repeated looks for it.
            self._senders.pop(is_ipv6).close_transport()
        for is_ipv6 in wanted - self._senders.keys():
            try:
                self._open_sender(is_ipv6, receive)
            except OSError as fault:
                log.error("notifications by IPv%d cannot be sent: %s", 6 if is_ipv6 else 4, fault.strerror)

    def _open_sender(self, is_ipv6: bool, receive: Receive) -> None:
        family, any_address = (socket.AF_INET6, "::") if is_ipv6 else (socket.AF_INET, "0.0.0.0")
        sender = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        if is_ipv6:
            sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sender.bind((any_address, 0))
        transport = _Transport6(receive, True) if is_ipv6 else _Transport4(receive, True)
        transport.open_server_mode(sock=sender)
        domain = (*_domain(is_ipv6), _SENDING)
        if config.get_transport(self._engine, domain):
            config.delete_transport(self._engine, domain)
        config.add_transport(self._engine, domain, transport)
        self._senders[is_ipv6] = transport

    def process(self, transport: Any, datagram: bytes, source: Any) -> None:
        """Decode a message and answer it. A fault in pysnmp costs that message."""
        try:
            transport.process(datagram, source)
        except _RequestToSender:
            self.count_up("snmpSilentDrops")
        except Exception as fault:
            # pysnmp raises many kinds of exceptions for what it cannot decode.
            log.debug("a message from %s was dropped: %r", source, fault)
            self.count_up("snmpInASNParseErrs")
        finally:
            self._forget_message()

    def _forget_message(self) -> None:
        """Drop what the security models still keep of a message: pysnmp leaves entries of those that it refuses.

        Responses are made at once, and requests that are sent keep nothing there, so all of it belongs to this message.
        """
        for model in self._engine.security_models.values():
            if not model._cache.is_empty():
                model._cache = Cache()

    def close(self) -> None:
        self._engine.close_dispatcher()

    # -- counters ------------------------------------------------------------------------------------

    def count(self, name: str) -> int:
        """A counter of the agent, by its name (COUNTER_MODULES)."""
        (symbol,) = self._symbols(f"__{COUNTER_MODULES[name]}", name)
        return int(symbol.syntax)

    def count_up(self, name: str) -> None:
        """Count a message that did not get to pysnmp, or that it dropped."""
        (symbol,) = self._symbols("__SNMPv2-MIB", name)
        symbol.syntax += 1

    # -- settings ------------------------------------------------------------------------------------

    def configure(self, settings: SnmpSettings) -> None:
        """Go by these communities, users and targets from now on; what stays is not touched."""
        self._set_communities(settings)
        self._set_users({user_of(value).name: value for value in settings.users})
        wanted = {target_of(value).name: value for value in settings.targets}
        for name in [name for name, value in self._targets.items() if wanted.get(name) != value]:
            del self._targets[name]
            config.delete_target_address(self._engine, name)
            config.delete_target_parameters(self._engine, name)
        for name, value in wanted.items():
            if name not in self._targets:
                self._add_target(target_of(value))
                self._targets[name] = value
        if self._receive is not None:
            self._set_senders(self._receive)

    def _set_communities(self, settings: SnmpSettings) -> None:
        wanted = {community_of(value).name for value in settings.communities}
        wanted |= {name for name in (target_of(value).community for value in settings.targets) if name}
        for name in self._communities - wanted:
            config.delete_v1_system(self._engine, _index(name))
        for name in wanted - self._communities:
            config.add_v1_system(self._engine, _index(name), name, securityName=name)
        self._communities = wanted

    def _set_users(self, wanted: dict[str, str]) -> None:
        for name in [name for name, value in self._users.items() if wanted.get(name) != value]:
            del self._users[name]
            config.delete_v3_user(self._engine, name)
        for name, value in wanted.items():
            if name not in self._users:
                self._add_user(user_of(value))
                self._users[name] = value

    def _add_user(self, user: User) -> None:
        config.add_v3_user(
            self._engine,
            user.name,
            _HASHES[user.hash],
            bytes.fromhex(user.authentication_key),
            config.USM_PRIV_CFB128_AES,
            bytes.fromhex(user.privacy_key),
            authKeyType=config.USM_KEY_TYPE_MASTER,
            privKeyType=config.USM_KEY_TYPE_MASTER,
        )

    def _add_target(self, target: Target) -> None:
        level, model = ("authPriv", 3) if target.user else ("noAuthNoPriv", 1)
        config.add_target_parameters(self._engine, target.name, target.user or target.community, level, model)
        domain = (*_domain(":" in target.address), _SENDING)
        hundredths = target.timeout_s * 100
        address = (target.address, target.port)
        config.add_target_address(
            self._engine, target.name, domain, address, target.name, hundredths, target.retries
        )

    # -- notifications -------------------------------------------------------------------------------

    def notify(self, target: Target, bindings: Sequence[Variable], is_delivered: Delivered) -> None:
        """Send a notification; `is_delivered` gets "" when it was acknowledged, or sent as a trap, else the fault."""
        pdu = v2c.InformRequestPDU() if target.is_inform else v2c.TrapPDU()
        api = v2c.apiPDU if target.is_inform else v2c.apiTrapPDU
        api.set_defaults(pdu)
        api.set_varbinds(pdu, [(rfc1902.ObjectName(oid), _encoded(value)) for oid, value in bindings])

        def answered(engine: Any, handle: Any, fault: Any, answer: Any, _: Any) -> None:
            is_delivered(str(fault) if fault else _error_in(answer))

        try:
            self._notifier.send_pdu(self._engine, target.name, None, b"", pdu, answered, None)
        except Exception as fault:
            # The world's faults (no route) and pysnmp's own come in many classes.
            is_delivered(str(fault) or type(fault).__name__)
            return
        if not target.is_inform:
            is_delivered("")


def _error_in(answer: Any) -> str:
    status = int(v2c.apiPDU.get_error_status(answer)) if answer is not None else 0
    return f"the manager answered with error {status}" if status else ""


def _index(community: str) -> str:
    """The name of a row for a community; the name itself may be too long for it."""
    return community.encode().hex()[-32:]


def _domain(is_ipv6: bool) -> Oid:
    domain: Oid = udp6.DOMAIN_NAME if is_ipv6 else udp.DOMAIN_NAME
    return domain


def _encoded(value: Value) -> Any:
    return _TYPES[value.syntax](value.now)


class _Transport:
    """A UDP socket whose datagrams wait until they are processed. `is_sender`: only answers come by it."""

    def __init__(self, receive: Receive, is_sender: bool = False) -> None:
        super().__init__(loop=asyncio.get_running_loop())  # type: ignore[call-arg]
        self._receive = receive
        self.is_sender = is_sender

    def datagram_received(self, datagram: bytes, address: Any) -> None:
        self._receive(self, datagram, address)

    def process(self, datagram: bytes, address: Any) -> None:
        """Hand it to the engine now."""
        self._callback_function(self, self.normalize_address(address), datagram)  # type: ignore[attr-defined]

    def send_message(self, message: bytes, address: Any) -> None:
        """Send it. A peer that cannot be reached is no fault of the agent."""
        with suppress(Exception):
            super().send_message(message, address)  # type: ignore[misc]


class _Transport4(_Transport, udp.UdpAsyncioTransport):  # type: ignore[misc]
    """By IPv4."""


class _Transport6(_Transport, udp6.Udp6AsyncioTransport):  # type: ignore[misc]
    """By IPv6."""


class _Controller(instrum.AbstractMibInstrumController):  # type: ignore[misc]
    """What the responders of pysnmp ask (RFC 3416 4.2)."""

    def __init__(self, mib: Mib) -> None:
        self._mib = mib

    def read_variables(self, *bindings: Any, **more: Any) -> list[Any]:
        """GET."""
        self._check_reader(more["snmpEngine"])
        return [(name, self._read(tuple(name))) for name, _ in bindings]

    def _read(self, oid: Oid) -> Any:
        found = self._mib.get(oid)
        if isinstance(found, Value):
            return _encoded(found)
        return rfc1905.noSuchObject if found is Missing.OBJECT else rfc1905.noSuchInstance

    def read_next_variables(self, *bindings: Any, **more: Any) -> list[Any]:
        """GETNEXT, and each step of GETBULK."""
        self._check_reader(more["snmpEngine"])
        return [self._read_next(name) for name, _ in bindings]

    def _read_next(self, name: Any) -> Any:
        following = self._mib.next_after(tuple(name))
        if following is None:
            return name, rfc1905.endOfMibView
        return rfc1902.ObjectName(following[0]), _encoded(following[1])

    def read_bulk(self, engine: Any, names: Sequence[Oid], non_repeaters: int, repetitions: int) -> list[Binding]:
        """GETBULK."""
        self._check_reader(engine)
        return bulk_bindings(self._mib.next_after, names, non_repeaters, repetitions, VARIABLES_MAX)

    def write_variables(self, *bindings: Any, **more: Any) -> list[Any]:
        """SET: all of them or none."""
        values = [(tuple(name), _plain(value)) for name, value in bindings]
        try:
            self._mib.write(_principal(more["snmpEngine"]), values)
        except NotAllowed:
            raise error.NoAccessError(idx=0) from None
        except NotWritable:
            raise error.NotWritableError(idx=0) from None
        except WrongValue:
            raise error.WrongValueError(idx=0) from None
        except CommitRefused:
            raise error.CommitFailedError(idx=0) from None
        except CommitUnknown:
            # RFC 3416 4.2.5: some variables may have their new values.
            raise error.UndoFailedError(idx=0) from None
        return list(bindings)

    def _check_reader(self, engine: Any) -> None:
        if not self._mib.may_read(_principal(engine)):
            raise error.AuthorizationError(idx=0)


class _BulkResponder(cmdrsp.BulkCommandResponder):  # type: ignore[misc]
    """GETBULK, with variables that are encoded already."""

    def handle_management_operation(self, engine: Any, reference: Any, context_name: Any, request: Any) -> None:
        """Answer a request. Raises AuthorizationError."""
        controller: _Controller = self.snmpContext.get_mib_instrum(context_name)
        names = [tuple(name) for name, _ in v2c.apiPDU.get_varbinds(request)]
        non_repeaters = int(v2c.apiBulkPDU.get_non_repeaters(request))
        repetitions = int(v2c.apiBulkPDU.get_max_repetitions(request))
        bindings = controller.read_bulk(engine, names, non_repeaters, repetitions)
        response = v2c.apiPDU.get_response(request)
        encoded = rfc1902.univ.Any(encoded_bindings(bindings))
        unchecked = {"verifyConstraints": False, "matchTags": False, "matchConstraints": False}
        response.setComponentByPosition(_BINDINGS, encoded, **unchecked)
        self.send_pdu(engine, reference, response)
        self.release_state_information(reference)


def _new_engine(engine_id: bytes, folder: Path) -> Any:
    # pysnmp writes its count below the folder for temporary files, once.
    former, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        return SnmpEngine(rfc1902.OctetString(engine_id))
    finally:
        tempfile.tempdir = former


def _plain(value: Any) -> Plain:
    return bytes(value) if isinstance(value, rfc1902.OctetString) else str(value)


def _principal(engine: Any) -> Principal:
    """Who sent the request that is being answered."""
    request = engine.observer.get_execution_context("rfc3412.receiveMessage:request")
    return Principal(int(request["securityModel"]), str(request["securityName"]), int(request["securityLevel"]))


def _refuse_at_sender(engine: Any, point: str, request: Any, more: Any) -> None:
    """Of an encrypted message, only here it is known to be a request."""
    if request["transportDomain"][-1] == _SENDING:
        raise _RequestToSender


def notification_bindings(uptime_ticks: int, oid: Oid, objects: Sequence[Variable]) -> list[Variable]:
    """The variables of a notification (RFC 3416 4.2.6): sysUpTime, the notification, its objects."""
    moment: Variable = (SYS_UP_TIME, Value("TimeTicks", uptime_ticks))
    return [moment, (TRAP_OID, Value("ObjectIdentifier", oid)), *objects]
