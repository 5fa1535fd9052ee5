"""etcd as a store of keys (key_store.py), by etcd3 0.12; no other file knows of it.

etcd3 gives the channel and the messages. Its watcher and its lock are not used: the watcher turns in circles while no
server answers. One server is used at a time; one that does not answer in time, or has lost the majority, is left for
the next one of the list. A server that is frozen is noticed by the deadline of the next call, or by a ping without an
answer; gRPC has a time-out of its own for that (`grpc.http2.ping_timeout_ms`), the one of its documentation is never
looked at. Servers have to allow such pings: `--grpc-keepalive-min-time 1s`.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from appliance import clock
from appliance.cluster.coordination.key_store import (
    NO_LEASE,
    Change,
    Compacted,
    Entry,
    LeaseTimes,
    Put,
    Reading,
    ServerHealth,
    StoreFault,
    StoreFull,
    StoreRefused,
    StoreUnavailable,
    Unchanged,
    Write,
)
from appliance.storage.cluster_file import EtcdAccess

# The messages of etcd3 are of a time before the C implementation of protobuf that would refuse them.
os.environ["PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION"] = "python"
# What gRPC would write to standard error comes as an exception as well.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

import etcd3
import grpc

DEADLINE_S: Final = 2.0
HEALTH_DEADLINE_S: Final = 1.0
DEFAULT_PORT: Final = 2379
WATCHED_MAX: Final = 1024
"""Responses of a watch that are not taken yet; beyond that it is given up, and everything is read anew."""
MESSAGE_LEN_MAX: Final = 64 << 20

_OPTIONS: Final = (
    ("grpc.keepalive_time_ms", 2000),
    ("grpc.http2.ping_timeout_ms", 2000),
    ("grpc.keepalive_permit_without_calls", 0),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1000),
    ("grpc.max_reconnect_backoff_ms", 1000),
    # Otherwise a new channel waits because an earlier one to the same server had no success.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.max_receive_message_length", MESSAGE_LEN_MAX),
    ("grpc.enable_http_proxy", 0),
)
# Of a server that has lost the majority: a watch shall end rather than be silent.
_NEEDS_LEADER: Final = (("hasleader", "true"),)
_Code = grpc.StatusCode
_UNAVAILABLE: Final = frozenset(
    {_Code.UNAVAILABLE, _Code.DEADLINE_EXCEEDED, _Code.CANCELLED, _Code.INTERNAL, _Code.UNKNOWN}
)


class EtcdStore:
    """A cluster of etcd servers. Not for several threads. Opens no connection before the first call."""

    def __init__(self, access: EtcdAccess, deadline_s: float = DEADLINE_S) -> None:
        """Raises StoreRefused for an address or a file that cannot be used."""
        self._access = access
        self._deadline_s = deadline_s
        self._place = 0
        self._clients: dict[int, Any] = {}
        _check_files(access)
        for url in access.urls:
            place_of(url)

    # -- keys --------------------------------------------------------------------------------------------

    def read(self, prefix: str) -> Reading:
        request = etcd3.etcdrpc.RangeRequest(key=prefix.encode(), range_end=_end_of(prefix))
        found = self._ask_any(lambda client: client.kvstub.Range, request)
        entries = (_entry(each) for each in found.kvs)
        return Reading(found.header.revision, {entry.key: entry for entry in entries})

    def commit(self, conditions: Sequence[Unchanged], writes: Sequence[Write]) -> bool:
        rpc = etcd3.etcdrpc
        request = rpc.TxnRequest(
            compare=[
                rpc.Compare(
                    key=each.key.encode(),
                    target=rpc.Compare.MOD,
                    result=rpc.Compare.EQUAL,
                    mod_revision=each.revision,
                )
                for each in conditions
            ],
            success=[_operation(each) for each in writes],
        )
        return bool(self._ask(lambda client: client.kvstub.Txn, request).succeeded)

    def watch(self, prefix: str, after: int) -> EtcdWatch:
        stub = etcd3.etcdrpc.WatchStub(self._client().channel)
        return EtcdWatch(stub, prefix, after, self._url, self._deadline_s)

    # -- leases ------------------------------------------------------------------------------------------

    def grant(self, ttl_s: int) -> int:
        request = etcd3.etcdrpc.LeaseGrantRequest(TTL=ttl_s)
        return int(self._ask(lambda client: client.leasestub.LeaseGrant, request).ID)

    def keep(self, lease: int) -> bool:
        request = etcd3.etcdrpc.LeaseKeepAliveRequest(ID=lease)

        def first(client: Any) -> Callable[..., Any]:
            return lambda asked, timeout: next(client.leasestub.LeaseKeepAlive(iter([asked]), timeout=timeout))

        return int(self._ask_any(first, request).TTL) > 0

    def lease_times(self, lease: int) -> LeaseTimes | None:
        request = etcd3.etcdrpc.LeaseTimeToLiveRequest(ID=lease)
        found = self._ask_any(lambda client: client.leasestub.LeaseTimeToLive, request)
        return LeaseTimes(found.grantedTTL, found.TTL) if found.TTL > 0 else None

    def revoke(self, lease: int) -> None:
        request = etcd3.etcdrpc.LeaseRevokeRequest(ID=lease)
        self._ask(lambda client: client.leasestub.LeaseRevoke, request)

    # -- servers -----------------------------------------------------------------------------------------

    def health(self, place: int) -> ServerHealth:
        url = self._access.urls[place]
        client = self._connected(place)
        try:
            found = client.maintenancestub.Status(etcd3.etcdrpc.StatusRequest(), timeout=HEALTH_DEADLINE_S)
        except grpc.RpcError as fault:
            self._disconnect(place)
            return ServerHealth(url, f"{_fault_of(fault, url)}")
        is_leader = found.leader == found.header.member_id
        return ServerHealth(url, "", found.version, is_leader, found.dbSize, bool(found.leader))

    def close(self) -> None:
        for place in list(self._clients):
            self._disconnect(place)

    @property
    def _url(self) -> str:
        return self._access.urls[self._place]

    def _ask_any(self, method: Callable[[Any], Callable[..., Any]], request: Any) -> Any:
        """The answer of the first server that gives one; for what may be asked twice."""
        for attempts_left in reversed(range(len(self._access.urls))):
            try:
                return self._ask(method, request)
            except StoreUnavailable:
                if not attempts_left:
                    raise
        raise AssertionError("no server is named")

    def _ask(self, method: Callable[[Any], Callable[..., Any]], request: Any) -> Any:
        try:
            return method(self._client())(request, timeout=self._deadline_s)
        except grpc.RpcError as fault:
            translated = _fault_of(fault, self._url)
        except StopIteration:
            translated = StoreUnavailable(f"etcd at {self._url} ended the connection.")
        if isinstance(translated, StoreUnavailable):
            self._disconnect(self._place)
            self._place = (self._place + 1) % len(self._access.urls)
        raise translated

    def _client(self) -> Any:
        return self._connected(self._place)

    def _connected(self, place: int) -> Any:
        client = self._clients.get(place)
        if client is None:
            access, (host, port) = self._access, place_of(self._access.urls[place])
            files = (access.ca, access.key, access.certificate) if is_secure(self._access.urls[place]) else ("", "", "")
            ca, key, certificate = (name or None for name in files)
            client = self._clients[place] = etcd3.Etcd3Client(host, port, ca, key, certificate, grpc_options=_OPTIONS)
        return client

    def _disconnect(self, place: int) -> None:
        client = self._clients.pop(place, None)
        if client is not None:
            client.close()


class EtcdWatch:
    """One watch. A thread takes in what comes, for gRPC gives it only to one that waits."""

    def __init__(self, stub: Any, prefix: str, after: int, url: str, deadline_s: float) -> None:
        """Raises StoreUnavailable when the server does not confirm it in time."""
        self._url = url
        self._arrived: queue.Queue[Any] = queue.Queue(WATCHED_MAX)
        self._ended = threading.Event()
        rpc = etcd3.etcdrpc
        asked = rpc.WatchCreateRequest(key=prefix.encode(), range_end=_end_of(prefix), start_revision=after + 1)
        self._call = stub.Watch(self._requests(rpc.WatchRequest(create_request=asked)), metadata=_NEEDS_LEADER)
        threading.Thread(target=self._take_in, name="etcd watch", daemon=True).start()
        try:
            self._next(deadline_s)
        except queue.Empty:
            self.close()
            raise StoreUnavailable(f"etcd at {url} does not confirm a watch.") from None

    def wait(self, timeout_s: float) -> list[Change]:
        changes: list[Change] = []
        until = clock.monotonic() + timeout_s
        while not changes and (left_s := until - clock.monotonic()) > 0:
            try:
                changes = _changes(self._next(left_s))
            except queue.Empty:
                return []
        while not self._arrived.empty():
            changes += _changes(self._next(0.0))
        return changes

    def close(self) -> None:
        self._ended.set()
        self._call.cancel()

    def _requests(self, first: Any) -> Iterator[Any]:
        yield first
        # The stream stays open as long as there may be another request.
        self._ended.wait()

    def _take_in(self) -> None:
        try:
            for response in self._call:
                self._arrived.put_nowait(response)
            self._end(StoreUnavailable(f"etcd at {self._url} ended a watch."))
        except grpc.RpcError as fault:
            self._end(_fault_of(fault, self._url))
        except queue.Full:
            self._end(Compacted())

    def _end(self, fault: Exception) -> None:
        self._ended.set()
        self._call.cancel()
        with suppress(queue.Empty):
            # The victim is a response: after a fault everything is read anew, or watched from where it was taken in.
            while self._arrived.full():
                self._arrived.get_nowait()
        self._arrived.put_nowait(fault)

    def _next(self, timeout_s: float) -> Any:
        """The next response. Raises queue.Empty, StoreUnavailable, StoreRefused, Compacted."""
        found = self._arrived.get(timeout=timeout_s) if timeout_s > 0 else self._arrived.get_nowait()
        if isinstance(found, Exception):
            self.close()
            raise found
        if found.compact_revision:
            self.close()
            raise Compacted
        if found.canceled:
            self.close()
            raise StoreUnavailable(f"etcd at {self._url} cancelled a watch: {found.cancel_reason}.")
        return found


# -- addresses and files -----------------------------------------------------------------------------------


def place_of(url: str) -> tuple[str, int]:
    """Host, in brackets for IPv6, and port of an address of etcd. Raises StoreRefused."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or DEFAULT_PORT
    except ValueError:
        host, port = "", 0
    if not host or parts.scheme not in ("http", "https") or parts.path not in ("", "/"):
        raise StoreRefused(f"{url} is no address of etcd. Type http://HOST:PORT or https://HOST:PORT.")
    return (f"[{host}]" if ":" in host else host), port


def is_secure(url: str) -> bool:
    """Is TLS used?"""
    return url.startswith("https:")


def _check_files(access: EtcdAccess) -> None:
    """Raises StoreRefused."""
    if not access.urls:
        raise StoreRefused("No address of etcd is named.")
    if any(map(is_secure, access.urls)) and not access.ca:
        raise StoreRefused("An address of etcd with https needs the certificate of its authority: use --ca FILE.")
    if bool(access.certificate) != bool(access.key):
        raise StoreRefused("A certificate for etcd needs its key: use --certificate FILE and --key FILE together.")
    for path in filter(None, (access.ca, access.certificate, access.key)):
        try:
            Path(path).read_bytes()
        except OSError as fault:
            raise StoreRefused(f"The file {path} cannot be read: {fault.strerror}.") from None


# -- messages ----------------------------------------------------------------------------------------------


def _end_of(prefix: str) -> bytes:
    """The first key behind all that begin so."""
    octets = prefix.encode()
    return octets[:-1] + bytes([octets[-1] + 1])


def _entry(found: Any) -> Entry:
    return Entry(
        found.key.decode("utf-8", "replace"), found.value, found.mod_revision, found.create_revision, found.lease
    )


def _operation(write: Write) -> Any:
    rpc = etcd3.etcdrpc
    if isinstance(write, Put):
        return rpc.RequestOp(
            request_put=rpc.PutRequest(key=write.key.encode(), value=write.value, lease=write.lease or NO_LEASE)
        )
    return rpc.RequestOp(request_delete_range=rpc.DeleteRangeRequest(key=write.key.encode()))


def _changes(response: Any) -> list[Change]:
    return [_change(event) for event in response.events]


def _change(event: Any) -> Change:
    is_put = event.type == event.PUT
    entry = _entry(event.kv)
    return Change(entry.key, entry if is_put else None, entry.revision)


def _fault_of(fault: Any, url: str) -> StoreFault:
    """What an error of gRPC means."""
    code, details = fault.code(), str(fault.details() or "")
    if code == _Code.RESOURCE_EXHAUSTED and "space exceeded" in details:
        return StoreFull(
            f"etcd at {url} is full and takes no changes (NOSPACE). Compact and defragment it, then type: "
            "etcdctl alarm disarm."
        )
    if code in (_Code.PERMISSION_DENIED, _Code.UNAUTHENTICATED):
        return StoreRefused(f"etcd at {url} does not permit it ({details}). See its users and roles.")
    if code in _UNAVAILABLE:
        return StoreUnavailable(f"etcd at {url} does not answer: {_in_words(code, details)}.")
    return StoreRefused(f"etcd at {url} refuses it: {details or code.name}.")


def _in_words(code: Any, details: str) -> str:
    lower = details.lower()
    # The last one is what is left of the alert by which etcd refuses the certificate of this machine (TLS 1.3).
    if any(word in lower for word in ("certificate", "handshake", "ssl", "unwrap failed")):
        return f"TLS failed, see the certificates ({details.rstrip('.')})"
    if "no leader" in lower:
        return "it has no leader, a majority of its members is missing"
    if "connection refused" in lower:
        return "connection refused"
    if code == _Code.DEADLINE_EXCEEDED:
        return "no answer in time"
    return details.rstrip(".") or str(code.name)
