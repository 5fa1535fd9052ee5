"""The configurations of an appliance, numbered, as the state folder keeps them: STATE/configuration/.

One file a commit: a line of JSON (who, when, why, state, a checksum of the text), then the text. A file is
written whole under another name, forced to the disk and renamed, and the folder is forced after it: a power
cut leaves the old commits, or the old ones and the new one. Only the supervisor writes, for it holds the lock
of the state folder; who may read the folder may read the commits.

The head is the last commit. One that has to be confirmed is `unconfirmed` until then, with the moment it ends
in it, so that any restart finds it; an unconfirmed commit that is not the head any more was reverted.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

CONFIRMED: Final = "confirmed"
UNCONFIRMED: Final = "unconfirmed"
REVERTED: Final = "reverted"
# The author of commits that no operator has typed.
SYSTEM: Final = "signalbox"
COMMITS_KEPT: Final = 100
# Files of commits that this node made alone, and the cluster does not have.
ASIDE: Final = "set-aside"
# The file that was taken in last, as it was then.
LOADED_FILE: Final = "loaded-file"
# Of the user name and the comment.
TEXT_LEN_MAX: Final = 500
TRIAL_LEN_MIN: Final = 64 * 1024
FINGERPRINT_LEN: Final = 32
_NAME = re.compile(r"commit-([0-9]{6,})")


class CommitFailed(OSError):
    """A commit cannot be kept; the message is a sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Commit:
    """One configuration that was, or is, in force.

    `wall_time`   when it was committed, unix time.
    `confirm_by`  when it ends unless it is confirmed, unix time; 0.0 for never.
    `source`      the checksum of the file that was taken in last, up to and with this commit; "" for none.
    """

    number: int
    user: str
    wall_time: float
    comment: str
    state: str
    confirm_by: float
    source: str
    text: str


def commits_path(state_dir: Path) -> Path:
    """Where the commits of an appliance are."""
    return state_dir / "configuration"


def fingerprint(commit: Commit) -> str:
    """What tells one commit from another of the same number, on all nodes of a cluster."""
    return hashlib.sha256(json.dumps(asdict(commit), sort_keys=True).encode()).hexdigest()[:FINGERPRINT_LEN]


def checksum(text: str) -> str:
    """What tells one text from another."""
    return hashlib.sha256(text.encode()).hexdigest()


class CommitStore:
    """The commits of one folder. `remarks`: a sentence for each file that cannot be used any more."""

    def __init__(self, folder: Path) -> None:
        """Read what is there; a folder that does not exist has no commits."""
        self._folder = folder
        self.remarks: list[str] = []
        self._commits: dict[int, Commit] = {}
        self._fingerprints: dict[int, str] = {}
        # A damaged commit keeps its number: it was in force, and no other one may be taken for it.
        self._last_number = 0
        for number, path in sorted(_files(folder)):
            self._last_number = number
            try:
                self._commits[number] = _read(number, path)
            except (OSError, ValueError, KeyError, TypeError) as fault:
                self.remarks.append(f"The commit {path} cannot be read ({fault}); it is ignored.")

    @property
    def fingerprints(self) -> dict[int, str]:
        """By number, what each commit is."""
        for number, commit in self._commits.items():
            if number not in self._fingerprints:
                self._fingerprints[number] = fingerprint(commit)
        return {number: self._fingerprints[number] for number in sorted(self._commits)}

    @property
    def head(self) -> Commit | None:
        """The commit in force; None before the first."""
        return self._commits[max(self._commits)] if self._commits else None

    def latest(self, limit: int) -> list[Commit]:
        """The commits, newest first."""
        return [self._seen(self._commits[number]) for number in sorted(self._commits, reverse=True)[:limit]]

    def all(self) -> list[Commit]:
        """The commits as they are stored, the oldest first."""
        return [self._commits[number] for number in sorted(self._commits)]

    def find(self, number: int) -> Commit | None:
        """The commit of that number, if it is still kept."""
        found = self._commits.get(number)
        return self._seen(found) if found else None

    def before(self, number: int) -> Commit | None:
        """The last commit before that one that is not itself waiting for a confirmation."""
        earlier = [self.find(other) for other in sorted(self._commits, reverse=True) if other < number]
        return next((commit for commit in earlier if commit and commit.state == CONFIRMED), None)

    def _seen(self, commit: Commit) -> Commit:
        """With the state it has in truth, should a crash have kept it from being written."""
        is_over = commit.state == UNCONFIRMED and commit.number != max(self._commits)
        return replace(commit, state=REVERTED) if is_over else commit

    def add(
        self, text: str, user: str, comment: str, wall_time: float, confirm_by: float = 0.0, source: str = ""
    ) -> Commit:
        """Keep a new head; it is on the disk when this returns. Raises CommitFailed, and nothing has changed then."""
        former = self.head
        commit = Commit(
            number=self._last_number + 1,
            user=user[:TEXT_LEN_MAX],
            wall_time=wall_time,
            comment=comment[:TEXT_LEN_MAX],
            state=UNCONFIRMED if confirm_by else CONFIRMED,
            confirm_by=confirm_by,
            source=source or (former.source if former else ""),
            text=text,
        )
        self._write(commit)
        self._forget_oldest()
        return commit

    def take(self, commit: Commit) -> None:
        """Keep a commit of the cluster under its number; one of this number that this node made alone is set aside.

        Raises CommitFailed, and nothing has changed then.
        """
        self._replace(commit)
        self._forget_oldest()

    def take_head(self, commit: Commit) -> None:
        """Keep the head of the cluster; commits behind it, which this node made alone, are set aside.

        Raises CommitFailed, and nothing has changed then.
        """
        behind = [number for number in self._commits if number > commit.number]
        for number in behind:
            self._set_aside(number)
        self._replace(commit)
        self._drop(behind)
        self._forget_oldest()

    def _replace(self, commit: Commit) -> None:
        former = self._commits.get(commit.number)
        if former is not None and former.text != commit.text:
            self._set_aside(commit.number)
        self._write(commit)

    def set_aside(self, numbers: Iterable[int]) -> None:
        """Commits are no longer among those of this node; their files get other names.

        Raises CommitFailed, and nothing has changed then.
        """
        known = [number for number in numbers if number in self._commits]
        for number in known:
            self._set_aside(number)
        self._drop(known)

    def _set_aside(self, number: int) -> None:
        """Give its file another name as well."""
        path = self._folder / f"{ASIDE}-{number:06d}"
        try:
            path.unlink(missing_ok=True)
            path.hardlink_to(self._folder / f"commit-{number:06d}")
        except OSError as fault:
            raise CommitFailed(f"The configuration cannot be saved in {self._folder}: {fault.strerror}.") from fault
        for surplus in sorted(self._folder.glob(f"{ASIDE}-*"))[:-COMMITS_KEPT]:
            with suppress(OSError):
                surplus.unlink()

    def _drop(self, numbers: Iterable[int]) -> None:
        """The highest first: after a crash in between, the last one that is left is taken for the head."""
        for number in sorted(numbers, reverse=True):
            with suppress(OSError):
                (self._folder / f"commit-{number:06d}").unlink()
            del self._commits[number]
            self._fingerprints.pop(number, None)
        self._last_number = max(self._commits, default=0)

    def confirm(self) -> Commit:
        """The head stays. Raises CommitFailed."""
        assert self.head is not None
        confirmed = replace(self.head, state=CONFIRMED, confirm_by=0.0)
        self._write(confirmed)
        return confirmed

    def _write(self, commit: Commit) -> None:
        unfinished = self._folder / f"new-{commit.number:06d}"
        finished = self._folder / f"commit-{commit.number:06d}"
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(_octets(commit))
                file.flush()
                os.fsync(file.fileno())
            unfinished.rename(finished)
            _force_folder(self._folder)
        except OSError as fault:
            # What has its name already is a commit to the next start, and must not be one that was refused.
            for path in [unfinished] if commit.number in self._commits else [unfinished, finished]:
                with suppress(OSError):
                    path.unlink()
            raise CommitFailed(f"The configuration cannot be saved in {self._folder}: {fault.strerror}.") from fault
        self._commits[commit.number] = commit
        self._fingerprints.pop(commit.number, None)
        self._last_number = max(self._last_number, commit.number)

    def can_keep(self) -> bool:
        """Is there room for another commit as long as the longest that is kept?"""
        trial = self._folder / "trial"
        length = max([TRIAL_LEN_MIN, *(len(_octets(commit)) for commit in self._commits.values())])
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            with open(os.open(trial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(bytes(length))
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            return False
        finally:
            with suppress(OSError):
                trial.unlink(missing_ok=True)
        return True

    def keep_file(self, text: str) -> None:
        """Keep the text of a file that was taken in, so that later changes of the file are known. Raises OSError."""
        unfinished, finished = self._folder / "new-file", self._folder / LOADED_FILE
        with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(finished)

    def file_of(self, source: str) -> str | None:
        """The text of the file that was taken in, by its checksum; None when it is not known any more."""
        texts = [commit.text for commit in self._commits.values() if commit.source == source]
        with suppress(OSError, UnicodeDecodeError):
            texts.append((self._folder / LOADED_FILE).read_text("utf-8"))
        return next((text for text in texts if checksum(text) == source), None)

    def _forget_oldest(self) -> None:
        if surplus := sorted(self._commits)[:-COMMITS_KEPT]:
            last = self._last_number
            self._drop(surplus)
            # A damaged commit behind the others keeps its number.
            self._last_number = last


def _files(folder: Path) -> list[tuple[int, Path]]:
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    matches = [(name, _NAME.fullmatch(name)) for name in names]
    return [(int(match[1]), folder / name) for name, match in matches if match]


def _octets(commit: Commit) -> bytes:
    head: dict[str, Any] = asdict(commit)
    text = head.pop("text")
    line = json.dumps({**head, "checksum": checksum(text)})
    return f"{line}\n{text}".encode()


def _read(number: int, path: Path) -> Commit:
    line, _, octets = path.read_bytes().partition(b"\n")
    head = json.loads(line)
    text = octets.decode()
    if head.pop("checksum") != checksum(text) or head["number"] != number:
        raise ValueError("it is damaged")
    return Commit(**head, text=text)


def _force_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
