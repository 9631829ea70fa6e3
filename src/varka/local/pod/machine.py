"""What the pods of one machine share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from varka.local.processes.background import Background
from varka.local.processes.process import Reaper


class Machine(Struct, frozen=True, eq=False):
    """`home` is the node's network namespace, `ads` the path of the control plane's socket.
    `changed` is called when a pod's status did; `restarted` (role, pod, pid, end of its log) when a
    process was started again."""

    reaper: Reaper
    background: Background
    home: int
    runtime: Path
    logs: Path
    ads: str
    changed: Callable[[], None]
    restarted: Callable[[str, str, int, list[str]], None]
    building: asyncio.Semaphore
    """How many pods may be built at a time."""
