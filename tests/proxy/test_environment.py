"""An environment without effects: stages decide as in the real one, and nothing that they do there is kept."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appliance.catalogue import counters
from appliance.catalogue.authentication_settings import LockoutSettings
from appliance.catalogue.limit_settings import RateLimitSettings
from appliance.catalogue.registrar_settings import RegistrarSettings
from appliance.catalogue.settings import ListenerSettings, Settings
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.fast_settings import ListenerRules
from appliance.proxy.request_context import RequestContext
from appliance.proxy.roles import ROLES, USER
from appliance.proxy.stage_chain import Role, run_chain
from appliance.proxy.stage_results import CONTINUE, Ask, Reply, StageResult
from appliance.routing.lookup_questions import SubscriberAnswer
from appliance.sip.digest import ha1
from appliance.sip.message import Request
from appliance.sip.parser import parse, syntax_limits
from appliance.stack import Stack
from tests.flows.peers import Peer, credentials
from tests.stack_bench import ALICE, NOW, SETTINGS, register, request, sent, stack
from tests.test_stack_operated import with_listeners

OPEN = SETTINGS.listeners[0]
GUARDED = replace(OPEN, authenticate=True)
LIMIT = RateLimitSettings(name="one", of="registrations", per="source", rate_per_s=1, burst=1)


class Deciding:
    """A stack, and its stages on its environment, the real one or one without effects."""

    def __init__(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        environments: list[ProxyEnvironment] = []

        def keep(context: RequestContext, node: ProxyEnvironment, now: float) -> StageResult:
            environments.append(node)
            return CONTINUE

        with monkeypatch.context() as role:
            role.setitem(ROLES, "user", Role((keep, *USER.stages)))
            self.stack: Stack = stack(settings=settings)
            self.stack.receive_datagrams([(request("OPTIONS", "sip:example.com", "first"), ALICE)], NOW)
        sent(self.stack)
        (self.node,) = environments
        self.listener: ListenerSettings = settings.listeners[0]

    def result(self, data: bytes, is_dry: bool, password: bytes = b"secret") -> StageResult:
        """What the stages say of a request; the database has a subscriber with this password."""
        message = parse(data, syntax_limits(SETTINGS.syntax))
        assert isinstance(message, Request)
        context = RequestContext(message, ALICE, ListenerRules(self.listener))
        node = self.node.without_effects() if is_dry else self.node
        result = run_chain(USER.stages, context, node, NOW)
        if isinstance(result, Ask):
            context.answer = SubscriberAnswer(0, True, False, ha1(b"MD5", b"alice", b"example.com", password))
            result = run_chain(USER.stages, context, node, NOW)
        return result

    def status(self, data: bytes, is_dry: bool, password: bytes = b"secret") -> int:
        """That of the reply."""
        result = self.result(data, is_dry, password)
        assert isinstance(result, Reply)
        return result.status


def test_a_registration_is_accepted_and_registers_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    deciding = Deciding(SETTINGS, monkeypatch)
    one = deciding.stack
    before = list(one.counters)
    assert deciding.status(register(), is_dry=True) == 200
    assert (one.gauges()["registrations"], sent(one), one.counters) == (0, [], before)
    assert deciding.status(register(), is_dry=False) == 200
    assert (one.gauges()["registrations"], one.counters[counters.REGISTRATIONS_ACCEPTED]) == (1, 1)


def test_no_token_of_a_rate_limit_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    deciding = Deciding(replace(SETTINGS, rate_limits=(LIMIT,)), monkeypatch)
    assert [deciding.status(register(), is_dry=True) for _ in range(3)] == [200, 200, 200]
    assert deciding.status(register(), is_dry=False) == 200
    assert deciding.status(register("other"), is_dry=True) == 503
    assert [row.passed for row in deciding.node.rate_limits.rows() if row.name == "one"] == [1]


def test_no_change_of_an_address_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    deciding = Deciding(replace(SETTINGS, registrar=RegistrarSettings(changes_max=1)), monkeypatch)
    assert [deciding.status(register(), is_dry=True) for _ in range(3)] == [200, 200, 200]
    assert deciding.status(register(), is_dry=False) == 200
    assert deciding.status(register("other", "<sip:alice@192.0.2.101:5062>"), is_dry=True) == 503


def authenticated(nonce: bytes) -> bytes:
    """A REGISTER of Alice with credentials made with the password `secret`."""
    message = Peer("alice", "192.0.2.101:5060", "UDP").request("REGISTER", "sip:example.com")
    offered = {"realm": "example.com", "nonce": nonce.decode()}
    value = credentials(message, "alice", "secret", offered, "MD5", "auth", "00000001", "sip:example.com")
    message.put("Authorization", value)
    return message.write()


def test_no_nonce_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 7616 3.4: a nonce count is accepted once."""
    settings = with_listeners(SETTINGS, GUARDED)
    deciding = Deciding(settings, monkeypatch)
    challenge = deciding.result(register(), is_dry=True)
    assert isinstance(challenge, Reply) and challenge.status == 401
    nonce = challenge.headers[0].partition(b'nonce="')[2].partition(b'"')[0]
    answer = authenticated(nonce)
    assert [deciding.status(answer, is_dry) for is_dry in (True, True, False, False)] == [200, 200, 200, 401]


def test_no_wrong_password_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = replace(with_listeners(SETTINGS, GUARDED), lockout=LockoutSettings(attempts_max=1))
    deciding = Deciding(settings, monkeypatch)
    nonce = deciding.node.nonces.issue(b"192.0.2.101", NOW)
    assert [deciding.status(authenticated(nonce), True, b"other") for _ in range(2)] == [401, 401]
    assert len(deciding.node.failures) == 0
    assert deciding.status(authenticated(nonce), False, b"other") == 401
    assert deciding.status(authenticated(nonce), True, b"other") == 503
