"""An OPTIONS of the appliance's own to one registered contact: does the phone answer (RFC 3261 11)?

It goes to the contact itself and not to its address-of-record, so it passes no stages. Its branch and its Call-ID are
keyed: who has not seen the request cannot answer it.
"""

from __future__ import annotations

from typing import Final, Protocol

from appliance.proxy.environment import ProxyEnvironment
from appliance.routing.targets import Target
from appliance.sip.message import Request, Response
from appliance.sip.parser import UNBOUNDED, parse
from appliance.transaction.keys import COOKIE
from appliance.transaction.transaction import ClientTransaction, ClientUser
from appliance.transport.flow import Flow
from appliance.transport.transport_table import VIA_TOKENS

LEN_MAX: Final = 600  # of a request, without its URIs
_TEMPLATE: Final = (
    b"OPTIONS %(uri)b SIP/2.0\r\nVia: SIP/2.0/%(by)b %(here)b;branch=%(branch)b\r\nMax-Forwards: 70\r\n"
    b"From: <sip:%(here)b>;tag=%(tag)b\r\nTo: <%(uri)b>\r\nCall-ID: %(call_id)b\r\nCSeq: 1 OPTIONS\r\n"
    b"Accept: application/sdp\r\nContent-Length: 0\r\n\r\n"
)


class KeepAliveUser(Protocol):
    """Who sends them."""

    def answered(self, keep_alive: OptionsKeepAlive, now: float) -> None:
        """A final response came, whichever."""

    def unanswered(self, keep_alive: OptionsKeepAlive, now: float) -> None:
        """No response came."""

    def unsent(self, keep_alive: OptionsKeepAlive, now: float) -> None:
        """It could not be sent."""


class OptionsKeepAlive(ClientUser):
    """One of them. `aor`, `key`, `version`: the binding that it is for. `received`: the messages that had come in
    before.
    """

    __slots__ = ("_user", "aor", "call_id", "key", "received", "version")

    def __init__(
        self, user: KeepAliveUser, aor: bytes, key: bytes, version: int, call_id: bytes, received: int
    ) -> None:
        self._user = user
        self.aor = aor
        self.key = key
        self.version = version
        self.call_id = call_id
        self.received = received

    def send(self, target: Target, hop: Flow, node: ProxyEnvironment, now: float) -> None:
        """Send it. Raises TableFull, and MalformedMessage for a contact of which no request can be made."""
        data = self._request(target, hop, node)
        request = parse(data, UNBOUNDED)
        assert isinstance(request, Request)
        node.transactions.new_client(request, data, hop, self, now)

    def _request(self, target: Target, hop: Flow, node: ProxyEnvironment) -> bytes:
        sent_by = node.names.sent_bys[hop.listener]
        values = {
            b"uri": target.uri_text,
            b"by": VIA_TOKENS[hop.transport],
            b"here": sent_by,
            b"branch": COOKIE + node.keys.to_tag(b"keep-alive", self.call_id),
            b"tag": node.keys.to_tag(b"keep-alive from", self.call_id),
            b"call_id": self.call_id,
        }
        return _TEMPLATE % values

    def response_arrived(self, client: ClientTransaction, response: Response, now: float) -> None:
        if response.status >= 200:
            self._user.answered(self, now)

    def timed_out(self, client: ClientTransaction, now: float) -> None:
        self._user.unanswered(self, now)

    def transport_failed(self, client: ClientTransaction, now: float) -> None:
        self._user.unsent(self, now)
