"""Stage: prove who sends a request, by digest (RFC 3261 22, RFC 7616, RFC 8760).

REGISTER is challenged with 401, everything else with 407. A subscriber may register, and send From, its own
address-of-record only. An anonymous From (RFC 3323) names no subscriber; the credentials do. Challenges keep no state:
the nonce proves itself, the reply is stateless, and a transaction is made only for who has passed.
"""

from __future__ import annotations

from appliance.catalogue.counters import (
    AUTHENTICATION_FAILED,
    AUTHENTICATION_REFUSED,
    CHALLENGES_SENT,
    DIGEST_URI_MISMATCHED,
    IDENTITY_REFUSED,
    NONCE_TABLE_FULL,
    NONCES_REPLAYED,
    NONCES_STALE,
)
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.identities import is_anonymous
from appliance.proxy.lockout import note_failure, refusal_for_failures
from appliance.proxy.request_context import RequestContext
from appliance.proxy.stage_results import CONTINUE, Ask, Reply, StageResult
from appliance.routing.lookup_questions import FindSubscriber, SubscriberAnswer
from appliance.routing.subscriber_cache import KnownSubscriber
from appliance.sip.digest import Credentials, parse_credentials, verify
from appliance.sip.digest_uri import is_for
from appliance.sip.errors import MalformedMessage
from appliance.sip.header_lines import make_line
from appliance.sip.message import Request
from appliance.sip.names import AUTHORIZATION, PROXY_AUTHORIZATION
from appliance.sip.uri import Uri, escaped_user, parse_uri
from appliance.transport.source import source_of

# RFC 3261 22.1: ACK and CANCEL cannot be sent again with credentials.
NEVER_CHALLENGED = frozenset((b"ACK", b"CANCEL"))
RETRY_AFTER = make_line(b"Retry-After", b"5")


def authenticate(context: RequestContext, node: ProxyEnvironment, now: float) -> StageResult:
    """Continue with `context.identity` proved; or challenge, refuse, or ask the store."""
    request = context.request
    if not context.listener.authenticate or context.is_trusted or context.is_in_dialog:
        return CONTINUE
    # Proved before: the request begins its role anew.
    if context.identity or request.method in NEVER_CHALLENGED:
        return CONTINUE
    claimed = _claimed_uri(request)
    home = _home_of(claimed, request, node)
    if not node.names.is_own_domain(home):
        node.counters[IDENTITY_REFUSED] += 1
        return Reply(403, b"Address In Another Domain", is_stateless=True)
    realm = node.names.realm_of(home)
    credentials = _credentials_for(request, realm)
    if credentials is None:
        return _challenge(context, node, realm, False, now)
    return _check(context, node, credentials, claimed, home, now)


def _claimed_uri(request: Request) -> Uri:
    """Whose address the request acts for: To of a REGISTER (RFC 3261 10.2), else From."""
    return request.read_to().uri if request.method == b"REGISTER" else request.read_from().uri


def _home_of(claimed: Uri, request: Request, node: ProxyEnvironment) -> bytes:
    """The domain whose users may send it. RFC 3323 4.1.1.3: an anonymous caller does not say which one is his."""
    if not is_anonymous(claimed) or request.method == b"REGISTER":
        return claimed.host
    wanted = request.read_uri().host
    return wanted if node.names.is_own_domain(wanted) else node.names.default_domain


def _credentials_for(request: Request, realm: bytes) -> Credentials | None:
    """The first digest credentials for our realm (RFC 3261 22.3); others are for other servers."""
    header = AUTHORIZATION if request.method == b"REGISTER" else PROXY_AUTHORIZATION
    if not request.count(header):
        return None
    for value in request.values(header):
        try:
            credentials = parse_credentials(value)
        except MalformedMessage:
            continue
        if credentials.realm == realm:
            return credentials
    return None


def _check(
    context: RequestContext, node: ProxyEnvironment, credentials: Credentials, claimed: Uri, home: bytes, now: float
) -> StageResult:
    request, realm = context.request, credentials.realm
    if node.digest_rules.check_uri and not _is_for(credentials, context, node):
        node.counters[DIGEST_URI_MISMATCHED] += 1
        return Reply(400, b"Credentials for Another URI", is_stateless=True)
    if not node.nonces.is_fresh(credentials.nonce, _source_of(context, node), now):
        node.counters[NONCES_STALE] += 1
        return _challenge(context, node, realm, True, now)
    refusal = refusal_for_failures(context, node, credentials.username, realm, home, now)
    if refusal is not None:
        node.counters[AUTHENTICATION_REFUSED] += 1
        return refusal
    # RFC 7616 3.4.2: the user name is what HA1 was made over, so it is looked up as it stands.
    known = _subscriber(context, node, credentials.username, realm, now)
    if known is None:
        return Ask(FindSubscriber(credentials.username, realm))
    if isinstance(known, Reply):
        return known
    if not _is_right(request, node, credentials, known):
        node.counters[AUTHENTICATION_FAILED] += 1
        note_failure(context, node, credentials.username, realm, now)
        return _challenge(context, node, realm, False, now)
    identity = node.names.aor_of(escaped_user(credentials.username), home)
    if claimed.host == home and (not claimed.user or node.aor_of(claimed) != identity):
        node.counters[IDENTITY_REFUSED] += 1
        return Reply(403, b"Address Belongs to Another Subscriber", is_stateless=True)
    # Last: what is refused without a transaction keeps its nonce, for it may come again (RFC 3261 8.2.7).
    if not node.nonces.use(credentials.nonce, credentials.nonce_count or 1, now):
        node.counters[NONCES_REPLAYED] += 1
        return _challenge(context, node, realm, True, now)
    node.counters[NONCE_TABLE_FULL] = node.nonces.forgotten_count
    return _accept(context, identity)


def _is_for(credentials: Credentials, context: RequestContext, node: ProxyEnvironment) -> bool:
    """RFC 7616 3.4.6: were they made for this Request-URI, as it came or as `loose_route` left it?"""
    # RFC 3261 16.4: where a strict router has put our Route into the Request-URI, the caller's is the one that is left.
    request = context.request
    if is_for(credentials.uri, request.uri_text):
        return True
    if request.received_uri != request.uri_text and is_for(credentials.uri, request.received_uri):
        return True
    # Some phones write the server that they send to in place of its domain: to us, both are one resource.
    return _is_this_server(request.read_uri(), node) and _is_this_server(parse_uri(credentials.uri), node)


def _is_this_server(uri: Uri, node: ProxyEnvironment) -> bool:
    return uri.user is None and node.names.is_responsible_for(uri)


def _subscriber(
    context: RequestContext, node: ProxyEnvironment, username: bytes, realm: bytes, now: float
) -> KnownSubscriber | SubscriberAnswer | Reply | None:
    """What is known of the user; None when the store has to be asked, a Reply when it cannot say."""
    answer = context.answer
    if answer is None:
        return node.subscribers.find(username, realm, now)
    assert isinstance(answer, SubscriberAnswer)
    if answer.failed:
        return Reply(503, b"Subscriber Database Unavailable", (RETRY_AFTER,), is_stateless=True)
    return answer


def _is_right(
    request: Request, node: ProxyEnvironment, credentials: Credentials, known: KnownSubscriber | SubscriberAnswer
) -> bool:
    """Were the credentials made with the subscriber's password (RFC 7616 3.4.1)?"""
    algorithm = credentials.algorithm.upper()
    if not known.found or algorithm not in node.digest_rules.algorithms:
        return False
    ha1 = known.ha1_sha256 if algorithm == b"SHA-256" else known.ha1_md5
    # Where the store holds no HA1 of that algorithm no password is right: the empty HA1 is known to all.
    return bool(ha1) and verify(credentials, ha1, request.method, request.body)


def _accept(context: RequestContext, identity: bytes) -> StageResult:
    context.identity = identity
    return CONTINUE


def _source_of(context: RequestContext, node: ProxyEnvironment) -> bytes:
    """For whom a nonce is good; b"" for any source."""
    return source_of(context.flow.remote[0]).encode() if node.digest_rules.bind_source else b""


def _challenge(context: RequestContext, node: ProxyEnvironment, realm: bytes, is_stale: bool, now: float) -> Reply:
    """RFC 3261 22.2, 22.3: 401 or 407 with a new nonce."""
    node.counters[CHALLENGES_SENT] += 1
    is_register = context.request.method == b"REGISTER"
    nonce = node.nonces.issue(_source_of(context, node), now)
    lines = node.digest_rules.challenge(realm, nonce, is_register, is_stale)
    return Reply(401 if is_register else 407, headers=lines, is_stateless=True)
