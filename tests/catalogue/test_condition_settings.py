"""The windows of conditions are bounded: a commit with more is refused at the first line that is too many."""

from __future__ import annotations

import pytest

from appliance.catalogue.errors import ConfigError
from appliance.catalogue.routing_contradictions import ALL_WINDOWS_MAX, WINDOWS_MAX
from appliance.configuration.text import parse_configuration

HEAD = "listener main\n  address 127.0.0.1\n!\n"
WINDOW = "2026-01-05T08:00 18:00"


def condition(name: str, times: int, exceptions: int = 0) -> str:
    lines = [f"  time {WINDOW}"] * times + [f"  except {WINDOW}"] * exceptions
    return "\n".join([f"condition {name}", *lines, "!", ""])


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as fault:
        parse_configuration(HEAD + text)
    return str(fault.value)


@pytest.mark.parametrize(
    ("times", "exceptions", "line"), [(WINDOWS_MAX + 1, 0, WINDOWS_MAX + 5), (60, 41, 105), (0, WINDOWS_MAX + 9, 105)]
)
def test_a_condition_has_so_many_windows_at_most(times: int, exceptions: int, line: int) -> None:
    assert refusal(condition("night", times, exceptions)) == (
        f"line {line}: condition night has more than 100 lines `time` and `except`; delete those that are over, and "
        "write one with a rule, such as FREQ=YEARLY, for those that come again"
    )


def test_all_conditions_together_have_so_many_windows_at_most() -> None:
    full = [condition(f"c{number}", WINDOWS_MAX) for number in range(ALL_WINDOWS_MAX // WINDOWS_MAX)]
    assert len(parse_configuration(HEAD + "".join(full)).conditions) == len(full)
    line = HEAD.count("\n") + "".join(full).count("\n") + 1
    assert refusal("".join(full) + condition("more", 1)) == (
        f"line {line}: all conditions together have more than 1000 lines `time` and `except`; delete conditions that "
        "no row names, or windows that are over"
    )
