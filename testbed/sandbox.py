"""A control plane of this process and one real Envoy in a network namespace of its own, both
reached through sockets."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from testbed.live import UnixConnection
from varka.base.settings import Settings
from varka.controlplane.control_plane import APPLY, ControlPlane
from varka.controlplane.happening import Taken
from varka.controlplane.options import Options
from varka.controlplane.pushes import Outcome
from varka.envoy.dump import to_json
from varka.envoy.resource import TypeUrl, View
from varka.local.pod.bootstrap import bootstrap
from varka.local.pod.envoy_process import arguments
from varka.local.pod.identity import ProxyIdentity
from varka.resources.check import check_object
from varka.resources.meshconfig import default_mesh_config
from varka.resources.place import Place
from varka.store.source import SourceChange

Plain = dict[str, Any]
CLIENT = ProxyIdentity("sidecar", "client", "default", "10.9.255.1")
PLACE = Place("test")
"""The place of every object here: to read so many from files would take long."""
PODS = "10.9.0.0/16"
INSIDE = """
import os, sys
from varka.local.system.links import Links
with Links() as links:
    links.up("lo")
    links.add_address("lo", sys.argv[1], int(sys.argv[2]))
os.execv(sys.argv[3], sys.argv[3:])
"""
"""Every address of these is Envoy's own network namespace: at port 15021 its agent listener answers
for any pod."""
AGENT = 15021, "/healthz/ready"
_HCM = (
    "type.googleapis.com/envoy.extensions.filters.network"
    ".http_connection_manager.v3.HttpConnectionManager"
)
_ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"


def door(route: str, socket: Path) -> Plain:
    """An EnvoyFilter that lets requests reach a route configuration through a socket; a port's own
    listener waits for captured connections."""
    manager = {
        "@type": _HCM,
        "stat_prefix": "door",
        "rds": {
            "config_source": {"ads": {}, "resource_api_version": "V3"},
            "route_config_name": route,
        },
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": _ROUTER}}],
    }
    filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    listener = {
        "name": "door",
        "address": {"pipe": {"path": str(socket)}},
        "filter_chains": [{"filters": filters}],
    }
    patch = {
        "applyTo": "LISTENER",
        "match": {"context": "SIDECAR_OUTBOUND"},
        "patch": {"operation": "ADD", "value": listener},
    }
    return {
        "apiVersion": "networking.istio.io/v1alpha3",
        "kind": "EnvoyFilter",
        "metadata": {"name": "door"},
        "spec": {"configPatches": [patch]},
    }


@dataclass
class Sandbox:
    """What a test drives. `plane` is another one after `restart`."""

    folder: Path
    plane: ControlPlane
    log: Path
    pid: int = 0
    """Envoy's; the program that makes its network namespace becomes it."""
    running: asyncio.Task[None] | None = None
    asked: set[TypeUrl] = field(default_factory=lambda: {TypeUrl.LISTENER, TypeUrl.ROUTE})
    """What Envoy must have asked for to be in sync: after a restart of the control plane all that
    it asked for before."""

    async def start(self) -> None:
        await self.plane.read()
        await self.plane.listen()
        self.running = asyncio.create_task(self.plane.run())

    async def stop(self) -> None:
        """What a dying control plane does to its proxies: their streams end, nobody listens any
        more."""
        assert self.running is not None
        self.running.cancel()
        await self.plane.stop()
        await asyncio.gather(self.running, return_exceptions=True)

    async def restart(self, objects: Iterable[Plain]) -> None:
        """A new control plane that knows nothing of the old one."""
        self.asked = {
            type_ for connection in self.plane.hub.connections for type_ in connection.stream.types
        }
        await self.stop()
        self.plane = control_plane(self.folder, objects)
        await self.start()
        await until(self.in_sync, "Envoy did not come back")

    async def write(self, objects: Iterable[Plain]) -> Taken:
        return await self.plane.bring(APPLY, change_of(objects))

    async def apply(self, *objects: Plain) -> Outcome:
        return await outcome(await self.write(objects))

    async def delete(self, *objects: Plain) -> Outcome:
        gone = {(o["kind"], o["metadata"]["name"]) for o in objects}
        keys = [key for key in self.plane.store.state.resources if (key.kind, key.name) in gone]
        return await outcome(await self.plane.delete(keys))

    @property
    def view(self) -> View:
        """The newest of the one proxy."""
        (connection,) = self.plane.hub.connections
        return connection.stream.view

    def in_sync(self) -> bool:
        connections = self.plane.hub.connections
        return len(connections) == 1 and all(
            c.stream.in_sync() and self.asked <= c.stream.types.keys() for c in connections
        )

    async def get(
        self, target: str, *, host: str = "admin", socket: str = "admin.sock"
    ) -> tuple[int, str]:
        """One request on a connection of its own. Raises aiohttp.ClientError."""
        connector = aiohttp.UnixConnector(str(self.folder / socket))
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.get(f"http://{host}{target}") as answer,
        ):
            return answer.status, await answer.text()

    async def ask(self, host: str, path: str = "/") -> tuple[int, str]:
        """A request through Envoy's route configuration."""
        return await self.get(path, host=host, socket="door.sock")

    @asynccontextmanager
    async def asking(self, host: str, path: str = "/") -> AsyncIterator[Counter[int]]:
        """Requests one after the other meanwhile, from a thread of their own; how many got which
        status."""
        seen: Counter[int] = Counter()
        done = threading.Event()

        def ask() -> None:
            connection = UnixConnection(self.folder / "door.sock")
            while not done.is_set():
                connection.request("GET", path, headers={"Host": host})
                answer = connection.getresponse()
                answer.read()
                seen[answer.status] += 1
            connection.close()

        asking = asyncio.create_task(asyncio.to_thread(ask))
        try:
            yield seen
        finally:
            done.set()
            await asking

    async def dump(self, mask: str) -> Plain:
        """What Envoy says it has, `mask` being the name of a list in config_dump."""
        dumped: Plain = json.loads((await self.get(f"/config_dump?mask={mask}"))[1])
        return dumped

    async def routes(self) -> dict[str, Plain]:
        """Envoy's route configurations by name."""
        routes = [
            r
            for c in (await self.dump("dynamic_route_configs"))["configs"]
            for r in c["dynamic_route_configs"]
        ]
        return {r["route_config"]["name"]: r["route_config"] for r in routes}

    async def virtual_hosts(self, route: str) -> dict[str, Plain]:
        return {
            host["name"]: host for host in (await self.routes())[route].get("virtual_hosts", [])
        }

    async def clusters(self) -> set[str]:
        """Names of those in use; none may be warming."""
        sections = (await self.dump("dynamic_active_clusters"))["configs"]
        return {
            c["cluster"]["name"]
            for part in sections
            for c in part.get("dynamic_active_clusters", ())
        }

    async def stat(self, name: str) -> int:
        """The sum of all counters or gauges whose name this expression matches."""
        lines = (await self.get(f"/stats?filter=^{name}$"))[1].splitlines()
        return sum(int(line.rpartition(": ")[2]) for line in lines)

    def cpu(self) -> float:
        """Seconds of CPU that Envoy took so far, summed over its threads to the nanosecond."""
        threads = Path(f"/proc/{self.pid}/task").iterdir()
        return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9

    async def received(self) -> int:
        """Bytes that the control plane's connection brought to Envoy, framing included."""
        return await self.stat("cluster.xds-grpc.upstream_cx_rx_bytes_total")

    def sent(self) -> Counter[TypeUrl]:
        """Resources sent so far by this control plane."""
        return Counter(self.plane.hub.responses.sent)


def control_plane(folder: Path, objects: Iterable[Plain]) -> ControlPlane:
    """Not started yet, with these objects."""
    options = Options(
        (), (f"unix:{folder}/ads.sock",), default_mesh_config(), Settings(), watch=False
    )
    plane = ControlPlane(options)
    plane.store.take(APPLY, change_of(objects))
    return plane


def change_of(objects: Iterable[Plain]) -> SourceChange:
    written = []
    for plain in objects:
        resource, _, findings = check_object(plain, "default")
        assert resource is not None, findings
        written.append((resource, PLACE))
    return SourceChange(tuple(written))


async def outcome(taken: Taken) -> Outcome:
    """What becomes of a change that was one."""
    assert taken.outcome is not None, "nothing changed"
    return await asyncio.wait_for(taken.outcome, 20)


@asynccontextmanager
async def sandbox(
    folder: Path, objects: Sequence[Plain], proxy: ProxyIdentity = CLIENT
) -> AsyncIterator[Sandbox]:
    """Started and in sync."""
    box = Sandbox(folder, control_plane(folder, objects), folder / "envoy.log")
    await box.start()
    config = bootstrap(proxy, f"{folder}/ads.sock", f"{folder}/admin.sock")
    del config[
        "stats_config"
    ]  # Making tags of the names of statistics takes most of the time of a start.
    (folder / "bootstrap.json").write_text(json.dumps(config))
    with box.log.open("wb") as log:
        inside = (
            "unshare",
            "--map-root-user",
            "--net",
            sys.executable,
            "-c",
            INSIDE,
            *PODS.split("/"),
        )
        envoy = await asyncio.create_subprocess_exec(
            *inside, *arguments(folder / "bootstrap.json"), stdout=log, stderr=log
        )
    box.pid = envoy.pid
    try:
        await until(box.in_sync, "Envoy never got its configuration", 30)
        yield box
        assert envoy.returncode is None, f"Envoy ended: {box.log.read_text()[-2000:]}"
    finally:
        if envoy.returncode is None:
            envoy.kill()
        await envoy.wait()
        await box.stop()


async def until(
    true: Callable[[], Any], otherwise: str = "did not come true in time", seconds: float = 10
) -> None:
    """Wait for a condition, which may be a coroutine function's."""
    deadline = time.monotonic() + seconds
    while True:
        result = true()
        if await result if asyncio.iscoroutine(result) else result:
            return
        assert time.monotonic() < deadline, otherwise
        await asyncio.sleep(0.01)


def expected(view: View, route: str) -> Mapping[str, Plain]:
    """The virtual hosts that a view gives a route configuration, as Envoy shows them."""
    whole = view.get(TypeUrl.ROUTE, route)
    assert whole is not None
    static = {host["name"]: host for host in to_json(whole).get("virtual_hosts", ())}
    alone = {
        r.name: to_json(r) for r in view.of(TypeUrl.VIRTUAL_HOST) if r.name.startswith(f"{route}/")
    }
    return static | alone
