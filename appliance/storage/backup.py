"""What a backup holds, written to an archive and put back: tar, compressed, encrypted (encrypted_file.py).

    manifest.json              the version and the formats of the state (state_format.py), and when it was made
    state/configuration/...    all commits; state/key; state/subscribers.sqlite3, as of one moment
    etc/...                    the configuration folder: the file of the service, and certificates

Registrations, logs and route tables are not in it. A restore unpacks and checks the whole archive beside the state, and
only then changes names: what was there before is kept in a folder of its own.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from appliance import clock
from appliance.storage.encrypted_file import EncryptedReader, EncryptedWriter, NotReadable
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
    for path in sorted(config_dir.rglob("*")):
        name = f"etc/{path.relative_to(config_dir)}"
        if path.is_file() and _NAME.fullmatch(name):
            yield name, path


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

    `as_owner`: within it the state folder is written. Raises NotReadable, NewerFormat, StateInUse, OSError.
    """
    with as_owner(), held(state_dir):
        unpacked = Path(tempfile.mkdtemp(prefix="restore-", dir=state_dir))
        try:
            _unpack(file, passphrase, unpacked)
            _check_manifest(unpacked / MANIFEST)
            kept = _free_folder(state_dir)
            for name in REPLACED:
                _replace(state_dir / name, unpacked / "state" / name, kept / name)
            files = {str(path.relative_to(unpacked / "etc")): path.read_bytes() for path in _files(unpacked / "etc")}
        finally:
            shutil.rmtree(unpacked, ignore_errors=True)
    for relative, octets in files.items():
        _write_configuration(config_dir / relative, octets)
    return kept


def _unpack(file: BinaryIO, passphrase: str, folder: Path) -> None:
    reader = EncryptedReader(file, passphrase)
    try:
        with tarfile.open(fileobj=cast("BinaryIO", reader), mode="r|gz") as archive:
            for entry in archive:
                _unpack_entry(archive, entry, folder)
    except (tarfile.TarError, EOFError) as fault:
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


def _replace(current: Path, restored: Path, kept: Path) -> None:
    if current.exists():
        current.rename(kept)
    if restored.exists():
        restored.rename(current)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _write_configuration(path: Path, octets: bytes) -> None:
    """Write a file of the configuration folder, with the owner and mode of the folder's other files."""
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    if path.exists():
        path.rename(path.with_name(f"{path.name}.before-restore"))
    group = path.parent.stat().st_gid
    unfinished = path.with_name(f"{path.name}.new")
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640), "wb") as made:
        os.fchown(made.fileno(), -1, group)
        made.write(octets)
        made.flush()
        os.fsync(made.fileno())
    unfinished.rename(path)


def _free_folder(state_dir: Path) -> Path:
    number = 1
    while (folder := state_dir / f"before-restore-{number}").exists():
        number += 1
    folder.mkdir(mode=0o700)
    return folder

