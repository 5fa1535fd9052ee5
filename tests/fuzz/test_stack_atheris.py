"""The whole stack under atheris, where that is installed: coverage-guided octets, some of them with time between.

As a test it runs for a few seconds in a process of its own; by hand, `python tests/fuzz/test_stack_atheris.py FOLDER`
goes on until it is stopped and keeps what it finds in FOLDER.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SEEDS = ROOT / "tests" / "torture" / "messages"
# What separates the messages of one input.
SEPARATOR = b"\x00\xff\x00"
RUNS = 20000
# To instrument the modules takes a while on a busy machine.
PATIENCE_S = 900


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not installed")
def test_no_octets_break_the_stack(tmp_path: Path) -> None:
    # What is found new is written to the first folder.
    bounds = ["-seed=1", f"-runs={RUNS}", "-max_total_time=7", "-rss_limit_mb=1024", f"-artifact_prefix={tmp_path}/"]
    command = [sys.executable, str(Path(__file__)), *bounds, str(tmp_path), str(SEEDS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr[-4000:]


def one_input(data: bytes) -> None:
    """Messages half a second apart; whatever they were, all is over in the end."""
    from appliance.catalogue.settings import Settings
    from appliance.stack import Stack
    from tests.fuzz.company import expect_no_fault
    from tests.fuzz.test_stack_bytes import FLOWS, LIMITS, LISTENERS, SETTLED_S, expect_clean
    from tests.tables import new_table

    now = 1000.0
    stack = Stack(
        Settings(domains=("example.com",), listeners=LISTENERS, limits=LIMITS),
        0,
        b"fuzz" * 4,
        new_table(),
        now,
        1_700_000_000.0,
    )
    for number, message in enumerate(data.split(SEPARATOR)[:20]):
        stack.receive_datagrams([(message, FLOWS[number % len(FLOWS)])], now)
        for outgoing in stack.datagrams_to_send(now):
            expect_clean(outgoing.data)
        now += 0.5
        stack.handle_timers(now)
        expect_no_fault(stack)
    stack.questions_to_ask()
    end = now + SETTLED_S
    while stack.next_timer() <= end:
        now = max(now, stack.next_timer())
        stack.handle_timers(now)
        stack.datagrams_to_send(now)
    expect_no_fault(stack)
    assert stack.gauges()["transactions"] <= stack.gauges()["waiting"], "something is left"


def main() -> None:
    """Fuzz until atheris is told to stop."""
    # The product is the installed one, with what had to be compiled.
    sys.path.append(str(ROOT))
    import atheris  # type: ignore[import-not-found]

    with atheris.instrument_imports(include=["appliance"]):
        import appliance.stack  # noqa: F401
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
