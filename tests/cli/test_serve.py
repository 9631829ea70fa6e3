"""`varka serve` as a process: its events, saved files, its end."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: NAME}\nspec: {ports: [{port: 80}]}\n"


def serve(folder: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "varka.cli.main", "serve", str(folder), *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def following(server: subprocess.Popen[str], event: str) -> dict[str, Any]:
    """The next event of a kind."""
    assert server.stdout is not None
    for line in server.stdout:
        found: dict[str, Any] = json.loads(line)
        if found["event"] == event:
            return found
    raise AssertionError(f"it ended without {event}")


def free_address() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


def test_saved_files_are_applied_or_told_and_it_ends_when_asked(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(SERVICE.replace("NAME", "a"))
    address = free_address()
    with serve(tmp_path, "--xds", address, "-o", "json") as server:
        assert following(server, "ready") == {"event": "ready", "xds": address, "pid": server.pid}
        (tmp_path / "b.yaml").write_text("a: [")
        (diagnostic,) = following(server, "rejected")["diagnostics"]
        assert (diagnostic["file"], diagnostic["line"]) == (str(tmp_path / "b.yaml"), 2)
        (tmp_path / "b.yaml").write_text(SERVICE.replace("NAME", "b"))
        assert [o["name"] for o in following(server, "applied")["objects"]] == ["b"]
        server.send_signal(signal.SIGTERM)
        assert server.wait(10) == 0


def test_an_address_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with serve(tmp_path, "--xds", address) as server:
            _, told = server.communicate(timeout=20)
    assert server.returncode == 1
    assert told.startswith(f"varka: can't listen on {address}")
    assert "Traceback" not in told


def test_a_level_that_does_not_exist_is_wrong_usage(tmp_path: Path) -> None:
    with serve(tmp_path, "--log_output_level", "nothing:info") as server:
        _, told = server.communicate(timeout=20)
    assert server.returncode == 64
    assert "there is no scope 'nothing'" in told
