"""Builds the compiled modules: every `.py` that has a `.pxd` beside it, and every `.pyx`.

SIGNALBOX_PURE=1 compiles only the `.pyx`; everything else is then the Python it was written in.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from Cython.Build import cythonize
from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
IS_PURE = os.environ.get("SIGNALBOX_PURE") == "1"
JOBS = min(4, os.cpu_count() or 1)


def sources() -> list[str]:
    """Paths, relative to here, of what Cython compiles."""
    found = sorted(ROOT.glob("appliance/**/*.pyx"))
    if not IS_PURE:
        found += [path.with_suffix(".py") for path in sorted(ROOT.glob("appliance/**/*.pxd"))]
    return [str(path.relative_to(ROOT)) for path in found]


class BuildWithoutC(build_py):
    """Leaves Cython's sources out of the wheel: what is installed is Python and compiled modules."""

    def find_data_files(self, package: str, src_dir: str) -> list[str]:
        """The data files of a package but for C and Cython sources."""
        files: list[str] = super().find_data_files(package, src_dir)
        return [name for name in files if Path(name).suffix not in (".c", ".pxd", ".pyx")]


def main() -> None:
    """Hand the modules to setuptools; C files go to build/, never into the tree."""
    work = ROOT / "build" / ("cython-pure" if IS_PURE else "cython")
    shutil.rmtree(work, ignore_errors=True)
    extensions = cythonize(
        sources(),
        language_level=3,
        nthreads=JOBS,
        build_dir=str(work.relative_to(ROOT)),
        compiler_directives={"annotation_typing": False},
    )
    setup(
        ext_modules=extensions,
        cmdclass={"build_py": BuildWithoutC},
        options={"build_ext": {"parallel": JOBS}},
    )


main()
