"""What a process may do: an appliance that root has started goes on as another user, with two capabilities.

The supervisor keeps CAP_NET_BIND_SERVICE, for a commit may open a port below 1024, and, until the sockets are open,
CAP_NET_ADMIN, by which a socket gets a larger buffer than the system's limit. The processes that it starts inherit
CAP_SYS_NICE alone, by which a worker comes before others, and lay it down once they have used it. To steer datagrams
(SO_ATTACH_REUSEPORT_CBPF) takes no capability, only sockets of one user: so they are opened by that user, after the
change. A node of a cluster keeps CAP_NET_ADMIN and CAP_NET_RAW for its lease process, which alone inherits them. No
process gains rights again by what it executes (PR_SET_NO_NEW_PRIVS). See capabilities(7).
"""

from __future__ import annotations

import ctypes
import os
import pwd
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

CAP_NET_BIND_SERVICE: Final = 10
CAP_NET_ADMIN: Final = 12
CAP_NET_RAW: Final = 13
CAP_SYS_NICE: Final = 23
KEPT: Final = (CAP_NET_BIND_SERVICE, CAP_SYS_NICE)
INHERITED: Final = (CAP_SYS_NICE,)
# Of the lease process: nftables, addresses of interfaces, gratuitous ARP; and its place before other processes.
LEASE_RIGHTS: Final = (CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_NICE)

_PR_CAPBSET_READ: Final = 23
_PR_CAPBSET_DROP: Final = 24
_PR_SET_KEEPCAPS: Final = 8
_PR_SET_NO_NEW_PRIVS: Final = 38
_PR_CAP_AMBIENT: Final = 47
_PR_CAP_AMBIENT_RAISE: Final = 2
_PR_CAP_AMBIENT_CLEAR_ALL: Final = 4
_VERSION_3: Final = 0x20080522
_CAPABILITIES_MAX: Final = 64


class PrivilegesFault(OSError):
    """The process cannot become that user; the message is a sentence for the operator."""


def become(name: str, state_dir: Path, is_in_cluster: bool = False) -> None:
    """Go on as a user, who gets the state folder. Call it while there is one thread. Raises PrivilegesFault."""
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        remedy = f"create it with `adduser --system --group {name}`"
        raise PrivilegesFault(f"There is no user {name} on this machine; {remedy}.") from None
    if os.geteuid() == user.pw_uid:
        return
    if os.geteuid() != 0:
        raise PrivilegesFault(f"Only root can start an appliance that runs as {name}: use sudo, or leave out --user.")
    try:
        give_folder(state_dir, user.pw_uid, user.pw_gid)
        _change_user(user, is_in_cluster)
    except OSError as fault:
        raise PrivilegesFault(f"The process cannot switch to user {name}: {fault.strerror}.") from fault


@contextmanager
def acting_as_owner(folder: Path) -> Iterator[None]:
    """Let root do what is done within as the owner of a folder, whose files would otherwise become root's.

    Nothing for another user, and where there is no such folder. Raises OSError.
    """
    owner = folder.stat() if os.geteuid() == 0 and folder.is_dir() else None
    if owner is None or owner.st_uid == 0:
        yield
        return
    groups, gid = os.getgroups(), os.getegid()
    os.setgroups([])
    os.setegid(owner.st_gid)
    os.seteuid(owner.st_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(gid)
        os.setgroups(groups)


def sockets_are_open(is_in_cluster: bool = False) -> None:
    """Lay down what only the first sockets needed; nothing when this process has more by being root."""
    if os.geteuid() != 0:
        kept = {*KEPT, *(LEASE_RIGHTS if is_in_cluster else ())}
        _set_capabilities(_permitted(kept), _permitted(INHERITED))


def pass_on(rights: Iterable[int]) -> None:
    """Have what this process executes keep these rights; nothing as root. For a process that is about to execute."""
    if os.geteuid() != 0:
        wanted = _permitted(rights)
        _set_capabilities(wanted, wanted)
        for number in wanted:
            _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, number)


def missing_rights(is_in_cluster: bool = False) -> list[str]:
    """A sentence for each right that a service should have and this process has not."""
    effects = {
        CAP_NET_BIND_SERVICE: "CAP_NET_BIND_SERVICE is missing: no port below 1024 can be opened.",
        CAP_NET_ADMIN: "CAP_NET_ADMIN is missing: receive buffers are no larger than net.core.rmem_max allows.",
        CAP_SYS_NICE: "CAP_SYS_NICE is missing: workers have no priority over other processes.",
    }
    if is_in_cluster:
        effects[CAP_NET_RAW] = "CAP_NET_RAW is missing: this node can own no virtual address."
        effects[CAP_NET_ADMIN] = "CAP_NET_ADMIN is missing: this node can own no virtual address."
    there = _permitted(effects)
    return [sentence for number, sentence in effects.items() if number not in there]


def lay_down_all() -> None:
    """A process that has taken its place in the schedule needs nothing more."""
    if os.geteuid() != 0:
        _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
        _set_capabilities((), ())


def give_folder(folder: Path, uid: int, gid: int) -> None:
    """Make a user the owner of a folder and all that is in it. Links are not followed, and files with a second name
    stay whose they are: who had the folder before may have put them there."""
    for _, folders, files, descriptor in os.fwalk(folder, follow_symlinks=False):
        os.fchown(descriptor, uid, gid)
        for name in (*folders, *files):
            status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            if stat.S_ISREG(status.st_mode) and status.st_nlink == 1:
                os.chown(name, uid, gid, dir_fd=descriptor, follow_symlinks=False)


def _change_user(user: pwd.struct_passwd, is_in_cluster: bool) -> None:
    kept = (*KEPT, CAP_NET_ADMIN, *((CAP_NET_RAW,) if is_in_cluster else ()))
    for number in range(_CAPABILITIES_MAX):
        if number not in kept and _libc().prctl(_PR_CAPBSET_READ, number, 0, 0, 0) == 1:
            _prctl(_PR_CAPBSET_DROP, number)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _prctl(_PR_SET_KEEPCAPS, 1)
    os.initgroups(user.pw_name, user.pw_gid)
    os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
    os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
    _set_capabilities(_permitted(kept), _permitted(INHERITED))
    for number in _permitted(INHERITED):
        _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, number)


def _permitted(wanted: Iterable[int]) -> tuple[int, ...]:
    """Those of the wanted that this process has: a container may not give all of them."""
    status = Path("/proc/self/status").read_text()
    mask = int(next(line for line in status.splitlines() if line.startswith("CapPrm:")).split()[1], 16)
    return tuple(number for number in wanted if mask >> number & 1)


def _set_capabilities(kept: Iterable[int], inheritable: Iterable[int]) -> None:
    mask, inherited = sum(1 << number for number in kept), sum(1 << number for number in inheritable)
    header = (ctypes.c_uint32 * 2)(_VERSION_3, 0)
    words = []
    for shift in (0, 32):
        words += [mask >> shift & 0xFFFFFFFF, mask >> shift & 0xFFFFFFFF, inherited >> shift & 0xFFFFFFFF]
    _checked(_libc().capset(header, (ctypes.c_uint32 * 6)(*words)))


def _prctl(option: int, argument: int, second: int = 0) -> None:
    _checked(_libc().prctl(option, argument, second, 0, 0))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
