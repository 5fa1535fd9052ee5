"""The accounts and aliases of operators."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.catalogue import choices
from appliance.catalogue.checked_settings import CheckedSettings
from appliance.catalogue.password_hash import SecretHash
from appliance.catalogue.setting_declaration import LIVE, name_of_section, setting
from appliance.catalogue.value_types import Name, Remark, Text


# fmt: off
@dataclass(frozen=True, slots=True)
class OperatorSettings(CheckedSettings):
    """An account of an operator."""

    name: str = name_of_section("operator", Name())
    description: str = setting("", "description", Remark(80), LIVE, "A description for operators.")
    role: str = setting("view", "role", choices.OPERATOR_ROLE, LIVE, "The rights of the operator.")
    region: str = setting(
        "", "region", Name(is_optional=True), LIVE,
        "The region to which the operator is confined: he sees all but secrets, and changes only what belongs to it.")
    secret: str = setting(
        "", "secret", SecretHash(), LIVE,
        "The hash of the password. Without it, login by password is disabled for this account.", "RFC 7914")


@dataclass(frozen=True, slots=True)
class AliasSettings(CheckedSettings):
    """A short name for a command."""

    name: str = name_of_section("alias", Name())
    command: str = setting(
        "", "command", Text(256, "TEXT"), LIVE,
        "The exec command, in double quotes. Words typed after the alias are appended.")
# fmt: on
