"""The four transaction machines (RFC 3261 17.1.1, 17.1.2, 17.2.1, 17.2.2 with RFC 6026 and RFC 4320).

All that a transaction does in answer to something is in one of four tables: `(state, input): (action,
next state)`. An action is a set of small deeds, done in the order in which `Do` lists them; the state
has changed before the first is done, so a transaction user that calls back finds the new state. What
is not in a table is ignored: nothing is done and the state stays (`IGNORED`).

In the figures an arrow is labelled `input / deeds`; `resp up` is a response to the transaction user,
`A+`, `E+`, `G+` a repetition timer set anew. No timer runs in a state that has no row for it.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag, auto
from typing import Final


class State(IntEnum):
    """States of all four machines, as the RFC's figures name them; INITIAL is the point above the figure."""

    INITIAL = 0
    CALLING = 1
    TRYING = 2
    PROCEEDING = 3
    ACCEPTED = 4
    COMPLETED = 5
    CONFIRMED = 6
    TERMINATED = 7


class Input(IntEnum):
    """What can happen to a transaction. A timer's input is also its token in `Timers`."""

    # A request: to a client from its user, to a server from the network (first or again).
    REQUEST = 0
    ACK = 1
    # Responses: to a client from the network, to a server from its user.
    PROVISIONAL = 2
    SUCCESS = 3
    FAILURE = 4
    # 408 to a request that is not INVITE, which must not be sent (RFC 4320 4.2).
    LATE = 5
    # The user gives the request up without an answer.
    ABANDONED = 6
    TRANSPORT_ERROR = 7
    TIMER_A = 8
    TIMER_B = 9
    TIMER_D = 10
    TIMER_E = 11
    TIMER_F = 12
    TIMER_G = 13
    TIMER_H = 14
    TIMER_I = 15
    TIMER_J = 16
    TIMER_K = 17
    TIMER_L = 18
    TIMER_M = 19
    # RFC 4320 4.1 without a letter: time for a 100 to a request that is not INVITE.
    TIMER_TRYING = 20
    # RFC 4320 4.2 without a letter: the peer has given up, so no final response is sent.
    TIMER_EXPIRY = 21


class Do(IntFlag):
    """Deeds, in the order in which they are done."""

    NOTHING = 0
    STOP_TIMERS = auto()
    SEND_REQUEST = auto()
    SEND_ACK = auto()
    SEND_RESPONSE = auto()
    SEND_TRYING = auto()
    # What was sent last, once more.
    SEND_AGAIN = auto()
    # What was sent last is not to be sent again.
    KEEP_SILENT = auto()
    # Repetition: at T1 if the transport is unreliable, else never.
    START_A = auto()
    START_E = auto()
    START_G = auto()
    # Repetition: the interval doubled, capped at T2 for E and G.
    RESET_A = auto()
    RESET_E = auto()
    RESET_G = auto()
    RESET_E_TO_T2 = auto()
    START_B = auto()
    START_D = auto()
    START_F = auto()
    START_H = auto()
    START_I = auto()
    START_J = auto()
    START_K = auto()
    START_L = auto()
    START_M = auto()
    START_TRYING = auto()
    START_EXPIRY = auto()
    PASS_RESPONSE = auto()
    PASS_ACK = auto()
    TELL_TIMEOUT = auto()
    TELL_TRANSPORT_ERROR = auto()


Table = dict[tuple[State, Input], tuple[Do, State]]

# RFC 3261 figure 5 as RFC 6026 8.4 redraws it.
#
#                            INVITE from user / send, A, B
#                                        v
#                            +-----------------------+  B / tell     +------------+
#             A / again, A+ (|        CALLING        |-------------->|            |
#                            +-----------------------+  error / tell |            |
#                             |      | 1xx / resp up |               |            |
#              300-699 / ACK, |      v               | 2xx / resp up,|            |
#                resp up, D   |  +---------------+   |          M    |            |
#                             |  |  PROCEEDING   |)  | 1xx / resp up |            |
#                             |  +---------------+   |               | TERMINATED |
#              300-699 / ACK, |   |           |      |               |            |
#                resp up, D   v   v  2xx / M, v      v               |            |
#                        +-----------+   +-----------+  M / -        |            |
#    300-699 / ACK again(| COMPLETED |   | ACCEPTED  |-------------->|            |
#                        +-----------+   +-----------+               |            |
#                              |          (2xx / resp up)            |            |
#                              +------------------------------------>|            |
#                                 D / -     error / tell             +------------+
#
# Not drawn: from CALLING and PROCEEDING, abandoned / - leads to TERMINATED as well.
# Not here, so ignored: 1xx after a final response; 2xx after another final response (this
# transaction was answered and acknowledged); 300-699 after a 2xx; timer B in PROCEEDING.
INVITE_CLIENT: Final[Table] = {
    # 17.1.1.2: request out, A unless reliable, B.
    (State.INITIAL, Input.REQUEST): (Do.SEND_REQUEST | Do.START_A | Do.START_B, State.CALLING),
    (State.CALLING, Input.TIMER_A): (Do.SEND_AGAIN | Do.RESET_A, State.CALLING),
    (State.CALLING, Input.TIMER_B): (Do.TELL_TIMEOUT, State.TERMINATED),
    (State.CALLING, Input.TRANSPORT_ERROR): (Do.TELL_TRANSPORT_ERROR, State.TERMINATED),
    (State.CALLING, Input.PROVISIONAL): (Do.STOP_TIMERS | Do.PASS_RESPONSE, State.PROCEEDING),
    (State.CALLING, Input.SUCCESS): (Do.STOP_TIMERS | Do.START_M | Do.PASS_RESPONSE, State.ACCEPTED),
    (State.CALLING, Input.FAILURE): (
        Do.STOP_TIMERS | Do.SEND_ACK | Do.START_D | Do.PASS_RESPONSE,
        State.COMPLETED,
    ),
    (State.PROCEEDING, Input.PROVISIONAL): (Do.PASS_RESPONSE, State.PROCEEDING),
    (State.PROCEEDING, Input.SUCCESS): (Do.START_M | Do.PASS_RESPONSE, State.ACCEPTED),
    (State.PROCEEDING, Input.FAILURE): (Do.SEND_ACK | Do.START_D | Do.PASS_RESPONSE, State.COMPLETED),
    # 9.1: cancelled long ago, and no final response has come; no timer of this machine runs any more.
    (State.CALLING, Input.ABANDONED): (Do.NOTHING, State.TERMINATED),
    (State.PROCEEDING, Input.ABANDONED): (Do.NOTHING, State.TERMINATED),
    # 17.1.1.2: a retransmitted final response is not passed up.
    (State.COMPLETED, Input.FAILURE): (Do.SEND_AGAIN, State.COMPLETED),
    (State.COMPLETED, Input.TRANSPORT_ERROR): (Do.TELL_TRANSPORT_ERROR, State.TERMINATED),
    (State.COMPLETED, Input.TIMER_D): (Do.NOTHING, State.TERMINATED),
    # RFC 6026 7.2: repeated 2xx, and those of other branches of a fork further down.
    (State.ACCEPTED, Input.SUCCESS): (Do.PASS_RESPONSE, State.ACCEPTED),
    (State.ACCEPTED, Input.TIMER_M): (Do.NOTHING, State.TERMINATED),
}

# RFC 3261 figure 6.
#
#                         request from user / send, E, F
#                                     v
#                           +-------------------+   F / tell, error / tell   +------------+
#            E / again, E+ (|      TRYING       |--------------------------->|            |
#                           +-------------------+                            |            |
#                            |      | 1xx / resp up                          |            |
#                            |      v                                        |            |
#     200-699 / resp up, K   |  +-------------------+ F / tell, error / tell |            |
#                            |  |    PROCEEDING     |----------------------->| TERMINATED |
#                            |  +-------------------+                        |            |
#                            |   |  (E / again, E+ = T2; 1xx / resp up)      |            |
#                            v   v 200-699 / resp up, K                      |            |
#                           +-------------------+            K / -           |            |
#                           |     COMPLETED     |--------------------------->|            |
#                           +-------------------+                            +------------+
#
# Not drawn: from every state, abandoned / - leads to TERMINATED as well.
# Not here, so ignored: every response in COMPLETED, which is there to absorb them.
NON_INVITE_CLIENT: Final[Table] = {
    # 17.1.2.2: request out, E unless reliable, F.
    (State.INITIAL, Input.REQUEST): (Do.SEND_REQUEST | Do.START_E | Do.START_F, State.TRYING),
    (State.TRYING, Input.TIMER_E): (Do.SEND_AGAIN | Do.RESET_E, State.TRYING),
    (State.TRYING, Input.TIMER_F): (Do.TELL_TIMEOUT, State.TERMINATED),
    (State.TRYING, Input.TRANSPORT_ERROR): (Do.TELL_TRANSPORT_ERROR, State.TERMINATED),
    # Timers E and F go on: E as it was set, and at T2 from its next expiry.
    (State.TRYING, Input.PROVISIONAL): (Do.PASS_RESPONSE, State.PROCEEDING),
    (State.TRYING, Input.SUCCESS): (Do.STOP_TIMERS | Do.START_K | Do.PASS_RESPONSE, State.COMPLETED),
    (State.TRYING, Input.FAILURE): (Do.STOP_TIMERS | Do.START_K | Do.PASS_RESPONSE, State.COMPLETED),
    (State.PROCEEDING, Input.TIMER_E): (Do.SEND_AGAIN | Do.RESET_E_TO_T2, State.PROCEEDING),
    (State.PROCEEDING, Input.TIMER_F): (Do.TELL_TIMEOUT, State.TERMINATED),
    (State.PROCEEDING, Input.TRANSPORT_ERROR): (Do.TELL_TRANSPORT_ERROR, State.TERMINATED),
    (State.PROCEEDING, Input.PROVISIONAL): (Do.PASS_RESPONSE, State.PROCEEDING),
    (State.PROCEEDING, Input.SUCCESS): (Do.STOP_TIMERS | Do.START_K | Do.PASS_RESPONSE, State.COMPLETED),
    (State.PROCEEDING, Input.FAILURE): (Do.STOP_TIMERS | Do.START_K | Do.PASS_RESPONSE, State.COMPLETED),
    # A CANCEL whose INVITE is given up, here or to another worker.
    (State.TRYING, Input.ABANDONED): (Do.NOTHING, State.TERMINATED),
    (State.PROCEEDING, Input.ABANDONED): (Do.NOTHING, State.TERMINATED),
    (State.COMPLETED, Input.ABANDONED): (Do.NOTHING, State.TERMINATED),
    (State.COMPLETED, Input.TIMER_K): (Do.NOTHING, State.TERMINATED),
}

# RFC 3261 figure 7 as RFC 6026 8.6 redraws it.
#
#                               INVITE / -  (the user has it, and sends the 100)
#                                     v
#                           +-------------------+   abandoned / -    +------------+
#         INVITE / again,  (|    PROCEEDING     |------------------->|            |
#         1xx / send        +-------------------+                    |            |
#                             |               |                      |            |
#        300-699 / send, G, H |               | 2xx / send, L        |            |
#                             v               v                      |            |
#                       +-----------+   +-----------+   L / -        |            |
#      INVITE / again, (| COMPLETED |   | ACCEPTED  |--------------->| TERMINATED |
#      G / again, G+    +-----------+   +-----------+                |            |
#                         |       |      (INVITE / -, 2xx / send,    |            |
#                 ACK / I |       |       ACK / up to the user)      |            |
#                         v       |   H / tell                       |            |
#                   +-----------+ |   abandoned / -                  |            |
#                   | CONFIRMED | +--------------------------------->|            |
#                   +-----------+                                    |            |
#                         |           I / -                          |            |
#                         +----------------------------------------->|            |
#                                                                    +------------+
#
# A transport error changes no state (RFC 6026 8.8): it is noted on the transaction, and G or the peer's
# next INVITE tries again. Not here, so ignored: whatever the user sends after a final response
# but for 2xx after 2xx; ACK before a final response; repeated ACKs and INVITEs in CONFIRMED.
INVITE_SERVER: Final[Table] = {
    (State.INITIAL, Input.REQUEST): (Do.NOTHING, State.PROCEEDING),
    (State.PROCEEDING, Input.REQUEST): (Do.SEND_AGAIN, State.PROCEEDING),
    (State.PROCEEDING, Input.PROVISIONAL): (Do.SEND_RESPONSE, State.PROCEEDING),
    (State.PROCEEDING, Input.TRANSPORT_ERROR): (Do.TELL_TRANSPORT_ERROR, State.PROCEEDING),
    (State.PROCEEDING, Input.SUCCESS): (Do.SEND_RESPONSE | Do.START_L, State.ACCEPTED),
    (State.PROCEEDING, Input.FAILURE): (Do.SEND_RESPONSE | Do.START_G | Do.START_H, State.COMPLETED),
    (State.PROCEEDING, Input.ABANDONED): (Do.NOTHING, State.TERMINATED),
    (State.COMPLETED, Input.REQUEST): (Do.SEND_AGAIN, State.COMPLETED),
    (State.COMPLETED, Input.TIMER_G): (Do.SEND_AGAIN | Do.RESET_G, State.COMPLETED),
    (State.COMPLETED, Input.TIMER_H): (Do.TELL_TIMEOUT, State.TERMINATED),
    (State.COMPLETED, Input.TRANSPORT_ERROR): (Do.TELL_TRANSPORT_ERROR, State.COMPLETED),
    (State.COMPLETED, Input.ACK): (Do.STOP_TIMERS | Do.START_I, State.CONFIRMED),
    # Another worker goes on with it.
    (State.COMPLETED, Input.ABANDONED): (Do.NOTHING, State.TERMINATED),
    (State.CONFIRMED, Input.TIMER_I): (Do.NOTHING, State.TERMINATED),
    # RFC 6026 7.1: the INVITE is absorbed, and the UAS repeats the 2xx.
    (State.ACCEPTED, Input.REQUEST): (Do.NOTHING, State.ACCEPTED),
    (State.ACCEPTED, Input.SUCCESS): (Do.SEND_RESPONSE, State.ACCEPTED),
    (State.ACCEPTED, Input.ACK): (Do.PASS_ACK, State.ACCEPTED),
    (State.ACCEPTED, Input.TRANSPORT_ERROR): (Do.TELL_TRANSPORT_ERROR, State.ACCEPTED),
    (State.ACCEPTED, Input.TIMER_L): (Do.NOTHING, State.TERMINATED),
}

# RFC 3261 figure 8 with RFC 4320, which adds two timers, and RFC 6026 8.8.
#
#                               request / TRYING timer
#                                     v
#                           +-------------------+  abandoned / -       +------------+
#              request / - (|      TRYING       |--------------------->|            |
#                           +-------------------+                      |            |
#                             |     | 100 / send, EXPIRY               |            |
#                             |     | TRYING / send 100, EXPIRY        |            |
#                             |     v                                  |            |
#                             |  +-------------------+  EXPIRY / -     |            |
#         200-699 / send, J   |  |    PROCEEDING     |---------------->|            |
#         408 / J             |  +-------------------+  abandoned / -  | TERMINATED |
#                             |    | (request / again, 100 / send)     |            |
#                             v    v 200-699 / send, J;  408 / J       |            |
#                           +-------------------+       J / -          |            |
#          request / again (|     COMPLETED     |--------------------->|            |
#                           +-------------------+                      +------------+
#
# A transport error changes no state (RFC 6026 8.8). Not here, so ignored: whatever the user sends
# after a final response (17.2.2).
NON_INVITE_SERVER: Final[Table] = {
    (State.INITIAL, Input.REQUEST): (Do.START_TRYING, State.TRYING),
    (State.TRYING, Input.REQUEST): (Do.NOTHING, State.TRYING),
    (State.TRYING, Input.PROVISIONAL): (Do.SEND_RESPONSE | Do.START_EXPIRY, State.PROCEEDING),
    # RFC 4320 4.1: not before timer E of the peer has reached T2, but then it is owed.
    (State.TRYING, Input.TIMER_TRYING): (Do.SEND_TRYING | Do.START_EXPIRY, State.PROCEEDING),
    (State.TRYING, Input.SUCCESS): (Do.SEND_RESPONSE | Do.START_J, State.COMPLETED),
    (State.TRYING, Input.FAILURE): (Do.SEND_RESPONSE | Do.START_J, State.COMPLETED),
    # RFC 4320 4.2: a 408 is not sent; what the peer still repeats is absorbed.
    (State.TRYING, Input.LATE): (Do.KEEP_SILENT | Do.START_J, State.COMPLETED),
    (State.TRYING, Input.ABANDONED): (Do.NOTHING, State.TERMINATED),
    (State.PROCEEDING, Input.REQUEST): (Do.SEND_AGAIN, State.PROCEEDING),
    (State.PROCEEDING, Input.PROVISIONAL): (Do.SEND_RESPONSE, State.PROCEEDING),
    (State.PROCEEDING, Input.SUCCESS): (Do.SEND_RESPONSE | Do.START_J, State.COMPLETED),
    (State.PROCEEDING, Input.FAILURE): (Do.SEND_RESPONSE | Do.START_J, State.COMPLETED),
    (State.PROCEEDING, Input.LATE): (Do.KEEP_SILENT | Do.START_J, State.COMPLETED),
    (State.PROCEEDING, Input.ABANDONED): (Do.NOTHING, State.TERMINATED),
    (State.PROCEEDING, Input.TRANSPORT_ERROR): (Do.TELL_TRANSPORT_ERROR, State.PROCEEDING),
    (State.PROCEEDING, Input.TIMER_EXPIRY): (Do.NOTHING, State.TERMINATED),
    (State.COMPLETED, Input.REQUEST): (Do.SEND_AGAIN, State.COMPLETED),
    (State.COMPLETED, Input.TRANSPORT_ERROR): (Do.TELL_TRANSPORT_ERROR, State.COMPLETED),
    (State.COMPLETED, Input.TIMER_J): (Do.NOTHING, State.TERMINATED),
}

# A table as it is used: one number for each state and input, found at `state * INPUT_COUNT + input`;
# the next state in the low bits, the deeds above them.
INPUT_COUNT: Final = len(Input)
STATE_BITS: Final = 3
STATE_MASK: Final = (1 << STATE_BITS) - 1
IGNORED: Final = -1


def flatten(table: Table) -> tuple[int, ...]:
    """The table as numbers, IGNORED where it has no row."""
    steps = [IGNORED] * (len(State) * INPUT_COUNT)
    for (state, what), (action, next_state) in table.items():
        steps[state * INPUT_COUNT + what] = int(action) << STATE_BITS | int(next_state)
    return tuple(steps)
