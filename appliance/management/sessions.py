"""Who is at the other end of a control connection, and what he may do.

    right "none" --login--> "look" --enable--> "act"

Root and the user that the appliance runs as are known by the kernel (SO_PEERCRED): they look without a
password, and `enable` asks them for none unless an enable secret is configured. Everybody else logs in by
an account of the configuration, and only one of role admin may enable.

Knows nothing of sockets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from appliance.catalogue.hashed import is_secret
from appliance.catalogue.settings import OperatorSettings, Settings
from appliance.management.refusal import Refused

NONE: Final = "none"
LOOK: Final = "look"
ACT: Final = "act"
RIGHTS: Final = (NONE, LOOK, ACT)
ADMIN: Final = "admin"
LOGINS_MAX: Final = 3
# What is compared when there is no such account, so that it takes as long.
_NOBODY: Final = f"scrypt:16384:8:1:{'00' * 16}:{'00' * 32}"


@dataclass(slots=True)
class Session:
    """One connection. `is_at_home`: by nature an administrator."""

    user: str
    right: str
    is_at_home: bool
    is_admin: bool
    failures: int = 0

    def may(self, right: str) -> bool:
        """Has the session this right, or more?"""
        return RIGHTS.index(self.right) >= RIGHTS.index(right)


def new_session(uid: int, own_uid: int, user: str) -> Session:
    """The session of a process of that user."""
    is_at_home = uid in (0, own_uid)
    return Session(user if is_at_home else "", LOOK if is_at_home else NONE, is_at_home, is_at_home)


def login(session: Session, user: str, password: str, settings: Settings) -> None:
    """Become that operator. Slow on purpose. Raises Refused."""
    if session.failures >= LOGINS_MAX:
        raise Refused("Too many wrong passwords.", "connect again")
    account = _account(user, settings)
    if not is_secret(password, account.secret if account and account.secret else _NOBODY) or account is None:
        session.failures += 1
        raise Refused("The name or the password is wrong.", "try again")
    session.user = account.name
    session.is_at_home = False
    session.is_admin = account.role == ADMIN
    session.right = LOOK


def enable(session: Session, secret: str, settings: Settings) -> None:
    """Let the session change things. Slow on purpose where a secret is configured. Raises Refused."""
    if not session.is_admin:
        raise Refused(f"The role of {session.user or 'this user'} is to look only.", "log in as an administrator")
    if session.failures >= LOGINS_MAX:
        raise Refused("Too many wrong secrets.", "connect again")
    if settings.enable_secret and not is_secret(secret, settings.enable_secret):
        session.failures += 1
        raise Refused("The enable secret is wrong.", "try again")
    session.right = ACT


def _account(user: str, settings: Settings) -> OperatorSettings | None:
    return next((account for account in settings.operators if account.name == user), None)
