"""Secrets come by other ways than the command line, which other users of the machine see in `ps`."""

from __future__ import annotations

import io

import pytest

from appliance.commands.command_line import command_line
from appliance.commands.password_prompt import ASKED, read_token


def test_a_token_comes_from_the_first_line_of_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("sbx1.abc\nmore\n"))
    assert read_token(ASKED) == "sbx1.abc"


def test_a_token_on_the_command_line_is_taken() -> None:
    assert read_token("sbx1.abc") == "sbx1.abc"


@pytest.mark.parametrize("command", ["cluster", "witness"])
def test_a_token_need_not_be_on_the_command_line(command: str) -> None:
    options = command_line().parse_args([command, "join", "--address", "192.0.2.1"])
    assert options.token == ASKED
