"""A password that can be guessed at once is not accepted, and the sentence says why."""

from __future__ import annotations

import pytest

from appliance.catalogue.authentication_settings import PasswordSettings
from appliance.management.password_policy import check_password


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("1234567", "the password of alice has 7 characters: type at least 8 (`passwords length`)"),
        ("", "the password of alice has 0 characters: type at least 8 (`passwords length`)"),
        ("AliceAlice", "the password of alice is the user name: type another one"),
    ],
)
def test_what_is_wrong_with_a_password_is_said(password: str, sentence: str) -> None:
    with pytest.raises(ValueError) as fault:
        check_password("alice", password, PasswordSettings())
    assert str(fault.value) == sentence


def test_the_user_name_is_refused_however_short_passwords_may_be() -> None:
    settings = PasswordSettings(length_min=1)
    for password in ("alice", "ALICE", "ecila"):
        with pytest.raises(ValueError, match="is the user name"):
            check_password("alice", password, settings)
    check_password("alice", "alic", settings)
    check_password("alice", "alice", PasswordSettings(length_min=1, is_user_name_allowed=True))


def test_a_password_that_is_long_enough_is_accepted() -> None:
    check_password("alice", "correct horse", PasswordSettings())
