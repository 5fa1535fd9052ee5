"""The TLS handshakes of one worker: beside the event loop, bounded in number and in time (RFC 8446 4, RFC 5246 7.3).

A handshake costs as much as ten calls. A thread makes its steps, one at a time; OpenSSL works without the interpreter's
lock. A connection is not read while a step of it is made, so nothing waits but what the kernel holds. At the limit the
oldest handshake is given up: that of a peer which goes on takes milliseconds.
"""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
import threading
from collections import OrderedDict
from collections.abc import Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from appliance.catalogue.alarms import (
    CERTIFICATE_EXPIRED,
    CERTIFICATE_EXPIRES,
    CERTIFICATE_EXPIRES_SOON,
    CERTIFICATE_NAME_WRONG,
    CERTIFICATE_UNUSABLE,
    REVOCATION_LIST_DUE,
)
from appliance.catalogue.certificate_settings import TlsSettings
from appliance.catalogue.counters import (
    CERTIFICATE_NAMES_REFUSED,
    CERTIFICATES_REFUSED,
    HANDSHAKES_COMPLETED,
    HANDSHAKES_DISPLACED,
    HANDSHAKES_FAILED,
    HANDSHAKES_NOT_TLS,
    HANDSHAKES_RESUMED,
    HANDSHAKES_TIMED_OUT,
)
from appliance.security.certificate_names import is_proved
from appliance.storage.revocation_lists import RevocationLists
from appliance.tls_contexts import TlsContexts
from appliance.workers.certified_connections import CertifiedConnections
from appliance.workers.idle_queue import IdleQueue

if TYPE_CHECKING:
    from appliance.workers.tls_connection import TlsConnection

# Sessions of servers that are kept to be resumed (RFC 8446 2.2).
SESSIONS_MAX: Final = 1000
LOG_INTERVAL_S: Final = 60.0
NICENESS: Final = 5
# How long a wrong name is an alarm.
WRONG_NAME_S: Final = 600.0
# How often it is looked whether the files of certificates have changed.
RENEWAL_INTERVAL_S: Final = 10.0
DAY_S: Final = 86400
# Below so many days, this alarm.
EXPIRY_ALARMS: Final = ((1, CERTIFICATE_EXPIRED), (7, CERTIFICATE_EXPIRES_SOON), (30, CERTIFICATE_EXPIRES))

log = logging.getLogger("signalbox.worker")


class Outcome(IntEnum):
    """Of one step."""

    WAITS = 0
    DONE = 1
    FAILED = 2
    UNTRUSTED = 3
    WRONG_NAME = 4


class Step(NamedTuple):
    """What a step has come to, and why it failed."""

    outcome: Outcome
    reason: str = ""


_COUNTED: Final = {
    Outcome.FAILED: HANDSHAKES_FAILED,
    Outcome.UNTRUSTED: CERTIFICATES_REFUSED,
    Outcome.WRONG_NAME: CERTIFICATE_NAMES_REFUSED,
}


class Handshakes:
    """Those in progress, and what is needed to begin one."""

    def __init__(self, contexts: TlsContexts, settings: TlsSettings, counters: list[int]) -> None:
        self.contexts = contexts
        self._settings = settings
        self._counters = counters
        self._thread = ThreadPoolExecutor(1, "handshakes", give_way)
        self._begun: IdleQueue[TlsConnection] = IdleQueue()
        self._steps: dict[TlsConnection, Future[Step]] = {}
        self._sessions: OrderedDict[Hashable, ssl.SSLSession] = OrderedDict()
        self._logged_at = -LOG_INTERVAL_S
        self._unlogged = 0
        self._wrong_name = ("", 0.0)
        self._renewed_at = 0.0
        self._revocation_lists = RevocationLists()
        self._certified = CertifiedConnections()
        self._search_until = 0.0

    def __len__(self) -> int:
        """Handshakes in progress."""
        return len(self._begun)

    def reconfigure(self, contexts: TlsContexts, settings: TlsSettings) -> None:
        """New connections go by these; those that are there go on as they are."""
        if contexts.client is not self.contexts.client:
            # A session belongs to its context.
            self._sessions.clear()
        self.contexts, self._settings = contexts, settings

    def begin(self, connection: TlsConnection, now: float) -> ssl.SSLObject | None:
        """A new end of TLS for a connection; None where there is no certificate to show, or nothing to trust."""
        flow = connection.flow
        context = self.contexts.client if connection.is_opened_here else self.contexts.server(flow.listener)
        if context is None:
            self._counters[HANDSHAKES_FAILED] += 1
            return None
        if len(self._begun) >= self._settings.handshakes_max:
            self._give_up(self._begun.oldest(), HANDSHAKES_DISPLACED)
        self._begun.touch(connection, now)
        if connection.is_opened_here:
            session = self._sessions.get(flow.way())
            # RFC 6066 3: a name, and no address.
            return context.wrap_bio(
                connection.incoming, connection.sealed, server_hostname=flow.name or None, session=session
            )
        return context.wrap_bio(connection.incoming, connection.sealed, server_side=True)

    def advance(self, connection: TlsConnection, end: ssl.SSLObject) -> None:
        """Make a step beside the loop; the connection is told by `stepped`."""
        identity = connection.identity if connection.is_opened_here else ""
        names = connection.owner.certificate_names(connection)
        waiting = self._steps[connection] = self._thread.submit(step, end, identity, names)

        def tell(made: asyncio.Future[Step]) -> None:
            if not made.cancelled() and self._steps.pop(connection, None) is not None:
                connection.stepped(made.result())

        asyncio.wrap_future(waiting).add_done_callback(tell)

    def completed(self, connection: TlsConnection, end: ssl.SSLObject) -> None:
        """The connection is secure now."""
        self._begun.drop(connection)
        self._counters[HANDSHAKES_COMPLETED] += 1
        if end.session_reused:
            self._counters[HANDSHAKES_RESUMED] += 1
        self._certified.add(connection, end.getpeercert(binary_form=True))

    def failed(self, connection: TlsConnection, made: Step, now: float) -> None:
        """It has come to nothing."""
        self._begun.drop(connection)
        self._counters[_COUNTED[made.outcome]] += 1
        sentence = f"TLS handshake with {connection.flow.remote[0]} failed: {made.reason}"
        if made.outcome is Outcome.WRONG_NAME:
            self._wrong_name = (f"{sentence}.", now)
        self._log(sentence, now)

    def is_not_tls(self, connection: TlsConnection, now: float) -> None:
        """The peer speaks something else."""
        self._counters[HANDSHAKES_NOT_TLS] += 1
        self._log(f"{connection.flow.remote[0]} sent something other than TLS to a TLS port", now)

    def count(self, counter: int) -> None:
        """One more of something that befell a connection."""
        self._counters[counter] += 1

    def forget(self, connection: TlsConnection) -> None:
        """It is gone, and so is the step that waits for the thread."""
        self._begun.drop(connection)
        self._certified.drop(connection)
        waiting = self._steps.pop(connection, None)
        if waiting is not None:
            waiting.cancel()

    def keep_session(self, connection: TlsConnection, end: ssl.SSLObject) -> None:
        """The server may let the next connection resume it."""
        session = end.session
        if session is None or not session.has_ticket or end.context is not self.contexts.client:
            return
        way = connection.flow.way()
        self._sessions[way] = session
        self._sessions.move_to_end(way)
        if len(self._sessions) > SESSIONS_MAX:
            self._sessions.popitem(last=False)

    def _renew(self, now: float) -> None:
        """Read files that have changed again, in the thread; what cannot be used leaves the former in force."""
        self._renewed_at = now
        former, revoked = self.contexts, self._settings.revoked

        def read_again() -> tuple[TlsContexts | None, bool]:
            return former.renewed(), self._revocation_lists.read(revoked)

        read = asyncio.get_running_loop().run_in_executor(self._thread, read_again)

        def take(read: asyncio.Future[tuple[TlsContexts | None, bool]]) -> None:
            if read.cancelled():
                return
            renewed, has_other_lists = read.result()
            if renewed is not None and self.contexts is former:
                self._take(renewed)
            if has_other_lists:
                # A handshake that began by the former lists may be done a little later.
                self._search_until = now + self._settings.handshake_timeout_ms / 1000 + RENEWAL_INTERVAL_S
            if now <= self._search_until:
                self._search_revoked(now)

        read.add_done_callback(take)

    def _take(self, renewed: TlsContexts) -> None:
        if renewed.faults:
            self.contexts.faults = renewed.faults
        else:
            self.reconfigure(renewed, self._settings)
            log.info("certificates were read again")

    def _search_revoked(self, now: float) -> None:
        """End the connections of certificates that a list names, which are searched in the thread."""
        shown = self._certified.certificates()
        search = asyncio.get_running_loop().run_in_executor(self._thread, self._revocation_lists.revoked_of, shown)

        def end(search: asyncio.Future[set[bytes]]) -> None:
            for connection in [] if search.cancelled() else self._certified.take(search.result()):
                self._counters[CERTIFICATES_REFUSED] += 1
                self._log(f"connection with {connection.flow.remote[0]} closed: its certificate is revoked", now)
                connection.abort()

        search.add_done_callback(end)

    def alarms(self, now: float, wall_time: float) -> list[str]:
        """What operators have to know: the name of the alarm and a sentence."""
        alarms = [f"{CERTIFICATE_UNUSABLE} {fault}." for fault in self.contexts.faults]
        sentence, at = self._wrong_name
        if sentence and now - at < WRONG_NAME_S:
            alarms.append(f"{CERTIFICATE_NAME_WRONG} {sentence}")
        for name, end in self.contexts.ends.items():
            days = int((end - wall_time) // DAY_S)
            alarm = next((alarm for limit, alarm in EXPIRY_ALARMS if days < limit), "")
            when = f"expires in {days} day{'s' if days != 1 else ''}" if end > wall_time else "is not valid any more"
            if alarm:
                alarms.append(f"{alarm} Certificate {name} {when}.")
        return alarms + [f"{REVOCATION_LIST_DUE} {due}" for due in self._revocation_lists.due(wall_time)]

    def sweep(self, now: float) -> None:
        """Give up what takes too long; call it every second or so."""
        if now - self._renewed_at >= RENEWAL_INTERVAL_S:
            self._renew(now)
        for connection in self._begun.older(now - self._settings.handshake_timeout_ms / 1000):
            self._give_up(connection, HANDSHAKES_TIMED_OUT)

    def close(self) -> None:
        """Let the thread end."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _give_up(self, connection: TlsConnection | None, counter: int) -> None:
        if connection is not None:
            self.forget(connection)
            self._counters[counter] += 1
            connection.abort()

    def _log(self, sentence: str, now: float) -> None:
        """At most once a minute."""
        if now - self._logged_at < LOG_INTERVAL_S:
            self._unlogged += 1
            return
        more = f" ({self._unlogged} more since the last message)" if self._unlogged else ""
        log.warning("%s%s", sentence, more)
        self._logged_at, self._unlogged = now, 0


def give_way() -> None:
    """Where processors are short, calls come before handshakes: on Linux each thread has a niceness of its own."""
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


def step(end: ssl.SSLObject, identity: str, names: tuple[str, ...] = ()) -> Step:
    """One step of a handshake. The certificate of the peer has to prove `identity`, and one of `names`, if there are
    any."""
    try:
        end.do_handshake()
    except ssl.SSLWantReadError:
        return Step(Outcome.WAITS)
    except ssl.SSLCertVerificationError as fault:
        return Step(Outcome.UNTRUSTED, fault.verify_message)
    except (ssl.SSLError, OSError) as fault:
        return Step(Outcome.FAILED, str(getattr(fault, "reason", None) or fault).lower().replace("_", " "))
    certificate = end.getpeercert() or {}
    if identity and not is_proved(certificate, identity):
        return Step(Outcome.WRONG_NAME, f"the certificate is not that of {identity}")
    if names and not any(is_proved(certificate, name) for name in names):
        return Step(Outcome.WRONG_NAME, f"the certificate is not that of {' or '.join(names)}")
    return Step(Outcome.DONE)
