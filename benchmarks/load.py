"""Many simulated sidecars on `varka serve`: the load generator and its synthetic mesh live in
../shared/load."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TOOLS = Path(__file__).resolve().parents[2] / "shared" / "load"
_EDITS = ("endpoint", "weight", "service")


@dataclass(frozen=True)
class Size:
    services: int
    proxies: int

    @classmethod
    def parse(cls, text: str) -> Size:
        services, _, proxies = text.partition("x")
        return cls(int(services), int(proxies))


def measure(size: Size, port: int = 15911) -> dict[str, Any]:
    """Cold start of all proxies, then one change of each sort. Raises FileNotFoundError without the
    tools."""
    if not TOOLS.is_dir():
        raise FileNotFoundError(f"the load generator is not at {TOOLS}")
    with tempfile.TemporaryDirectory(prefix="varka-load-") as folder:
        mesh = Path(folder) / "mesh"
        _tool("genmesh.py", str(mesh), "--services", str(size.services))
        nodes = (mesh / "nodes.json").rename(Path(folder) / "nodes.json")
        with _server(mesh, port) as server:
            return _summary(size, _sidecars(size, mesh, nodes, port, server.pid))


def _server(mesh: Path, port: int) -> subprocess.Popen[str]:
    """Started and ready. Ends with its `with` block."""
    command = [
        sys.executable,
        "-m",
        "varka.cli.main",
        "serve",
        str(mesh),
        "--xds",
        f"127.0.0.1:{port}",
        "-o",
        "json",
    ]
    server = _Server(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert server.stdout is not None
    server.stdout.readline()
    return server


class _Server(subprocess.Popen[str]):
    def __exit__(self, *_: Any) -> None:
        self.send_signal(signal.SIGTERM)
        assert self.stdout is not None
        self.stdout.close()
        self.wait(10)


def _sidecars(size: Size, mesh: Path, nodes: Path, port: int, pid: int) -> Any:
    out = nodes.with_name("out.json")
    command = [
        "adsload.py",
        f"127.0.0.1:{port}",
        "-n",
        str(size.proxies),
        "--procs",
        "2",
        "--nodes",
        str(nodes),
    ]
    command += ["--server-pid", str(pid), "--out", str(out)]
    for edit in _EDITS:
        command += ["--phase", json.dumps(_phase(mesh, edit))]
    _tool(*command)
    return json.loads(out.read_text())


def _phase(mesh: Path, edit: str) -> dict[str, Any]:
    """The marker of an edit is known only once it is made: make it on a copy."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "mesh"
        subprocess.run(["cp", "-r", str(mesh), str(copy)], check=True)
        output = _tool("genmesh.py", str(copy), "--edit", edit, "--seq", "1")
    phase = next(json.loads(line) for line in output.splitlines() if line.startswith("{"))
    command = f"{sys.executable} {TOOLS / 'genmesh.py'} {mesh} --edit {edit} --seq 1"
    return {"name": edit, "cmd": command, "marker": phase["marker"], "expect": phase["expect"]}


def _tool(script: str, *arguments: str) -> str:
    command = [sys.executable, str(TOOLS / script), *arguments]
    return subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, env=os.environ
    ).stdout


def _summary(size: Size, result: Any) -> dict[str, Any]:
    cold = result["cold"]
    figures: dict[str, Any] = {
        "services": size.services,
        "proxies": size.proxies,
        "cold": {
            "served": cold["served"],
            "all_served_s": cold["all_served_s"],
            "server_cpu_s": cold["server_cpu_s"],
            "peak_mib": cold["rss_peak_mib"],
            "bytes": cold["bytes"]["total"],
            "others_cpu_s": cold["others_cpu_s"],
        },
    }
    for phase in result["phases"]:
        figures[phase["name"]] = {
            "reached": phase.get("reached"),
            "p50_s": phase.get("latency_s", {}).get("p50"),
            "p99_s": phase.get("latency_s", {}).get("p99"),
            "server_cpu_s": phase["server_cpu_s"],
            "peak_mib": phase["rss_peak_mib"],
            "bytes": {type_: count for type_, count in phase["bytes"].items() if count},
        }
    return figures
