"""All transactions of one worker, found by what messages carry (RFC 3261 17.1.3, 17.2.3).

A message is looked up (`server_for`, `client_for`) by one key in one dictionary; what is found gets it
(`receive_request`, `receive_response`), what is not is the caller's. The transactions send into
`outbox` and live as long as their machine: an entry goes when its machine reaches TERMINATED.

At the limit new transactions are refused with TableFull; those there are go on, and an INVITE that is
there can be cancelled.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Final, Protocol

from appliance.sip.message import Request, Response
from appliance.sip.parser import KNOWN_METHODS
from appliance.transaction.keys import (
    client_key,
    has_cookie,
    merged_key,
    rfc2543_key,
    sequence_key,
    server_key,
    to_tag_of,
)
from appliance.transaction.layer import Transaction, TransactionLayer
from appliance.transaction.machines import Input, State
from appliance.transaction.timers import TimerSettings
from appliance.transaction.transaction import (
    ClientTransaction,
    ClientUser,
    ServerTransaction,
    ServerUser,
)
from appliance.transport.flow import Flow

# The machines' inputs as plain integers, which compiled code keeps in C (see the .pxd).
_REQUEST: Final = int(Input.REQUEST)
_ACK: Final = int(Input.ACK)
_PROVISIONAL: Final = int(Input.PROVISIONAL)
_SUCCESS: Final = int(Input.SUCCESS)
_FAILURE: Final = int(Input.FAILURE)
_LATE: Final = int(Input.LATE)
_ABANDONED: Final = int(Input.ABANDONED)
_TRANSPORT_ERROR: Final = int(Input.TRANSPORT_ERROR)
_ACCEPTED: Final = int(State.ACCEPTED)
# RFC 3261 9.1: a CANCEL of these has no effect.
NEVER_CANCELLED: Final = tuple(sorted(KNOWN_METHODS - {b"INVITE", b"ACK", b"CANCEL"}))


class TableFull(Exception):
    """There is no room for a new transaction."""


class KeyTaken(TableFull):
    """A transaction of that key exists: a branch was used twice, or a request was not matched first."""


class ConfiguredTimers(Protocol):
    """Timers as the configuration has them: milliseconds, C in seconds."""

    @property
    def t1_ms(self) -> int: ...
    @property
    def t2_ms(self) -> int: ...
    @property
    def t4_ms(self) -> int: ...
    @property
    def c_s(self) -> int: ...


def timer_settings(configured: ConfiguredTimers) -> TimerSettings:
    """Configured timers in seconds. Raises ValueError where they make no timers."""
    return TimerSettings(configured.t1_ms / 1000, configured.t2_ms / 1000, configured.t4_ms / 1000, configured.c_s)


class Transactions(TransactionLayer):
    """The transaction table.

    `settings` may be seconds or the configuration's values; `limit` bounds clients and servers together.
    """

    __slots__ = ("_key", "_looked_up", "_merged_key", "clients", "extensions", "limit", "merged", "servers")

    def __init__(
        self, settings: TimerSettings | ConfiguredTimers, limit: int, counters: list[int] | None = None
    ) -> None:
        super().__init__(settings if isinstance(settings, TimerSettings) else timer_settings(settings), counters)
        self.limit = limit
        self.clients: dict[bytes, ClientTransaction] = {}
        self.servers: dict[bytes, ServerTransaction] = {}
        # RFC 3261 8.2.2.2: the request that came first, by what a fork leaves alike; and each INVITE, for its ACK.
        self.merged: dict[bytes, ServerTransaction] = {}
        # Requests of methods that are not known here, by their key without the method, which a CANCEL does not name.
        self.extensions: dict[bytes, ServerTransaction] = {}
        # The request that was looked up last, and its keys: a transaction that is not found is mostly made next.
        self._looked_up: Request | None = None
        self._key = b""
        self._merged_key: bytes | None = None

    def reconfigure(self, settings: ConfiguredTimers, limit: int) -> None:
        """Go by new settings; a timer that runs is not changed."""
        self.durations = timer_settings(settings)
        self.limit = limit

    def __len__(self) -> int:
        """Client and server transactions, those that wait out a last timer included."""
        return len(self.clients) + len(self.servers)

    def ended(self, transaction: Transaction) -> None:
        """The entry goes with its machine."""
        if not isinstance(transaction, ServerTransaction):
            del self.clients[transaction.key]
            return
        del self.servers[transaction.key]
        self._forget_names(transaction)

    def _forget_names(self, server: ServerTransaction) -> None:
        """Under which it is found beside its key."""
        if server.merged_key and self.merged.get(server.merged_key) is server:
            del self.merged[server.merged_key]
        if server.extension_key and self.extensions.get(server.extension_key) is server:
            del self.extensions[server.extension_key]

    # -- requests from the network -------------------------------------------------------------------

    def server_for(self, request: Request) -> ServerTransaction | None:
        """RFC 3261 17.2.3: the transaction of a request that came again, or of an ACK; None when it is new."""
        method = request.method
        if method != b"ACK":
            self._looked_up = request
            self._merged_key = None
            self._key = server_key(request, method)
            return self.servers.get(self._key)
        server = self.servers.get(server_key(request, b"INVITE"))
        if has_cookie(request.read_top_via().branch):
            return server
        if server is None:
            # RFC 3261 17.2.3: the INVITE had no To tag; the response gave it the one that the ACK has.
            server = self.servers.get(rfc2543_key(request, b"INVITE", b""))
        if server is not None and server.response_to_tag != request.read_to_tag():
            return None
        return server

    def new_server(
        self, request: Request, flow: Flow, user: ServerUser | None, now: float | None = None
    ) -> ServerTransaction:
        """A transaction for a request that `server_for` does not know; responses go to `flow`.

        With `now` a request other than INVITE that is not answered gets its 100 (RFC 4320 4.1) and an end.
        Raises TableFull at the limit; a CANCEL of a request that is here has room.
        """
        key = self.key_of(request)
        if len(self) >= self.limit and not self._is_cancel_of_known(request):
            raise TableFull
        if key in self.servers:
            raise KeyTaken
        merged = self._sequence_key_of(request)
        server = ServerTransaction(self, key, merged, request, flow, user)
        server.is_rfc2543 = not has_cookie(request.read_top_via().branch)
        self.servers[key] = server
        if merged:
            self.merged.setdefault(merged, server)
        if request.method not in KNOWN_METHODS:
            server.extension_key = server_key(request, b"")
            self.extensions.setdefault(server.extension_key, server)
        server.start(now)
        return server

    def key_of(self, request: Request) -> bytes:
        """The `server_key` of a request; what was looked up is not made anew."""
        return self._key if request is self._looked_up else server_key(request, request.method)

    def _sequence_key_of(self, request: Request) -> bytes:
        """The name in `merged` of a new request; b"" for none."""
        if request.method == b"INVITE":
            return sequence_key(request, b"INVITE")
        return b"" if request.method == b"CANCEL" else self._merged_key_of(request)

    def _merged_key_of(self, request: Request) -> bytes:
        """The `merged_key`, likewise."""
        if request is not self._looked_up:
            return merged_key(request)
        if self._merged_key is None:
            self._merged_key = merged_key(request)
        return self._merged_key

    def _is_cancel_of_known(self, request: Request) -> bool:
        return request.method == b"CANCEL" and self.cancelled_target(request) is not None

    def receive_request(self, server: ServerTransaction, request: Request, now: float) -> None:
        """A request that `server_for` has matched: a repetition, or an ACK."""
        if request.method == b"ACK":
            server.step(_ACK, b"", request, now)
        else:
            self.count_received_again(request.method)
            server.step(_REQUEST, b"", None, now)

    def cancelled_target(self, request: Request) -> ServerTransaction | None:
        """RFC 3261 9.2: the INVITE transaction that a CANCEL means."""
        return self.servers.get(server_key(request, b"INVITE"))

    def knows_other(self, cancel: Request, waiting: Container[bytes]) -> bool:
        """RFC 3261 9.2: is the request that a CANCEL means here, or among those that wait, and none that it can end?"""
        keys = [server_key(cancel, method) for method in NEVER_CANCELLED]
        is_here = any(key in self.servers or key in waiting for key in keys)
        return is_here or server_key(cancel, b"") in self.extensions

    def accepted_by(self, ack: Request) -> ServerTransaction | None:
        """RFC 3261 13.2.2.4: the INVITE that was answered with 2xx, and that an ACK of another branch belongs to."""
        server = self.merged.get(sequence_key(ack, b"INVITE"))
        return server if server is not None and server.state == _ACCEPTED else None

    def is_merged(self, request: Request) -> bool:
        """RFC 3261 8.2.2.2: has the same request come by another way, and is still here?

        The rule is a UAS's (registrar, OPTIONS to us): a proxy may see a request twice, on a spiral.
        """
        key = self._merged_key_of(request)
        if not key:
            return False
        first = self.merged.get(key)
        return first is not None and first.key != self.key_of(request)

    # -- responses from the user ---------------------------------------------------------------------

    def respond(self, server: ServerTransaction, status: int, data: bytes, now: float) -> None:
        """Send a response: `data` is all of it. What the state does not allow is ignored."""
        if status < 200:
            if server.is_invite or (status == 100 and server.is_trying_due):
                server.step(_PROVISIONAL, data, None, now)
            # RFC 4320 4.1: to other requests no provisional but 100, and that not early; the machine sends it.
            return
        if server.is_rfc2543 and server.is_invite:
            server.response_to_tag = to_tag_of(data)
        if status < 300:
            server.step(_SUCCESS, data, None, now)
        elif status == 408 and not server.is_invite:
            # RFC 4320 4.2
            server.step(_LATE, b"", None, now)
        else:
            server.step(_FAILURE, data, None, now)

    def answer(self, server: ServerTransaction | None, flow: Flow, status: int, data: bytes, now: float) -> None:
        """Send a response by its transaction or, where there is none, this once to `flow` (RFC 3261 8.2.7)."""
        if server is None:
            self.send(data, flow, b"")
        else:
            self.respond(server, status, data, now)

    def abandon(self, server: ServerTransaction, now: float = 0.0) -> None:
        """End a transaction that has no final response, and send none (RFC 4320 4.2)."""
        server.step(_ABANDONED, b"", None, now)

    def give_up(self, client: ClientTransaction, now: float) -> None:
        """End an INVITE that has had no final response for too long (RFC 3261 9.1), and its CANCEL.

        Its user is not called. A response that comes after all is a stray one.
        """
        request = client.request
        client.step(_ABANDONED, None, now)
        cancel = None if request is None else self.clients.get(client_key(request.read_top_via().branch, b"CANCEL"))
        if cancel is not None:
            cancel.step(_ABANDONED, None, now)

    # -- clients -------------------------------------------------------------------------------------

    def new_client(
        self, request: Request, data: bytes, flow: Flow, user: ClientUser | None, now: float
    ) -> ClientTransaction:
        """Send a request: `data` is all of it, `request` the same, with our Via on top.

        The user is not called before this returns. Raises TableFull at the limit, where a CANCEL of a
        request that is here still has room, and when the branch is in use.
        """
        client = self._added_client(request, data, flow, user)
        client.step(_REQUEST, None, now)
        return client

    def resume_client(
        self, request: Request, data: bytes, flow: Flow, user: ClientUser | None, is_proceeding: bool, now: float
    ) -> ClientTransaction:
        """Go on with an INVITE that another worker sent. Raises TableFull."""
        client = self._added_client(request, data, flow, user)
        client.resume(is_proceeding, now)
        return client

    def _added_client(self, request: Request, data: bytes, flow: Flow, user: ClientUser | None) -> ClientTransaction:
        branch = request.read_top_via().branch
        key = client_key(branch, request.method)
        if len(self) >= self.limit and not (
            request.method == b"CANCEL" and client_key(branch, b"INVITE") in self.clients
        ):
            raise TableFull
        if key in self.clients:
            raise KeyTaken
        client = ClientTransaction(self, key, request, data, flow, user)
        self.clients[key] = client
        return client

    def client_for(self, response: Response) -> ClientTransaction | None:
        """RFC 3261 17.1.3; None for a stray response, which is not to be forwarded (RFC 6026 7.3)."""
        return self.clients.get(client_key(response.read_top_via().branch, response.read_cseq_method()))

    def receive_response(self, client: ClientTransaction, response: Response, now: float) -> None:
        """A response that `client_for` has matched."""
        status = response.status
        what = _PROVISIONAL if status < 200 else _SUCCESS if status < 300 else _FAILURE
        client.step(what, response, now)

    # -- software faults ------------------------------------------------------------------------------

    def discard(self, transaction: Transaction) -> None:
        """Remove a transaction that a fault has left half done; its user is not called."""
        transaction.discard()
        key = transaction.key
        if isinstance(transaction, ServerTransaction):
            if self.servers.get(key) is transaction:
                del self.servers[key]
            self._forget_names(transaction)
        elif self.clients.get(key) is transaction:
            del self.clients[key]

    def is_sound(self) -> bool:
        """Are all entries transactions under way, each under its key, and the timers in order?"""
        entries: list[tuple[bytes, Transaction]] = [*self.clients.items(), *self.servers.items()]
        return self.timers.is_sound() and all(
            key == entry.key and entry.state != State.TERMINATED for key, entry in entries
        )

    # -- failures and time -----------------------------------------------------------------------------

    def fail(self, branch_key: bytes, now: float) -> bool:
        """RFC 3261 17.1.4, 17.2.4: an Outgoing of that `branch` could not be sent. Is there such a transaction?"""
        client = self.clients.get(branch_key)
        if client is not None:
            client.step(_TRANSPORT_ERROR, None, now)
            return True
        server = self.servers.get(branch_key)
        if server is not None:
            server.step(_TRANSPORT_ERROR, b"", None, now)
            return True
        return False

    def handle_timers(self, now: float) -> None:
        """Everything that is due, the timers of other owners included."""
        self.timers.fire(now)

    def next_timer(self) -> float:
        """When handle_timers is wanted next; infinity when nothing waits."""
        return self.timers.next_due()
