"""Which passwords a subscriber may be given (`passwords` of the configuration)."""

from __future__ import annotations

from appliance.catalogue.authentication_settings import PasswordSettings


def check_password(username: str, password: str, settings: PasswordSettings) -> None:
    """Raises ValueError with a sentence that says what is wrong with the password, and does not show it."""
    if len(password) < settings.length_min:
        found = f"{len(password)} character{'' if len(password) == 1 else 's'}"
        raise ValueError(
            f"the password of {username} has {found}: type at least {settings.length_min} (`passwords length`)"
        )
    if not settings.is_user_name_allowed and _is_name(username, password):
        raise ValueError(f"the password of {username} is the user name: type another one")


def _is_name(username: str, password: str) -> bool:
    """Is it the name, backwards or repeated as well?"""
    name, typed = username.lower(), password.lower()
    return bool(name) and (typed == name[::-1] or typed == name * (len(typed) // len(name)))
