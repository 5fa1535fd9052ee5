"""A machine in qemu that boots an image, without the help of a processor (TCG): its serial console and its network."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from pathlib import Path

from tests.live.processes import find_program, free_port

# To give up: without the help of a processor, on a busy machine, a boot takes a quarter of an hour.
BOOT_S = 3600.0
MEMORY_MIB = 1024


class Machine:
    """The disk is an overlay: the image stays as it is. `port`: where SIP by UDP reaches it from here."""

    def __init__(self, image: Path, folder: Path, *more_disks: Path) -> None:
        disk = folder / "disk.qcow2"
        overlay = ["qemu-img", "create", "-q", "-f", "qcow2", "-b", str(image.resolve()), "-F", "raw", str(disk)]
        subprocess.run(overlay, check=True)
        self.port = free_port()
        qemu = find_program("qemu-system-x86_64", "qemu-system-x86")
        argv = [qemu, "-accel", "tcg,thread=multi", "-smp", "2", "-cpu", "max", "-m", str(MEMORY_MIB)]
        argv += ["-display", "none", "-serial", "stdio", "-monitor", "none", "-no-reboot"]
        argv += ["-drive", f"file={disk},format=qcow2,if=virtio"]
        for more in more_disks:
            argv += ["-drive", f"file={more},format=raw,if=virtio,readonly=on"]
        argv += ["-netdev", f"user,id=net,hostfwd=udp:127.0.0.1:{self.port}-:5060", "-device", "virtio-net,netdev=net"]
        self._shown = b""
        self._seen = 0
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        while octets := os.read(self._process.stdout.fileno(), 65536):
            self._shown += octets

    def until(self, pattern: str, timeout_s: float = BOOT_S) -> str:
        """Wait for this on the console, after what was waited for before; returns what was shown until then."""
        ends_at = time.monotonic() + timeout_s
        while True:
            text = self._shown[self._seen :].decode("utf-8", "replace")
            found = re.search(pattern, text)
            if found:
                self._seen += len(text[: found.end()].encode("utf-8", "replace"))
                return text[: found.end()]
            assert time.monotonic() < ends_at, f"the console does not show {pattern!r}:\n{text[-4000:]}"
            assert self._process.poll() is None, f"the machine has ended:\n{text[-4000:]}"
            time.sleep(0.1)

    def type(self, line: str) -> None:
        """A line, and Enter."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\r".encode())
        self._process.stdin.flush()

    def wait(self, timeout_s: float) -> int:
        """Until it has powered off."""
        return self._process.wait(timeout_s)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
