"""Pods of a running mesh: finding one, running something in it, asking its Envoy."""

from __future__ import annotations

import http.client
import socket
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from varka.cli.exits import NO_MESH, Failure
from varka.local.pod import enter
from varka.local.supervisor import handle

_PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class LivePod:
    """`init` is process 1 of the pod's mesh, `status` what the mesh says of the pod."""

    init: int
    status: Mapping[str, Any]

    @property
    def name(self) -> str:
        return f"{self.status['name']}.{self.status['namespace']}"

    def log_of(self, container: str) -> Path:
        """The file that a container's output goes to. Raises Failure when the pod has no such
        container."""
        files: Mapping[str, str] = self.status["logs"]
        if container not in files:
            raise Failure(
                f"pod {self.status['name']} has no container {container!r}; it has"
                f" {', '.join(files)}"
            )
        return Path(files[container])


def find_pod(mesh: str | None, pod: str, namespace: str) -> LivePod:
    """`pod`, `pod.namespace` or `deploy/name.namespace`. Raises Failure."""
    try:
        status = handle.ask(handle.choose(mesh), "status")
        return LivePod(status["init"], handle.find_pod(status["pods"], pod, namespace))
    except handle.NoMesh as error:
        raise Failure(str(error), code=NO_MESH, hint="varka up starts one") from None
    except handle.NoPod as error:
        raise Failure(str(error)) from None


def run_in(pod: LivePod, argv: Sequence[str], stdin: str) -> subprocess.CompletedProcess[str]:
    """Raises Failure when the pod is gone."""
    try:
        return enter.capture(pod.init, pod.status, argv, stdin)
    except OSError as error:
        raise Failure(
            f"pod {pod.name} cannot be entered: {error.strerror}",
            hint="varka ps shows which are there",
        ) from None


def envoy_admin(pod: LivePod, path: str, method: str = "GET") -> str:
    """What Envoy's administration interface answers. Raises Failure."""
    if not pod.status["admin"]:
        raise Failure(
            f"pod {pod.name} has no proxy", hint="its namespace or a label keeps injection off"
        )
    connection = _UnixConnection(pod.status["admin"])
    try:
        connection.request(method, f"/{path}")
        return connection.getresponse().read().decode()
    except (OSError, http.client.HTTPException) as error:
        raise Failure(
            f"the Envoy of {pod.name} does not answer: {error}",
            hint=f"varka logs {pod.name} -c istio-proxy",
        ) from None
    finally:
        connection.close()


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("admin", timeout=_PATIENCE)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(_PATIENCE)
        self.sock.connect(self._path)
