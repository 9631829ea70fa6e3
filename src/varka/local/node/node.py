"""Process 1 of a mesh: runs its pods, answers its DNS, keeps its Service addresses. Lives inside,
alone with its children."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from varka.local.dns import zone
from varka.local.dns.server import DnsServer, hosts
from varka.local.network import podspace
from varka.local.network.addresses import DNS_ADDRESS, FIRST_POD, GATEWAY
from varka.local.network.relay import original_destination
from varka.local.node import forwarding
from varka.local.node.controlplane_client import ControlPlane
from varka.local.node.report import pod_object
from varka.local.pod.pod import Machine, Pod
from varka.local.processes.channel import Channel, Message
from varka.local.processes.process import Reaper
from varka.local.system import kernel, nft
from varka.local.workload import rollout, services
from varka.local.workload.cluster import Cluster, ProxyPlan, sort
from varka.local.workload.containers import contents

_DRAIN = 1.0
_SOCKETS = 16


@dataclass(frozen=True, eq=False, slots=True)
class NodeConfig:
    """`images` is the table of `--run IMAGE=COMMAND`; `publish` are (port of the machine, gateway
    `name.namespace`, its port)."""

    run: Path
    logs: Path
    ads: Path
    api: Path
    images: Mapping[str, str] = field(default_factory=dict)
    publish: Sequence[tuple[int, str, int]] = ()
    upstreams: Sequence[socket.socket] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


class Node:
    def __init__(self, config: NodeConfig, end: socket.socket) -> None:
        self._config = config
        self._loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        self._channel = Channel(end, self._told, self._stopped.set)
        self._home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self._machine = Machine(
            Reaper(self._loop),
            self._home,
            config.run,
            config.logs,
            str(config.ads),
            self._touch,
            self._say_restarted,
        )
        machine_hosts = hosts(_text(Path("/etc/hosts")))
        self._dns = DnsServer(list(config.upstreams), machine_hosts, self._has_sidecar)
        self._control = ControlPlane(config.api)
        self._cluster = Cluster()
        self._loaded = False
        self._pods: dict[str, Pod] = {}
        self._failed: dict[str, tuple[str, str]] = {}
        self._addresses = _addresses()
        self._links = 0
        self._changed = asyncio.Event()
        self._forwards: tuple[list[services.Forward], list[str]] | None = None
        self._published: list[dict[str, Any]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> int:
        """Until the supervisor goes away or SIGTERM comes."""
        podspace.setup_node([GATEWAY, DNS_ADDRESS])
        podspace.cover(podspace.files_of_pod(self._config.run, "varka", "default", GATEWAY))
        self._relay_port = self._listen_for_relay()
        self._apply_forwards()
        await self._dns.start(DNS_ADDRESS)
        self._loop.add_signal_handler(signal.SIGTERM, self._stopped.set)
        gc.collect()
        gc.freeze()
        watching = [
            asyncio.ensure_future(task)
            for task in (self._watch_objects(), self._follow(), self._control.reporting())
        ]
        stopping = asyncio.ensure_future(self._stopped.wait())
        done, _ = await asyncio.wait([*watching, stopping], return_when=asyncio.FIRST_COMPLETED)
        await asyncio.gather(
            *(pod.terminate() for pod in self._pods.values()), return_exceptions=True
        )
        for task in done:
            task.result()
        return 0

    # what the supervisor wants

    def _told(self, message: Message, fds: list[int]) -> None:
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
        wanted = set(self._cluster.plans) - set(self._failed)
        return {
            "pods": [_describe(pod) for pod in self._pods.values()],
            "failed": {key: why for key, (_, why) in self._failed.items()},
            "settled": self._loaded and not self._changed.is_set() and wanted == set(self._pods),
        }

    def _say_restarted(self, role: str, pod: str, pid: int, why: list[str]) -> None:
        self._channel.send(
            {"event": {"event": "restarted", "role": role, "pod": pod, "log": why}, "pid": pid}
        )

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

    def _touch(self) -> None:
        self._changed.set()

    def _has_sidecar(self, address: str) -> bool:
        return any(pod.ip == address and pod.proxy == "sidecar" for pod in self._pods.values())

    async def _watch_objects(self) -> None:
        async for objects in self._control.objects():
            self._cluster = sort(objects, self._config.environment)
            self._loaded = True
            self._touch()

    async def _follow(self) -> None:
        """One step after every change: of the manifests, of a pod."""
        while True:
            await self._changed.wait()
            await asyncio.sleep(0.002)
            self._changed.clear()
            self._reconcile()
            self._apply_forwards()
            self._say_published()
            self._control.report([pod_object(pod) for pod in self._pods.values()])

    def _reconcile(self) -> None:
        proxies = {key: self._cluster.proxy(plan) for key, plan in self._cluster.plans.items()}
        wanted = {
            key: rollout.Wanted(f"{plan.revision}/{proxies[key]}", plan.owner, plan.ordinal)
            for key, plan in self._cluster.plans.items()
        }
        present = {
            key: rollout.Present(f"{pod.plan.revision}/{pod.proxy_plan}", pod.plan.owner, pod.ready)
            for key, pod in self._pods.items()
        }
        steps = rollout.steps(wanted, present)
        for key in steps.stop:
            self._stop(self._pods[key])
        for key in steps.start:
            self._start(key, proxies[key])
        for key, pod in self._pods.items():
            plan = self._cluster.plans.get(key)
            if plan is not None and not pod.stopping and key not in steps.start:
                pod.update(
                    contents(
                        pod.plan,
                        pod.ip,
                        self._cluster.services,
                        self._config.images,
                        self._cluster.around,
                    )
                )

    def _start(self, key: str, proxy: ProxyPlan) -> None:
        plan = self._cluster.plans[key]
        if self._failed.get(key, ("",))[0] == plan.revision:
            return
        self._failed.pop(key, None)
        self._links += 1
        ip = GATEWAY if plan.spec.host_network else next(self._addresses)
        pod = Pod(plan, ip, proxy, self._machine, f"pod{self._links}")
        try:
            pod.start(
                contents(
                    plan, ip, self._cluster.services, self._config.images, self._cluster.around
                )
            )
        except (OSError, ValueError) as error:
            self._failed[key] = (plan.revision, str(error))
            self._channel.send({"event": {"event": "failed", "pod": key, "message": str(error)}})
            return
        self._pods[key] = pod

    def _stop(self, pod: Pod) -> None:
        if pod.stopping:
            return
        task = asyncio.ensure_future(self._finish(pod))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _finish(self, pod: Pod) -> None:
        await pod.stop(_DRAIN)
        if self._pods.get(pod.plan.key) is pod:
            del self._pods[pod.plan.key]
        self._touch()

    def _apply_forwards(self) -> None:
        running = [pod.running for pod in self._pods.values()]
        self._dns.names = zone.build(self._cluster.services, running, self._cluster.entries)
        forwards = services.forwards(self._cluster.services, running, self._cluster.slices)
        addresses = [pod.ip for pod in running]
        state = (forwards, addresses)
        if state != self._forwards:
            nft.replace_table(
                forwarding.TABLE, forwarding.chains(forwards, addresses, self._relay_port)
            )
            self._forwards = state

    def _say_published(self) -> None:
        by_name = {
            f"{service.name}.{service.namespace}": service.spec
            for service in self._cluster.services
        }
        published = [
            {
                "port": machine_port,
                "gateway": gateway,
                "gateway_port": port,
                "address": by_name[gateway].cluster_ip,
            }
            for machine_port, gateway, port in self._config.publish
            if gateway in by_name and any(one.port == port for one in by_name[gateway].ports)
        ]
        if published != self._published:
            self._published = published
            self._channel.send({"publish": published})


def _describe(pod: Pod) -> dict[str, Any]:
    """What the command line wants to know; `namespaces` are descriptors of process 1."""
    space = pod.space
    return {
        "name": pod.plan.name,
        "namespace": pod.plan.namespace,
        "ip": pod.ip,
        "proxy": pod.proxy,
        "ready": pod.ready and not pod.stopping,
        "owner": f"{pod.plan.owner.kind}/{pod.plan.owner.name}",
        "labels": dict(pod.plan.labels),
        "namespaces": {"net": space.network, "uts": space.uts, "mnt": space.mounts}
        if space is not None
        else {},
        "admin": str(pod.admin) if pod.proxy != "none" else "",
        "processes": [
            {
                "role": one.role,
                "container": one.container,
                "pid": one.pid,
                "restarts": one.restarts,
                "waiting": one.waiting,
            }
            for one in pod.processes.values()
        ],
        "logs": {name: str(pod.log(name)) for name in pod.container_names},
    }


def _addresses() -> Iterator[str]:
    """Addresses of pods in turn, so that one is not soon used again."""
    while True:
        for number in range(65000):
            yield str(IPv4Address(FIRST_POD) + number)


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def main(config: NodeConfig, end: socket.socket) -> int:
    """To be run as process 1 of a sandbox."""
    kernel.set_process_name("varka-node")
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    async def run() -> int:
        return await Node(config, end).run()

    try:
        return asyncio.run(run())
    except OSError as error:
        sys.stderr.write(f"varka: the inside of the mesh could not be set up: {error}\n")
        return 1
