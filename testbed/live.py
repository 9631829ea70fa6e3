"""Meshes for tests that look at real traffic: started through the command line, changed through the
API."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

VARKA = (sys.executable, "-m", "varka.cli.main")
Objects = str | Sequence[Mapping[str, Any]]


@dataclass
class LiveMesh:
    """A running mesh. `environment` keeps its folders apart from those of the user's meshes."""

    name: str
    environment: Mapping[str, str]
    status: dict[str, Any] = field(default_factory=dict)
    """What `varka up -d -o json` printed."""

    def varka(
        self, *arguments: str, timeout: float = 30, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a verb on this mesh."""
        command = [*VARKA, arguments[0], "--name", self.name, *arguments[1:]]
        done = subprocess.run(
            command, env=dict(self.environment), text=True, capture_output=True, timeout=timeout
        )
        assert not check or done.returncode == 0, (
            f"{' '.join(arguments)}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
        return done

    def up(self, *arguments: str) -> dict[str, Any]:
        self.status = json.loads(
            self.varka("up", "-d", "-o", "json", *arguments, timeout=90).stdout
        )
        return self.status

    def down(self) -> None:
        self.varka("down", check=False)

    def apply(self, objects: Objects) -> dict[str, Any]:
        """Apply manifests (YAML text or objects) and wait until every proxy has them."""
        answer: dict[str, Any] = self.api(
            "POST",
            "/objects",
            {"texts": [["test.yaml", _text(objects)]], "wait": True, "timeout": 20},
        )
        assert not answer["refused"], answer["refused"]
        return answer

    def delete(self, objects: Objects) -> None:
        keys = [
            {
                "kind": one["kind"],
                "name": one["metadata"]["name"],
                "namespace": one["metadata"].get("namespace", "default"),
            }
            for one in yaml.safe_load_all(_text(objects))
        ]
        self.api("DELETE", "/objects", {"objects": keys})

    def request(self, arguments: Sequence[str]) -> dict[str, Any]:
        """The JSON of `varka request`; requests that got no answer are in it, too."""
        done = self.varka("request", "-o", "json", *arguments, check=False, timeout=60)
        assert done.stdout.startswith("{"), f"{done.stdout}\n{done.stderr}"
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def request_through_gateway(self, arguments: Sequence[str]) -> dict[str, Any]:
        """URLs name the gateway as `http://gateway/...`."""
        published = {one["port"]: one["address"] for one in self.status["published"]}
        host = published[80]
        return self.request(
            [word.replace("http://gateway", f"http://{host}", 1) for word in arguments]
        )

    def exec(self, pod: str, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.varka("exec", pod, "--", *command, check=check)

    def pod(self, prefix: str) -> str:
        """`name.namespace` of the pod whose name begins so."""
        return next(
            f"{p['name']}.{p['namespace']}" for p in self.pods() if p["name"].startswith(prefix)
        )

    def pods(self) -> list[dict[str, Any]]:
        """The pods as the supervisor sees them now."""
        return list(self.now()["pods"])

    def proxies(self) -> list[dict[str, Any]]:
        """The connected proxies; none while the control plane is away."""
        try:
            return list(self.api("GET", "/proxies")["proxies"])
        except OSError:
            return []

    def now(self) -> dict[str, Any]:
        """What the supervisor says: processes, pods, what is published."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.sockets / "supervisor.sock"))
            connection.sendall(b'{"op": "status"}\n')
            answer: dict[str, Any] = json.loads(connection.makefile().readline())
        return answer

    @property
    def sockets(self) -> Path:
        return Path(self.environment["XDG_RUNTIME_DIR"]) / "varka" / self.name

    def api(self, method: str, target: str, body: Any = None) -> Any:
        connection = UnixConnection(self.sockets / "api.sock")
        connection.request(method, target, json.dumps(body) if body is not None else None)
        answer = connection.getresponse()
        text = answer.read()
        assert answer.status < 400, text
        return json.loads(text)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("mesh", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(str(self._path))


def _text(objects: Objects) -> str:
    return (
        objects if isinstance(objects, str) else yaml.safe_dump_all([dict(one) for one in objects])
    )


def folders(root: Path) -> dict[str, str]:
    """An environment in which a mesh keeps its files below `root`."""
    return {
        **os.environ,
        "XDG_STATE_HOME": str(root / "state"),
        "XDG_RUNTIME_DIR": str(root / "run"),
        "NO_COLOR": "1",
    }


def eventually(true: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for a condition; fails when it has not come true in time."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "did not come true in time"
        time.sleep(0.05)
