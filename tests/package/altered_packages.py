"""Packages of versions that do not exist: the tested one, unpacked, changed and packed again."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

SITE = "usr/lib/signalbox/lib/python3.11/site-packages"
BROKEN = """

def broken(*_: object, **named: object) -> None:
    raise RuntimeError("this version is broken")


Supervisor.__init__ = broken
"""
FACTS = "usr/share/signalbox/facts.json"


class Altered:
    """The files of a package in `folder`, until it is packed again."""

    def __init__(self, package: Path, folder: Path) -> None:
        self._folder = folder
        self.tree = folder / "tree"
        subprocess.run(["dpkg-deb", "--raw-extract", str(package), str(self.tree)], check=True)

    def raise_version(self, suffix: str) -> None:
        """A later version, by `+SUFFIX`: what an upgrade is to dpkg, systemd and the state folder."""
        control = self.tree / "DEBIAN/control"
        version = next(line.split()[1] for line in control.read_text().splitlines() if line.startswith("Version:"))
        control.write_text(control.read_text().replace(f"Version: {version}", f"Version: {version}+{suffix}"))
        for metadata in (self.tree / SITE).glob("signalbox-*.dist-info/METADATA"):
            metadata.write_text(metadata.read_text().replace(f"Version: {version}\n", f"Version: {version}.{suffix}\n"))

    def break_start(self) -> None:
        """Its supervisor cannot be made: by then the state folder is of this version."""
        with (self.tree / SITE / "appliance/supervisor/supervisor.py").open("a") as file:
            file.write(BROKEN)

    def raise_format(self, part: str) -> None:
        """It stores a part in the next format, which the tested version cannot read."""
        facts = json.loads((self.tree / FACTS).read_text())
        number = facts["formats"][part]
        facts["formats"][part] = number + 1
        (self.tree / FACTS).write_text(json.dumps(facts))
        source = self.tree / SITE / "appliance/storage/state_format.py"
        former = f'"{part}": {number}'
        assert former in source.read_text()
        source.write_text(source.read_text().replace(former, f'"{part}": {number + 1}'))

    def pack(self, name: str) -> Path:
        """The package."""
        made = self._folder / name
        options = ["--root-owner-group", "-Znone"]
        subprocess.run(["dpkg-deb", *options, "--build", str(self.tree), str(made)], check=True)
        shutil.rmtree(self.tree)
        return made
