"""An upgraded appliance loads its own last commit, whatever settings are gone since."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.catalogue.errors import ConfigError
from appliance.catalogue.limit_settings import LimitSettings
from appliance.catalogue.retired_settings import RETIRED_SETTINGS
from appliance.catalogue.setting_declaration import declared, sections
from appliance.catalogue.settings import Settings
from appliance.commands.check import check
from appliance.commands.last_configuration import last_configuration
from appliance.commands.starting_configuration import starting_configuration
from appliance.configuration.text import parse_configuration, retired_warnings, write_configuration
from appliance.storage.commits import CommitStore

STORED = "hostname box\nlimits\n  requests waiting 5000\n  transactions 7\n!\n"


def test_a_stored_commit_with_a_retired_setting_is_loaded(tmp_path: Path) -> None:
    CommitStore(tmp_path / "configuration").add(STORED, "root", "", 1.0)
    wanted = Settings(hostname="box", limits=LimitSettings(transactions_max=7))
    assert last_configuration(tmp_path) == wanted
    settings, start = starting_configuration(None, tmp_path)
    assert settings == wanted
    (warning,) = retired_warnings(start.text)
    assert "`limits requests waiting`" in warning and "`limits lookup waiting`" in warning
    assert "requests waiting" not in write_configuration(settings)


def test_it_is_told_once_and_negated_as_well() -> None:
    text = "limits\n  no requests waiting\n!\n"
    assert parse_configuration(text) == Settings()
    assert len(retired_warnings(text)) == 1
    assert retired_warnings("limits\n  transactions 7\n!\n") == []


def test_it_is_known_only_in_its_section_and_by_its_whole_words() -> None:
    for text in ("requests waiting 5\n", "timers\n  requests waiting 5\n!\n", "limits\n  requests wait 5\n!\n"):
        with pytest.raises(ConfigError):
            parse_configuration(text)


def test_a_file_with_one_is_right_with_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "box.conf"
    path.write_text(f"domain example.com\n{STORED}")
    assert "Warning: The setting `limits requests waiting`" in check(path)


@pytest.mark.parametrize("retired", RETIRED_SETTINGS, ids=lambda retired: " ".join(retired.words))
def test_a_retired_setting_is_none_of_today(retired: object) -> None:
    """Else it would be ignored."""
    today = {("", setting.words) for setting in declared(Settings)}
    today |= {(s.keyword, setting.words) for s in sections(Settings) for setting in declared(s.settings_class)}
    assert (getattr(retired, "section", ""), getattr(retired, "words", ())) not in today
