"""The user at the other end of a control connection, and the rights of the session.

    right "none" --login--> "view" --enable--> "admin"

Root and the user that the appliance runs as are known by the kernel (SO_PEERCRED): they look without a
password, and `enable` asks them for none unless an enable secret is configured. An account of the machine that
has the name of an operator is that operator: SSH has proved it. Other users log in by an account of the
configuration, and only one of role admin may enable.

The enable secret guards a terminal that was left unattended. Scripts of users known by the kernel are not asked for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from appliance.catalogue.operator_settings import OperatorSettings
from appliance.catalogue.password_hash import is_secret
from appliance.catalogue.settings import Settings
from appliance.management.errors import Refused

NONE: Final = "none"
VIEW: Final = "view"
ADMIN: Final = "admin"
RIGHTS: Final = (NONE, VIEW, ADMIN)
LOGINS_MAX: Final = 3
ROOT: Final = 0
# What is compared when there is no such account, so that it takes as long.
_NO_ACCOUNT: Final = f"scrypt:16384:8:1:{'00' * 16}:{'00' * 32}"


@dataclass(slots=True)
class Session:
    """One connection. Times are monotonic seconds.

    `is_at_home`         root, or the user that the appliance runs as: by nature an administrator.
    `is_known_by_kernel` the kernel has proved the user; a login by password ends that.
    `machine_user`       the account of the machine at the other end.
    `is_script`          the client says that it has no operator to ask.
    `terminal`, `address`  the terminal as the kernel names it, the address as the client says; "" for none.
    `running`            requests under way, without those that may go on for ever.
    `region`             the region to which the operator is confined; "" for none.
    `secret`             the hash of the password by which the operator has logged in; "" for none.
    """

    user: str
    right: str
    is_at_home: bool
    is_admin: bool
    is_known_by_kernel: bool = False
    machine_user: str = ""
    is_script: bool = False
    terminal: str = ""
    address: str = ""
    number: int = 0
    opened_at: float = 0.0
    active_at: float = 0.0
    running: int = 0
    failures: int = 0
    region: str = ""
    secret: str = ""

    def may(self, right: str) -> bool:
        """Has the session this right, or more?"""
        return RIGHTS.index(self.right) >= RIGHTS.index(right)

    @property
    def place(self) -> str:
        """Where the operator is: `192.0.2.7 pts/3`; `local` for neither address nor terminal."""
        return f"{self.address} {self.terminal}".strip() or "local"


def new_session(uid: int, own_uid: int, user: str, is_script: bool = False) -> Session:
    """The session of a process of that user."""
    is_at_home = uid in (ROOT, own_uid)
    right = VIEW if is_at_home else NONE
    name = user if is_at_home else ""
    return Session(name, right, is_at_home, is_at_home, is_at_home, machine_user=user, is_script=is_script)


def take_machine_account(session: Session, settings: Settings) -> None:
    """Log in a user whom the kernel reports with the name of an operator."""
    account = _account(session.machine_user, settings)
    if session.right == NONE and not session.failures and account is not None:
        _become(session, account)
        session.is_known_by_kernel = True


def login(session: Session, user: str, password: str, settings: Settings) -> None:
    """Become that operator. Slow on purpose. Raises Refused."""
    if session.failures >= LOGINS_MAX:
        raise Refused("Too many wrong passwords.", "connect again")
    account = _account(user, settings)
    if not is_secret(password, account.secret if account and account.secret else _NO_ACCOUNT) or account is None:
        session.failures += 1
        raise Refused("The name or the password is wrong.", "try again")
    _become(session, account)
    session.secret = account.secret


def _become(session: Session, account: OperatorSettings) -> None:
    session.user = account.name
    session.is_at_home = session.is_known_by_kernel = False
    session.is_admin = account.role == ADMIN
    session.region = account.region
    session.right = VIEW
    session.secret = ""


def needs_secret(session: Session, settings: Settings) -> bool:
    """Does `enable` ask this session for the enable secret?"""
    return bool(settings.enable_secret) and not (session.is_script and session.is_known_by_kernel)


def enable(session: Session, secret: str, settings: Settings) -> None:
    """Let the session change things. Slow on purpose where a secret is configured. Raises Refused."""
    if not session.is_admin:
        raise Refused(f"The role of {session.user or 'this user'} is `view`.", "log in as an administrator")
    if session.failures >= LOGINS_MAX:
        raise Refused("Too many wrong secrets.", "connect again")
    if needs_secret(session, settings) and not is_secret(secret, settings.enable_secret):
        session.failures += 1
        raise Refused("The enable secret is wrong.", "try again")
    session.right = ADMIN


def look_up_rights(session: Session, settings: Settings) -> None:
    """Let an open session have no more than its account gives now."""
    if session.is_at_home or session.right == NONE:
        return
    account = _account(session.user, settings)
    session.is_admin = account is not None and account.role == ADMIN
    session.region = account.region if account is not None else ""
    if account is None or session.secret not in ("", account.secret):
        session.right = NONE
    elif not session.is_admin:
        session.right = VIEW


def is_removed(session: Session) -> bool:
    """Has the session lost the account that it had, or the password by which it was let in?"""
    return session.right == NONE and bool(session.user)


def removal(session: Session, settings: Settings) -> str:
    """The sentence for a session whose account is gone, or whose password is not that of the account any more."""
    account = _account(session.user, settings)
    if account is None:
        return f"The account {session.user} was removed."
    return f"The password of {session.user} was {'changed' if account.secret else 'removed'}."


def _account(user: str, settings: Settings) -> OperatorSettings | None:
    return next((account for account in settings.operators if account.name == user), None)
