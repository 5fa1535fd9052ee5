"""The configuration: shown, checked, compared, committed, confirmed, rolled back, brought up to date.

A candidate is the client's own: its text, and the number of the commit that it was made from. A commit that was
not made from the head is refused with the lines that both have changed, and `rebase` joins the two.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from appliance.catalogue.errors import ConfigError
from appliance.catalogue.redaction import is_hidden, without_secrets
from appliance.catalogue.settings import Settings
from appliance.catalogue.warnings import warnings_of
from appliance.configuration.diff import difference_lines, effects_of
from appliance.configuration.hidden_values import with_hidden_values
from appliance.configuration.merge import Joined, join
from appliance.configuration.text import parse_configuration, retired_warnings, write_configuration
from appliance.management.appliance_client import Call
from appliance.management.errors import CommandFailed, Refused
from appliance.management.region_rights import check_region_commit
from appliance.management.route_check import check_routes, route_warnings
from appliance.management.sessions import ADMIN
from appliance.management.subscriber_check import probe_database
from appliance.messages.plain_values import plain
from appliance.messages.supervisor_requests import COMMIT_ANSWER_S, CommitConfiguration, ConfirmCommit
from appliance.own_machine import system_warnings
from appliance.storage.cluster_file import cluster_path
from appliance.storage.commits import Commit, CommitStore, checksum
from appliance.storage.starting import conflict_remark, joined_file

TEXT_LEN_MAX: Final = 8 * 1024 * 1024
MINUTES_MAX: Final = 7 * 24 * 60
NUMBER_MAX: Final = 10**9

Result = dict[str, Any]


async def show_running(call: Call) -> Result:
    commit = _head(call)
    settings = parse_configuration(commit.text)
    return {"text": _shown(call, write_configuration(settings, call.args.flag("all"))), "commit": commit.number}


async def show_startup(call: Call) -> Result:
    """What a restart begins with: the head, unless its confirmation will be overdue."""
    commit = _head(call)
    return {"text": _shown(call, write_configuration(parse_configuration(commit.text))), "commit": commit.number}


async def show_commits(call: Call) -> Result:
    store = call.client.store()
    commits = store.latest(call.args.limit())
    return {"commits": [_row(store, commit) for commit in commits]}


async def show_commit(call: Call) -> Result:
    store = call.client.store()
    commit = _found(store, call.args.integer("number", 1, NUMBER_MAX))
    settings = _settings_of(commit)
    text = _shown(call, write_configuration(settings))
    return {**_row(store, commit), "text": text, "diff": [_shown(call, line) for line in _diff(store, commit)]}


def _shown(call: Call, text: str) -> str:
    """Secrets are for administrators who may set them, and commit what they get here."""
    return text if call.session.may(ADMIN) and not call.session.region else without_secrets(text)


def _shown_effect(call: Call, effect: dict[str, str]) -> dict[str, str]:
    keyword = effect["keyword"]
    values = {name: _shown(call, f"{keyword} {effect[name]}")[len(keyword) + 1 :] for name in ("old", "new")}
    return {**effect, **values}


def _row(store: CommitStore, commit: Commit) -> Result:
    lines = _diff(store, commit)
    return {
        "number": commit.number,
        "user": commit.user,
        "wall_time": commit.wall_time,
        "comment": commit.comment,
        "state": commit.state,
        "confirm_by": commit.confirm_by,
        "added": sum(line.startswith("+") for line in lines),
        "removed": sum(line.startswith("-") for line in lines),
    }


def _diff(store: CommitStore, commit: Commit) -> list[str]:
    """What it changed of the one before it."""
    former = store.find(commit.number - 1)
    try:
        before = parse_configuration(former.text) if former else Settings()
        return difference_lines(before, parse_configuration(commit.text))
    except ConfigError:
        return ["  (incompatible version of Signalbox)"]


async def _warnings(call: Call, settings: Settings) -> list[str]:
    routes = await asyncio.to_thread(route_warnings, settings, call.client.state_dir)
    return [*warnings_of(settings), *system_warnings(call.client.of_this_node(settings)), *routes]


async def check(call: Call) -> Result:
    try:
        head = _head(call)
        wanted = parse_configuration(_candidate_text(call, head))
    except ConfigError as error:
        return {"faults": error.as_values(), "effects": [], "warnings": []}
    effects = [_shown_effect(call, effect) for effect in effects_of(_settings_of(head), wanted)]
    return {"faults": [], "effects": effects, "warnings": await _warnings(call, wanted)}


async def diff(call: Call) -> Result:
    head = _head(call)
    lines = difference_lines(_settings_of(head), _candidate(call, head))
    return {"diff": [_shown(call, line) for line in lines], "base": head.number}


async def commit(call: Call) -> Result:
    head, base = _head(call), call.args.integer("base", 0, NUMBER_MAX)
    wanted = _candidate(call, call.client.store().find(base) or head)
    if base != head.number:
        joined = _joined(call, base, head, wanted)
        raise Refused(
            f"Commit {head.number} by {head.user} was made in the meantime.",
            "type `rebase`, check the result, then commit again",
            head=head.number,
            conflicts=_conflicts(call, joined),
        )
    check_region_commit(call.session.region, _settings_of(head), wanted)
    await _probe_database(call, _settings_of(head), wanted)
    minutes = call.args.integer("confirm_minutes", 0, MINUTES_MAX, 0)
    return await _commit(call, write_configuration(wanted), base, call.args.text("comment", ""), minutes * 60)


async def _probe_database(call: Call, former: Settings, wanted: Settings) -> None:
    """A database that is new in the configuration is opened before it takes effect. Raises Refused."""
    if wanted.subscribers_url == former.subscribers_url:
        return
    try:
        await asyncio.to_thread(probe_database, wanted.subscribers_url, call.client.state_dir)
    except CommandFailed as fault:
        remedy = "correct `subscribers database`, or start the database"
        raise Refused(f"{fault} Nothing was changed.", remedy) from None


async def load(call: Call) -> Result:
    """Commit what has changed in a file since it was loaded; with `replace` all of it. `name` is that of the file."""
    name, file_text = call.args.text("name"), call.args.text("text", len_max=TEXT_LEN_MAX)
    wanted, head = write_configuration(_parsed(file_text)), _head(call)
    if checksum(file_text) == head.source and not call.args.flag("replace"):
        return {"number": 0, "effects": [], "warnings": []}
    loaded = call.client.store().file_of(head.source) if head.source else None
    is_in_cluster = cluster_path(call.client.state_dir).exists()
    if is_in_cluster and loaded is None and head.source and not call.args.flag("replace"):
        # Another node has loaded its file: what has changed in this one since is not known.
        raise Refused(
            f"This node has not loaded {name} before. Nothing was loaded.",
            "use `configure` and `load merge` in the shell, or load the file with `--replace`",
        )
    if loaded is not None and not call.args.flag("replace"):
        joined = joined_file(loaded, file_text, head.text)
        if joined is not None and joined.conflicts:
            remedy = "commit those lines in the shell, or load the file with `--replace`"
            remark = _shown(call, conflict_remark(name, joined))
            raise Refused(f"{remark} Nothing was loaded.", remedy, conflicts=_conflicts(call, joined))
        wanted = joined.text if joined is not None else wanted
    return await _commit(call, wanted, head.number, f"loaded from {name}", 0, file_text=file_text)


async def rebase(call: Call) -> Result:
    head = _head(call)
    base = call.args.integer("base", 0, NUMBER_MAX)
    joined = _joined(call, base, head, _candidate(call, call.client.store().find(base) or head))
    return {"text": _shown(call, joined.text), "base": head.number, "conflicts": _conflicts(call, joined)}


async def confirm(call: Call) -> Result:
    head = _head(call)
    if call.session.region and head.user != call.session.user:
        raise Refused(f"Commit {head.number} is by {head.user}.", "ask its author, or an operator of all regions")
    return {"number": (await call.client.ask(ConfirmCommit(call.session.user), COMMIT_ANSWER_S)).number}


async def rollback(call: Call) -> Result:
    store = call.client.store()
    head = _head(call)
    number = call.args.integer("number", 0, NUMBER_MAX, 0)
    wanted = _found(store, number) if number else store.before(head.number)
    if wanted is None:
        raise Refused("There is no previous commit.", "see `show configuration history`")
    comment = call.args.text("comment", "") or f"rollback to commit {wanted.number}"
    return await _commit(call, wanted.text, head.number, comment, 0, is_back=True)


async def _commit(
    call: Call, text: str, base: int, comment: str, confirm_s: int, is_back: bool = False, file_text: str = ""
) -> Result:
    former, settings, state_dir = _in_force(call), _parsed(text), call.client.state_dir
    check_region_commit(call.session.region, former, settings)
    await asyncio.to_thread(check_routes, former, settings, state_dir)
    wanted = CommitConfiguration(text, base, call.session.user, comment, float(confirm_s), is_back, file_text)
    done = await call.client.ask(wanted, COMMIT_ANSWER_S)
    await call.client.sample()
    warnings = [*retired_warnings(text), *await _warnings(call, settings)]
    return {"number": done.number, "effects": plain(done.effects), "warnings": warnings}


def _candidate(call: Call, shown: Commit) -> Settings:
    """The settings of the client's text, which was made from that commit. Raises Refused with every fault."""
    return _parsed(_candidate_text(call, shown))


def _candidate_text(call: Call, shown: Commit) -> str:
    text = call.args.text("text", len_max=TEXT_LEN_MAX)
    return with_hidden_values(text, write_configuration(_settings_of(shown))) if is_hidden(text) else text


def _parsed(text: str) -> Settings:
    try:
        return parse_configuration(text)
    except ConfigError as error:
        count = len(error.faults)
        sentence = f"The configuration has {count} fault{'s' if count > 1 else ''}, and is not used."
        raise Refused(sentence, "correct them", faults=error.as_values()) from None


def _joined(call: Call, base: int, head: Commit, mine: Settings) -> Joined:
    former = call.client.store().find(base)
    before = _settings_of(former) if former else Settings()
    return join(before, _settings_of(head), mine)


def _conflicts(call: Call, joined: Joined) -> list[Result]:
    rows = [{"line": found.line, "theirs": found.theirs, "mine": found.mine} for found in joined.conflicts]
    return [{name: _shown(call, line) for name, line in each.items()} for each in rows]


def _head(call: Call) -> Commit:
    """What is in force. Before the first commit could be kept, the defaults are."""
    head = call.client.store().head
    if head is None:
        return Commit(0, "", 0.0, "", "confirmed", 0.0, "", write_configuration(call.client.settings))
    return head


def _in_force(call: Call) -> Settings:
    """Those of the head; where it is from another version, those by which the appliance goes on."""
    try:
        return _settings_of(_head(call))
    except Refused:
        return call.client.settings


def _found(store: CommitStore, number: int) -> Commit:
    found = store.find(number)
    if found is None:
        raise Refused(f"There is no commit {number}.", "see `show configuration history`")
    return found


def _settings_of(commit: Commit) -> Settings:
    try:
        return parse_configuration(commit.text)
    except ConfigError as error:
        sentence = f"Commit {commit.number} is from an incompatible version of Signalbox."
        raise Refused(sentence, "choose another commit", faults=error.as_values()) from None
