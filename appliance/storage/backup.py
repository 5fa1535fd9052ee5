"""What a backup holds, written to an archive and put back: tar, compressed, encrypted (encrypted_file.py).

    manifest.json              the version and the formats of the state (state_format.py), and when it was made
    state/configuration/...    all commits; state/key; state/subscribers.sqlite3, as of one moment
    etc/...                    the configuration folder: the file of the service, and certificates

Registrations, logs and route tables are not in it. A restore unpacks and checks the whole archive beside the state, and
only then changes names (restore_steps.py): what was there before is kept in a folder of its own.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from appliance import clock
from appliance.storage.encrypted_file import EncryptedReader, EncryptedWriter, NotReadable
from appliance.storage.restore_steps import has_steps, make_steps, note_steps
from appliance.storage.sealing_key_file import FILE_NAME as SEALING_KEYS
from appliance.storage.sealing_key_file import sealing_keys_path
from appliance.storage.state_format import FORMATS, check_formats
from appliance.storage.state_lock import held
from appliance.storage.subscriber import database_path
from appliance.version import version_text

MANIFEST: Final = "manifest.json"
DATABASE: Final = "subscribers.sqlite3"
# Parts of the state folder that a restore replaces; the database comes with files of its own name.
REPLACED: Final = ("configuration", "key", SEALING_KEYS, DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm")
FILE_LEN_MAX: Final = 16 << 30
PASSPHRASE_LEN_MIN: Final = 8
_NAME: Final = re.compile(
    r"manifest\.json|state/(key|sealing-keys|subscribers\.sqlite3|configuration/(commit-[0-9]{6,}|loaded-file))"
    r"|etc/([A-Za-z0-9_-][A-Za-z0-9._-]*/){0,4}[A-Za-z0-9_-][A-Za-z0-9._-]*"
)


class RestoreIncomplete(Exception):
    """A part is restored, and a part is not yet; the message is a sentence for the operator."""


AsOwner = Callable[[], AbstractContextManager[None]]


def write_backup(file: BinaryIO, passphrase: str, state_dir: Path, config_dir: Path) -> list[str]:
    """Write an archive; returns the names of what is in it. Raises OSError."""
    writer = EncryptedWriter(file, passphrase)
    with tarfile.open(fileobj=cast("BinaryIO", writer), mode="w|gz") as archive:
        names = [_add_octets(archive, MANIFEST, json.dumps(_manifest()).encode())]
        for name, path in _parts(state_dir, config_dir):
            names.append(_add_octets(archive, name, path.read_bytes()))
        if database_path(state_dir).exists():
            with tempfile.TemporaryDirectory() as folder:
                _copy_database(database_path(state_dir), Path(folder) / DATABASE)
                names.append(_add_file(archive, f"state/{DATABASE}", Path(folder) / DATABASE))
    writer.close()
    return names


def _manifest() -> dict[str, Any]:
    return {"version": version_text(), "formats": dict(FORMATS), "made": clock.local_time_text()}


def _parts(state_dir: Path, config_dir: Path) -> Iterator[tuple[str, Path]]:
    for path in (state_dir / "key", sealing_keys_path(state_dir), *sorted((state_dir / "configuration").glob("*"))):
        name = f"state/{path.relative_to(state_dir)}"
        if path.is_file() and _NAME.fullmatch(name):
            yield name, path
    for path in _configuration_files(config_dir):
        name = f"etc/{path.relative_to(config_dir)}"
        if _NAME.fullmatch(name):
            yield name, path


def left_out(config_dir: Path) -> list[str]:
    """The files of the configuration folder that no backup has, for their names. Raises OSError."""
    names = [str(path.relative_to(config_dir)) for path in _configuration_files(config_dir)]
    return [name for name in names if not _NAME.fullmatch(f"etc/{name}")]


def _configuration_files(folder: Path) -> list[Path]:
    """All of them. Raises OSError for a folder that cannot be read: its files would be missing in silence."""
    found: list[Path] = []
    if folder.is_dir():
        for top, _, names in os.walk(folder, onerror=_raise):
            found += [path for name in names if (path := Path(top) / name).is_file()]
    return sorted(found)


def _raise(fault: OSError) -> None:
    raise fault


def _copy_database(path: Path, copy: Path) -> None:
    """As of one moment, also while an appliance writes."""
    try:
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
    except sqlite3.Error as fault:
        raise OSError(f"the subscriber database {path} cannot be read: {fault}") from fault


def _add_octets(archive: tarfile.TarFile, name: str, octets: bytes) -> str:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(octets), 0o600
    archive.addfile(entry, BytesIO(octets))
    return name


def _add_file(archive: tarfile.TarFile, name: str, path: Path) -> str:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = path.stat().st_size, 0o600
    with path.open("rb") as file:
        archive.addfile(entry, file)
    return name


# -- putting back ------------------------------------------------------------------------------------


def restore_backup(file: BinaryIO, passphrase: str, state_dir: Path, config_dir: Path, as_owner: AsOwner) -> Path:
    """Put an archive back; returns the folder that keeps what was there.

    `as_owner`: within it the state folder is written. Raises NotReadable, NewerFormat, StateInUse; RestoreIncomplete
    when names of files have changed already, and OSError when nothing has.
    """
    with ExitStack() as lock:
        with as_owner():
            lock.enter_context(held(state_dir))
            make_steps(state_dir)
            for left in state_dir.glob("restore-*/"):
                shutil.rmtree(left, ignore_errors=True)
            unpacked = Path(tempfile.mkdtemp(prefix="restore-", dir=state_dir))
        prepared: list[Path] = []
        try:
            with as_owner():
                _unpack(file, passphrase, unpacked)
                _check_manifest(unpacked / MANIFEST)
                etc = unpacked / "etc"
                files = {path.relative_to(etc): path.read_bytes() for path in _files(etc)}
            for relative, octets in files.items():
                _prepare(config_dir / relative, octets, prepared)
            with as_owner():
                kept = _free_folder(state_dir)
                note_steps(state_dir, unpacked, kept, REPLACED)
            _put_in_place(state_dir, prepared, as_owner)
        finally:
            _clean(state_dir, unpacked, prepared, as_owner)
    return kept


def _put_in_place(state_dir: Path, prepared: list[Path], as_owner: AsOwner) -> None:
    try:
        with as_owner():
            make_steps(state_dir)
        while prepared:
            _replace(prepared[-1])
            prepared.pop()
    except OSError as fault:
        raise RestoreIncomplete(f"The restore is not complete: {fault.strerror or fault}.") from fault


def _clean(state_dir: Path, unpacked: Path, prepared: list[Path], as_owner: AsOwner) -> None:
    for path in prepared:
        _unfinished(path).unlink(missing_ok=True)
    with as_owner():
        # Steps that are left need it.
        if not has_steps(state_dir):
            shutil.rmtree(unpacked, ignore_errors=True)


def _unpack(file: BinaryIO, passphrase: str, folder: Path) -> None:
    reader = EncryptedReader(file, passphrase)
    try:
        with tarfile.open(fileobj=cast("BinaryIO", reader), mode="r|gz") as archive:
            for entry in archive:
                _unpack_entry(archive, entry, folder)
    except (FileExistsError, NotADirectoryError):
        raise NotReadable("The file is no backup of Signalbox: two of its entries have one name.") from None
    except (tarfile.TarError, EOFError, ValueError) as fault:
        raise NotReadable(f"The file is a damaged backup: {fault}.") from None
    while reader.read(1 << 16):
        # Only with the last chunk it is whole.
        pass


def _unpack_entry(archive: tarfile.TarFile, entry: tarfile.TarInfo, folder: Path) -> None:
    """Only files of the names that a backup has: an archive of another hand gets nowhere else."""
    if not entry.isfile() or not _NAME.fullmatch(entry.name) or entry.size > FILE_LEN_MAX:
        raise NotReadable(f"The file is no backup of Signalbox: it has an entry {entry.name!r}.")
    path = folder / entry.name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    content = archive.extractfile(entry)
    assert content is not None
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as made:
        shutil.copyfileobj(content, made)
        made.flush()
        os.fsync(made.fileno())


def _check_manifest(path: Path) -> None:
    try:
        check_formats(json.loads(path.read_bytes()), "The backup")
    except (OSError, ValueError, AttributeError, TypeError):
        raise NotReadable("The file is no backup of Signalbox: it has no manifest.") from None


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _prepare(path: Path, octets: bytes, prepared: list[Path]) -> None:
    """Write a file of the configuration folder beside its place, with the group of the folder, and note it."""
    if path.is_file() and path.read_bytes() == octets:
        return
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, f"{path} is a folder here, and a file in the backup")
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    prepared.append(path)
    _unfinished(path).unlink(missing_ok=True)
    with open(os.open(_unfinished(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640), "wb") as made:
        os.fchown(made.fileno(), -1, path.parent.stat().st_gid)
        made.write(octets)
        made.flush()
        os.fsync(made.fileno())


def _unfinished(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")


def _replace(path: Path) -> None:
    """Let the prepared file take its place; there is a file of this name at any moment, and the former one is kept."""
    if path.exists():
        number = 1
        while (kept := path.with_name(f"{path.name}.before-restore{f'-{number}' if number > 1 else ''}")).exists():
            number += 1
        kept.hardlink_to(path)
    _unfinished(path).rename(path)


def _free_folder(state_dir: Path) -> Path:
    number = 1
    while (folder := state_dir / f"before-restore-{number}").exists():
        number += 1
    folder.mkdir(mode=0o700)
    return folder

