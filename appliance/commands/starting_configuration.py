"""The configuration with which `signalbox run` starts: checked before any process starts; every fault is reported."""

from __future__ import annotations

import sys
from pathlib import Path

from appliance import clock
from appliance.catalogue.errors import ConfigError
from appliance.catalogue.settings import Settings
from appliance.commands.check import read_configuration
from appliance.configuration.text import parse_configuration
from appliance.management.errors import UNUSABLE, CommandFailed
from appliance.privileges import acting_as_owner
from appliance.storage.cluster_file import cluster_path
from appliance.storage.commits import Commit, CommitStore
from appliance.storage.restore_steps import has_steps, make_steps
from appliance.storage.starting import Start, starting
from appliance.storage.state_format import NewerFormat, refuse_newer
from appliance.storage.state_lock import StateInUse, held


def starting_configuration(path: Path | None, state_dir: Path) -> tuple[Settings, Start]:
    """The settings to start with, and how they become the head. Raises CommandFailed."""
    _complete_restore(state_dir)
    try:
        refuse_newer(state_dir)
        text = read_configuration(path)[1] if path is not None else None
    except (NewerFormat, CommandFailed) as fault:
        raise CommandFailed(str(fault), UNUSABLE) from None
    store = CommitStore(state_dir / "configuration")
    start = starting(store, str(path), text, clock.wall_time(), cluster_path(state_dir).exists())
    try:
        return parse_configuration(start.text), start
    except ConfigError as error:
        earlier = _last_readable(store)
        if earlier is not None:
            return earlier
        remedy = "start once with --config FILE and a corrected file"
        sentence = f"The configuration in {state_dir} has faults: {error}; {remedy}."
        raise CommandFailed(sentence, UNUSABLE) from None


def _complete_restore(state_dir: Path) -> None:
    """Make the steps that an interrupted restore has left, before anything of the state is read."""
    if not has_steps(state_dir):
        return
    try:
        with acting_as_owner(state_dir), held(state_dir):
            print(make_steps(state_dir), file=sys.stderr, flush=True)
    except StateInUse:
        # Who has the folder has completed it, or is about to.
        return
    except OSError as fault:
        raise CommandFailed(f"A restore in {state_dir} cannot be completed: {fault.strerror or fault}.") from None


def _last_readable(store: CommitStore) -> tuple[Settings, Start] | None:
    """The last confirmed commit that this version can read, where the head is of a later one."""
    head, commit = store.head, store.head
    while head is not None and (commit := store.before(commit.number) if commit else None) is not None:
        settings = _settings_of(commit)
        if settings is not None:
            sentence = (
                f"Commit {head.number} is from an incompatible version of Signalbox: commit {commit.number} of "
                f"{clock.local_time_of(commit.wall_time)} is active instead. Commit {head.number} is kept."
            )
            comment = f"commit {head.number} cannot be read: back to commit {commit.number}"
            return settings, Start(commit.text, comment, head.source, "", sentence)
    return None


def _settings_of(commit: Commit) -> Settings | None:
    try:
        return parse_configuration(commit.text)
    except ConfigError:
        return None
