"""What a mesh is started with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from varka.local.supervisor.paths import MeshPaths


class Manifests(Struct, frozen=True):
    """The manifests of a mesh, and what is added to them."""

    paths: Sequence[str] = ()
    mesh_config: str | None = None
    profile: str = "default"
    inject: bool = True


class MeshOptions(Struct, frozen=True, eq=False):
    """`control_plane` are the arguments of `varka.local.supervisor.control_plane`; `publish` are
    (port of this machine, Service `name.namespace`, its port). `started` is a descriptor that gets
    one line of JSON: `{}` when the mesh stands, else `{"error", "hint", "code"}`."""

    paths: MeshPaths
    control_plane: Sequence[str]
    started: int
    manifests: Manifests = Manifests()
    images: Mapping[str, str] = field(default_factory=dict)
    publish: Sequence[tuple[int, str, int]] = ()
