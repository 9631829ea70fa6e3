"""Where a mesh on this machine keeps its files: the one place that knows."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct


class MeshPaths(Struct, frozen=True):
    """The two folders of one mesh: `state` outlives a restart of its processes, `sockets` dies with
    the mesh. Both are made with mode 0700 by whoever starts the mesh."""

    name: str
    state: Path
    sockets: Path

    @property
    def api(self) -> Path:
        """The control plane's HTTP API, see `varka.controlplane.api`."""
        return self.sockets / "api.sock"

    @property
    def ads(self) -> Path:
        """Discovery for the mesh's own Envoys."""
        return self.sockets / "ads.sock"


def mesh_paths(name: str, environment: Mapping[str, str] = os.environ) -> MeshPaths:
    """`$XDG_STATE_HOME/varka/NAME` and `$XDG_RUNTIME_DIR/varka/NAME`, or their usual stand-ins."""
    home = environment.get("XDG_STATE_HOME")
    state = Path(home) if home else Path.home() / ".local" / "state"
    return MeshPaths(name, state / "varka" / name, runtime_root(environment) / name)


def runtime_root(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder with one folder for each running mesh of this user."""
    runtime = environment.get("XDG_RUNTIME_DIR")
    return (
        Path(runtime) / "varka" if runtime else Path(tempfile.gettempdir()) / f"varka-{os.getuid()}"
    )


def running_meshes(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Names of the meshes that have an API socket; whether anybody answers there is another
    question."""
    root = runtime_root(environment)
    return sorted(socket.parent.name for socket in root.glob("*/api.sock")) if root.is_dir() else []
