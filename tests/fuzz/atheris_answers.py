"""Coverage-guided fuzzing of the parsers of what is no SIP: answers of servers, tokens, datagrams of SNMP and STUN.

    python tests/fuzz/atheris_answers.py [RUNS] [FOLDER]

FOLDER takes inputs that reach new code and inputs that fail; a temporary one is made when it is not given.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

RUNS_DEFAULT = 100_000
ROOT = Path(__file__).resolve().parents[2]
FLOORS = ("lookups", "routing", "messages", "management", "transport")


def main(arguments: list[str]) -> None:
    """Runs the target for a number of inputs; exits with 0 when nothing was found."""
    sys.path.insert(0, str(ROOT))
    import atheris

    with atheris.instrument_imports(include=[f"appliance.{floor}" for floor in FLOORS]):
        from tests.fuzz.answers_target import consume_answer

    runs = int(arguments[1]) if len(arguments) > 1 else RUNS_DEFAULT
    found = arguments[2] if len(arguments) > 2 else tempfile.mkdtemp(prefix="signalbox-fuzz-")
    options = [arguments[0], f"-runs={runs}", "-max_len=2048", "-verbosity=0", f"-artifact_prefix={found}/"]
    atheris.Setup([*options, found], consume_answer)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)
