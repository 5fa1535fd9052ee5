"""A nonce holds on the whole node: several workers, one memory of what was used (RFC 7616 3.4, 5.4)."""

from __future__ import annotations

from appliance.catalogue.settings import ListenerSettings, Settings
from appliance.messages.node_start import NodeStart
from appliance.routing.lookup_questions import FindSubscriber, SubscriberAnswer
from appliance.security.nonce_table import memory_len
from appliance.sip.digest import ha1
from appliance.stack import Stack
from appliance.transport.flow import UDP, Flow
from tests.flows.peers import Peer, credentials
from tests.flows.wire import Message, read
from tests.tables import new_table

LISTENER = ListenerSettings(name="phones", address="192.0.2.1", authenticate=True)
SETTINGS = Settings(domains=("example.com",), listeners=(LISTENER,))
BOB = Flow(UDP, 0, ("192.0.2.102", 5060))
NOW = 1000.0


def workers(boot: bytes = b"this start") -> list[Stack]:
    start = NodeStart(boot, memoryview(bytearray(memory_len(1000))))
    return [Stack(SETTINGS, number, b"k" * 32, new_table(), NOW, 1_700_000_000.0, start) for number in (0, 1)]


class Bob(Peer):
    """A phone that keeps its nonce; each registration is another Call-ID."""

    def __init__(self) -> None:
        super().__init__("bob", "192.0.2.102:5060", "UDP")
        self.nonce = ""

    def register(self, worker: Stack, count: int, branch: str = "") -> Message:
        """The final answer to a REGISTER with the nonce of the last challenge, if there was one."""
        message = self.request("REGISTER", "sip:example.com")
        message.put("Call-ID", f"call-{count}{branch}")
        message.put("Via", f"SIP/2.0/UDP 192.0.2.102;branch=z9hG4bK{count}{branch}")
        if self.nonce:
            offered = {"realm": "example.com", "nonce": self.nonce}
            value = credentials(message, "bob", "secret", offered, "MD5", "auth", f"{count:08x}", "sip:example.com")
            message.put("Authorization", value)
        worker.receive_datagrams([(message.write(), BOB)], NOW)
        answers = [known(question) for question in worker.questions_to_ask()]
        worker.receive_answers(answers, NOW)
        (answer,) = [read(outgoing.data) for outgoing in worker.datagrams_to_send(NOW)]
        if answer.status == 401:
            self.nonce = answer.first("WWW-Authenticate").partition('nonce="')[2].partition('"')[0]
        return answer


def known(question: object) -> SubscriberAnswer:
    assert isinstance(question, FindSubscriber)
    return SubscriberAnswer(question.id, True, False, ha1(b"MD5", b"bob", b"example.com", b"secret"), b"")


def test_a_phone_that_keeps_its_nonce_over_calls_is_challenged_once() -> None:
    bob, node = Bob(), workers()
    assert bob.register(node[0], 0).status == 401
    assert [bob.register(node[count % 2], count).status for count in range(1, 6)] == [200] * 5


def test_a_use_of_a_nonce_is_taken_once_whatever_its_call_id() -> None:
    """With another Call-ID it comes to another worker."""
    bob, node = Bob(), workers()
    bob.register(node[0], 0)
    assert bob.register(node[0], 1).status == 200
    for number, worker in enumerate(node):
        bob_again = Bob()
        bob_again.nonce = bob.nonce
        answer = bob_again.register(worker, 1, f"replayed-{number}")
        assert answer.status == 401
        assert "stale=true" in answer.first("WWW-Authenticate")


def test_a_nonce_of_before_a_restart_is_stale() -> None:
    """The phone tries again at once, and does not ask its user."""
    bob = Bob()
    bob.register(workers(b"the start before")[0], 0)
    node = workers()
    answer = bob.register(node[0], 1)
    assert answer.status == 401
    assert "stale=true" in answer.first("WWW-Authenticate")
    assert bob.register(node[1], 1, "again").status == 200
