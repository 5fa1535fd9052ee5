"""Settings are declared once and completely, and a Settings that exists is valid."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from appliance.catalogue.errors import ConfigError
from appliance.catalogue.limit_settings import LimitSettings
from appliance.catalogue.overload_settings import OverloadSettings
from appliance.catalogue.proxy_settings import SyntaxSettings, TimerSettings
from appliance.catalogue.registrar_settings import RegistrarSettings
from appliance.catalogue.routing_settings import RoutePolicySettings
from appliance.catalogue.setting_declaration import Effect, Setting, declared, sections
from appliance.catalogue.settings import ListenerSettings, Settings
from appliance.catalogue.supervision_settings import SupervisionSettings
from appliance.catalogue.value_types import Choice, Choices, accepts, helps_of
from appliance.manual.reference import write_default

CLASSES: list[type[Any]] = [Settings, *(section.settings_class for section in sections(Settings))]
ALL = [(settings_class, setting) for settings_class in CLASSES for setting in declared(settings_class)]

POLICY = RoutePolicySettings("p", listeners=("a",))


def names(item: object) -> str:
    return item.keyword if isinstance(item, Setting) else getattr(item, "__name__", "")


@pytest.mark.parametrize(("settings_class", "setting"), ALL, ids=names)
def test_a_setting_has_words_range_default_effect_and_help(settings_class: type[Any], setting: Setting) -> None:
    assert setting.words
    assert all(word == word.lower() and word.isascii() for word in setting.words)
    assert setting.range_text
    assert setting.syntax.startswith(setting.keyword)
    assert write_default(setting)
    assert isinstance(setting.effect, Effect)
    assert setting.help.endswith(".") and len(setting.help) > 5
    assert setting.is_switch or setting.is_many or accepts(setting.kind, setting.default)


@pytest.mark.parametrize(("settings_class", "setting"), ALL, ids=names)
def test_each_value_of_a_choice_has_help_of_its_own(settings_class: type[Any], setting: Setting) -> None:
    if isinstance(setting.kind, Choice | Choices):
        helps = dict(helps_of(setting.kind))
        assert tuple(helps) == setting.kind.words
        assert all(help.endswith(".") and len(help) > 3 for help in helps.values())
        assert len(set(helps.values())) == len(helps)


@pytest.mark.parametrize("settings_class", CLASSES, ids=names)
def test_every_field_is_a_setting_a_section_a_name_or_the_standing(settings_class: type[Any]) -> None:
    for field in fields(settings_class):
        assert field.metadata.keys() & {"setting", "section", "name", "standing"}, field.name


@pytest.mark.parametrize("settings_class", CLASSES, ids=names)
def test_no_keyword_is_the_beginning_of_another_one(settings_class: type[Any]) -> None:
    keywords = [setting.words for setting in declared(settings_class)]
    keywords += [(section.keyword,) for section in sections(settings_class)]
    for keyword in keywords:
        assert [other for other in keywords if other[: len(keyword)] == keyword] == [keyword]
        assert keyword[0] != "no"


@pytest.mark.parametrize("section", sections(Settings), ids=names)
def test_a_section_has_help(section: Any) -> None:
    assert section.help.endswith(".")


def test_the_defaults_are_valid() -> None:
    settings = Settings()
    assert settings.timers.t1_ms == 500
    assert settings.registrar.expires_default_s == 3600
    assert settings.listeners == (ListenerSettings(),)


@pytest.mark.parametrize(
    ("settings_class", "values", "sentence"),
    [
        (Settings, {"workers": 65}, "workers cannot be 65; use auto, or 1 to 64"),
        (Settings, {"workers": True}, "workers cannot be True"),
        (Settings, {"hostname": "two words"}, "hostname cannot be 'two words'"),
        (Settings, {"domains": ("Example.com",)}, "domain cannot be 'Example.com'"),
        (Settings, {"domains": ("::1",)}, "domain cannot be '::1'"),
        (Settings, {"domains": ("a.com", "b.com", "a.com")}, "`domain a.com` is present twice"),
        (Settings, {"listeners": ()}, "there is no listener"),
        (ListenerSettings, {"name": ""}, "'' is not a name"),
        (ListenerSettings, {"address": "localhost"}, "address cannot be 'localhost'"),
        (ListenerSettings, {"address": "[::1]"}, "address cannot be"),
        (ListenerSettings, {"address": "0.0.0.0"}, "0.0.0.0 would be in every Via"),
        (ListenerSettings, {"address": "::"}, ":: would be in every Via"),
        (ListenerSettings, {"port": 0}, "port cannot be 0"),
        (ListenerSettings, {"port": "5060"}, "port cannot be '5060'"),
        (ListenerSettings, {"transports": ()}, "transport cannot be"),
        (ListenerSettings, {"transports": (0, 7)}, "transport cannot be"),
        (ListenerSettings, {"role": "edge"}, "role cannot be 'edge'"),
        (ListenerSettings, {"authenticate": "yes"}, "authenticate cannot be 'yes'"),
        (ListenerSettings, {"peers": ("10.0.0.1", "10.0.0.1")}, "`peer 10.0.0.1` is present twice"),
        (Settings, {"route_policies": (POLICY, replace(POLICY, name="q"))}, "route policy p is for listener a, too"),
        (RegistrarSettings, {"expires_min_s": 5000}, "`expires minimum` 5000 is more than `expires default` 3600"),
        (RegistrarSettings, {"expires_max_s": 600}, "`expires default` 3600 is more than `expires maximum` 600"),
        (TimerSettings, {"t1_ms": 5000}, "`t1` 5000 is more than `t2` 4000"),
        (SyntaxSettings, {"message_len_max": 2000}, "`header-length` 8192 is more than `length` 2000"),
        (OverloadSettings, {"delay_limit_ms": 10}, "`delay target` 20 is more than `delay limit` 10"),
        (SupervisionSettings, {"hang_ms": 150}, "`hang` 150 is too short"),
        (LimitSettings, {"transactions_max": 0}, "transactions cannot be 0"),
    ],
)
def test_settings_that_are_wrong_cannot_be_made(
    settings_class: type[Any], values: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ConfigError) as refusal:
        settings_class(**values)
    assert sentence in str(refusal.value)


def test_all_faults_are_in_the_error() -> None:
    with pytest.raises(ConfigError) as refusal:
        ListenerSettings(port=0, address="x", role="y")
    assert len(refusal.value.faults) == 3


def test_two_listeners_do_not_share_an_address() -> None:
    one = ListenerSettings(name="a", transports=(0,))
    Settings(listeners=(one, ListenerSettings(name="b", transports=(1,))))
    with pytest.raises(ConfigError, match=r"127\.0\.0\.1 port 5060 udp is already used by listener a"):
        Settings(listeners=(one, ListenerSettings(name="b")))
    with pytest.raises(ConfigError, match="there are two listeners a"):
        Settings(listeners=(one, replace(one, port=5061)))
