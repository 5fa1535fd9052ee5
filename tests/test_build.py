"""Which build is running: every hot module is compiled in the compiled build, and none in the pure one."""

from __future__ import annotations

import configparser
import importlib
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BUILD = os.environ.get("SIGNALBOX_BUILD", "")
HOT = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in ROOT.glob("appliance/**/*.pxd")
    if path.with_suffix(".py").exists()
)


def is_compiled(name: str) -> bool:
    return not str(importlib.import_module(name).__file__).endswith(".py")


def test_there_are_hot_modules() -> None:
    assert "appliance.sip.parser" in HOT


@pytest.mark.skipif(not BUILD, reason="SIGNALBOX_BUILD does not say which build this should be; tox sets it")
@pytest.mark.parametrize("name", HOT)
def test_a_hot_module_is_of_the_build_that_is_tested(name: str) -> None:
    assert is_compiled(name) == (BUILD == "compiled")


def test_the_batches_of_datagrams_are_always_compiled() -> None:
    if not BUILD:
        pytest.skip("SIGNALBOX_BUILD does not say which build this should be; tox sets it")
    assert is_compiled("appliance.workers.datagrams")


def test_what_is_compiled_is_tested_in_both_builds() -> None:
    """The list of `pure` in tox.ini has the tests of each folder with compiled modules."""
    environments = configparser.ConfigParser(interpolation=None)
    environments.read(ROOT / "tox.ini")
    listed = environments["testenv:pure"]["compiled_too"].replace("\\\n", " ").split()
    folders = {Path(*name.split(".")[1:-1]) for name in HOT} - {Path()}
    missing = [folder for folder in folders if not any(test.startswith(f"tests/{folder.parts[0]}") for test in listed)]
    assert missing == []
    assert all((ROOT / test).exists() for test in listed)
