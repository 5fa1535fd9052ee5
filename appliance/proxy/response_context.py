"""A forwarded request and its responses (RFC 3261 16.7).

Each target is a branch; which are tried, and when, the target set says. A response goes through the response stages
of the role. Provisional and 2xx responses then go up at once, the rest waits until every branch has ended, and the best
goes up. Of an INVITE a snapshot is kept as long as anything about it may still matter, so that another worker can go
on.
"""

from __future__ import annotations

from typing import Final as Constant

from appliance.catalogue.counters import BREADTH_EXCEEDED, CALLS_ANSWERED, CALLS_CANCELLED, CALLS_FAILED
from appliance.proxy.best_response import Final, made_here
from appliance.proxy.branch import Branch, BranchState, BranchUser
from appliance.proxy.call_events import call_answered, call_cancelled, call_failed
from appliance.proxy.dialogs import note_answer
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.forwarding import breadth_of
from appliance.proxy.request_context import RequestContext
from appliance.proxy.roles import ROLES
from appliance.proxy.routing_notes import note_routing_failure
from appliance.proxy.snapshots import FORWARDED, CallSnapshot, packed_request, write_snapshot
from appliance.proxy.stage_chain import Role, run_response_chain
from appliance.proxy.stage_results import RETRY
from appliance.proxy.stateless import forward_request, forward_response
from appliance.proxy.upstream import send_best, send_made_here, send_up
from appliance.routing.target_set import HOP_FAILED, TargetSet
from appliance.sip.message import Request, Response
from appliance.transaction.machines import State
from appliance.transaction.timers import Timer
from appliance.transaction.transaction import ServerTransaction

# The server transaction has not done all it is there for.
AWAITS_ANSWER = frozenset((int(State.TRYING), int(State.PROCEEDING)))
AWAITS_ANSWER_OR_ACK = frozenset((int(State.PROCEEDING), int(State.COMPLETED)))
# Timer A repeats a request seven times. What does not answer of a fork gets no more than two requests do, in sum.
REPEATS_MAX: Constant = 14
HOPS_FAILED: Constant = "all next hops failed"
_DONE: Constant = int(BranchState.DONE)
_COMPLETED: Constant = int(State.COMPLETED)


class ResponseContext(BranchUser):
    """The branches of one request and what goes back for them."""

    __slots__ = (
        "_branches",
        "_group_timer",
        "_group_until",
        "_is_final_sent",
        "_is_kept",
        "_node",
        "_packed",
        "_role",
        "key",
    )

    def __init__(self, context: RequestContext, key: bytes, node: ProxyEnvironment) -> None:
        """`key` is the server transaction's; the context has none when another worker has answered the INVITE."""
        self.request_context = context
        self.key = key
        request = self.request_context.request
        self.is_invite = request.method == b"INVITE"
        self.cancel_reasons = []
        self._node = node
        self._role: Role = ROLES[self.request_context.listener.role]
        self.targets = TargetSet(
            self.request_context.targets,
            self._node.proxy_rules.search,
            breadth_of(request),
            self.request_context.is_spiral,
        )
        self._branches: list[Branch] = []
        # Of the group under way, when there is another one; and the moment in unix time, 0.0 for none.
        self._group_timer: Timer | None = None
        self._group_until = 0.0
        self._is_final_sent = False
        # What snapshots say of the request; b"" before the first.
        self._packed = b""
        # Is there a snapshot somewhere that has to be kept in step, or dropped?
        self._is_kept = False

    def start(self, now: float) -> None:
        """Try the first group of targets."""
        if self.targets.open():
            self._try_next_group(now)
        else:
            self._node.counters[BREADTH_EXCEEDED] += 1
            self._is_final_sent = True
            send_made_here(made_here(440), self.request_context, self._node, now)
            call_failed(made_here(440), self.request_context, self._node, now)
        self._changed()

    def _try_next_group(self, now: float) -> None:
        self._stop_group_timer()
        branches = [Branch(target, self, self._node) for target in self.targets.next_group()]
        self._branches.extend(branches)
        bound_repeats(branches)
        self._start_group_timer(self.targets.group_time(), now)
        for branch in branches:
            branch.start(now)

    def _start_group_timer(self, duration_s: float, now: float) -> None:
        if duration_s > 0.0 and self._group_timer is None and self.is_invite:
            self._group_timer = self._node.transactions.timers.start(duration_s, now, self, 0)
            self._group_until = self._node.wall_time(now) + duration_s

    def _stop_group_timer(self) -> None:
        if self._group_timer is not None:
            self._node.transactions.timers.cancel(self._group_timer)
            self._group_timer = None
            self._group_until = 0.0

    def timer_fired(self, token: int, now: float) -> None:
        """The group under way has rung long enough: when all its branches have ended, the next one is tried."""
        self._group_timer = None
        self._group_until = 0.0
        for branch in self._branches[:]:
            # What has failed meanwhile is not tried by another way.
            branch.target.spares = ()
            branch.stop_ringing(now)
        self._changed()

    # -- what the branches say -----------------------------------------------------------------------

    def provisional_arrived(self, branch: Branch, response: Response, now: float) -> None:
        """RFC 3261 16.7 step 5: a provisional other than 100 goes up at once."""
        if not self._is_final_sent:
            run_response_chain(self._role.response_stages, response, branch, self._node, now)
            send_up(response, self.request_context, self._node, now)

    def success_arrived(self, branch: Branch, response: Response, now: float) -> None:
        """RFC 3261 16.7 step 5: each 2xx to an INVITE goes up, the first one to anything else."""
        if self._is_final_sent and not self.is_invite:
            self._let_go()
            return
        if self.is_invite and not self._is_final_sent:
            self._node.counters[CALLS_ANSWERED] += 1
        is_first = not self._is_final_sent
        self._is_final_sent = True
        self._pass_success(branch, response, is_first, now)
        self._decide(now)
        self._let_go()
        self._changed()

    def _pass_success(self, branch: Branch, response: Response, is_first: bool, now: float) -> None:
        server = self.request_context.server
        if server is None:
            forward_response(response, self._node, now)
            return
        if self.is_invite:
            is_new = note_answer(server, self.request_context.request, response)
            if self._node.events is not None and (is_first or is_new):
                call_answered(branch, response, self._node, now)
        run_response_chain(self._role.response_stages, response, branch, self._node, now)
        send_up(response, self.request_context, self._node, now)

    def branch_moved(self, branch: Branch, now: float) -> None:
        """The hop is part of the branch (RFC 3261 16.6 step 8): a worker that goes on needs it."""
        self._changed()

    def branch_ended(self, branch: Branch, now: float) -> None:
        """RFC 3261 16.7 step 4 to 6: note the final response, go on with the next targets or end."""
        final = branch.final
        assert final is not None
        if final.response is not None and not self._is_final_sent:
            self._run_stages(branch, final, final.response, now)
        if final.status >= 600:
            self._decide(now)
        self._try_spare(branch, final, now)
        if self._is_final_sent:
            self._let_go()
        elif self._is_all_done():
            if self.targets.waiting:
                self._try_next_group(now)
            else:
                self._end(now)
                self._let_go()
        self._changed()

    def _run_stages(self, branch: Branch, final: Final, response: Response, now: float) -> None:
        """The stages of a final response that is no success; what it may have led to is tried after this group."""
        if run_response_chain(self._role.response_stages, response, branch, self._node, now) is RETRY:
            branch.final = made_here(final.status, final.reason)
        self._start_group_timer(self.targets.group_time(), now)

    def _try_spare(self, branch: Branch, final: Final, now: float) -> None:
        spare = self.targets.after_failure(branch.target, final.status, final.response is not None)
        if spare is not None:
            other = Branch(spare, self, self._node)
            self._branches.remove(branch)
            self._branches.append(other)
            other.start(now)

    def _end(self, now: float) -> None:
        self._is_final_sent = True
        if self.is_invite:
            self._node.counters[CALLS_FAILED] += 1
        finals = [branch.final for branch in self._branches if branch.final is not None]
        best = send_best(finals, self.request_context, self._node, now)
        if self.request_context.route is not None and best.status in HOP_FAILED:
            note_routing_failure(self.request_context, self._node, now, best.status, best.reason, HOPS_FAILED)
        if self._node.events is not None:
            call_failed(best, self.request_context, self._node, now)

    def _let_go(self) -> None:
        """The final response is out: branches that have ended are of no use any more.

        That leaves no cycle of references behind, so the memory of a call goes without a garbage collection.
        """
        self._branches = [branch for branch in self._branches if branch.state != _DONE]

    def _is_all_done(self) -> bool:
        return all(branch.state == _DONE for branch in self._branches)

    def _decide(self, now: float) -> None:
        """No further target; the branches still ringing are cancelled (RFC 3261 16.7 step 10)."""
        self.targets.close()
        self._stop_group_timer()
        if self.is_invite:
            for branch in self._branches:
                branch.cancel(now)

    def cancel(self, now: float) -> None:
        """The caller has sent CANCEL (RFC 3261 16.10); without effect when the call is decided already (9.2)."""
        if self.targets.is_closed or self._is_final_sent:
            return
        self._node.counters[CALLS_CANCELLED] += 1
        if self._node.events is not None:
            call_cancelled(self.cancel_reasons, self.request_context, self._node, now)
        self._decide(now)
        self._changed()

    def end_by_fault(self, now: float) -> None:
        """A fault of ours: the caller gets 500 unless a final response is out, and no branch goes on."""
        server = self.request_context.server
        self._is_final_sent = True
        if server is not None and server.state in AWAITS_ANSWER:
            send_made_here(made_here(500), self.request_context, self._node, now)
            call_failed(made_here(500), self.request_context, self._node, now)
        self._decide(now)
        self._let_go()
        self._changed()

    # -- as the transaction user of the server transaction -----------------------------------------------

    def ack_arrived(self, server: ServerTransaction, request: Request, now: float) -> None:
        """An ACK to a 2xx with the INVITE's own branch, as RFC 2543 peers send it: it goes on to the callee."""
        context = self.request_context
        passed_on = RequestContext(request, context.flow, context.listener)
        passed_on.period = context.period
        forward_request(passed_on, self._node, now, is_known=True)

    def server_ended(self, server: ServerTransaction, now: float) -> None:
        """The server transaction is over; branches that still run end by their own timers."""
        self.targets.close()
        self._stop_group_timer()
        self._changed()

    # -- going on in another worker ------------------------------------------------------------------

    @property
    def call_id(self) -> bytes:
        """What names the call, and the worker that owns it."""
        return self.request_context.request.read_call_id()

    @property
    def way_in(self) -> int:
        """The place of the listener that the request came in by."""
        return self.request_context.flow.listener

    def _changed(self) -> None:
        """Have another snapshot kept at the end of the turn."""
        if not self.is_invite:
            return
        may_matter = self._may_matter()
        if may_matter or self._is_kept:
            self._is_kept = may_matter
            self._node.changed_calls[self.key] = self

    def _may_matter(self) -> bool:
        """Is the caller owed something (a final response, and its repetition until the ACK), or a branch its CANCEL?"""
        server = self.request_context.server
        return bool(self._branches) or (server is not None and server.state in AWAITS_ANSWER_OR_ACK)

    def snapshot(self) -> bytes:
        """How things stand, for another worker; b"" when nothing may matter any more."""
        if not self._may_matter():
            # The transaction stays for a while, and this with it.
            self._packed = b""
            return b""
        packer = self._node.packer
        if not self._packed:
            self._packed = packed_request(self._node, self.request_context)
        answer = b""
        server = self.request_context.server
        if server is not None and server.state == _COMPLETED:
            answer = server.last_response
        is_answered = self._is_final_sent and not answer
        branches = [branch.snapshot() for branch in self._branches]
        return write_snapshot(
            packer,
            self._node.names.listener_names,
            self._packed,
            FORWARDED,
            answer,
            is_answered,
            self.targets.is_closed,
            self._group_until,
            self.cancel_reasons,
            self.targets.known,
            self.targets.waiting,
            branches,
        )

    def resume(self, call: CallSnapshot, now: float) -> None:
        """Go on where another worker left off."""
        self.targets.resume(call.targets, call.known, call.is_closed)
        self._is_final_sent = call.is_answered or bool(call.answer)
        self._branches = [Branch(branch.target, self, self._node) for branch in call.branches]
        bound_repeats(self._branches)
        self.cancel_reasons = call.cancel_reasons
        if call.group_until > 0.0:
            # At once, where it is over.
            self._start_group_timer(max(0.001, call.group_until - self._node.wall_time(now)), now)
        pairs = zip(self._branches, call.branches, strict=True)
        # Those that have ended first: another one may end at once, and has to find that it was the last.
        for branch, snapshot in sorted(pairs, key=lambda pair: pair[1].final is None):
            branch.resume(snapshot, now)
        self._changed()

    def relinquish(self, now: float) -> None:
        """Another worker goes on: end without a word."""
        for branch in self._branches:
            branch.relinquish(now)
        self._branches.clear()
        self._stop_group_timer()
        if self.request_context.server is not None:
            self._node.transactions.abandon(self.request_context.server, now)
        # Also where no server transaction has ended, for the INVITE was answered: the next owner finds nothing here.
        self._changed()


def bound_repeats(branches: list[Branch]) -> None:
    """Share out what may be sent again to hops that do not answer, among branches that are tried at the same time."""
    if len(branches) > 1:
        for branch in branches:
            branch.repeats = max(1, REPEATS_MAX // len(branches))
