"""Who may do what on the control socket."""

from __future__ import annotations

import pytest

from appliance.catalogue.operator_settings import OperatorSettings
from appliance.catalogue.password_hash import SecretHash, hash_of, is_secret
from appliance.catalogue.settings import Settings
from appliance.catalogue.value_types import accepts
from appliance.management.errors import Refused
from appliance.management.sessions import (
    ADMIN,
    LOGINS_MAX,
    NONE,
    VIEW,
    enable,
    login,
    look_up_rights,
    new_session,
    take_machine_account,
)

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
        assert (session.user, session.right) == ("me", VIEW)
        enable(session, "", SETTINGS)
        assert session.right == ADMIN


def test_others_log_in_first() -> None:
    session = new_session(1001, 1000, "stranger")
    assert (session.user, session.right) == ("", NONE)
    assert not session.may(VIEW)
    with pytest.raises(Refused):
        enable(session, "", SETTINGS)
    login(session, "anna", "open sesame", SETTINGS)
    assert (session.user, session.right) == ("anna", VIEW)
    enable(session, "", SETTINGS)
    assert session.may(ADMIN)


def test_who_may_only_look_cannot_enable() -> None:
    session = new_session(1001, 1000, "stranger")
    login(session, "ben", "open sesame", SETTINGS)
    with pytest.raises(Refused, match="is `view`"):
        enable(session, "", SETTINGS)


@pytest.mark.parametrize(("user", "password"), [("anna", "wrong"), ("nobody", "open sesame"), ("carl", "")])
def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(user: str, password: str) -> None:
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
    assert session.right == ADMIN


# -- rights in an open session -------------------------------------------------------------------------


def test_a_demoted_operator_loses_the_right_to_act_at_once() -> None:
    session = new_session(1001, 1000, "stranger")
    login(session, "anna", "open sesame", SETTINGS)
    enable(session, "", SETTINGS)
    demoted = Settings(operators=(OperatorSettings(name="anna", role="view", secret=HASH),))
    look_up_rights(session, demoted)
    assert (session.right, session.is_admin) == (VIEW, False)
    with pytest.raises(Refused, match="is `view`"):
        enable(session, "", demoted)


def test_a_removed_operator_loses_every_right_at_once() -> None:
    session = new_session(1001, 1000, "stranger")
    login(session, "anna", "open sesame", SETTINGS)
    enable(session, "", SETTINGS)
    look_up_rights(session, Settings())
    assert session.right == NONE and not session.is_admin


def test_a_promoted_operator_may_enable_in_the_session_that_is_open() -> None:
    session = new_session(1001, 1000, "stranger")
    login(session, "ben", "open sesame", SETTINGS)
    promoted = Settings(operators=(OperatorSettings(name="ben", role="admin", secret=HASH),))
    look_up_rights(session, promoted)
    enable(session, "", promoted)
    assert session.right == ADMIN


def test_root_has_its_rights_whatever_the_configuration_says() -> None:
    session = new_session(0, 1000, "root")
    enable(session, "", SETTINGS)
    look_up_rights(session, Settings())
    assert session.right == ADMIN


# -- accounts of the machine ---------------------------------------------------------------------------


def test_an_account_of_the_machine_is_the_operator_of_that_name() -> None:
    session = new_session(1001, 1000, "carl")
    take_machine_account(session, SETTINGS)
    assert (session.user, session.right, session.is_admin) == ("carl", VIEW, False)
    other = new_session(1001, 1000, "dora")
    take_machine_account(other, SETTINGS)
    assert (other.user, other.right) == ("", NONE)


@pytest.mark.parametrize(("uid", "user"), [(0, "root"), (1001, "anna")])
def test_a_script_of_root_or_of_an_admin_that_the_kernel_knows_acts_without_the_enable_secret(
    uid: int, user: str
) -> None:
    guarded = Settings(operators=SETTINGS.operators, enable_secret=HASH)
    script = new_session(uid, 1000, user, is_script=True)
    take_machine_account(script, guarded)
    enable(script, "", guarded)
    assert script.right == ADMIN
    typed = new_session(uid, 1000, user)
    take_machine_account(typed, guarded)
    with pytest.raises(Refused, match="enable secret is wrong"):
        enable(typed, "", guarded)


def test_a_script_that_logs_in_by_password_needs_the_enable_secret() -> None:
    guarded = Settings(operators=SETTINGS.operators, enable_secret=HASH)
    for uid in (0, 1001):
        session = new_session(uid, 1000, "root" if uid == 0 else "dora", is_script=True)
        login(session, "anna", "open sesame", guarded)
        with pytest.raises(Refused, match="enable secret is wrong"):
            enable(session, "", guarded)
