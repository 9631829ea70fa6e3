"""Process 1 of a mesh: runs its pods, answers its DNS, keeps its Service addresses. Lives inside,
alone with its children."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import os
import signal
import socket
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from varka.local.dns import zone
from varka.local.dns.server import DnsServer, hosts
from varka.local.network import podspace
from varka.local.network.addresses import DNS_ADDRESS, GATEWAY
from varka.local.network.relay import original_destination
from varka.local.node import forwarding
from varka.local.node.controlplane_client import ControlPlaneClient
from varka.local.node.pods import Pods
from varka.local.node.publications import publications
from varka.local.node.report import describe, pod_object
from varka.local.pod.machine import Machine
from varka.local.processes.background import Background
from varka.local.processes.channel import Channel, Message
from varka.local.processes.process import Reaper
from varka.local.system import kernel, nft
from varka.local.workload import services
from varka.local.workload.cluster import Cluster, Object, sort

log = logging.getLogger(__name__)

_SOCKETS = 16
_NEEDED = (
    "its kernel must have veth links and nf_tables with NAT (modules veth, nf_tables,"
    " nft_chain_nat, nft_redir, nft_masq, nft_numgen)"
)
_BUILT_AT_A_TIME = 4
_GATHER = 0.002
"""Seconds in which changes that come together are taken together."""


class NodeConfig(Struct, frozen=True, eq=False):
    """`images` is the table of `--run IMAGE=COMMAND`; `publish` are (port of the machine, gateway
    `name.namespace`, its port). `preview` is a pipe with the first objects, see
    `varka.local.supervisor.preview`; -1 for none."""

    run: Path
    logs: Path
    ads: Path
    api: Path
    images: Mapping[str, str] = field(default_factory=dict)
    publish: Sequence[tuple[int, str, int]] = ()
    upstreams: Sequence[socket.socket] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    preview: int = -1


class Node:
    def __init__(self, config: NodeConfig, end: socket.socket, background: Background) -> None:
        self._config, self._background = config, background
        self._loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        self._channel = Channel(end, self._receive, self._stopped.set)
        self._changed = asyncio.Event()
        machine = Machine(
            Reaper(self._loop),
            background,
            os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC),
            config.run,
            config.logs,
            str(config.ads),
            self._changed.set,
            self._report_restart,
            asyncio.Semaphore(_BUILT_AT_A_TIME),
        )
        self._pods = Pods(machine, config.images)
        self._control_plane = ControlPlaneClient(config.api)
        self._cluster: Cluster | None = None
        self._dns = DnsServer(
            list(config.upstreams), hosts(_text(Path("/etc/hosts"))), self._pods.has_sidecar
        )
        self._forwards: tuple[list[services.Forward], list[str]] | None = None
        self._published: list[dict[str, Any]] = []

    async def run(self) -> None:
        """Until the supervisor goes away or SIGTERM comes. Raises OSError when the kernel does not
        give what a node needs."""
        podspace.setup_node([GATEWAY, DNS_ADDRESS])
        podspace.cover(podspace.files_of_pod(self._config.run, "varka", "default", GATEWAY))
        self._relay_port = self._listen_for_relay()
        self._apply_forwards(Cluster())
        await self._dns.start(DNS_ADDRESS)
        self._channel.send({"stands": {}})
        self._loop.add_signal_handler(signal.SIGTERM, self._stopped.set)
        gc.collect()
        gc.freeze()
        gc.enable()
        if self._config.preview >= 0:
            self._background.start("reading the manifests", self._begin_with_preview())
        self._background.keep("following the manifests", self._watch_objects)
        self._background.keep("following changes", self._follow)
        self._background.keep("reporting pods", self._control_plane.deliver)
        await self._stopped.wait()
        ending = (pod.terminate() for pod in self._pods.by_key.values())
        await asyncio.gather(*ending, return_exceptions=True)

    def refuse(self, error: OSError) -> None:
        """Say why there will be no mesh."""
        why = {"error": f"this machine does not give what a mesh needs: {error}", "code": 77}
        self._channel.send({"stands": {**why, "hint": _NEEDED}})

    # what the supervisor asks for

    def _receive(self, message: Message, fds: list[int]) -> None:
        for fd in fds:
            os.close(fd)
        answer: dict[str, Any] = {"reply": message.get("ask", 0)}
        match message.get("want"):
            case "sockets":
                opened = [socket.socket() for _ in range(_SOCKETS)]
                self._channel.send(answer, [one.fileno() for one in opened])
                for one in opened:
                    one.close()
            case "status":
                self._channel.send({**answer, **self._status()})

    def _status(self) -> dict[str, Any]:
        """`settled`: there is a pod for everything that the manifests want, and nothing else."""
        cluster = self._cluster
        return {
            "pods": [describe(pod) for pod in self._pods.by_key.values()],
            "failed": self._pods.failed,
            "problems": cluster.problems if cluster else {},
            "settled": cluster is not None
            and not self._changed.is_set()
            and self._pods.is_settled(cluster),
        }

    def _report_restart(self, role: str, pod: str, pid: int, why: list[str]) -> None:
        self._channel.send(
            {"event": {"event": "restarted", "role": role, "pod": pod, "log": why}, "pid": pid}
        )

    def _report_failures(self, failures: Iterable[tuple[str, str]]) -> None:
        for what, why in failures:
            self._channel.send({"event": {"event": "failed", "pod": what, "message": why}})

    def report_bug(self, what: str, error: Exception) -> None:
        """A task failed in a way that nobody foresaw; its traceback is in the log."""
        self._report_failures([(what, f"{type(error).__name__}: {error}")])

    def _listen_for_relay(self) -> int:
        listener = socket.create_server((GATEWAY, 0), backlog=1024)
        listener.setblocking(False)
        self._loop.add_reader(listener.fileno(), self._accept_outward, listener)
        return int(listener.getsockname()[1])

    def _accept_outward(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            accepted, _ = listener.accept()
            with accepted:
                address, port = original_destination(accepted)
                self._channel.send({"relay": [address, port]}, [accepted.fileno()])

    # following the manifests

    async def _begin_with_preview(self) -> None:
        """Take the manifests before the control plane is there; if it was faster, its word
        stands."""
        reader = asyncio.StreamReader()
        pipe = os.fdopen(self._config.preview, "rb")
        transport, _ = await self._loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), pipe
        )
        data = await reader.read()
        transport.close()
        if data and self._cluster is None:
            self._take(json.loads(data))

    async def _watch_objects(self) -> None:
        async for objects in self._control_plane.objects():
            self._take(objects)

    def _take(self, objects: Iterable[Object]) -> None:
        cluster = sort(objects, self._config.environment)
        known = self._cluster.problems if self._cluster else {}
        self._report_failures(cluster.problems.items() - known.items())
        self._cluster = cluster
        self._changed.set()

    async def _follow(self) -> None:
        """One step after every change: of the manifests, of a pod."""
        while True:
            await self._changed.wait()
            await asyncio.sleep(_GATHER)
            self._changed.clear()
            if self._cluster is None:
                continue
            self._pods.reconcile(self._cluster)
            failures, self._pods.newly_failed = self._pods.newly_failed, []
            self._report_failures(failures)
            self._apply_forwards(self._cluster)
            self._publish(self._cluster)
            self._control_plane.report([pod_object(pod) for pod in self._pods.by_key.values()])

    def _apply_forwards(self, cluster: Cluster) -> None:
        running = self._pods.running
        self._dns.names = zone.build(cluster.services, running, cluster.entries)
        forwards = services.forwards(cluster.services, running, cluster.slices)
        addresses = [pod.ip for pod in running]
        state = (forwards, addresses)
        if state != self._forwards:
            nft.replace_table(
                forwarding.TABLE, forwarding.chains(forwards, addresses, self._relay_port)
            )
            self._forwards = state

    def _publish(self, cluster: Cluster) -> None:
        published = [
            {"port": one.machine_port, "gateway": one.service, "gateway_port": one.port}
            | {"address": one.address}
            for one in publications(cluster.services, self._config.publish)
        ]
        if published != self._published:
            self._published = published
            self._channel.send({"publish": published})


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def main(config: NodeConfig, end: socket.socket) -> int:
    """To be run as process 1 of a sandbox."""
    kernel.set_process_name("varka-node")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return asyncio.run(_run(config, end))


async def _run(config: NodeConfig, end: socket.socket) -> int:
    def report(what: str, error: Exception) -> None:
        node.report_bug(what, error)

    async with Background(report) as background:
        node = Node(config, end, background)
        try:
            await node.run()
        except OSError as error:
            log.error("the inside of the mesh could not be set up: %s", error)
            node.refuse(error)
            return 1
    return 0
