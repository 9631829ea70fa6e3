"""A running mesh, from outside: find it, ask its supervisor, find pods in it. Without an event
loop: verbs start fast."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from varka.local.supervisor.paths import MeshPaths, mesh_paths, runtime_root

SOCKET = "supervisor.sock"
Pod = Mapping[str, Any]


class NoMesh(Exception):
    """There is no such mesh, or nobody answers for it."""


class NoPod(Exception):
    """The mesh has no such pod; the message says which are near."""


def running() -> list[str]:
    """Names of the meshes of this user whose supervisor is there."""
    root = runtime_root()
    folders = root.iterdir() if root.is_dir() else ()
    return sorted(folder.name for folder in folders if supervisor_pid(mesh_paths(folder.name)))


def choose(name: str | None) -> MeshPaths:
    """The mesh of that name, else the only one that runs, else `default`. Raises NoMesh when it
    does not run."""
    alive = running()
    if name is None:
        name = alive[0] if len(alive) == 1 else "default"
    if name not in alive:
        others = f"; running: {', '.join(alive)}" if alive else ""
        raise NoMesh(f"no mesh {name!r} is running{others}")
    return mesh_paths(name)


def _connect(paths: MeshPaths) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(str(paths.sockets / SOCKET))
    except OSError:
        connection.close()
        raise NoMesh(f"no mesh {paths.name!r} is running") from None
    return connection


def supervisor_pid(paths: MeshPaths) -> int:
    """The process behind the mesh's socket, 0 when there is none."""
    try:
        with _connect(paths) as connection:
            credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
            return int.from_bytes(credentials[:4], "little")
    except NoMesh:
        return 0


def ask(paths: MeshPaths, operation: str, **arguments: Any) -> dict[str, Any]:
    """One question to the supervisor. Raises NoMesh."""
    with _connect(paths) as connection, connection.makefile("rwb") as stream:
        stream.write(json.dumps({"op": operation, **arguments}).encode() + b"\n")
        stream.flush()
        line = stream.readline()
    if not line:
        raise NoMesh(f"mesh {paths.name!r} went away")
    answer: dict[str, Any] = json.loads(line)
    return answer


def stop(paths: MeshPaths, patience: float = 15.0) -> bool:
    """End a mesh and wait until it is gone. False when there was none."""
    pid = supervisor_pid(paths)
    if not pid:
        return False
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    import select

    os.kill(pid, signal.SIGTERM)
    ended, _, _ = select.select([process], [], [], patience)
    if not ended:
        os.kill(pid, signal.SIGKILL)
        select.select([process], [], [], patience)
    os.close(process)
    return True


def find_pod(pods: Sequence[Pod], wanted: str, namespace: str = "default") -> Pod:
    """`pod`, `pod.namespace`, `deploy/name.namespace` as istioctl takes them; of a workload the
    first pod that is ready. Raises NoPod."""
    kind, slash, rest = wanted.rpartition("/")
    for name, wanted_namespace in _readings(rest, namespace):
        matching = [
            pod
            for pod in pods
            if pod["namespace"] == wanted_namespace and _is_named(pod, name, kind if slash else "")
        ]
        if matching:
            return sorted(matching, key=lambda pod: (not pod["ready"], pod["name"]))[0]
    names = [f"{pod['name']}.{pod['namespace']}" for pod in pods]
    workloads = {f"deploy/{pod['owner'].partition('/')[2]}.{pod['namespace']}" for pod in pods}
    close = get_close_matches(
        wanted, [*names, *workloads, *(pod["name"] for pod in pods)], n=1, cutoff=0.5
    )
    hint = f"; did you mean {close[0]}?" if close else f"; there are: {', '.join(names) or 'none'}"
    raise NoPod(f"no pod {wanted!r} in namespace {namespace}{hint}")


def _readings(text: str, namespace: str) -> list[tuple[str, str]]:
    """A pod's name may have dots itself: `a.b` is a pod of this namespace, or the pod `a` of
    namespace `b`."""
    name, dot, last = text.rpartition(".")
    return [(text, namespace), *([(name, last)] if dot else [])]


_KINDS = {
    "deploy": "Deployment",
    "sts": "StatefulSet",
    "ds": "DaemonSet",
    "rs": "ReplicaSet",
    "po": "Pod",
}


def _is_named(pod: Pod, name: str, kind: str) -> bool:
    if not kind or kind in ("pod", "pods", "po"):
        return bool(pod["name"] == name)
    wanted = _KINDS.get(kind, kind).lower().removesuffix("s")
    owner_kind, _, owner = pod["owner"].partition("/")
    return bool(owner == name and owner_kind.lower().removesuffix("s") == wanted)
