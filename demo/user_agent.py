"""A phone on UDP: registers, calls, answers, hangs up.

Requests are sent again until they are answered (RFC 3261 17.1); a challenge is answered once. A phone
has one call at a time.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Callable

from demo.digest import answer
from demo.message import Message, read_message, response_to

T1_S = 0.5
ANSWER_TIMEOUT_S = 32.0

Observer = Callable[[str, str, Message], None]


class CallFailed(Exception):
    """A request was refused, or not answered; the text says which."""


def local_address_to(server: tuple[str, int]) -> str:
    """The address of this machine from which the server is reached. Raises OSError."""
    family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as trial:
        trial.connect(server)
        return str(trial.getsockname()[0])


class UserAgent(asyncio.DatagramProtocol):
    """One subscriber's phone. `observe(who, "->" or "<-", message)` sees every message."""

    def __init__(
        self, username: str, domain: str, password: str, server: tuple[str, int], observe: Observer, ring_s: float = 0.0
    ) -> None:
        """`ring_s`: how long a call rings here before it is answered."""
        self.username = username
        self.address = f"sip:{username}@{domain}"
        self.ringing = asyncio.Event()
        self.hung_up = asyncio.Event()
        self._ring_s = ring_s
        self._domain = domain
        self._password = password
        self._server = server
        self._observe = observe
        self._transport: asyncio.DatagramTransport | None = None
        self._responses: asyncio.Queue[Message] = asyncio.Queue(100)
        self._tag = secrets.token_hex(4)
        self._call_id = secrets.token_hex(8)
        self._cseq = 0
        self._answered: dict[str, bytes] = {}
        self._dialog: Message | None = None

    # -- the wire --------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Bind an ephemeral port."""
        loop = asyncio.get_running_loop()
        local = (local_address_to(self._server), 0)
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=local)

    def close(self) -> None:
        """Let the port go."""
        if self._transport is not None:
            self._transport.close()

    @property
    def _host_port(self) -> str:
        assert self._transport is not None
        host, port = self._transport.get_extra_info("sockname")[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    @property
    def _contact(self) -> str:
        return f"<sip:{self.username}@{self._host_port}>"

    def _send(self, message: Message) -> bytes:
        assert self._transport is not None
        data = message.to_bytes()
        self._observe(self.username, "->", message)
        self._transport.sendto(data, self._server)
        return data

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        """Everything comes from the appliance."""
        try:
            message = read_message(data)
        except ValueError:
            return
        self._observe(self.username, "<-", message)
        if not message.is_request:
            if not self._responses.full():
                self._responses.put_nowait(message)
        elif message.method != "ACK":
            self._receive_request(message)

    # -- as the one who is called ------------------------------------------------------------------------

    def _receive_request(self, request: Message) -> None:
        key = request.get("Via")
        if key in self._answered:
            assert self._transport is not None
            self._transport.sendto(self._answered[key], self._server)
        elif request.method == "INVITE":
            self._ring(key, request)
        elif request.method == "BYE":
            self._answered[key] = self._send(response_to(request, 200, "OK", self._tag))
            self.hung_up.set()
        else:
            self._answered[key] = self._send(response_to(request, 501, "Not Implemented", self._tag))

    def _ring(self, key: str, invite: Message) -> None:
        self._answered[key] = self._send(response_to(invite, 180, "Ringing", self._tag, self._contact))
        self.ringing.set()
        if self._ring_s > 0.0:
            asyncio.get_running_loop().call_later(self._ring_s, self._pick_up, key, invite)
        else:
            self._pick_up(key, invite)

    def _pick_up(self, key: str, invite: Message) -> None:
        if self._transport is not None and not self._transport.is_closing():
            success = response_to(invite, 200, "OK", self._tag, self._contact, self._session())
            self._answered[key] = self._send(success)

    def _session(self) -> str:
        """A session description: G.711 at a port without a listener (RFC 8866)."""
        host = self._host_port.rpartition(":")[0].strip("[]")
        where = f"IN {'IP6' if ':' in host else 'IP4'} {host}"
        lines = ("v=0", f"o=- 1 1 {where}", "s=-", f"c={where}", "t=0 0", "m=audio 9 RTP/AVP 0", "")
        return "\r\n".join(lines)

    # -- as the one who asks -----------------------------------------------------------------------------

    async def register(self, expires_s: int = 60) -> None:
        """Register this phone's address; 0 seconds unregisters it. Raises CallFailed."""
        request = self._request("REGISTER", f"sip:{self._domain}", f"<{self.address}>")
        request.headers += [("Contact", self._contact), ("Expires", str(expires_s))]
        await self._ask(request)

    async def call(self, callee: str) -> None:
        """Call an address and wait until it is answered. Raises CallFailed."""
        self._call_id = secrets.token_hex(8)
        request = self._request("INVITE", callee, f"<{callee}>")
        request.headers += [("Contact", self._contact), ("Content-Type", "application/sdp")]
        request.body = self._session()
        self._dialog = await self._ask(request)
        self._send(self._in_dialog("ACK"))

    async def hang_up(self) -> None:
        """End the call. Raises CallFailed."""
        await self._ask(self._in_dialog("BYE"))
        self._dialog = None

    def _request(self, method: str, uri: str, to: str) -> Message:
        self._cseq += 1
        return Message(
            f"{method} {uri} SIP/2.0",
            [
                ("Via", f"SIP/2.0/UDP {self._host_port};branch=z9hG4bK{secrets.token_hex(8)};rport"),
                ("Max-Forwards", "70"),
                ("From", f"<{self.address}>;tag={self._tag}"),
                ("To", to),
                ("Call-ID", self._call_id),
                ("CSeq", f"{self._cseq} {method}"),
            ],
        )

    def _in_dialog(self, method: str) -> Message:
        """A request of the call that is up (RFC 3261 12.2.1.1): remote target, and Record-Route from its end."""
        dialog = self._dialog
        assert dialog is not None
        if method == "ACK":
            self._cseq -= 1
        target = dialog.get("Contact").partition("<")[2].partition(">")[0]
        request = self._request(method, target, dialog.get("To"))
        request.headers += [("Route", route) for route in reversed(dialog.all("Record-Route"))]
        return request

    async def _ask(self, request: Message) -> Message:
        """Send a request, answer one challenge, and give back the 2xx. Raises CallFailed."""
        response = await self._final_response(request)
        if response.status in (401, 407):
            response = await self._final_response(self._with_credentials(request, response))
        if response.status >= 300:
            raise CallFailed(f"{request.method} was answered {response.start.partition(' ')[2]}")
        return response

    def _with_credentials(self, request: Message, challenge: Message) -> Message:
        if request.method == "INVITE":
            self._send(self._ack_of_failure(request, challenge))
        is_proxy = challenge.status == 407
        challenges = challenge.all("Proxy-Authenticate" if is_proxy else "WWW-Authenticate")
        try:
            value = answer(challenges, request.method, request.uri, self.username, self._password)
        except ValueError as fault:
            raise CallFailed(str(fault)) from fault
        again = self._request(request.method, request.uri, request.get("To"))
        kept = {name for name, _ in again.headers}
        again.headers += [pair for pair in request.headers if pair[0] not in kept]
        again.headers.append(("Proxy-Authorization" if is_proxy else "Authorization", value))
        again.body = request.body
        return again

    def _ack_of_failure(self, request: Message, response: Message) -> Message:
        """RFC 3261 17.1.1.3."""
        number = request.get("CSeq").split(" ")[0]
        names = ("Via", "Max-Forwards", "From", "Call-ID")
        headers = [(name, request.get(name)) for name in names]
        return Message(
            f"ACK {request.uri} SIP/2.0", [*headers, ("To", response.get("To")), ("CSeq", f"{number} ACK")]
        )

    async def _final_response(self, request: Message) -> Message:
        """Send until something comes back, then wait for the final response."""
        data = self._send(request)
        loop = asyncio.get_running_loop()
        give_up_at, interval = loop.time() + ANSWER_TIMEOUT_S, T1_S
        is_heard = False
        while loop.time() < give_up_at:
            try:
                response = await asyncio.wait_for(self._responses.get(), interval)
            except TimeoutError:
                interval = min(interval * 2, 4.0)
                if not is_heard:
                    assert self._transport is not None
                    self._transport.sendto(data, self._server)
                continue
            is_heard = is_heard or response.get("CSeq") == request.get("CSeq")
            if response.status >= 200 and response.get("CSeq") == request.get("CSeq"):
                return response
        raise CallFailed(f"{request.method}: no answer from {self._server[0]} port {self._server[1]}")
