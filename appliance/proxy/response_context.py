"""A forwarded request and its responses (RFC 3261 16.7).

Targets are tried in groups by q; each target is a branch. Provisional and 2xx responses go up at
once, the rest waits until every branch has ended, and the best goes up. Of an INVITE a snapshot is kept as long as
anything about it may still matter, so that another worker can go on.
"""

from __future__ import annotations

from typing import Final as Constant

from appliance.catalogue.counters import (
    BREADTH_EXCEEDED,
    CALLS_ANSWERED,
    CALLS_CANCELLED,
    CALLS_FAILED,
    FORKS_REFUSED,
    RELAYS_REFUSED,
    TIMED_OUT,
)
from appliance.proxy.best_response import Final, challenges_of, choose_best, made_here, without_contacts
from appliance.proxy.branch import Branch, BranchState, BranchUser
from appliance.proxy.breadth import EXCEEDED, deal_breadth, deal_to_redirected
from appliance.proxy.dialogs import bind_to_answer, note_answer
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.forwarding import add_length
from appliance.proxy.identities import withhold_identity
from appliance.proxy.location_service import targets_of
from appliance.proxy.request_context import RequestContext
from appliance.proxy.snapshots import FORWARDED, CallSnapshot, packed_request, write_snapshot
from appliance.proxy.stateless import forward_request, forward_response
from appliance.routing.contact_policy import ELSEWHERE, NAMED
from appliance.routing.targets import Target, next_group
from appliance.sip.errors import MalformedMessage
from appliance.sip.headers import Contact
from appliance.sip.message import Request, Response
from appliance.sip.status import reason_phrase
from appliance.sip.writer import write, write_response
from appliance.transaction.machines import State
from appliance.transaction.transaction import ServerTransaction
from appliance.transport.via import pop_via

# RFC 5626 7: these say that the way to an instance has failed.
FLOW_FAILED = frozenset((408, 430))
# The server transaction has not done all it is there for.
AWAITS_ANSWER = frozenset((int(State.TRYING), int(State.PROCEEDING)))
AWAITS_ANSWER_OR_ACK = frozenset((int(State.PROCEEDING), int(State.COMPLETED)))
# Timer A repeats a request seven times. What does not answer of a fork gets no more than two requests do, in sum.
REPEATS_MAX: Constant = 14
_DONE: Constant = int(BranchState.DONE)
_COMPLETED: Constant = int(State.COMPLETED)


class ResponseContext(BranchUser):
    """The branches of one request and what goes back for them."""

    __slots__ = (
        "_branches",
        "_breadth_kept",
        "_is_decided",
        "_is_final_sent",
        "_is_kept",
        "_key",
        "_node",
        "_packed",
        "_seen",
        "_targets",
        "server",
    )

    def __init__(
        self, context: RequestContext, key: bytes, server: ServerTransaction | None, node: ProxyEnvironment
    ) -> None:
        """`key` is the server transaction's; None as `server`: the INVITE was answered, by another worker."""
        self.request_context = context
        self.server = server
        self._key = key
        request = self.request_context.request
        self.is_invite = request.method == b"INVITE"
        self.cancel_reasons = []
        self._node = node
        limit = self._node.proxy_rules.targets_max
        self._targets: list[Target] = list(self.request_context.targets)[:limit]
        self._seen = {target.uri_text for target in self._targets}
        self._branches: list[Branch] = []
        # For the targets that redirects add (RFC 5393 5.3.3).
        self._breadth_kept = 0
        # A 2xx, a 6xx or a CANCEL has come: no target may be tried any more.
        self._is_decided = False
        self._is_final_sent = False
        # What snapshots say of the request; b"" before the first.
        self._packed = b""
        # Is there a snapshot somewhere that has to be kept in step, or dropped?
        self._is_kept = False

    def start(self, now: float) -> None:
        """Try the first group of targets."""
        self._breadth_kept = deal_breadth(self.request_context, self._targets, self._node.proxy_rules)
        if self._breadth_kept != EXCEEDED:
            self._try_next_group(now)
        else:
            self._node.counters[BREADTH_EXCEEDED] += 1
            self._is_final_sent = True
            self._send_own(made_here(440), now)
        self._changed()

    def _try_next_group(self, now: float) -> None:
        group = next_group(self._targets, self._node.proxy_rules.fork)
        branches = [Branch(target, self, self._node) for target in group]
        self._branches.extend(branches)
        bound_repeats(branches)
        for branch in branches:
            branch.start(now)

    # -- what the branches say -----------------------------------------------------------------------

    def provisional_arrived(self, branch: Branch, response: Response, now: float) -> None:
        """RFC 3261 16.7 step 5: a provisional other than 100 goes up at once."""
        if not self._is_final_sent:
            self._relay(response, now)

    def success_arrived(self, branch: Branch, response: Response, now: float) -> None:
        """RFC 3261 16.7 step 5: each 2xx to an INVITE goes up, the first one to anything else."""
        if self._is_final_sent and not self.is_invite:
            self._let_go()
            return
        if self.is_invite and not self._is_final_sent:
            self._node.counters[CALLS_ANSWERED] += 1
        self._is_final_sent = True
        if self.is_invite and self.server is not None:
            note_answer(self.server, self.request_context.request, response)
        self._relay(response, now)
        self._decide(now)
        self._let_go()
        self._changed()

    def branch_moved(self, branch: Branch, now: float) -> None:
        """The hop is part of the branch (RFC 3261 16.6 step 8): whoever goes on has to know it."""
        self._changed()

    def branch_ended(self, branch: Branch, now: float) -> None:
        """RFC 3261 16.7 step 4 to 6: note the final response, go on with the next targets or end."""
        final = branch.final
        assert final is not None
        if 300 <= final.status < 400 and final.response is not None and not self._is_decided:
            branch.final = self._recurse(final, final.response, now)
        if final.status >= 600:
            self._decide(now)
        self._try_spare(branch, final, now)
        if self._is_final_sent:
            self._let_go()
        elif self._is_all_done():
            if self._targets and not self._is_decided:
                self._try_next_group(now)
            else:
                self._send_best(now)
                self._let_go()
        self._changed()

    def _try_spare(self, branch: Branch, final: Final, now: float) -> None:
        """RFC 5626 7, RFC 5627 6.1: the flow to an instance has failed, so its next contact replaces the branch.

        Not on a spiral: what has been here before finds what its branch was given, and no more (RFC 5393).
        """
        spares = branch.target.spares
        if not spares or self._is_decided or self._is_final_sent or self.request_context.is_spiral:
            return
        if final.status in FLOW_FAILED or (final.status == 503 and final.response is None):
            spare = spares[0]
            spare.spares = spares[1:]
            spare.breadth = branch.target.breadth
            other = Branch(spare, self, self._node)
            self._branches.remove(branch)
            self._branches.append(other)
            other.start(now)

    def _let_go(self) -> None:
        """The final response is out: branches that have ended are of no use any more.

        That leaves no cycle of references behind, so the memory of a call goes without a garbage collection.
        """
        self._branches = [branch for branch in self._branches if branch.state != _DONE]

    def _is_all_done(self) -> bool:
        return all(branch.state == _DONE for branch in self._branches)

    def _decide(self, now: float) -> None:
        """No further target; the branches still ringing are cancelled (RFC 3261 16.7 step 10)."""
        self._is_decided = True
        self._targets.clear()
        if self.is_invite:
            for branch in self._branches:
                branch.cancel(now)

    def cancel(self, now: float) -> None:
        """The caller has sent CANCEL (RFC 3261 16.10); without effect when the call is decided already (9.2)."""
        if self._is_decided or self._is_final_sent:
            return
        self._node.counters[CALLS_CANCELLED] += 1
        self._decide(now)
        self._changed()

    def end_by_fault(self, now: float) -> None:
        """A fault of ours: the caller gets 500 unless a final response is out, and no branch goes on."""
        server = self.server
        self._is_final_sent = True
        if server is not None and server.state in AWAITS_ANSWER:
            self._send_own(made_here(500), now)
        self._decide(now)
        self._let_go()
        self._changed()

    def _recurse(self, final: Final, response: Response, now: float) -> Final:
        """RFC 3261 16.7 step 4: the contacts of a 3xx become targets, each URI once; what of it is for the caller."""
        if not self._node.proxy_rules.recurse_on_redirect:
            return final
        try:
            contacts = response.contacts()
        except MalformedMessage:
            return final
        known = len(self._targets)
        is_followed = [self._follow(contact, now) for contact in contacts]
        self._breadth_kept = deal_to_redirected(self._breadth_kept, self._targets[known:])
        return without_contacts(final, response, is_followed)

    def _follow(self, contact: Contact, now: float) -> bool:
        """Add what a contact of a 3xx leads to; False when that is nothing that may be tried."""
        node, uri = self._node, contact.uri
        if contact.is_star or not uri.is_sip:
            return False
        # RFC 3261 16.7 step 4: from a SIPS URI only to another one.
        if uri.scheme != b"sips" and self.request_context.request.read_uri().scheme == b"sips":
            return False
        # RFC 3261 16.5: an address of ours is routed here.
        if uri.user and node.names.is_responsible_for(uri):
            added = [self._add_target(target) for target in targets_of(uri, node, now)]
            return any(added)
        origin = NAMED if node.contact_policy.is_listed(uri) else ELSEWHERE
        return self._add_target(Target(uri, contact.q, origin=origin))

    def _add_target(self, target: Target) -> bool:
        """False when it is one already, one too many, or foreign to a caller that may not relay."""
        node = self._node
        if target.uri_text in self._seen:
            return False
        if target.origin == ELSEWHERE and not self.request_context.may_relay():
            node.counters[RELAYS_REFUSED] += 1
            return False
        undealt = sum(1 for waiting in self._targets if not waiting.breadth)
        if len(self._seen) >= node.proxy_rules.targets_max or undealt >= self._breadth_kept:
            self._node.counters[FORKS_REFUSED] += 1
            return False
        self._seen.add(target.uri_text)
        self._targets.append(target)
        return True

    # -- upstream ------------------------------------------------------------------------------------

    def _relay(self, response: Response, now: float) -> None:
        if self.server is None:
            forward_response(response, self._node, now)
            return
        # RFC 3261 16.7 step 3: our Via goes, and what is below it is the previous hop's.
        pop_via(response)
        bind_to_answer(response, self._node)
        withhold_identity(response, self.server.response_flow, self._node)
        add_length(response, self.server.response_flow)
        self._node.transactions.respond(self.server, response.status, write(response), now)

    def _send_best(self, now: float) -> None:
        self._is_final_sent = True
        finals = [branch.final for branch in self._branches if branch.final is not None]
        best = choose_best(finals)
        if self.is_invite:
            self._node.counters[CALLS_FAILED] += 1
        if best.response is not None:
            self._send_received(best, finals, now)
        elif best.status == 408 and not self.is_invite:
            assert self.server is not None
            # RFC 4320 4.2: nobody is told of a timeout of a request that is not an INVITE.
            self._node.counters[TIMED_OUT] += 1
            self._node.transactions.abandon(self.server, now)
        else:
            self._send_own(best, now)

    def _send_received(self, best: Final, finals: list[Final], now: float) -> None:
        response = best.response
        assert response is not None
        for header, value in challenges_of(finals, best):
            response.append(header, value)
        self._relay(response, now)

    def _send_own(self, best: Final, now: float) -> None:
        if best.status == 408:
            self._node.counters[TIMED_OUT] += 1
        assert self.server is not None
        request = self.request_context.request
        reason = best.reason or reason_phrase(best.status)
        to_tag = self._node.keys.to_tag(self.request_context.upstream, request.read_call_id())
        data = write_response(request, best.status, reason, (), to_tag)
        self._node.transactions.respond(self.server, best.status, data, now)

    # -- as the transaction user of the server transaction -----------------------------------------------

    def ack_arrived(self, server: ServerTransaction, request: Request, now: float) -> None:
        """An ACK to a 2xx with the INVITE's own branch, as RFC 2543 peers send it: it goes on to the callee."""
        context = self.request_context
        passed_on = RequestContext(request, context.flow, context.listener)
        passed_on.period = context.period
        forward_request(passed_on, self._node, now, is_known=True)

    def server_ended(self, server: ServerTransaction, now: float) -> None:
        """The server transaction is over; branches that still run end by their own timers."""
        self._targets.clear()
        self._changed()

    # -- going on in another worker ------------------------------------------------------------------

    @property
    def call_id(self) -> bytes:
        """What names the call, and the worker that owns it."""
        return self.request_context.request.read_call_id()

    def _changed(self) -> None:
        """Have another snapshot kept at the end of the turn."""
        if not self.is_invite:
            return
        may_matter = self._may_matter()
        if may_matter or self._is_kept:
            self._is_kept = may_matter
            self._node.changed_calls[self._key] = self

    def _may_matter(self) -> bool:
        """Is the caller owed something (a final response, and its repetition until the ACK), or a branch its CANCEL?"""
        server = self.server
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
        if self.server is not None and self.server.state == _COMPLETED:
            answer = self.server.last_response
        is_answered = self._is_final_sent and not answer
        branches = [branch.snapshot() for branch in self._branches]
        return write_snapshot(
            packer,
            self._packed,
            FORWARDED,
            answer,
            is_answered,
            self._is_decided,
            self._breadth_kept,
            self.cancel_reasons,
            self._targets,
            branches,
        )

    def resume(self, call: CallSnapshot, now: float) -> None:
        """Go on where another worker left off."""
        self._is_decided = call.is_decided
        self._is_final_sent = call.is_answered or bool(call.answer)
        self._targets = list(call.targets)
        self._branches = [Branch(branch.target, self, self._node) for branch in call.branches]
        bound_repeats(self._branches)
        self._breadth_kept = call.breadth_kept
        self.cancel_reasons = call.cancel_reasons
        self._seen.update(branch.target.uri_text for branch in self._branches)
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
        if self.server is not None:
            self._node.transactions.abandon(self.server, now)
        # Also where no server transaction has ended, for the INVITE was answered: whoever inherits finds nothing here.
        self._changed()


def bound_repeats(branches: list[Branch]) -> None:
    """Share out what may be sent again to hops that do not answer, among branches that are tried at the same time."""
    if len(branches) > 1:
        for branch in branches:
            branch.repeats = max(1, REPEATS_MAX // len(branches))
