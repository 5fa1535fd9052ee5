"""Commits that no operator typed (a trial that ended, a file that was taken in) stand in the audit log, too.

The supervisor makes them, also while no management process runs; so they are taken from the store, each once.
"""

from __future__ import annotations

import re
from typing import Final

from appliance.management.audit_log import AuditLog
from appliance.storage.commits import COMMITS_KEPT, SYSTEM, CommitStore

LOOKED_AT: Final = 10_000
_DONE = re.compile(r"done: ([0-9]+)")


def note_own_commits(store: CommitStore, audit: AuditLog) -> None:
    """Note those that are not noted yet. Raises OSError when the audit log cannot be written."""
    own = [commit for commit in reversed(store.latest(COMMITS_KEPT)) if commit.user == SYSTEM]
    if not own:
        return
    noted = max(_numbers(audit), default=0)
    for commit in own:
        if commit.number > noted:
            args = {"comment": commit.comment}
            audit.write(commit.wall_time, SYSTEM, "commit", args, f"done: {commit.number}")


def _numbers(audit: AuditLog) -> list[int]:
    """The numbers of the system's own commits that are noted."""
    results = [str(row.get("result", "")) for row in audit.latest(LOOKED_AT) if row.get("user") == SYSTEM]
    return [int(match[1]) for match in map(_DONE.fullmatch, results) if match]
