"""Man pages and completion: complete, and well-formed to man(1) and bash."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from appliance.catalogue.commands import COMMANDS
from appliance.catalogue.setting_declaration import declared, sections
from appliance.catalogue.settings import Settings
from appliance.commands.command_line import command_line
from appliance.commands.man_pages import subparsers, write_all
from appliance.manual.man_page import escaped, text


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("man")
    write_all(made, "1.2.3")
    return made


def completions(folder: Path, *words: str) -> set[str]:
    """What bash offers for the last word."""
    line = " ".join(f"'{word}'" for word in words)
    before = words[-2]
    script = (
        f"source {folder}/signalbox.bash; COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; "
        f"_signalbox signalbox '{words[-1]}' '{before}'; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, cwd=folder)
    return set(done.stdout.split())


def test_every_subcommand_has_a_page_with_all_its_options(folder: Path) -> None:
    for name, parser in subparsers(command_line()).items():
        page = (folder / f"signalbox-{name}.1").read_text()
        for inner in (parser, *subparsers(parser).values()):
            for action in inner._actions:
                for option in action.option_strings:
                    assert escaped(option) in page, (name, option)
        assert escaped(f"signalbox-{name}") in (folder / "signalbox.1").read_text()


def test_every_setting_and_every_command_is_in_its_page(folder: Path) -> None:
    configuration, shell = (folder / "signalbox.conf.5").read_text(), (folder / "signalbox-shell.1").read_text()
    settings = [*declared(Settings), *(each for part in sections(Settings) for each in declared(part.settings_class))]
    assert all(f"\\fB{escaped(setting.syntax)}\\fR" in configuration for setting in settings)
    assert all(f"\\fB{escaped(command.syntax)}\\fR" in shell for command in COMMANDS)


@pytest.mark.skipif(shutil.which("man") is None, reason="man is not installed")
def test_man_has_no_complaint(folder: Path) -> None:
    for page in sorted(folder.glob("*.[15]")):
        done = subprocess.run(
            ["man", "--warnings=all", "--encoding=UTF-8", "--local-file", str(page)],
            capture_output=True,
            text=True,
            check=True,
            env={"MANWIDTH": "80", "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "MANROFFSEQ": ""},
        )
        assert done.stderr == "", page.name


def test_what_looks_like_roff_is_text() -> None:
    assert escaped(".TH") == "\\&.TH"
    assert escaped("a\\b --c") == "a\\eb \\-\\-c"
    assert text("see `show x`") == "see \\fBshow x\\fR"


def test_bash_completes_subcommands_options_and_files(folder: Path) -> None:
    (folder / "box.conf").write_text("")
    assert {"run", "check", "subscriber"} <= completions(folder, "signalbox", "")
    assert completions(folder, "signalbox", "subscriber", "a") == {"add"}
    assert "--password-stdin" in completions(folder, "signalbox", "subscriber", "add", "--")
    assert "box.conf" in completions(folder, "signalbox", "check", "--config", "box")
