"""Replies that wait for the siblings (design 4: answers)."""

from __future__ import annotations

from appliance.proxy.held_replies import HeldReplies
from appliance.transport.flow import UDP, Flow

FLOW = Flow(UDP, 0, ("192.0.2.1", 5060))


class Responses:
    """Stands where the transactions do: notes what is sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def answer(self, server: object, flow: object, status: int, data: bytes, now: float) -> None:
        self.sent.append(data)


def held() -> tuple[HeldReplies, Responses]:
    responses = Responses()
    return HeldReplies(responses, 0.5), responses  # type: ignore[arg-type]


def test_a_reply_waits_for_its_number() -> None:
    replies, responses = held()
    replies.hold(1, None, FLOW, 200, b"one", 10.0)
    replies.hold(2, None, FLOW, 200, b"two", 10.1)
    replies.release(0, 10.2)
    assert responses.sent == []
    replies.release(1, 10.2)
    assert responses.sent == [b"one"]
    replies.release(5, 10.3)
    assert responses.sent == [b"one", b"two"]
    assert len(replies) == 0


def test_the_wait_is_bounded_and_counted() -> None:
    replies, responses = held()
    replies.hold(1, None, FLOW, 200, b"one", 10.0)  # type: ignore[arg-type]
    assert replies.next_deadline() == 10.5
    assert replies.release(0, 10.4) == 0
    assert replies.release(0, 10.5) == 1
    assert responses.sent == [b"one"]
    assert replies.next_deadline() is None
