"""A machine of a test: a fresh Debian 12 that systemd-nspawn boots, with the network of the test process or its own.

The root is made once by mmdebstrap, in /var/cache; each machine is an overlay upon it, and leaves nothing behind. Upon
the root may lie a layer that several machines share, in which the package is installed already.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.package import left_behind
from tests.package.left_behind import alone

# Not in the tree: a build of a wheel there walks through all of it.
BASE = Path("/var/cache/signalbox-tests/bookworm")
PACKAGES = "systemd,systemd-sysv,dbus,udev,iproute2,nftables,procps,adduser,python3,man-db,bash-completion"
PACKAGES += ",openssh-client,openssh-server,sudo"
# From what it was made.
RECIPE = BASE.with_suffix(".packages")
MIRROR = "http://deb.debian.org/debian"
# When to give up: a busy machine needs ten times what an idle one does.
BOOT_S = RUN_S = 600.0
CLONE_NEWNET = 0x40000000
# systemd(1): SIGRTMIN+4 powers off, SIGRTMIN+5 reboots.
POWER_OFF = signal.SIGRTMIN + 4
CAPABILITIES = "CAP_NET_ADMIN,CAP_NET_RAW,CAP_BPF"
# Where systemd has its tree of control groups: version 1, version 1 beside 2, version 2.
CGROUPS = (Path("/sys/fs/cgroup/systemd"), Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup"))
# Enters the control groups that are named before `--`, and becomes the program that is named after it.
ENTER = 'while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs"; shift; done; shift; exec "$@"'


def leave_network() -> None:
    """Give this process, and all that it starts from now on, a network of its own: nothing but a loopback."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def make_base() -> None:
    """Make the root of all machines where there is none of these packages; takes a minute."""
    with alone(BASE.parent):
        if not RECIPE.exists() or RECIPE.read_text() != PACKAGES:
            _make_base()


def _make_base() -> None:
    # One that was interrupted leaves the system's own folders mounted.
    for part in ("sys", "proc", "dev"):
        subprocess.run(["umount", "--recursive", "--lazy", str(BASE / part)], capture_output=True, check=False)
    subprocess.run(["rm", "--recursive", "--force", "--one-file-system", str(BASE)], check=True)
    options = ["--variant=minbase", f"--include={PACKAGES}", "--dpkgopt=force-unsafe-io", "bookworm", str(BASE), MIRROR]
    subprocess.run(["mmdebstrap", "--quiet", *options], check=True)
    RECIPE.write_text(PACKAGES)


def mount_overlay(folder: Path, *layers: Path) -> Path:
    """The base with these layers upon it, the last the uppermost; what is changed goes to `folder`/upper."""
    for part in ("upper", "work", "root"):
        (folder / part).mkdir(parents=True)
    lower = ":".join(map(str, (*reversed(layers), BASE)))
    options = f"lowerdir={lower},upperdir={folder}/upper,workdir={folder}/work"
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, str(folder / "root")], check=True)
    # The machine on which the test runs may forbid that packages start services.
    (folder / "root/usr/sbin/policy-rc.d").unlink(missing_ok=True)
    # Nothing of it outlives the test: dpkg need not wait for the disk after each file.
    (folder / "root/etc/dpkg/dpkg.cfg.d/tests").write_text("force-unsafe-io\n")
    return folder / "root"


def make_layer(folder: Path, change: Callable[[Path], None]) -> Path:
    """A layer that is the base as `change` leaves it, which gets its root; made once for all processes of a run."""
    with alone(folder):
        layer = folder / "layer"
        if not layer.exists():
            made = folder / "made"
            root = mount_overlay(made)
            try:
                change(root)
            finally:
                subprocess.run(["umount", str(root)], check=True)
            (made / "upper").rename(layer)
            shutil.rmtree(made)
    return layer


class Node:
    """One machine. Its name is that of a folder below `folder`.

    `network`: a namespace of ip-netns(8); "" for ours. `layers`: what lies upon the base.
    """

    def __init__(self, folder: Path, name: str, network: str = "", layers: Sequence[Path] = ()) -> None:
        self.name = name
        self._network = network
        self._folder = folder / name
        left_behind.record(0, self._folder)
        self.root = mount_overlay(self._folder, *layers)
        self._nspawn: subprocess.Popen[bytes] | None = None
        # Machines of one control group would see processes of each other, and systemd could end none of its own.
        self._cgroups = [tree / f"{name}-{os.getpid()}" for tree in CGROUPS if (tree / "cgroup.procs").exists()]
        self._init_pid = 0

    def boot(self) -> None:
        """Start it, and wait until its systemd has started all that it wants."""
        for cgroup in self._cgroups:
            cgroup.mkdir(exist_ok=True)
        argv = ["sh", "-c", ENTER, "sh", *map(str, self._cgroups), "--"]
        argv += ["systemd-nspawn", "--quiet", f"--directory={self.root}", "--register=no", "--keep-unit"]
        argv += [f"--capability={CAPABILITIES}", "--console=pipe", f"--machine={self.name}", "--boot"]
        if self._network:
            argv.append(f"--network-namespace-path=/run/netns/{self._network}")
        console = (self._folder / "console").open("wb")
        self._nspawn = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=console, stderr=console)
        console.close()
        wait_until(self._has_init, "systemd runs", BOOT_S)
        # The machine lives and dies with its systemd, and outlives systemd-nspawn when that is killed.
        left_behind.record(self._init_pid, self._folder)
        # Failed units are found by the tests that want to know of them.
        wait_until(lambda: self._system_state() in ("running", "degraded"), "the machine is up", BOOT_S)

    def _has_init(self) -> bool:
        assert self._nspawn is not None
        assert self._nspawn.poll() is None, (self._folder / "console").read_text()
        children = Path(f"/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children").read_text().split()
        self._init_pid = int(children[0]) if children else 0
        # Before it, there is a process of systemd-nspawn's own for a moment.
        return bool(children) and Path(f"/proc/{children[0]}/comm").read_bytes() == b"systemd\n"

    def _system_state(self) -> str:
        return self.run("systemctl", "is-system-running", check=False).stdout.strip()

    def reboot(self) -> None:
        """Stop it in order, and boot it again."""
        self.power_off()
        self.boot()

    def lose_power(self) -> None:
        """End all that runs in it, at once."""
        assert self._nspawn is not None
        os.kill(self._init_pid, signal.SIGKILL)
        self._has_ended()

    def power_off(self) -> None:
        """Stop it in order."""
        assert self._nspawn is not None
        os.kill(self._init_pid, POWER_OFF)
        self._has_ended()

    def _has_ended(self) -> None:
        assert self._nspawn is not None
        self._nspawn.wait(BOOT_S)
        self._nspawn, self._init_pid = None, 0

    def close(self) -> None:
        """Leave nothing behind."""
        if self._nspawn is not None:
            if self._init_pid:
                os.kill(self._init_pid, signal.SIGKILL)
            else:
                self._nspawn.kill()
            self._has_ended()
        subprocess.run(["umount", "--lazy", str(self.root)], check=True)
        shutil.rmtree(self._folder)
        left_behind.forget(self._folder)
        for cgroup in self._cgroups:
            subprocess.run(["find", str(cgroup), "-depth", "-type", "d", "-delete"], check=False, capture_output=True)

    # -- what is done in it ----------------------------------------------------------------------------

    def run(
        self, *argv: str, stdin: str = "", user: str = "", check: bool = True, timeout_s: float = 600.0
    ) -> subprocess.CompletedProcess[str]:
        """Run a program in it."""
        become: Sequence[str] = ("runuser", "--user", user, "--") if user else ()
        enter = ["nsenter", f"--target={self._init_pid}", "--mount", "--uts", "--ipc", "--pid", "--root", "--wd"]
        enter += ["--net"] if self._network else []
        path = "/usr/sbin:/usr/bin:/sbin:/bin"
        environment = {"PATH": path, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
        done = subprocess.run(
            [*enter, *become, *argv],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            env=environment,
            check=False,
        )
        assert not check or done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}{self._journal()}"
        return done

    def _journal(self) -> str:
        """Its end, for a test that fails."""
        done = self.run("journalctl", "--output=cat", "--lines=30", check=False)
        return f"\n{done.stdout}"

    def said(self, *argv: str, stdin: str = "", user: str = "") -> str:
        """What a program in it writes to its standard output; it has to succeed."""
        return self.run(*argv, stdin=stdin, user=user).stdout

    def shell(self, *commands: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Type these in the shell of the appliance, as root; it ends at one that fails."""
        return self.run("signalbox", "cli", *(word for command in commands for word in ("-c", command)), check=check)

    def copy_in(self, file: Path, name: str) -> None:
        """Put a file into it."""
        shutil.copyfile(file, self.root / name.lstrip("/"))

    def write(self, name: str, text: str) -> None:
        """Change the text of a file in it, whose owner and mode stay."""
        (self.root / name.lstrip("/")).write_text(text)

    def read(self, name: str) -> str:
        """The text of a file in it."""
        return (self.root / name.lstrip("/")).read_text()


class Service:
    """signalbox.service of a machine."""

    def __init__(self, node: Node) -> None:
        self.node = node

    def fact(self, name: str) -> str:
        """One that `systemctl show` knows."""
        return self.node.said("systemctl", "show", "--property", name, "--value", "signalbox").strip()

    @property
    def is_active(self) -> bool:
        return self.fact("ActiveState") == "active"

    @property
    def main_pid(self) -> int:
        return int(self.fact("MainPID"))

    def control(self, *words: str) -> None:
        """`systemctl WORDS signalbox`."""
        self.node.run("systemctl", *words, "signalbox")

    def pids(self, module: str) -> list[int]:
        """The processes of a kind: `appliance.workers`, `appliance.management`."""
        return [int(pid) for pid in self.node.run("pgrep", "--full", module, check=False).stdout.split()]

    def cursor(self) -> str:
        """Where the journal ends now."""
        text = self.node.said("journalctl", "--lines=1", "--show-cursor")
        return text.rpartition("-- cursor: ")[2].strip()

    def journal(self, since: str = "", *matches: str) -> str:
        """What the service has written to the journal."""
        after = [f"--after-cursor={since}"] if since else []
        return self.node.said("journalctl", "--unit=signalbox", "--output=cat", *after, *matches)

    @contextmanager
    def drop_in(self, *lines: str) -> Iterator[None]:
        """Other settings of the unit for a while; the service is restarted with them, and without them in the end."""
        folder = self.node.root / "etc/systemd/system/signalbox.service.d"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "test.conf").write_text("[Service]\n" + "\n".join(lines) + "\n")
        try:
            self.node.run("systemctl", "daemon-reload")
            self.node.run("systemctl", "restart", "--no-block", "signalbox")
            yield
        finally:
            (folder / "test.conf").unlink()
            self.node.run("systemctl", "daemon-reload")
            self.control("restart")


def wait_until(is_true: Callable[[], bool], what: str, timeout_s: float = 300.0) -> None:
    """Wait for a condition; it is an error when it does not come true in time."""
    ends_at = time.monotonic() + timeout_s
    while not is_true():
        assert time.monotonic() < ends_at, f"not within {timeout_s} s: {what}"
        time.sleep(0.1)
