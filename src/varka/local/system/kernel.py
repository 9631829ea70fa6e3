"""The few system calls that Python 3.11 has no name for: namespaces, mounts, process control."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
from pathlib import Path

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC, MS_PRIVATE = 2, 4, 8, 4096, 16384, 1 << 18

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NAME = 15
_PR_SET_CHILD_SUBREAPER = 36

_libc = ctypes.CDLL(None, use_errno=True)

_SETTINGS = (
    (
        "/proc/sys/kernel/unprivileged_userns_clone",
        "0",
        "sysctl kernel.unprivileged_userns_clone=1",
    ),
    ("/proc/sys/user/max_user_namespaces", "0", "sysctl user.max_user_namespaces=15000"),
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "sysctl kernel.apparmor_restrict_unprivileged_userns=0",
    ),
)


class NotPermitted(Exception):
    """The machine forbids what a mesh needs; `hint` names the setting to change."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def _check(result: int, what: str) -> None:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def unshare(flags: int) -> None:
    """Leave the namespaces named by `flags`. Raises OSError."""
    _check(_libc.unshare(flags), "unshare")


def setns(fd: int, kind: int = 0) -> None:
    """Enter the namespace that `fd` refers to. Raises OSError."""
    _check(_libc.setns(fd, kind), "setns")


def mount(source: str, target: str, fstype: str, flags: int, data: str = "") -> None:
    """mount(2). Raises OSError."""
    result = _libc.mount(
        source.encode(), target.encode(), fstype.encode(), ctypes.c_ulong(flags), data.encode()
    )
    _check(result, f"mount {target}")


def sethostname(name: str) -> None:
    encoded = name.encode()[:64]
    _check(_libc.sethostname(encoded, len(encoded)), "sethostname")


def die_with_parent(sig: int = signal.SIGKILL) -> None:
    """Have the kernel send `sig` to this process when the thread that started it ends."""
    _check(_libc.prctl(_PR_SET_PDEATHSIG, sig, 0, 0, 0), "prctl")


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent dies."""
    _check(_libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl")


def let_owner_look() -> None:
    """Changing namespaces hides a process from its own user's /proc; show it again, so that `varka
    exec` can enter."""
    _check(_libc.prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0), "prctl")


def set_process_name(name: str) -> None:
    """The name that `ps` and `top` show (15 bytes)."""
    _libc.prctl(_PR_SET_NAME, ctypes.c_char_p(name.encode()[:15]), 0, 0, 0)


def why_forbidden(
    error: OSError, settings: tuple[tuple[str, str, str], ...] = _SETTINGS
) -> NotPermitted:
    """Which setting of the kernel made `unshare` fail, as an error to show."""
    for path, forbidding, remedy in settings:
        try:
            value = Path(path).read_text().strip()
        except OSError:
            continue
        if value == forbidding:
            name = path.removeprefix("/proc/sys/").replace("/", ".")
            return NotPermitted(
                f"this machine forbids user namespaces: {name} = {value}", f"as root: {remedy}"
            )
    if error.errno in (errno.ENOSPC, errno.EUSERS):
        return NotPermitted(
            "no user namespace is left on this machine", "as root: raise user.max_user_namespaces"
        )
    return NotPermitted(
        f"this machine forbids user namespaces ({error.strerror})",
        "see kernel.unprivileged_userns_clone, user.max_user_namespaces,"
        " kernel.apparmor_restrict_unprivileged_userns; in a container its seccomp profile must"
        " allow unshare",
    )
