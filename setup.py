"""Builds the compiled modules: every `.py` that has a `.pxd` beside it, and every `.pyx`.

SIGNALBOX_PURE=1 compiles only the `.pyx`; everything else is then the Python it was written in. The two builds have
a folder each below build/: what one leaves behind must not get into the wheel of the other. They are kept, so that only
what changed is compiled again; a module that is gone from the tree is removed from them first. Another compiler, or
another version of this file, begins anew.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from Cython import __version__ as cython_version
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
IS_PURE = os.environ.get("SIGNALBOX_PURE") == "1"
BUILD = Path("build") / ("pure" if IS_PURE else "compiled")
JOBS = min(4, os.cpu_count() or 1)
# A traceback is rare. The compiler, told so, lays the code that leads to one apart from the code that is run.
RARE_H = BUILD / "rare.h"
RARE = (
    "__attribute__((cold, unused))\n"
    "static void __Pyx_AddTraceback(const char *name, int c_line, int py_line, const char *file);\n"
)
DIRECTIVES = {
    "annotation_typing": False,
    # Compiled code is not pickled, and its functions are not asked for their signatures; the code for that would be two
    # fifths of the compiler's work.
    "auto_pickle": False,
    "binding": False,
}


def extensions() -> list[Extension]:
    """One extension module for each file that Cython compiles."""
    paths = sorted(ROOT.glob("appliance/**/*.pyx"))
    if not IS_PURE:
        paths += [path for path in sorted(ROOT.glob("appliance/**/*.py")) if path.with_suffix(".pxd").exists()]
    return [_extension(path.relative_to(ROOT)) for path in paths]


def _extension(path: Path) -> Extension:
    flags = ["-O2", "-g0", "-fno-plt", "-include", str(RARE_H)]
    return Extension(".".join(path.with_suffix("").parts), [str(path)], extra_compile_args=flags)


class BuildFromPython(build_ext):
    """Has Cython write the C files when they are to be compiled, and not whenever something is asked of this file."""

    def run(self) -> None:
        """Write the C files, and compile them."""
        written = cythonize(
            extensions(),
            language_level=3,
            nthreads=JOBS,
            build_dir=str(BUILD / "c"),
            compiler_directives=DIRECTIVES,
        )
        sources = {extension.name: extension.sources for extension in written}
        for extension in self.extensions:
            extension.sources = sources[extension.name]
        super().run()


def start_build() -> None:
    """Make the folder of the build; empty it first when it was made by another compiler or another setup.py."""
    maker = f"{cython_version} {sys.version} {sha256(Path(__file__).read_bytes()).hexdigest()}"
    stamp = BUILD / "maker"
    if not stamp.exists() or stamp.read_text() != maker:
        shutil.rmtree(BUILD, ignore_errors=True)
        BUILD.mkdir(parents=True)
        stamp.write_text(maker)
    remove_gone()
    RARE_H.write_text(RARE)


def remove_gone() -> None:
    """Remove from the build what was made from sources that are no longer in the tree."""
    for path in BUILD.glob("**/*"):
        parts = path.relative_to(BUILD).parts
        places = [index for index, part in enumerate(parts) if part in ("appliance", "cli")]
        if path.is_file() and places:
            source = Path(*parts[places[0] :])
            stem = source.with_name(source.name.partition(".")[0])
            if not any(stem.with_suffix(suffix).exists() for suffix in (".py", ".pyx")):
                path.unlink()


class BuildWithoutC(build_py):
    """Leaves Cython's sources out of the wheel: what is installed is Python and compiled modules."""

    def find_data_files(self, package: str, src_dir: str) -> list[str]:
        """The data files of a package but for C and Cython sources."""
        files: list[str] = super().find_data_files(package, src_dir)
        return [name for name in files if Path(name).suffix not in (".c", ".pxd", ".pyx")]


def version() -> str:
    """The version of the tree, from git; SIGNALBOX_VERSION, where it is set."""
    given = os.environ.get("SIGNALBOX_VERSION")
    if given:
        return given
    return subprocess.run(["sh", "packaging/version.sh"], check=True, capture_output=True, text=True).stdout.strip()


def main() -> None:
    """Hand the modules to setuptools; C files go to build/, never into the tree."""
    os.chdir(ROOT)
    start_build()
    setup(
        version=version(),
        ext_modules=extensions(),
        cmdclass={"build_ext": BuildFromPython, "build_py": BuildWithoutC},
        options={
            "build": {"build_base": str(BUILD)},
            "build_ext": {"parallel": JOBS},
            "egg_info": {"egg_base": str(BUILD)},
        },
    )


main()
