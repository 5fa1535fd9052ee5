"""Configuration mode: entering and leaving it, and the commands for the candidate as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from appliance.catalogue.errors import ConfigError
from appliance.catalogue.settings import Settings
from cli.candidate import TOP, Candidate, Draft, candidate_of, read_draft
from cli.differences import differences
from cli.errors import Failed, NoOperator, Refused
from cli.files import path_of, read_text, write_lines
from cli.output import NOTHING, Output, said
from cli.prompts import choose
from cli.session import Session
from cli.views.configuration import draw_conflicts, draw_effects, draw_faults
from cli.views.tables import time_text

COMMITS_MAX = 1000
CONFIRMED = "confirmed"
NO_CHANGES = "No changes."
REVIEW = "Review it with `show diff`, apply it with `commit`."

Arguments = Mapping[str, Any]


def configure(session: Session, arguments: Arguments) -> Output:
    """Begin a candidate from the configuration in force. Raises Failed where there is one with changes."""
    if session.candidate is not None and session.candidate.is_changed:
        remedy = "You are in configuration mode already; type `abort` to discard them."
        raise Failed("There are uncommitted changes.", remedy)
    running = session.ask("show running-config", {})
    session.candidate = candidate_of(running["text"], running["commit"])
    return NOTHING


def candidate_in(session: Session) -> Candidate:
    """The candidate. Raises Failed when there is none."""
    if session.candidate is None:
        raise Failed("There is no candidate configuration.", "Type `configure` first.")
    return session.candidate


def show_candidate(session: Session, arguments: Arguments) -> Output:
    text = candidate_in(session).text
    return Output(text.rstrip("\n").split("\n") if text else ["! All settings have their defaults."], {"text": text})


def show_diff(session: Session, arguments: Arguments) -> Output:
    lines = candidate_in(session).difference
    return Output(lines or [NO_CHANGES], {"diff": lines})


# -- checking and committing -------------------------------------------------------------------------


def validate(session: Session, arguments: Arguments) -> Output:
    """Have the appliance check the candidate. Raises Failed with every fault."""
    text = candidate_in(session).text
    result = session.ask("check", {"text": text})
    if result.get("faults"):
        raise _faulty(result["faults"], text, result)
    effects = draw_effects(result.get("effects", ()))
    return Output([*effects, *_warnings(result), "The candidate is valid."], result)


def _faulty(faults: Any, text: str, document: Mapping[str, Any]) -> Failed:
    number = len(faults)
    problem = f"The candidate has {number} error{'s' if number > 1 else ''}; nothing was changed:"
    return Failed(problem, "", list(draw_faults(faults, text)), document)


def commit(session: Session, arguments: Arguments) -> Output:
    """Apply the candidate; with `minutes` it reverts after them unless confirmed. Raises Failed."""
    candidate, minutes = candidate_in(session), int(arguments.get("minutes", 0))
    if not candidate.is_changed:
        return said("No changes to commit.", document={"number": candidate.base, "effects": []})
    asked = {
        "text": candidate.text,
        "base": candidate.base,
        "comment": arguments.get("comment", ""),
        **({"confirm_minutes": minutes} if minutes else {}),
    }
    try:
        result = session.ask("commit", asked)
    except Refused as refused:
        raise _explained(refused, candidate.text) from None
    session.candidate = Candidate(result["number"], candidate.text, candidate.draft)
    _take_hostname(session)
    effects = draw_effects(result.get("effects", ()))
    return Output([*effects, *_warnings(result), _in_force(result, minutes)], result)


def _in_force(result: Mapping[str, Any], minutes: int) -> str:
    if not minutes:
        return f"Commit {result['number']} is now active."
    trial = f"Commit {result['number']} is now active; it reverts automatically in {minutes} minute{'s'[: minutes > 1]}"
    until = f" (at {time_text(result['until'])})" if isinstance(result.get("until"), int | float) else ""
    return f"{trial}{until} unless you type `confirm`."


def _explained(refused: Refused, text: str) -> Failed:
    """A refusal with the faults or the conflicting lines below it."""
    document = refused.document
    if document.get("faults"):
        return _faulty(document["faults"], text, document)
    conflicts: Sequence[Mapping[str, Any]] = document.get("conflicts") or ()
    details = list(draw_conflicts(conflicts))
    return Refused(refused.problem, refused.remedy, details, document)


def _warnings(result: Mapping[str, Any]) -> list[str]:
    return [f"Warning: {sentence}" for sentence in result.get("warnings", ())]


def _take_hostname(session: Session) -> None:
    values = candidate_in(session).draft.values_of(TOP)
    session.hostname = str(values.get("hostname", Settings.__dataclass_fields__["hostname"].default))


def rebase(session: Session, arguments: Arguments) -> Output:
    """Put the candidate on top of the newest commit. Raises Failed."""
    candidate = candidate_in(session)
    result = session.ask("rebase", {"text": candidate.text, "base": candidate.base})
    base_text = session.ask("show commit", {"number": result["base"]})["text"]
    rebased = candidate_of(base_text, result["base"])
    session.candidate = rebased.with_draft(read_draft(result["text"]))
    conflicts = list(draw_conflicts(result.get("conflicts") or ()))
    lines = [f"The candidate is now based on commit {result['base']}. Review it with `show diff`."]
    if conflicts:
        lines += ["Conflicts: others changed these lines too. The candidate now has their version:", *conflicts]
    return Output(lines, result)


def rollback(session: Session, arguments: Arguments) -> Output:
    """Make the candidate what an earlier commit was. Raises Failed."""
    earlier = session.ask("show commit", {"number": arguments["number"]})
    session.candidate = candidate_in(session).with_draft(read_draft(earlier["text"]))
    session.leave_section()
    return said(f"The candidate is now commit {arguments['number']}. {REVIEW}")


def ask_about_rollback(session: Session, arguments: Arguments) -> None:
    """Show what a rollback would change, and ask. Raises Failed unless the answer is yes."""
    commits = session.ask("show commits", {"limit": COMMITS_MAX})["commits"]
    number = arguments.get("number") or next((row["number"] for row in commits[1:] if row["state"] == CONFIRMED), 0)
    if not number:
        raise Failed("There is no earlier commit.", "See `show configuration history`.")
    wanted = session.ask("show commit", {"number": number})["text"]
    changed = differences(session.ask("show running-config", {})["text"], wanted)
    question = f"Roll back to commit {number}?"
    lines = changed or [NO_CHANGES]
    try:
        answer = choose(session.asker, "\n".join([*lines, question]), ("yes", "no"))
    except NoOperator:
        remedy = f"In a script, type `rollback {number} confirm`. It makes these changes:"
        raise Failed(f"Rolling back to commit {number} requires confirmation.", remedy, lines) from None
    if answer != "yes":
        raise Failed("Nothing was changed.")


# -- files -------------------------------------------------------------------------------------------


def load(session: Session, arguments: Arguments) -> Output:
    """Replace the candidate by the content of a file. Raises Failed with every line that cannot be understood."""
    path = path_of(arguments["file"])
    session.candidate = candidate_in(session).with_draft(_draft_of(path))
    session.leave_section()
    return said(f"{path} was loaded into the candidate. {REVIEW}")


def load_merge(session: Session, arguments: Arguments) -> Output:
    """Merge the content of a file into the candidate. Raises Failed with every line that cannot be understood."""
    path = path_of(arguments["file"])
    candidate = candidate_in(session)
    session.candidate = candidate.with_draft(candidate.draft.merged(_draft_of(path)))
    session.leave_section()
    return said(f"{path} was merged into the candidate. {REVIEW}")


def _draft_of(path: Path) -> Draft:
    """The draft in a file. Raises Failed with every line that cannot be understood."""
    text = read_text(path)
    try:
        return read_draft(text)
    except ConfigError as error:
        faults = [{"line": f.line, "column": f.column, "problem": f.problem, "remedy": f.remedy} for f in error.faults]
        problem = f"{path} has errors; the candidate was not changed:"
        raise Failed(problem, "", list(draw_faults(faults, text)), {"message": problem, "faults": faults}) from None


def save(session: Session, arguments: Arguments) -> Output:
    """Write the candidate to a file, for its owner alone: there may be hashes of secrets in it. Raises Failed."""
    count = write_lines(arguments["file"], candidate_in(session).text.splitlines())
    return said(f"{count} line{'' if count == 1 else 's'} written to {arguments['file']}.")


# -- leaving -----------------------------------------------------------------------------------------


def abort(session: Session, arguments: Arguments) -> Output:
    """Throw the candidate away."""
    session.leave_candidate()
    return NOTHING


def end(session: Session, arguments: Arguments) -> Output:
    """Go to the first prompt; what was not committed is asked about. Raises Failed in a script."""
    candidate = session.candidate
    if candidate is None or not candidate.is_changed:
        session.leave_candidate()
        return NOTHING
    answer = _ask_what_becomes(session)
    if answer == "cancel":
        return NOTHING
    output = commit(session, {}) if answer == "yes" else NOTHING
    session.leave_candidate()
    return output


def _ask_what_becomes(session: Session) -> str:
    try:
        question = "Uncommitted changes found, commit them before exiting?"
        return choose(session.asker, question, ("yes", "no", "cancel"))
    except Failed:
        remedy = "Type `commit` to apply them or `abort` to discard them."
        raise Failed("There are uncommitted changes.", remedy) from None


def leave(session: Session, arguments: Arguments) -> Output:
    """`exit`: out of the section, out of configuration mode, out of the shell."""
    if session.section is not None:
        session.leave_section()
        return NOTHING
    if session.candidate is not None:
        return end(session, arguments)
    session.is_over = True
    return NOTHING


def leave_shell(session: Session, arguments: Arguments) -> Output:
    """`quit`, `logout`: out of the shell, unless changes that were not committed are to be kept."""
    output = end(session, arguments)
    session.is_over = session.candidate is None
    return output
