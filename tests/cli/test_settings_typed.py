"""Every setting of the catalogue as it is typed: set, taken back, given its default, helped, completed, and wrong."""

from __future__ import annotations

import pytest

from appliance.catalogue.errors import ConfigError
from appliance.catalogue.setting_declaration import Section, Setting, sections
from appliance.catalogue.settings import Settings
from appliance.catalogue.snmp_values import SnmpCommunity
from appliance.catalogue.value_types import helps_of
from appliance.configuration.text import parse_configuration
from cli.candidate import TOP, edited, place_of, read_draft, write_draft
from cli.catalogue_grammar import VALUE, Edit, Verb, Visit, is_hashed
from cli.completion import complete
from cli.errors import INCOMPLETE, INVALID, Mistake
from cli.grammar import understand
from cli.help import help_lines, range_of, words_of
from cli.modes import configure_grammar, understand_configure
from cli.tokens import split_line
from tests.cli.samples import ALL_SETTINGS, setting_line

IDS = [setting_line(section, setting) for section, setting in ALL_SETTINGS]
each_setting = pytest.mark.parametrize(("section", "setting"), ALL_SETTINGS, ids=IDS)
EMPTY = read_draft("")


def no_names(what: str, start: str) -> list[str]:
    return []


def before_value(section: Section | None, setting: Setting) -> str:
    header = [section.keyword, *(["phones"] if section.name_kind else [])] if section else []
    return " ".join([*header, *setting.words]) + " "


def inside(section: Section | None, setting: Setting) -> str:
    """The line as it is typed inside its section."""
    line = setting_line(section, setting)
    header = before_value(section, setting).removesuffix(" ".join(setting.words) + " ")
    return line.removeprefix(header)


@each_setting
def test_it_can_be_set_from_the_top_and_from_its_section(section: Section | None, setting: Setting) -> None:
    for root, line in (
        (configure_grammar(None), setting_line(section, setting)),
        (configure_grammar(section), inside(section, setting)),
    ):
        meaning = understand(root, split_line(line).tokens)
        assert isinstance(meaning.action, Edit)
        assert (meaning.action.setting, meaning.action.section, meaning.action.verb) == (setting, section, Verb.SET)


@each_setting
def test_no_and_default_take_it_back(section: Section | None, setting: Setting) -> None:
    line = setting_line(section, setting)
    place = place_of(section, "phones")
    set_ = understand_configure(split_line(line).tokens, None)
    draft = edited(EMPTY, set_.action, set_.arguments, "")
    taken = understand_configure(split_line(f"no {line}").tokens, None)
    assert taken.action.verb is Verb.NO
    after_no = edited(draft, taken.action, taken.arguments, "").values_of(place)
    assert after_no.get(setting.attribute, setting.default) in (setting.default, (), False)
    defaulted = understand_configure(split_line(f"default {before_value(section, setting)}").tokens, None)
    assert defaulted.action.verb is Verb.DEFAULT
    after_default = edited(draft, defaulted.action, defaulted.arguments, "").values_of(place)
    assert setting.attribute not in after_default


@each_setting
def test_what_is_set_is_in_the_text_and_is_read_back(section: Section | None, setting: Setting) -> None:
    meaning = understand_configure(split_line(setting_line(section, setting)).tokens, None)
    draft = edited(EMPTY, meaning.action, meaning.arguments, "")
    text = write_draft(draft)
    value = meaning.arguments.get(VALUE, True)
    assert (text == "") == (value == setting.default and (section is None or section.name_kind is None))
    assert write_draft(read_draft(text)) == text


@each_setting
def test_help_says_what_it_does_its_range_its_default_and_its_effect(section: Section | None, setting: Setting) -> None:
    if setting.is_switch:
        return
    lines = help_lines([configure_grammar(None)], before_value(section, setting))
    text = " ".join(lines)
    helps = helps_of(setting.kind)
    assert all(help in text for _, help in helps)
    assert helps or setting.help in text
    assert f"applied: {setting.effect.value}" in text
    assert setting.is_many or "default" in text
    expected = words_of(setting.kind) or ("SECRET" if is_hashed(setting.kind) else range_of(setting.kind),)
    assert all(word in text for word in expected)


@each_setting
def test_tab_completes_its_words(section: Section | None, setting: Setting) -> None:
    line = before_value(section, setting)
    completion = complete([configure_grammar(None)], line[:-2] if len(setting.words[-1]) > 1 else line[:-1], no_names)
    assert line.endswith(completion.addition) or setting.words[-1] in completion.words
    assert completion.addition or completion.words


@each_setting
def test_a_wrong_value_is_pointed_at(section: Section | None, setting: Setting) -> None:
    line = f"{setting_line(section, setting)} "
    wrong = line + "%%%" if setting.is_switch else before_value(section, setting) + "%%%"
    column = len(wrong) - 3
    try:
        understand_configure(split_line(wrong).tokens, None)
    except Mistake as mistake:
        assert (mistake.kind, mistake.column) == (INVALID, column)
        assert mistake.problem and mistake.remedy
    else:
        assert setting.kind.placeholder in ("TEXT", "HASH") or isinstance(setting.kind, SnmpCommunity)


@each_setting
def test_a_value_that_is_missing_is_asked_for(section: Section | None, setting: Setting) -> None:
    if setting.is_switch:
        return
    with pytest.raises(Mistake) as mistake:
        understand_configure(split_line(before_value(section, setting)).tokens, None)
    assert mistake.value.kind == INCOMPLETE


@pytest.mark.parametrize("section", sections(Settings), ids=lambda section: section.keyword)
def test_a_section_is_entered_and_taken_away(section: Section) -> None:
    line = f"{section.keyword} phones" if section.name_kind else section.keyword
    for prefix, verb in (("", Verb.SET), ("no ", Verb.NO), ("default ", Verb.DEFAULT)):
        meaning = understand_configure(split_line(prefix + line).tokens, None)
        assert meaning.action == Visit(verb, section)


def test_in_a_section_a_word_that_is_not_there_is_looked_for_outside() -> None:
    listener = sections(Settings)[0]
    meaning = understand_configure(split_line("hostname box").tokens, listener)
    assert meaning.action.section is None
    with pytest.raises(Mistake, match="did you mean"):
        understand_configure(split_line("prot 5060").tokens, listener)
    with pytest.raises(Mistake) as mistake:
        understand_configure(split_line("registrar contacts 1000").tokens, listener)
    assert mistake.value.column == len("registrar contacts ")


def section_of(keyword: str) -> Section:
    return next(section for section in sections(Settings) if section.keyword == keyword)


@pytest.mark.parametrize(
    ("keyword", "typed", "problem"),
    [
        ("rate-limit", "rate 0", "0 is out of range"),
        ("rate-limit", "no rate-l phones", "rate-limit"),
        ("rate-limit", "rate-l phones", "rate-limit"),
        ("listener", "port 99999", "99999 is out of range"),
        ("listener", "reg contacts 3", "registrar"),
        ("listener", "work 2", "workers"),
        ("limits", "connections many", "many"),
    ],
)
def test_in_a_section_a_fault_stays_there_and_no_abbreviation_leads_out(
    keyword: str, typed: str, problem: str
) -> None:
    with pytest.raises(Mistake) as mistake:
        understand_configure(split_line(typed).tokens, section_of(keyword))
    assert problem in str(mistake.value)


@pytest.mark.parametrize("typed", ["rate-limit phones", "no rate-limit phones", "default hostname", "workers 2"])
def test_in_a_section_the_whole_word_leads_out(typed: str) -> None:
    assert understand_configure(split_line(typed).tokens, section_of("listener")).action


def test_in_a_section_commands_may_be_shortened() -> None:
    assert understand_configure(split_line("sh dif").tokens, section_of("listener")).action.name == "show diff"
    assert understand_configure(split_line("do sh ver").tokens, section_of("listener")).action.name == "show version"


def test_the_places_of_a_draft_are_those_of_the_configuration() -> None:
    text = "hostname box\ndomain example.com\nlistener phones\n  port 5062\n!\nregistrar\n  contacts 3\n!\n"
    draft = read_draft(text)
    assert draft.places.keys() == {TOP, ("listeners", "phones"), ("registrar", "")}
    assert write_draft(draft) == text
    assert parse_configuration(write_draft(draft)) == parse_configuration(text)


def test_a_draft_may_contradict_itself_but_not_be_beyond_understanding() -> None:
    draft = read_draft("registrar\n  expires minimum 5000\n!\n")
    with pytest.raises(ConfigError):
        parse_configuration(write_draft(draft))
    with pytest.raises(ConfigError) as refusal:
        read_draft("hostnmae box\nlistener a\n!\nlistener a\n!\n")
    assert [fault.line for fault in refusal.value.faults] == [1, 4]
