"""mibs/SIGNALBOX-MIB.txt is a face of the catalogue; a number stands for one thing for ever."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from appliance.catalogue.alarms import ALARMS
from appliance.catalogue.counters import COUNTERS
from appliance.catalogue.mib_numbers import ALARM_NUMBERS, COUNTER_NUMBERS, GAUGE_NUMBERS
from appliance.manual.mib import write_mib

ROOT = Path(__file__).parents[2]
MIB = ROOT / "mibs/SIGNALBOX-MIB.txt"
# Every number that was ever given: `parent number name`. Lines are added, never changed.
ASSIGNED = Path(__file__).with_name("assigned_mib_numbers.txt")
OBJECT = re.compile(
    r"^(\w+) (?:OBJECT-TYPE|OBJECT-IDENTITY|NOTIFICATION-TYPE)\n(?:    .*\n|        .*\n)*?    ::= \{ (\w+) (\d+) \}",
    re.MULTILINE,
)


def assigned_now() -> dict[tuple[str, str], str]:
    return {(parent, number): name for name, parent, number in OBJECT.findall(write_mib())}


def test_the_mib_is_what_the_catalogue_says() -> None:
    assert MIB.read_text() == write_mib(), "run: python -m appliance.manual.mib > mibs/SIGNALBOX-MIB.txt"


def test_a_number_never_stands_for_something_else() -> None:
    now = assigned_now()
    former = {(parent, number): name for parent, number, name in map(str.split, ASSIGNED.read_text().splitlines())}
    changed = {place: (name, now[place]) for place, name in former.items() if place in now and now[place] != name}
    assert not changed, "a number was given to another object: use the next free one"
    missing = [f"{parent} {number} {name}" for (parent, number), name in now.items() if (parent, number) not in former]
    assert not missing, f"add these lines to {ASSIGNED.name}"


def test_each_name_has_one_number() -> None:
    for numbers in (list(COUNTER_NUMBERS.values()), list(ALARM_NUMBERS.values())):
        assert len(set(numbers)) == len(numbers)
    assert len({number for number, _ in GAUGE_NUMBERS.values()}) == len(GAUGE_NUMBERS)


def test_every_counter_and_alarm_has_a_number() -> None:
    assert {counter.name for counter in COUNTERS} == set(COUNTER_NUMBERS), "see catalogue/mib_numbers.py"
    assert {alarm.name for alarm in ALARMS} == set(ALARM_NUMBERS), "see catalogue/mib_numbers.py"


@pytest.mark.skipif(shutil.which("smilint") is None, reason="smilint (package smitools) is not installed")
def test_smilint_finds_nothing() -> None:
    found = subprocess.run(["smilint", "-l", "4", str(MIB)], capture_output=True, text=True, check=False)
    missing = [line for line in found.stderr.splitlines() if "failed to locate MIB module" in line]
    if missing:
        pytest.skip("the standard modules are not on this machine (set SMIPATH)")
    assert (found.stdout + found.stderr).strip() == ""


@pytest.mark.skipif(shutil.which("snmptranslate") is None, reason="snmptranslate (package snmp) is not installed")
def test_every_object_has_its_name() -> None:
    environment = {**os.environ, "MIBS": "SIGNALBOX-MIB", "MIBDIRS": f"{os.environ.get('SMIPATH', '')}:{MIB.parent}"}
    names = [f"SIGNALBOX-MIB::{name}" for name in assigned_now().values()]
    argv = ["snmptranslate", "-On", *names]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment)
    if "Cannot find module (SNMPv2-SMI)" in done.stderr:
        pytest.skip("the standard modules are not on this machine (set SMIPATH)")
    found = [line for line in done.stdout.splitlines() if line]
    assert len(found) == len(names) and all(line.startswith(".1.3.6.1.4.1.32473.1.") for line in found)
