"""With which configuration an appliance starts: the last commit, and what has changed in the file that is named.

A file is taken in whole by the first start. Later only its changes are, statement by statement, so that what operators
have committed stays: what both have changed differently stays as it was committed, and is said. `systemctl reload` does
the same while the appliance runs.
"""

from __future__ import annotations

from dataclasses import dataclass

from appliance.catalogue.errors import ConfigError
from appliance.configuration.merge import Joined, join
from appliance.configuration.text import parse_configuration
from appliance.storage.commits import UNCONFIRMED, Commit, CommitStore, checksum


@dataclass(frozen=True, slots=True)
class Start:
    """With what an appliance starts: `text` is the configuration; with a `comment` it has to become a commit first.

    `source` is the checksum of the file that is taken in, and `file_text` its text, "" for none. `sentence` is for the
    log, and `remark` for the operator, who has to know of it.
    """

    text: str
    comment: str
    source: str
    sentence: str
    remark: str = ""
    file_text: str = ""


def starting(
    store: CommitStore, file_name: str, file_text: str | None, wall_time: float, is_in_cluster: bool = False
) -> Start:
    """The last configuration, with the changes of a file. `file_text` None: no file was named.

    In a cluster all commits after the first are the cluster's: changes of the file are not taken in, and nothing is
    reverted here.
    """
    head = store.head
    source = checksum(file_text) if file_text is not None else ""
    if is_in_cluster and head is not None:
        return _in_cluster(head, file_name, source)
    if head is None:
        comment = f"loaded from {file_name}" if file_text is not None else "the built-in defaults"
        return Start(file_text or "", comment, source, "", file_text=file_text or "")
    former = store.before(head.number) if head.state == UNCONFIRMED and head.confirm_by <= wall_time else None
    if file_text is not None and source != head.source:
        return _with_file(store, former or head, head.source, file_name, file_text)
    if former is not None:
        comment = f"commit {head.number} was not confirmed: reverted to commit {former.number}"
        return Start(former.text, comment, "", f"Commit {head.number} was not confirmed in time; it was reverted.")
    return Start(head.text, "", "", f"The active configuration is commit {head.number} by {head.user}.")


def _in_cluster(head: Commit, file_name: str, source: str) -> Start:
    remark = ""
    if source and source != head.source:
        remark = (
            f"{file_name} is not what the configuration of the cluster was loaded from; it is ignored. To use it, type "
            "`configure` and `load` in the shell."
        )
    return Start(head.text, "", "", f"The active configuration is commit {head.number} by {head.user}.", remark)


def _with_file(store: CommitStore, active: Commit, source: str, file_name: str, file_text: str) -> Start:
    comment = f"loaded from {file_name}, which has changed"
    loaded = store.file_of(source)
    joined = joined_file(loaded, file_text, active.text) if loaded is not None else None
    if joined is None:
        sentence = f"{file_name} has changed since it was loaded; it is now the active configuration."
        return Start(file_text, comment, checksum(file_text), sentence, file_text=file_text)
    sentence = f"{file_name} has changed since it was loaded; its changes are now active."
    return Start(joined.text, comment, checksum(file_text), sentence, conflict_remark(file_name, joined), file_text)


def joined_file(loaded: str, file_text: str, active: str) -> Joined | None:
    """What has changed in a file since it was loaded, upon the active configuration; None when one cannot be read."""
    try:
        base, mine, theirs = (parse_configuration(text) for text in (loaded, file_text, active))
    except ConfigError:
        return None
    return join(base, theirs, mine)


def conflict_remark(file_name: str, joined: Joined) -> str:
    """A sentence on what was not taken from the file; "" when all was."""
    if not joined.conflicts:
        return ""
    lines = ", ".join(f"`{conflict.line}`" for conflict in joined.conflicts)
    return f"{file_name} and an operator have changed {lines} differently: what the operator committed is active."
