"""The control socket: lines of JSON over a Unix stream (docs/control-socket.md).

    -> {"id": 1, "do": "show workers", "args": {}}
    <- {"id": 1, "event": {...}}                                   as many as there are
    <- {"id": 1, "result": {...}}   or   {"id": 1, "error": {"message": "...", "remedy": "..."}}

Several requests of a connection may be under way, up to a bound; a client that does not read its
results delays no other. The user at the other end is known from the kernel (SO_PEERCRED).
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import pwd
import socket
import struct
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from appliance import clock
from appliance.management.appliance_client import ApplianceClient, Call
from appliance.management.arguments import Arguments
from appliance.management.client_address import address_of, terminal_of
from appliance.management.errors import Refused
from appliance.management.login_log import UNKNOWN
from appliance.management.open_sessions import aliases_of
from appliance.management.requests import REQUESTS, check_right, obey
from appliance.management.sessions import (
    NONE,
    Session,
    enable,
    login,
    needs_secret,
    new_session,
    take_machine_account,
)
from appliance.version import version_text

LANGUAGE: Final = 1
LINE_LEN_MAX: Final = 16 * 1024 * 1024
CONNECTIONS_MAX: Final = 64
REQUESTS_MAX: Final = 16
# Requests that have no end of their own: the operator may be idle, or gone.
ENDLESS: Final = frozenset({"terminal monitor"})
_CREDENTIALS: Final = struct.Struct("3i")

log = logging.getLogger("signalbox.management")


class ControlSocket:
    """The server. Raises OSError from `open` when there can be no socket."""

    def __init__(self, path: Path, client: ApplianceClient) -> None:
        self._path = path
        self._client = client
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Listen; what a killed predecessor left under the name is replaced."""
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._connected, self._path, limit=LINE_LEN_MAX)
        # The permissions of the folder decide who may connect; the kernel says which user it is.
        self._path.chmod(0o666)

    @property
    def is_serving(self) -> bool:
        """Is a client connected?"""
        return bool(self._connections)

    async def close(self) -> None:
        """Close the socket and all connections."""
        if self._server is not None:
            self._server.close()
        for connection in self._connections:
            connection.cancel()
        self._path.unlink(missing_ok=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._connections) >= CONNECTIONS_MAX:
            writer.close()
            return
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        connection = Connection(self._client, reader, writer, session_of(writer))
        self._client.sessions.add(connection.session, connection, clock.monotonic())
        try:
            await connection.serve()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._client.sessions.remove(connection.session)
            connection.close()
            connection.note_end()
            self._connections.discard(task)


def session_of(writer: asyncio.StreamWriter) -> Session:
    """The session of the user that the kernel reports at the other end."""
    peer: socket.socket = writer.get_extra_info("socket")
    pid, uid, _ = _CREDENTIALS.unpack(peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = f"uid {uid}"
    session = new_session(uid, os.getuid(), name)
    session.terminal = terminal_of(pid)
    return session


class Connection:
    """One client."""

    def __init__(
        self, client: ApplianceClient, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, session: Session
    ) -> None:
        self._client = client
        self._reader = reader
        self._writer = writer
        self.session = session
        self._running: dict[Any, asyncio.Task[None]] = {}
        self._is_login_noted = False
        self._why_ended = "done"

    async def serve(self) -> None:
        """Until the client has gone, or sends what cannot be read."""
        while True:
            try:
                line = await self._reader.readuntil()
            except asyncio.IncompleteReadError:
                return
            except asyncio.LimitOverrunError:
                await self._send(None, error={"message": f"A line has more than {LINE_LEN_MAX} octets.", "remedy": ""})
                return
            await self._receive(line)

    async def _receive(self, line: bytes) -> None:
        try:
            request = json.loads(line)
            number, do, args = request.get("id"), request["do"], request.get("args", {})
            if not isinstance(do, str) or not isinstance(args, dict) or isinstance(number, list | dict):
                raise ValueError
        except (ValueError, KeyError, AttributeError, RecursionError):
            await self._send(None, error={"message": "Malformed request.", "remedy": 'send {"id", "do", "args"}'})
            return
        if do == "cancel":
            await self._cancel(number, args)
        elif number in self._running or len(self._running) >= REQUESTS_MAX:
            remedy = "wait for the responses to the others"
            await self._send(number, error={"message": "Too many concurrent requests.", "remedy": remedy})
        else:
            task = asyncio.ensure_future(self._answer(number, do, args))
            self._running[number] = task
            task.add_done_callback(lambda _: self._running.pop(number, None))

    async def _cancel(self, number: Any, args: dict[str, Any]) -> None:
        task = self._running.get(args.get("request"))
        if task is not None:
            task.cancel()
        await self._send(number, result={"cancelled": task is not None})

    async def _answer(self, number: Any, do: str, args: dict[str, Any]) -> None:
        # A client may leave before its answer: that is no fault.
        with suppress(ConnectionError):
            await self._send(number, **await self._outcome(number, do, args))

    async def _outcome(self, number: Any, do: str, args: dict[str, Any]) -> dict[str, Any]:
        """The `result` or the `error` of a request. Raises ConnectionError when the client has gone."""
        try:
            return {"result": await self._do(number, do, args)}
        except Refused as refusal:
            return {"error": refusal.as_error()}
        except asyncio.CancelledError:
            return {"result": {"cancelled": True}}
        except ConnectionError:
            raise
        except Exception:
            # A software fault costs one answer, and is logged.
            log.exception("the request %r failed", do)
            return {"error": {"message": f"`{do}` failed because of a software fault.", "remedy": "see `show logging`"}}

    async def _do(self, number: Any, do: str, args: dict[str, Any]) -> dict[str, Any]:
        arguments, session = Arguments(args), self.session
        session.active_at = clock.monotonic()
        if do == "hello":
            return self._hello(arguments)
        if do in ("login", "enable"):
            return await self._prove(do, arguments)

        async def event(values: dict[str, Any]) -> None:
            check_right(do, REQUESTS[do], call)
            await self._send(number, event=values)

        call = Call(self._client, session, arguments, event)
        session.running += do not in ENDLESS
        try:
            return await obey(do, args, call)
        finally:
            session.running -= do not in ENDLESS
            session.active_at = clock.monotonic()

    async def _prove(self, do: str, arguments: Arguments) -> dict[str, Any]:
        """A login or an enable, noted in the log and the audit log. Raises Refused."""
        session, settings = self.session, self._client.settings
        user = session.user
        try:
            if do == "login":
                name, password = arguments.text("user"), arguments.text("password")
                user = name if any(account.name == name for account in settings.operators) else UNKNOWN
                await asyncio.to_thread(login, session, name, password, settings)
            else:
                await asyncio.to_thread(enable, session, arguments.text("secret", ""), settings)
        except Refused as refusal:
            self._client.logins.failed(session, do, user, refusal.message, clock.monotonic())
            raise
        self._client.logins.done(session, do)
        self._is_login_noted = True
        if do == "enable":
            return {"right": session.right}
        needs = needs_secret(session, settings)
        return {"user": session.user, "right": session.right, "is_admin": session.is_admin, "needs_secret": needs}

    def _hello(self, arguments: Arguments) -> dict[str, Any]:
        session, settings = self.session, self._client.settings
        session.is_script = arguments.flag("script")
        session.address = address_of(arguments.text("address", ""))
        had_user = session.user
        take_machine_account(session, settings)
        if session.user and (not session.is_script or not had_user):
            self._client.logins.done(session, "login")
            self._is_login_noted = True
        return {
            "user": session.user,
            "right": session.right,
            "hostname": settings.hostname,
            "timezone": settings.timezone,
            "version": version_text(),
            "language": LANGUAGE,
            "needs_login": session.right == NONE,
            "is_admin": session.is_admin,
            "needs_secret": needs_secret(session, settings),
            "session": session.number,
            "banner": list(settings.banner),
            "aliases": aliases_of(settings),
        }

    def end(self, why: str) -> None:
        """Send the reason, and close the connection."""
        self._why_ended = why
        self.tell(over=why)
        self.close()

    def note_end(self) -> None:
        """Note the logout of a session whose login, or whose `enable`, was noted."""
        if self._is_login_noted:
            self._client.logins.ended(self.session, self._why_ended)

    def tell(self, **values: Any) -> None:
        """Send a line that answers no request; a client that does not read is not waited for."""
        if self._writer.transport.get_write_buffer_size() < LINE_LEN_MAX:
            self._writer.write(json.dumps({"id": None, **values}).encode() + b"\n")

    async def _send(self, number: Any, **what: Any) -> None:
        self._writer.write(json.dumps({"id": number, **what}).encode() + b"\n")
        await self._writer.drain()

    def close(self) -> None:
        """Stop what is under way."""
        for task in self._running.values():
            task.cancel()
        self._writer.close()
