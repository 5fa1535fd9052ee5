"""Who may do what on the control socket."""

from __future__ import annotations

import pytest

from appliance.catalogue.hashed import SecretHash, hash_of, is_secret
from appliance.catalogue.kinds import accepts
from appliance.catalogue.settings import OperatorSettings, Settings
from appliance.management.refusal import Refused
from appliance.management.sessions import ACT, LOGINS_MAX, LOOK, NONE, enable, login, new_session

HASH = hash_of("open sesame", b"0123456789abcdef")
SETTINGS = Settings(
    operators=(
        OperatorSettings(name="anna", role="admin", secret=HASH),
        OperatorSettings(name="ben", secret=HASH),
        OperatorSettings(name="carl"),
    )
)


def test_a_hash_proves_its_secret_and_no_other() -> None:
    assert accepts(SecretHash(), HASH)
    assert is_secret("open sesame", HASH)
    assert not is_secret("open", HASH)
    assert not is_secret("", "")
    assert hash_of("open sesame", b"another salt 123") != HASH


def test_a_hash_that_takes_forever_is_none() -> None:
    assert not accepts(SecretHash(), HASH.replace("16384", "999999"))
    assert not accepts(SecretHash(), HASH.replace("16384", "16383"))
    assert not accepts(SecretHash(), "secret")


def test_root_and_the_own_user_look_and_may_enable() -> None:
    for uid in (0, 1000):
        session = new_session(uid, 1000, "me")
        assert (session.user, session.right) == ("me", LOOK)
        enable(session, "", SETTINGS)
        assert session.right == ACT


def test_others_log_in_first() -> None:
    session = new_session(1001, 1000, "stranger")
    assert (session.user, session.right) == ("", NONE)
    assert not session.may(LOOK)
    with pytest.raises(Refused):
        enable(session, "", SETTINGS)
    login(session, "anna", "open sesame", SETTINGS)
    assert (session.user, session.right) == ("anna", LOOK)
    enable(session, "", SETTINGS)
    assert session.may(ACT)


def test_who_may_only_look_cannot_enable() -> None:
    session = new_session(1001, 1000, "stranger")
    login(session, "ben", "open sesame", SETTINGS)
    with pytest.raises(Refused, match="look only"):
        enable(session, "", SETTINGS)


@pytest.mark.parametrize(("user", "password"), [("anna", "wrong"), ("nobody", "open sesame"), ("carl", "")])
def test_a_wrong_name_or_password_is_told_apart_by_nobody(user: str, password: str) -> None:
    session = new_session(1001, 1000, "stranger")
    with pytest.raises(Refused, match="The name or the password is wrong"):
        login(session, user, password, SETTINGS)


def test_guessing_ends() -> None:
    session = new_session(1001, 1000, "stranger")
    for _ in range(LOGINS_MAX):
        with pytest.raises(Refused, match="wrong"):
            login(session, "anna", "guess", SETTINGS)
    with pytest.raises(Refused, match="Too many"):
        login(session, "anna", "open sesame", SETTINGS)


def test_an_enable_secret_is_asked_for() -> None:
    guarded = Settings(enable_secret=HASH)
    session = new_session(0, 0, "root")
    with pytest.raises(Refused, match="enable secret is wrong"):
        enable(session, "", guarded)
    enable(session, "open sesame", guarded)
    assert session.right == ACT
