"""Processes inside a sandbox under the numbers that the machine knows them by."""

from __future__ import annotations

from pathlib import Path


def children(parent: int) -> dict[int, int]:
    """The children of a process that is number 1 of its own pid namespace: number inside to number
    outside."""
    outside: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = dict(
                line.split(":\t", 1)
                for line in (entry / "status").read_text().splitlines()
                if ":\t" in line
            )
        except OSError:
            continue
        if fields.get("PPid") == str(parent):
            numbers = fields.get("NSpid", "").split()
            outside[int(numbers[-1])] = int(entry.name)
    return outside
