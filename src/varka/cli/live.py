"""Pods of a running mesh: finding one, running something in it, asking its Envoy."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from varka.cli.exits import NO_MESH, Failure
from varka.local.pod import enter
from varka.local.processes.unix_http import HttpError, UnixHttp
from varka.local.supervisor import handle
from varka.local.supervisor.paths import MeshPaths

_PATIENCE = 30.0


class LivePod(Struct, frozen=True):
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


def chosen_mesh(name: str | None) -> MeshPaths:
    """The mesh of that name, else the only one that runs, else `default`. Raises Failure when it
    does not run."""
    try:
        return handle.choose(name)
    except handle.NoMesh as error:
        raise Failure(str(error), code=NO_MESH, hint="varka up starts one") from None


def find_pod(mesh: str | None, pod: str, namespace: str) -> LivePod:
    """`pod`, `pod.namespace` or `deploy/name.namespace`. Raises Failure."""
    try:
        status = handle.ask(chosen_mesh(mesh), "status")
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
    try:
        return asyncio.run(_fetch(Path(pod.status["admin"]), method, path)).decode()
    except HttpError as error:
        return error.body.decode()
    except (OSError, EOFError) as error:
        raise Failure(
            f"the Envoy of {pod.name} does not answer: {error}",
            hint=f"varka logs {pod.name} -c istio-proxy",
        ) from None


async def _fetch(socket: Path, method: str, path: str) -> bytes:
    async with asyncio.timeout(_PATIENCE):
        return await UnixHttp(socket).fetch(method, f"/{path}")
