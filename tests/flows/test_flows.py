"""Every .flow file of this folder, carried out. README.md tells how to read and write one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.flows.runner import FlowFailed, run_flow

HERE = Path(__file__).parent
FLOWS = sorted(HERE.glob("**/*.flow"))


@pytest.mark.parametrize("path", FLOWS, ids=[str(path.relative_to(HERE))[:-5] for path in FLOWS])
def test_flow(path: Path) -> None:
    """The stack sends what the file says, no more, and forgets everything in the end."""
    failure = ""
    try:
        run_flow(path)
    except FlowFailed as failed:
        failure = str(failed)
    if failure:
        pytest.fail(failure, pytrace=False)
