"""The user agents and servers at the ends of a call flow.

A peer remembers what it sent and received, and makes the next message from that with the defaults
of RFC 3261: requests outside and inside of dialogs (8.1.1, 12.2.1.1), ACK (13.2.2.4, 17.1.1.3),
CANCEL (9.1), responses (8.2.6), credentials (22).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field

from tests.flows.wire import Message, address, parameter, same_name

# Local and remote end, remote target, route set, Call-ID (RFC 3261 12).
Dialog = tuple[str, str, str, list[str], str]


@dataclass
class Peer:
    """One end. `at` is its own view of its address, `behind` what a NAT makes of it."""

    name: str
    at: str
    transport: str = "UDP"
    behind: str = ""
    user: str = ""
    domain: str = "example.com"
    password: str = "secret"
    listener: int = 0
    sent: list[Message] = field(default_factory=list)
    received: list[Message] = field(default_factory=list)
    known_at: set[str] = field(default_factory=set)
    counted: int = 0

    @property
    def aor(self) -> str:
        return f"sip:{self.user or self.name}@{self.domain}"

    @property
    def contact(self) -> str:
        # RFC 7118 5.2: `ws` with TLS and without.
        word = self.transport.lower().replace("wss", "ws")
        suffix = "" if self.transport == "UDP" else f";transport={word}"
        return f"<sip:{self.user or self.name}@{self.at}{suffix}>"

    def _fresh(self, kind: str) -> str:
        """A word that is not in use yet: branches, tags and Call-IDs."""
        self.counted += 1
        return f"{kind}{self.name}{self.counted}"

    def _via(self) -> str:
        suffix = ";rport" if self.behind else ""
        return f"SIP/2.0/{self.transport} {self.at};branch={self._fresh('z9hG4bK')}{suffix}"

    # -- requests ------------------------------------------------------------------------------------

    def request(self, method: str, uri: str, tag: str = "") -> Message:
        """The request a line names: in its dialog when it gives no URI, else a new one."""
        if method == "CANCEL":
            return self._cancel()
        if method == "ACK":
            return self._ack(tag)
        return self._new_request(method, uri) if uri else self._in_dialog(method, tag)

    def _new_request(self, method: str, uri: str) -> Message:
        to = self.aor if method == "REGISTER" else uri
        request = Message(f"{method} {uri} SIP/2.0")
        request.add("Via", self._via())
        request.add("Max-Forwards", "70")
        request.add("From", f"<{self.aor}>;tag={self._fresh('from-')}")
        request.add("To", f"<{to}>")
        request.add("Call-ID", self._fresh("call-"))
        request.add("CSeq", f"{self.counted} {method}")
        if method not in ("BYE", "MESSAGE", "OPTIONS"):
            # RFC 5630 5.1.1: SIPS with SIPS.
            scheme = uri.partition(":")[0]
            request.add("Contact", self.contact.replace("<sip:", f"<{scheme}:") if scheme == "sips" else self.contact)
        if method == "REGISTER":
            self._continue_registration(request)
        return request

    def _continue_registration(self, request: Message) -> None:
        """RFC 3261 10.2: all registrations of a client have one Call-ID."""
        earlier = self._last(self.sent, "REGISTER")
        if earlier is not None:
            request.put("Call-ID", earlier.first("Call-ID"))

    def again_with(self, request: Message, uri: str) -> Message:
        """The same request once more as a new transaction of the same call (RFC 3261 22.2, 8.1.3.5)."""
        copy = Message(f"{request.method} {uri or request.uri} SIP/2.0", list(request.headers), request.body)
        copy.put("CSeq", f"{request.cseq + 1} {request.method}")
        copy.headers = [(name, self._via() if name == "Via" else value) for name, value in copy.headers]
        return copy

    def _cancel(self) -> Message:
        invite = self.last_sent("INVITE")
        cancel = Message(f"CANCEL {invite.uri} SIP/2.0")
        for name in ("Via", "Route", "Max-Forwards", "From", "To", "Call-ID"):
            for value in invite.values(name):
                cancel.add(name, value)
        cancel.add("CSeq", f"{invite.cseq} CANCEL")
        return cancel

    def _ack(self, tag: str) -> Message:
        invite = self.last_sent("INVITE")
        final = self._final_of(invite, tag)
        if final.status < 300:
            ack = self._in_dialog("ACK", tag)
            ack.put("CSeq", f"{invite.cseq} ACK")
            return ack
        # RFC 3261 17.1.1.3
        ack = Message(f"ACK {invite.uri} SIP/2.0")
        ack.add("Via", invite.first("Via"))
        for value in invite.values("Route"):
            ack.add("Route", value)
        for name, source in (("Max-Forwards", invite), ("From", invite), ("To", final), ("Call-ID", invite)):
            ack.add(name, source.first(name))
        ack.add("CSeq", f"{invite.cseq} ACK")
        return ack

    def _final_of(self, invite: Message, tag: str) -> Message:
        finals = [
            message
            for message in self.received
            if message.status >= 200
            and message.first("CSeq") == invite.first("CSeq")
            and (not tag or parameter(message.first("To"), "tag") == tag)
        ]
        assert finals, f"{self.name} has no final response to acknowledge"
        return finals[-1]

    def _in_dialog(self, method: str, tag: str) -> Message:
        """RFC 3261 12.2.1.1, from the message that made the dialog."""
        local, remote, target, routes, call_id = self._dialog(tag)
        request = Message(f"{method} {target} SIP/2.0")
        request.add("Via", self._via())
        for route in routes:
            request.add("Route", route)
        request.add("Max-Forwards", "70")
        request.add("From", local)
        request.add("To", remote)
        request.add("Call-ID", call_id)
        request.add("CSeq", f"{100 + self.counted} {method}")
        if method in ("INVITE", "UPDATE", "SUBSCRIBE", "REFER"):
            request.add("Contact", self.contact)
        return request

    def _dialog(self, tag: str) -> Dialog:
        """The dialog of the last INVITE, or of the response with that To tag (RFC 3261 12.1)."""
        for message in reversed(self.received):
            if message.method == "INVITE" and message.first("Contact"):
                if message.is_request:
                    return self._called_dialog(message)
                if 100 < message.status < 300 and tag in ("", parameter(message.first("To"), "tag")):
                    return _calling_dialog(message)
        raise AssertionError(f"{self.name} has no dialog")

    def _called_dialog(self, invite: Message) -> Dialog:
        """RFC 3261 12.1.1: as the one who was called sees it; its own tag is in what it answered."""
        call_id = invite.first("Call-ID")
        answer = next(sent for sent in reversed(self.sent) if sent.status and sent.first("Call-ID") == call_id)
        target = address(invite.first("Contact"))
        return answer.first("To"), invite.first("From"), target, invite.values("Record-Route"), call_id

    # -- responses -----------------------------------------------------------------------------------

    def respond(self, status: int, method: str, reason: str, tag: str) -> Message:
        """RFC 3261 8.2.6, to the last request received, or the last of that method."""
        request = self._last([message for message in self.received if message.is_request], method)
        assert request is not None, f"{self.name} has received no request to answer"
        response = Message(f"SIP/2.0 {status} {reason or 'Reason'}")
        for name, value in request.headers:
            if name in ("Via", "From", "To", "Call-ID", "CSeq") or (name == "Record-Route" and 100 < status < 300):
                if name == "To" and status > 100 and not parameter(value, "tag"):
                    value += f";tag={tag or self.name}"
                response.add(name, value)
        if request.method == "INVITE" and 100 < status < 300:
            response.add("Contact", self.contact)
        return response

    # -- memory --------------------------------------------------------------------------------------

    def last_sent(self, method: str) -> Message:
        found = self._last([message for message in self.sent if message.is_request], method)
        assert found is not None, f"{self.name} has sent no {method}"
        return found

    @staticmethod
    def _last(messages: list[Message], method: str) -> Message | None:
        for message in reversed(messages):
            if message.method == method or (not method and message.method != "ACK"):
                return message
        return None

    # -- credentials ---------------------------------------------------------------------------------

    def authorize(self, request: Message, words: list[str]) -> None:
        """Answer the last challenge (RFC 7616 3.4); see README.md for what `words` may be."""
        challenge = next(message for message in reversed(self.received) if message.status in (401, 407))
        header = "WWW-Authenticate" if challenge.status == 401 else "Proxy-Authenticate"
        algorithm = "MD5" if "MD5" in words else "SHA-256"
        offer = next(value for value in challenge.values(header) if f"algorithm={algorithm}" in value.replace('"', ""))
        offered = dict(re.findall(r'(\w+)="?([^",]*)', offer))
        password = "wrong" if "wrong" in words else self.password
        count = _after(words, "nc", "1")
        qop = "auth-int" if "auth-int" in words else "auth"
        name = "Authorization" if challenge.status == 401 else "Proxy-Authorization"
        user = _after(words, "user", self.user or self.name)
        uri = _after(words, "uri", request.uri)
        others = [value for value in request.values(name) if f'realm="{offered["realm"]}"' not in value]
        request.put(name, credentials(request, user, password, offered, algorithm, qop, f"{int(count):08x}", uri))
        for value in others:
            request.add(name, value)


def _after(words: list[str], name: str, default: str) -> str:
    """The word that follows `name`."""
    return words[words.index(name) + 1] if name in words else default


def _calling_dialog(answer: Message) -> Dialog:
    """RFC 3261 12.1.2: as the caller sees it."""
    routes = answer.values("Record-Route")[::-1]
    target = address(answer.first("Contact"))
    return answer.first("From"), answer.first("To"), target, routes, answer.first("Call-ID")


def credentials(
    request: Message, user: str, password: str, offered: dict[str, str], algorithm: str, qop: str, count: str, uri: str
) -> str:
    """A Digest header value (RFC 7616 3.4.1)."""

    def digest(text: str) -> str:
        return hashlib.new("md5" if algorithm == "MD5" else "sha256", text.encode()).hexdigest()

    ha1 = digest(f"{user}:{offered['realm']}:{password}")
    ha2 = f"{request.method}:{uri}"
    if qop == "auth-int":
        ha2 += ":" + hashlib.new("md5" if algorithm == "MD5" else "sha256", request.body).hexdigest()
    response = digest(f"{ha1}:{offered['nonce']}:{count}:c0ffee:{qop}:{digest(ha2)}")
    return (
        f'Digest username="{user}", realm="{offered["realm"]}", nonce="{offered["nonce"]}", uri="{uri}", '
        f'algorithm={algorithm}, qop={qop}, nc={count}, cnonce="c0ffee", response="{response}"'
    )


def apply_details(message: Message, details: list[str]) -> None:
    """The lines below a sent message: `Name: value` puts, `+ Name: value` adds, `no Name` removes."""
    for line in details:
        if line.startswith("no "):
            message.remove(line[3:])
        elif line.startswith("body "):
            message.body = b"b" * int(line[5:])
        elif line.startswith("+ "):
            name, _, value = line[2:].partition(":")
            message.add(name, value.strip())
        else:
            name, _, value = line.partition(":")
            replace_in_place(message, name, value.strip())


def replace_in_place(message: Message, name: str, value: str) -> None:
    """Make this the only value of a header field, where the first one stood or at the end."""
    places = [index for index, (other, _) in enumerate(message.headers) if same_name(other, name)]
    place = places[0] if places else len(message.headers)
    message.remove(name)
    message.headers.insert(place, (name, value))
