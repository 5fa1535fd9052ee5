"""A package installed with a way back: when the new version does not run, the former one and its state come back.

The package that is installed is kept in a file, for apt has no other way to install it again. Where the new version
stores in other formats, the state is copied before, by a service that is stopped; otherwise the service is restarted
once, and what it has stored meanwhile stays.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path("/var/lib/signalbox-upgrade")
STATE = Path("/var/lib/signalbox")
FACTS = "usr/share/signalbox/facts.json"
UNIT = "signalbox"
# A virtual machine on a busy host starts slowly.
START_MAX_S = 600.0
# A version that ends soon after its start does not run.
STEADY_S = 10.0
RESTARTS_MAX = 3
LOOK_INTERVAL_S = 0.5

Say = Callable[[str], None]


@dataclass(frozen=True)
class ServiceState:
    """signalbox.service at a moment (systemctl(1), show): `active` is ActiveState, `status` is StatusText."""

    active: str
    main_pid: int = 0
    restarts: int = 0
    status: str = ""


def install(package: Path, say: Say, folder: Path = FOLDER) -> int:
    """Show what it changes, and install it; the exit status."""
    refused = _run("signalbox", "check-upgrade", str(package)) or _apt(package, "--simulate")
    if refused:
        return refused
    former = kept_package(folder)
    if former is None:
        say("The package that is installed now is not kept on this machine: there is no way back by itself.")
    is_copied = former is not None and stores_otherwise(facts_here(), facts_of(package))
    if is_copied and not _is_copied(folder / "state", say):
        return 1
    reason = "apt has not installed it" if _apt(package) != 0 else why_it_does_not_run(service_state, time.sleep)
    if not reason:
        try:
            keep(package, folder)
        except OSError as fault:
            say(f"The package cannot be kept: {fault.strerror}. The next upgrade has no way back by itself.")
        return 0
    say(f"% The new version does not run: {reason}.")
    if former is None:
        say("% It stays installed. See `systemctl status signalbox`, and install a package that runs.")
        return 1
    _go_back(former, folder / "state" if is_copied else None, say)
    return 1


def _is_copied(copy: Path, say: Say) -> bool:
    """Copy the state of a service that is stopped; one whose state cannot be copied is started again as it was."""
    _run("systemctl", "stop", UNIT)
    try:
        copy_state(STATE, copy)
    except (OSError, subprocess.CalledProcessError) as fault:
        _run("systemctl", "start", UNIT)
        say(f"% The state cannot be copied, so nothing was installed: {fault}. Make room in {copy.parent}.")
        return False
    return True


def _go_back(former: Path, state: Path | None, say: Say) -> None:
    _run("systemctl", "stop", UNIT)
    if state is not None:
        try:
            copy_state(state, STATE)
        except (OSError, subprocess.CalledProcessError) as fault:
            say(f"% The state of before is in {state} and cannot be put back: {fault}.")
    _run("systemctl", "reset-failed", UNIT)
    status = _apt(former)
    # Where apt had left the former one in place, it starts nothing.
    _run("systemctl", "start", UNIT)
    if status == 0 and not why_it_does_not_run(service_state, time.sleep):
        say(f"% Signalbox {version_of(former)} is installed again, and runs.")
    else:
        say(f"% Signalbox {version_of(former)} does not run either. See `systemctl status signalbox`.")


# -- the package that is installed -----------------------------------------------------------------------


def keep(package: Path, folder: Path = FOLDER) -> None:
    """Keep the package that is installed now."""
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    unfinished = folder / "installed.new"
    try:
        shutil.copyfile(package, unfinished)
        unfinished.rename(folder / "installed.deb")
    finally:
        unfinished.unlink(missing_ok=True)
    shutil.rmtree(folder / "state", ignore_errors=True)


def kept_package(folder: Path = FOLDER) -> Path | None:
    """The package of the version that is installed; None where it is not kept, as when another one was installed."""
    kept = folder / "installed.deb"
    here = _said("dpkg-query", "--show", "--showformat=${Version}", "signalbox")
    return kept if kept.exists() and here and version_of(kept) == here else None


def version_of(package: Path) -> str:
    """"" for a file that is no package."""
    return _said("dpkg-deb", "--field", str(package), "Version")


# -- what is stored --------------------------------------------------------------------------------------


def facts_here() -> str:
    """What the installed version says of itself (signalbox-check-upgrade(1))."""
    path = Path("/") / FACTS
    return path.read_text() if path.exists() else ""


def facts_of(package: Path) -> str:
    """The same of a package."""
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(package)], stdout=subprocess.PIPE) as unpacking:
        argv = ["tar", "--extract", "--to-stdout", f"./{FACTS}"]
        done = subprocess.run(argv, stdin=unpacking.stdout, capture_output=True, text=True, check=False)
    return done.stdout


def stores_otherwise(here: str, offered: str) -> bool:
    """Would the offered version store in other formats? What cannot be known counts as yes."""
    try:
        return bool(json.loads(here)["formats"] != json.loads(offered)["formats"])
    except (ValueError, KeyError, TypeError):
        return True


def copy_state(source: Path, target: Path) -> None:
    """With owners and modes. A copy that was interrupted is not used: it has another name.

    Raises OSError, CalledProcessError; the target is as it was then.
    """
    unfinished, former = (target.with_name(f"{target.name}.{suffix}") for suffix in ("new", "former"))
    for left in (unfinished, former):
        shutil.rmtree(left, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(["cp", "--archive", str(source), str(unfinished)], check=True)
    except subprocess.CalledProcessError:
        # It takes the room that the service needs.
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    if target.exists():
        target.rename(former)
    unfinished.rename(target)
    shutil.rmtree(former, ignore_errors=True)


# -- does it run? ----------------------------------------------------------------------------------------


def why_it_does_not_run(look: Callable[[], ServiceState], sleep: Callable[[float], None]) -> str:
    """"" when the same process has served for a while; otherwise a reason, without a full stop."""
    steady_s, before = 0.0, look()
    for _ in range(int(START_MAX_S / LOOK_INTERVAL_S)):
        sleep(LOOK_INTERVAL_S)
        now = look()
        if now.active == "failed" or now.restarts >= RESTARTS_MAX:
            return now.status.rstrip(".") or "it ends again and again"
        is_steady = now.active == "active" and now.main_pid == before.main_pid
        steady_s, before = steady_s + LOOK_INTERVAL_S if is_steady else 0.0, now
        if steady_s >= STEADY_S:
            return ""
    return before.status.rstrip(".") or f"it did not start within {START_MAX_S:g} s"


def service_state() -> ServiceState:
    """As systemd has it now."""
    names = ("ActiveState", "MainPID", "NRestarts", "StatusText")
    lines = _said("systemctl", "show", *(f"--property={name}" for name in names), UNIT).splitlines()
    found = dict(line.partition("=")[::2] for line in lines)
    pid, restarts = (int(found.get(name) or 0) for name in ("MainPID", "NRestarts"))
    return ServiceState(found.get("ActiveState", ""), pid, restarts, found.get("StatusText", ""))


def _apt(package: Path, *options: str) -> int:
    always = ("--yes", "--quiet", "--allow-downgrades", "--reinstall", "--no-install-recommends")
    return _run("apt-get", "install", *always, *options, str(package))


def _run(*argv: str) -> int:
    return subprocess.run(argv, stdin=subprocess.DEVNULL, check=False).returncode


def _said(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()
