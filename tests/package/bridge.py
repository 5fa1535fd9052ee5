"""A network of its own for machines of a test: a bridge, and a namespace with one interface for each machine."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

BRIDGE = "pkg-bridge"
INTERFACE = "host0"


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


@contextmanager
def bridged(own: str, addresses: Iterable[tuple[str, str]]) -> Iterator[None]:
    """`addresses`: of each namespace, its name and its address with prefix length; `own`: that of this process."""
    names = []
    ip("link", "add", BRIDGE, "type", "bridge")
    try:
        ip("address", "add", own, "dev", BRIDGE)
        ip("link", "set", BRIDGE, "up")
        for name, address in addresses:
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)
            ip("netns", "add", name)
            names.append(name)
            ip("link", "add", f"v-{name}", "type", "veth", "peer", "name", INTERFACE, "netns", name)
            ip("link", "set", f"v-{name}", "master", BRIDGE, "up")
            ip("-n", name, "address", "add", address, "dev", INTERFACE)
            for link in ("lo", INTERFACE):
                ip("-n", name, "link", "set", link, "up")
        yield
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "delete", name], check=False)
        ip("link", "delete", BRIDGE)
