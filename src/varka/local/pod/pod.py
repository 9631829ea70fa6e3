"""One pod of this machine: its namespaces, its Envoy, its workloads, kept running until it is
stopped."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from varka.local.echo.config import EchoConfig, Port
from varka.local.echo.server import serve
from varka.local.network import capture, podspace
from varka.local.network.podspace import PodNetwork, PodSpace
from varka.local.pod import envoy_process
from varka.local.pod.bootstrap import ProxyIdentity, bootstrap
from varka.local.pod.probe import listening, probe
from varka.local.processes import process
from varka.local.processes.process import Program, Reaper
from varka.local.workload.cluster import ProxyPlan
from varka.local.workload.containers import PROXY_CONTAINER, Command, Contents, StandIn
from varka.local.workload.proxysettings import annotation
from varka.local.workload.services import RunningPod
from varka.local.workload.workloads import PodPlan

_OWNER_VERSIONS = {"": "v1"}
_FIRST_PAUSE, _LONGEST_PAUSE, _GOOD_LIFE = 0.2, 60.0, 30.0
_GRACE = 3.0
_BACK_OFF_AFTER = 2


@dataclass(frozen=True, eq=False, slots=True)
class Machine:
    """What all pods share. `changed` is called when a pod's status did; `restarted` when a process
    was started again."""

    reaper: Reaper
    home: int
    runtime: Path
    logs: Path
    ads: str
    changed: Callable[[], None]
    restarted: Callable[[str, str, int, list[str]], None]


@dataclass(slots=True)
class Running:
    """A process of a pod: `role` is `envoy` or `workload`."""

    role: str
    container: str
    program: Program
    pid: int = 0
    restarts: int = 0
    waiting: bool = False
    exit_code: int | None = None
    task: asyncio.Task[None] | None = None


class Pod:
    """`proxy` is `sidecar`, `router` or `none`. `start`, then watch `ready`; `stop` at the end."""

    def __init__(
        self, plan: PodPlan, ip: str, proxy: ProxyPlan, machine: Machine, link: str
    ) -> None:
        self.plan, self.ip, self.proxy_plan, self.machine = plan, ip, proxy, machine
        self.proxy, self.settings = proxy.kind, proxy.settings
        self.ready = False
        self.stopping = False
        self.created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.space: PodSpace | None = None
        self.processes: dict[str, Running] = {}
        self._contents = Contents()
        self._link = link
        self._directory = machine.runtime / "pods" / plan.key
        self._readiness: asyncio.Task[None] | None = None

    @property
    def admin(self) -> Path:
        """The socket of the Envoy's administration interface."""
        return self._directory / "admin.sock"

    @property
    def running(self) -> RunningPod:
        ready = self.ready and not self.stopping
        return RunningPod(
            self.plan.name,
            self.plan.namespace,
            self.ip,
            self.plan.labels,
            self.plan.spec,
            ready,
            self.proxy == "sidecar",
        )

    def log(self, container: str) -> Path:
        """Where the output of a container is; one stand-in for several containers writes to the log
        of the first."""
        stand_in = self._contents.stand_in
        name = (
            stand_in.containers[0]
            if stand_in is not None and container in stand_in.containers
            else container
        )
        return self.machine.logs / self.plan.namespace / self.plan.name / f"{name}.log"

    @property
    def container_names(self) -> list[str]:
        names = [container.name for container in self.plan.spec.containers]
        return (
            names if self.proxy == "none" or PROXY_CONTAINER in names else [*names, PROXY_CONTAINER]
        )

    def start(self, contents: Contents) -> None:
        """Build the namespaces and start every process. Raises OSError or ValueError with what is
        wrong."""
        self._directory.mkdir(parents=True, exist_ok=True)
        if not self.plan.spec.host_network:
            self._build_network()
        if self.proxy != "none":
            self._run(Running("envoy", PROXY_CONTAINER, self._envoy()))
        self._contents = contents
        if self.proxy == "sidecar" and self.settings.hold_application:
            self._readiness = asyncio.ensure_future(self._start_after_proxy())
        else:
            self._start_workloads()

    async def _start_after_proxy(self) -> None:
        """`holdApplicationUntilProxyStarts`."""
        while not await envoy_process.is_ready(self.admin):
            await asyncio.sleep(0.02)
        self._start_workloads()

    def _start_workloads(self) -> None:
        for command in self._contents.commands:
            self._run(Running("workload", command.container, self._command(command)))
        if self._contents.stand_in is not None:
            self._start_stand_in(self._contents.stand_in)
        self._readiness = asyncio.ensure_future(self._watch_readiness())

    def update(self, contents: Contents) -> None:
        """A Service now wants another port of the stand-in: start it again with that."""
        if _echo_of(contents.stand_in) == _echo_of(self._contents.stand_in):
            return
        self._contents = contents
        for name in [
            name for name, one in self.processes.items() if one.program.function is not None
        ]:
            self._end(self.processes.pop(name))
        if contents.stand_in is not None:
            self._start_stand_in(contents.stand_in)

    async def stop(self, drain: float) -> None:
        """Take it out of traffic, let it finish for `drain` seconds, end its processes, let its
        namespaces go."""
        self.stopping = True
        self.machine.changed()
        await asyncio.sleep(drain)
        if self._readiness is not None:
            self._readiness.cancel()
        await self.terminate()
        if self.space is not None:
            self.space.close()

    async def terminate(self) -> None:
        """SIGTERM, and SIGKILL for who is still there after the grace period."""
        tasks = [one.task for one in self.processes.values() if one.task is not None]
        for one in self.processes.values():
            self._end(one)
        if tasks:
            await asyncio.wait(
                tasks,
                timeout=min(_GRACE, self.plan.spec.termination_grace_period_seconds or _GRACE),
            )
        for one in self.processes.values():
            if one.pid:
                process.terminate(one.pid, 9)

    def _end(self, one: Running) -> None:
        """Signal it and don't start it again."""
        if one.task is not None:
            one.task.cancel()
        if one.pid:
            process.terminate(one.pid)

    def _build_network(self) -> None:
        captured = (
            capture.from_annotations(self.plan.annotations, self.settings.interception)
            if self.proxy == "sidecar"
            else None
        )
        files = podspace.files_of_pod(self._directory, self.plan.name, self.plan.namespace, self.ip)
        network = PodNetwork(
            self.plan.name,
            self.ip,
            self._link,
            files,
            capture.chains(captured, *self.settings.ports) if captured else (),
        )
        self.space = podspace.make(network)
        podspace.attach(network)

    def _envoy(self) -> Program:
        spec, plan = self.plan.spec, self.plan
        ports = [
            (port.name, port.container_port, port.protocol)
            for one in spec.containers
            for port in one.ports
        ]
        identity = ProxyIdentity(
            type=self.proxy,
            pod=plan.name,
            namespace=plan.namespace,
            ip=self.ip,
            service_account=plan.service_account,
            workload=plan.workload,
            owner_kind=plan.owner.kind.lower(),
            owner_version=_OWNER_VERSIONS.get(plan.owner.group, f"{plan.owner.group}/v1"),
            labels=plan.labels,
            annotations=plan.annotations,
            containers=[
                container.name for container in spec.containers if container.name != PROXY_CONTAINER
            ],
            ports=ports,
            node=plan.node,
            proxy_config=annotation(plan.annotations),
            settings=self.settings,
        )
        path = self._directory / "envoy.json"
        path.write_text(json.dumps(bootstrap(identity, self.machine.ads, str(self.admin))))
        arguments, environment = (
            envoy_process.arguments(path, self.settings.arguments),
            {"HOME": "/", **dict(self.settings.environment)},
        )
        return Program(self.log(PROXY_CONTAINER), arguments, environment, str(self._directory))

    def _command(self, command: Command) -> Program:
        return Program(
            self.log(command.container), command.argv, dict(command.env), command.directory
        )

    def _start_stand_in(self, stand_in: StandIn) -> None:
        config = EchoConfig(
            pod=self.plan.name,
            namespace=self.plan.namespace,
            version=self.plan.labels.get("version", ""),
            service_account=self.plan.service_account,
            ip=self.ip,
            ports=tuple(Port(number, word) for number, word in stand_in.spoken),
            calls=stand_in.calls,
        )
        name = stand_in.containers[0]
        self._run(
            Running("workload", name, Program(self.log(name), function=lambda: _echo(config)))
        )

    def _run(self, one: Running) -> None:
        self.processes[one.container] = one
        one.task = asyncio.ensure_future(self._keep(one, self._spawn(one)))

    def _spawn(self, one: Running) -> asyncio.Future[int]:
        if one.role == "envoy":
            self.admin.unlink(missing_ok=True)
        one.pid = process.spawn(one.program, self.space)
        return self.machine.reaper.watch(one.pid)

    async def _keep(self, one: Running, ended: asyncio.Future[int]) -> None:
        """Start it again whenever it ends, after a pause that doubles while its lives are short."""
        pause = _FIRST_PAUSE
        while True:
            born = time.monotonic()
            one.exit_code = await asyncio.shield(ended)
            one.pid = 0
            if self.plan.run_once and one.role == "workload":
                self.machine.changed()
                return
            if time.monotonic() - born > _GOOD_LIFE:
                pause = _FIRST_PAUSE
            one.waiting = one.restarts >= _BACK_OFF_AFTER
            self.ready = False
            self.machine.changed()
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
            one.restarts, one.waiting = one.restarts + 1, False
            ended = self._spawn(one)
            why = process.last_lines(one.program.log)
            self.machine.restarted(one.role, self.plan.key, one.pid, why)
            self._check_readiness_again()

    def _check_readiness_again(self) -> None:
        if self._readiness is not None:
            self._readiness.cancel()
        self._readiness = asyncio.ensure_future(self._watch_readiness())

    async def _watch_readiness(self) -> None:
        """Ready once everything is there; from then on only declared probes go on asking."""
        pause = 0.01
        while not await self._everything_answers():
            await asyncio.sleep(pause)
            pause = min(pause * 1.3, 1.0)
        self._set_ready(True)
        probes = [
            one.readiness_probe
            for one in self.plan.spec.containers
            if one.readiness_probe is not None
        ]
        if not probes or self.proxy == "router":
            return
        failures = 0
        while True:
            await asyncio.sleep(min(max(one.period_seconds, 1) for one in probes))
            failures = 0 if await self._probes_answer() else failures + 1
            if failures == 0 or failures >= min(one.failure_threshold for one in probes):
                self._set_ready(failures == 0)

    def _set_ready(self, ready: bool) -> None:
        if ready != self.ready:
            self.ready = ready
            self.machine.changed()

    async def _everything_answers(self) -> bool:
        if any(one.pid == 0 for one in self.processes.values()):
            return False
        if self.proxy != "none" and not await envoy_process.is_ready(self.admin):
            return False
        if self.proxy == "router":
            return True
        return (
            self._expected_ports() <= listening(self.space, self.machine.home)
            and await self._probes_answer()
        )

    def _expected_ports(self) -> set[int]:
        stand_in = self._contents.stand_in
        expected = {number for number, _ in stand_in.ports} if stand_in is not None else set()
        commands = {command.container for command in self._contents.commands}
        for container in self.plan.spec.containers:
            if container.name in commands and container.readiness_probe is None:
                expected |= {
                    port.container_port for port in container.ports if port.protocol == "TCP"
                }
        return expected

    async def _probes_answer(self) -> bool:
        for container in self.plan.spec.containers:
            checked = container.readiness_probe
            if checked is not None and not await probe(
                checked, container, self.ip, self.space, self.machine.home
            ):
                return False
        return True


def _echo_of(stand_in: StandIn | None) -> object:
    """What a stand-in's process depends on: the names of its ports do not matter."""
    return stand_in and (stand_in.containers, stand_in.spoken, stand_in.calls)


def _echo(config: EchoConfig) -> int:
    process.name_process("varka-echo")
    asyncio.run(serve(config))
    return 0
