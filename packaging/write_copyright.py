"""Writes debian/copyright (DEP 5): the licence of Signalbox and of each package and library that is packed with it.

    write_copyright.py SITE LIBRARIES

SITE is the folder of the installed packages; their metadata name their licences, and each licence is given in full, or by
its place on Debian.
LIBRARIES is a table of the libraries that wheels bring along. A library or package without a licence is an error.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path

FORMAT = "https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/"
SITE = "usr/lib/signalbox/lib/python3.11/site-packages"
OURS = "signalbox"
# Licences that Debian has (Debian Policy 12.5), by words of their texts; each copy is replaced by its place.
COMMON = "On Debian the full text of this licence is in /usr/share/common-licenses/{}."
COMMON_TEXTS = {
    "Apache-2.0": ("Apache License", "TERMS AND CONDITIONS"),
    "LGPL-3": ("GNU LESSER GENERAL PUBLIC LICENSE", "Version 3, 29 June 2007"),
    "GPL-3": ("GNU GENERAL PUBLIC LICENSE", "Version 3, 29 June 2007", "TERMS AND CONDITIONS"),
}
# Packages whose metadata name no licence; their licence texts do.
UNNAMED = {"pysnmp": "BSD-2-Clause", "pyasn1": "BSD-2-Clause", "pycparser": "BSD-3-Clause", "cffi": "MIT"}
# By the words of the classifiers and of the older field, which are no identifiers.
NAMES = {
    "MIT License": "MIT",
    "BSD License": "BSD-3-Clause",
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache Software License 2.0": "Apache-2.0",
    "License :: OSI Approved :: MIT License": "MIT",
}


def main(site: Path, libraries: Path) -> str:
    """The text of the file."""
    parts = [f"Format: {FORMAT}\nUpstream-Name: Signalbox\n", _our_part()]
    for folder in sorted(site.glob("*.dist-info"), key=lambda path: path.name.lower()):
        metadata = HeaderParser().parsestr((folder / "METADATA").read_text("utf-8"))
        if metadata["Name"] != OURS:
            parts.append(_package_part(folder, metadata))
    parts += _library_parts(site, libraries)
    return "\n".join(parts)


def _our_part() -> str:
    return (
        "Files: *\nCopyright: the authors of Signalbox\nLicense: Signalbox\n"
        " The repository of Signalbox states no licence yet: all rights are reserved by its authors.\n"
    )


def _package_part(folder: Path, metadata: Message) -> str:
    names = _files_of(folder)
    author = " ".join((metadata["Author-email"] or metadata["Author"] or metadata["Author-Email"]).split())
    licence = _licence_of(metadata)
    texts = [path.read_text("utf-8") for path in sorted(folder.rglob("*")) if _is_licence(path)]
    if not texts:
        raise SystemExit(f"{folder.name} brings no licence text.")
    heading = f"{_identifier(licence)}-{metadata['Name'].lower()}"
    files = "\n ".join(f"{SITE}/{name}" for name in names)
    return f"Files: {files}\nCopyright: {author}\nLicense: {heading}\n" + "".join(map(_indented, _text_lines(texts)))


def _files_of(folder: Path) -> list[str]:
    """The names at the top of the site folder that belong to a package, from its record."""
    record = (folder / "RECORD").read_text("utf-8").splitlines()
    tops = {line.split("/")[0].split(",")[0].strip('"') for line in record}
    kept = [top for top in tops if (folder.parent / top).exists() and top not in ("..", "__pycache__")]
    return sorted(f"{top}/*" if (folder.parent / top).is_dir() else top for top in kept)


def _licence_of(metadata: Message) -> str:
    if metadata["Name"] in UNNAMED:
        return UNNAMED[metadata["Name"]]
    found = metadata["License-Expression"] or metadata["License"]
    if not found:
        found = next((each for each in metadata.get_all("Classifier", []) if each.startswith("License ::")), "")
    if not found:
        raise SystemExit(f"{metadata['Name']} names no licence.")
    found = found.split("\n")[0]
    return NAMES.get(found, NAMES.get(found.rpartition(" :: ")[2], found))


def _identifier(licence: str) -> str:
    return licence.replace(" OR ", "-or-").replace(" AND ", "-and-").replace(" ", "-")


def _is_licence(path: Path) -> bool:
    name = path.name.upper()
    return path.is_file() and (name.startswith(("LICEN", "COPYING")) or "licenses" in path.parts[-2:-1])


def _text_lines(texts: list[str]) -> Iterator[str]:
    for number, text in enumerate(texts):
        if number:
            yield ""
        places = [name for name, words in COMMON_TEXTS.items() if all(word in text for word in words)]
        yield from [COMMON.format(name) for name in places] or text.strip().splitlines()


def _indented(line: str) -> str:
    """A line of a field: an empty one is a full stop."""
    return f" {line.rstrip() or '.'}\n"


def _library_parts(site: Path, libraries: Path) -> list[str]:
    """A part for each library of LIBRARIES: lines of `pattern | name and copyright | licence | where its text is`."""
    rows = [line.split("|") for line in libraries.read_text("utf-8").splitlines() if line and line[0] != "#"]
    table = [[cell.strip() for cell in row] for row in rows]
    unnamed = [path for path in _bundled(site) if not any(path.match(row[0]) for row in table)]
    if unnamed:
        names = ", ".join(path.name for path in unnamed)
        raise SystemExit(f"{libraries} names no licence of {names}: add a line for each.")
    return [_library_part(*row) for row in table if any(path.match(row[0]) for path in _bundled(site))]


def _bundled(site: Path) -> list[Path]:
    return sorted(path for folder in site.glob("*.libs") for path in folder.iterdir())


def _library_part(pattern: str, holder: str, licence: str, source: str) -> str:
    return (
        f"Files: {SITE}/*.libs/{pattern}\nCopyright: {holder}\nLicense: {licence}\n"
        f" The text of this licence: {source}\n"
    )


if __name__ == "__main__":
    sys.stdout.write(main(Path(sys.argv[1]), Path(sys.argv[2])))
