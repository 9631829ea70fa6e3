"""Whole meshes on this machine: how soon they are ready, what they need, how soon a saved file is
everywhere."""

from __future__ import annotations

import json
import os
import queue
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from testbed.live import LiveMesh, folders

from benchmarks import manifests
from varka.cli.client import Client

_TICKS = os.sysconf("SC_CLK_TCK")
POLICIES: tuple[manifests.Manifest, ...] = (
    {"loadBalancer": {"simple": "ROUND_ROBIN"}},
    {
        "loadBalancer": {"simple": "LEAST_REQUEST"},
        "connectionPool": {"tcp": {"connectTimeout": "3s"}},
    },
    {"outlierDetection": {"consecutive5xxErrors": 7}},
)


def measure() -> dict[str, Any]:
    return {
        "bookshop": bookshop(runs=5),
        "saves": saves(pods=20, count=50),
        "changes_under_load": changes_under_load(requests=20_000, changes=50),
    }


def bookshop(runs: int) -> dict[str, Any]:
    """Six workloads and a gateway: seconds until the last ACK, and what the last of the runs then
    needs."""
    loads, seconds, ready = [], [], []
    for run in range(runs):
        loads.append(os.getloadavg()[0])
        began = time.monotonic()
        with _mesh(manifests.bookshop()) as (mesh, _):
            seconds.append(time.monotonic() - began)
            ready.append(mesh.status["ready_ms"] / 1000)
            if run == runs - 1:
                every = _pids(mesh)
                memory = {role: sum(map(_proportional_mb, pids)) for role, pids in every.items()}
                return {
                    "proxies": len(mesh.proxies()),
                    "up_s": _spread(seconds),
                    "ready_s": _spread(ready),
                    "memory_mb": _with_total(memory, 1),
                    "idle_cpu_percent": _cpu_percent(every, seconds=20),
                    "load_average": _spread(loads),
                }
    raise ValueError("no runs")


def saves(pods: int, count: int) -> dict[str, Any]:
    """A VirtualService is saved again and again: milliseconds from the write to the event of the
    last proxy's ACK."""
    with _mesh([*manifests.pods(pods), manifests.subsets("s0", {"v1": "v1", "v2": "v2"})]) as (
        mesh,
        folder,
    ):
        file = folder / "weights.yaml"
        with _events(mesh) as events:

            def save(i: int) -> dict[str, Any]:
                file.write_text(manifests.text([manifests.weights("s0", {"v1": i, "v2": 100 - i})]))
                return _next(events, lambda event: str(file) in event.get("files", ()))

            save(100)
            load, took, saved = os.getloadavg()[0], [], []
            for i in range(count):
                time.sleep(0.1)
                began = time.monotonic()
                event = save(i)
                took.append((event["seen"] - began) * 1000)
                saved.append(event)
            applied = mesh.apply([manifests.weights("s0", {"v1": 99, "v2": 1})])
        return {
            "proxies": len(mesh.proxies()),
            "saves": count,
            "acked_by": sorted({event["acked"] for event in saved}),
            "ms": _percentiles(took),
            "control_plane_ms": _percentiles([event["took_ms"] for event in saved]),
            "bytes_per_save": sorted({event["bytes_sent"] for event in saved})[-1],
            "bytes_by_type": {type_: sent for type_, sent in applied["bytes_sent"].items() if sent},
            "load_average": round(load, 2),
        }


def changes_under_load(requests: int, changes: int) -> dict[str, Any]:
    """Requests from a pod while VirtualServices and DestinationRules change: every answer must be
    200."""
    with _mesh([*manifests.pods(6), *change(0)]) as (mesh, _):
        load, began, made = os.getloadavg()[0], time.monotonic(), 0
        summaries: list[dict[str, Any]] = []
        while made < changes or sum(one["count"] for one in summaries) < requests:
            more = threading.Thread(target=lambda: summaries.append(send(mesh, requests)))
            more.start()
            while more.is_alive():
                if made < changes:
                    made += 1
                    mesh.apply(change(made))
                time.sleep(0.1)
            more.join()
        sent = sum(one["count"] for one in summaries)
        answered = sum(one["by_status"].get("200", 0) for one in summaries)
        return {
            "changes": made,
            "requests": sent,
            "failures": sent - answered,
            "by_status": [one["by_status"] for one in summaries],
            "errors": [one["errors"] for one in summaries if one["errors"]],
            "requests_per_s": round(sent / (time.monotonic() - began)),
            "load_average": round(load, 2),
        }


def change(number: int) -> list[manifests.Manifest]:
    """The numbered change of the service `s0`: its weights; how its clusters work; or the names of
    all its subsets, at once in the rule that has them and the routes that name them."""
    generation, step = divmod(number, 3)
    names = {f"v1-{generation}": "v1", f"v2-{generation}": "v2"}
    first, second = names
    share = (number * 37) % 101
    routes = manifests.weights("s0", {first: share, second: 100 - share})
    rule = manifests.subsets("s0", names, POLICIES[(generation + (step > 1)) % len(POLICIES)])
    return ([rule, routes], [routes], [rule])[step]


def send(mesh: LiveMesh, requests: int) -> dict[str, Any]:
    """The summary of `varka request` from a pod of `s1` to `s0`."""
    arguments = [
        "--from",
        mesh.pod("s1-v1"),
        "http://s0:9080/",
        "--count",
        str(requests),
        "--concurrency",
        "20",
    ]
    answer = json.loads(
        mesh.varka("request", "-o", "json", *arguments, check=False, timeout=600).stdout
    )
    return dict(answer["summary"])


@contextmanager
def _mesh(objects: Sequence[manifests.Manifest]) -> Iterator[tuple[LiveMesh, Path]]:
    """A running mesh of its own, and the folder it watches."""
    with tempfile.TemporaryDirectory(prefix="vkb") as root:
        watched = Path(root) / "manifests"
        watched.mkdir()
        (watched / "mesh.yaml").write_text(manifests.text(objects))
        mesh = LiveMesh("bench", folders(Path(root)))
        try:
            mesh.up(str(watched))
            yield mesh, watched
        finally:
            mesh.down()


@contextmanager
def _events(mesh: LiveMesh) -> Iterator[queue.Queue[dict[str, Any]]]:
    """The events from now on; `seen` is when each came here, on the monotonic clock."""
    events: queue.Queue[dict[str, Any]] = queue.Queue()

    def follow() -> None:
        for event in Client(mesh.name, mesh.sockets / "api.sock").lines("/events?follow=1"):
            events.put(event | {"seen": time.monotonic()})

    threading.Thread(target=follow, daemon=True).start()
    yield events


def _next(
    events: queue.Queue[dict[str, Any]], wanted: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """The next event about a push that is wanted. Raises queue.Empty when none comes for 20 s."""
    while True:
        event = events.get(timeout=20)
        if event["event"] == "applied" and wanted(event):
            return event


def _pids(mesh: LiveMesh) -> dict[str, list[int]]:
    """Every process of a mesh by role, and below `other` those that the listed ones started."""
    listed = {process["pid"]: str(process["role"]) for process in mesh.now()["processes"]}
    pids: dict[str, list[int]] = {}
    every = (int(entry) for entry in os.listdir("/proc") if entry.isdigit())
    parents = {pid: stat[1] for pid in every if (stat := _stat(pid))}
    for pid in parents:
        role = listed.get(pid) or ("other" if _descends(pid, parents, listed) else None)
        if role:
            pids.setdefault(role, []).append(pid)
    return pids


def _descends(pid: int, parents: dict[int, int], ancestors: dict[int, str]) -> bool:
    while (pid := parents.get(pid, 0)) > 1:
        if pid in ancestors:
            return True
    return False


def _stat(pid: int) -> tuple[int, int] | None:
    """CPU time in ticks and the parent; None when the process is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return int(fields[11]) + int(fields[12]), int(fields[1])


def _proportional_mb(pid: int) -> float:
    """Memory with each shared page divided among those that share it."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return (
        int(next(line.split()[1] for line in rollup.splitlines() if line.startswith("Pss:")))
        * 1024
        / 1e6
    )


def _cpu_percent(every: dict[str, list[int]], seconds: float) -> dict[str, float]:
    """The share of one core that each role takes while nothing happens for some seconds."""

    def used() -> dict[str, int]:
        return {
            role: sum(found[0] for pid in pids if (found := _stat(pid)))
            for role, pids in every.items()
        }

    before = used()
    time.sleep(seconds)
    spent = {
        role: (ticks - before[role]) / _TICKS / seconds * 100 for role, ticks in used().items()
    }
    return _with_total(spent, 2)


def _with_total(by_role: dict[str, float], digits: int) -> dict[str, float]:
    return {
        role: round(value, digits)
        for role, value in (*by_role.items(), ("total", sum(by_role.values())))
    }


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {
        "min": round(min(values), 2),
        "median": round(statistics.median(values), 2),
        "max": round(max(values), 2),
    }


def _percentiles(values: Sequence[float]) -> dict[str, float]:
    ordered = sorted(values)
    nearest = {
        name: ordered[min(len(ordered) - 1, int(len(ordered) * share))]
        for name, share in (("p50", 0.5), ("p99", 0.99))
    }
    return {name: round(value, 1) for name, value in (*nearest.items(), ("max", ordered[-1]))}
