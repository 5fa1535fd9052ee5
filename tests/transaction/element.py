"""A SIP element for the tests of this folder: a transaction table, its user, and a clock that is moved by hand.

`log` holds what left, `heard` what the user was told, each with the second at which it happened.
"""

from __future__ import annotations

from collections.abc import Sequence

from appliance.sip.message import Request, Response
from appliance.sip.parser import SyntaxLimits, parse
from appliance.sip.writer import write, write_response
from appliance.transaction.table import Transactions
from appliance.transaction.timers import TimerSettings
from appliance.transaction.transaction import ClientTransaction, ClientUser, ServerTransaction
from appliance.transport.flow import TCP, UDP, Flow, Outgoing

UDP_FLOW = Flow(UDP, 0, ("192.0.2.4", 5060))
TCP_FLOW = Flow(TCP, 0, ("192.0.2.4", 5060), 0, 7)
ALL_TIME = 10_000.0
CALL_ID = b"a84b4c76e66710@pc33.atlanta.example.com"
ALICE = b"Alice <sip:alice@atlanta.example.com>;tag=1928301774"
BOB = b"Bob <sip:bob@biloxi.example.com>"


def request(
    method: bytes = b"INVITE",
    branch: bytes = b"z9hG4bK776asdhds",
    *,
    uri: bytes = b"sip:bob@biloxi.example.com",
    sent_by: bytes = b"pc33.atlanta.example.com",
    sender: bytes = ALICE,
    to: bytes = BOB,
    call_id: bytes = CALL_ID,
    cseq: int = 314159,
    headers: Sequence[bytes] = (),
) -> Request:
    """A request as it comes out of the parser; branch b"" for a Via without one."""
    via = b"Via: SIP/2.0/UDP " + sent_by + (b";branch=" + branch if branch else b"")
    lines = [b"%b %b SIP/2.0" % (method, uri), via, b"Max-Forwards: 70", *headers]
    lines += [b"To: " + to, b"From: " + sender, b"Call-ID: " + call_id, b"CSeq: %d %b" % (cseq, method)]
    message = parse(b"\r\n".join([*lines, b"Content-Length: 0", b"", b""]), SyntaxLimits())
    assert isinstance(message, Request)
    return message


def response(to: Request, status: int, tag: bytes = b"a6c85cf") -> Response:
    """A peer's response to a request."""
    message = parse(write_response(to, status, b"Some Reason", to_tag=tag), SyntaxLimits())
    assert isinstance(message, Response)
    return message


class Element(ClientUser):
    """One transaction layer with the clock at 0."""

    def __init__(self, flow: Flow = UDP_FLOW, limit: int = 1000, durations: TimerSettings | None = None) -> None:
        self.now = 0.0
        self.flow = flow
        self.table = Transactions(durations or TimerSettings(), limit)
        self.log: list[tuple[float, str]] = []
        self.sent: list[Outgoing] = []
        self.heard: list[tuple[float, str]] = []

    # -- what the transaction user does --------------------------------------------------------------

    def sends(self, message: Request) -> ClientTransaction:
        client = self.table.new_client(message, write(message), self.flow, self, self.now)
        self._drain()
        return client

    def serves(self, message: Request) -> ServerTransaction:
        server = self.table.new_server(message, self.flow, self, self.now)
        self._drain()
        return server

    def answers(self, server: ServerTransaction, status: int, to: Request, tag: bytes = b"b5qt9xl3") -> None:
        data = write_response(to, status, b"Our Reason", to_tag=b"" if status == 100 else tag)
        self.table.respond(server, status, data, self.now)
        self._drain()

    # -- what the network does -----------------------------------------------------------------------

    def gets(self, message: Request | Response) -> bool:
        """Does a message that arrived belong to a transaction?"""
        if isinstance(message, Request):
            server = self.table.server_for(message)
            if server is None:
                return False
            self.table.receive_request(server, message, self.now)
        else:
            client = self.table.client_for(message)
            if client is None:
                return False
            self.table.receive_response(client, message, self.now)
        self._drain()
        return True

    def loses(self, outgoing: Outgoing) -> None:
        """What was sent could not be sent."""
        self.table.fail(outgoing.branch, self.now)
        self._drain()

    # -- time ----------------------------------------------------------------------------------------

    def waits_until(self, moment: float) -> None:
        """Handles each timer at its moment."""
        due = self.table.next_timer()
        while due <= moment:
            self.now = max(self.now, due)
            self.table.handle_timers(self.now)
            self._drain()
            due = self.table.next_timer()
        self.now = max(self.now, moment)

    def ends_within(self, seconds: float) -> bool:
        """Is nothing at all left after so much time?"""
        self.waits_until(self.now + seconds)
        table = self.table
        left = len(table) + len(table.timers) + len(table.merged) + len(table.clients) + len(table.servers)
        return left == 0

    def log_since(self, moment: float) -> list[tuple[float, str]]:
        return [entry for entry in self.log if entry[0] > moment]

    def _drain(self) -> None:
        for outgoing in self.table.outbox:
            words = outgoing.data.split(b" ", 2)
            self.log.append((self.now, (words[1] if words[0] == b"SIP/2.0" else words[0]).decode()))
            self.sent.append(outgoing)
        self.table.outbox = []

    # -- what the transaction user is told -----------------------------------------------------------

    def response_arrived(self, client: ClientTransaction, response: Response, now: float) -> None:
        self.heard.append((now, str(response.status)))

    def timed_out(self, client: ClientTransaction, now: float) -> None:
        self.heard.append((now, "timed out"))

    def transport_failed(self, client: ClientTransaction, now: float) -> None:
        self.heard.append((now, "transport failed"))

    def ack_arrived(self, server: ServerTransaction, request: Request, now: float) -> None:
        self.heard.append((now, "ACK"))

    def server_ended(self, server: ServerTransaction, now: float) -> None:
        self.heard.append((now, "ended"))
