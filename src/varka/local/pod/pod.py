"""One pod of this machine: its namespaces, its Envoy, its workloads, kept running until it is
stopped."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable
from pathlib import Path

from varka.local.echo.config import EchoConfig, Port
from varka.local.echo.server import serve
from varka.local.network import capture, podspace
from varka.local.network.podspace import PodNetwork, PodSpace
from varka.local.pod import envoy_process
from varka.local.pod.bootstrap import bootstrap
from varka.local.pod.identity import identity_of
from varka.local.pod.machine import Machine
from varka.local.pod.programs import Programs, Running
from varka.local.pod.readiness import Readiness
from varka.local.processes import process
from varka.local.processes.process import Program
from varka.local.workload.cluster import ProxyPlan
from varka.local.workload.containers import PROXY_CONTAINER, Command, Contents, StandIn
from varka.local.workload.services import RunningPod
from varka.local.workload.workloads import PodPlan

log = logging.getLogger(__name__)

_GRACE = 3.0
_STARTING = ("it is being started",)
_SHORTEST_PAUSE, _LONGEST_PAUSE, _PART_OF_WAIT = 0.01, 1.0, 50


class Pod:
    """`proxy` is `sidecar`, `router` or `none`. `start` it, `stop` it at the end; `waiting_for`
    says in words why it is not ready."""

    def __init__(
        self, plan: PodPlan, ip: str, proxy: ProxyPlan, machine: Machine, link: str
    ) -> None:
        self.plan, self.ip, self.proxy_plan, self.machine = plan, ip, proxy, machine
        self.proxy, self.settings = proxy.kind, proxy.settings
        self.waiting_for: tuple[str, ...] = _STARTING
        self.stopping = False
        self.created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.programs = Programs(plan.key, machine, run_once=plan.run_once)
        self._readiness = Readiness(plan, ip, self.proxy, self.programs, machine.home)
        self._contents = Contents()
        self._link = link
        self._directory = machine.runtime / "pods" / plan.key
        self._workloads_started = False
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def ready(self) -> bool:
        return not self.waiting_for

    @property
    def space(self) -> PodSpace | None:
        """None until it is built, and for a pod in the network of its node."""
        return self.programs.space

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

    def start(self, contents: Contents, failed: Callable[[Exception], None]) -> None:
        """Build the namespaces and start every program; from then on say when the pod is ready and
        when no longer. `failed` is called when it cannot be started; then nothing of it is left."""
        self._contents = contents
        background, key = self.machine.background, self.plan.key
        self._tasks.append(background.start(f"starting pod {key}", self._start(failed)))

    async def _start(self, failed: Callable[[Exception], None]) -> None:
        try:
            await self._start_programs()
        except BaseException as error:
            await self.terminate()
            self._let_go()
            if not isinstance(error, Exception):
                raise
            if not isinstance(error, OSError | ValueError):
                log.exception("pod %s could not be started", self.plan.key)
            failed(error)
            return
        watching = f"watching pod {self.plan.key}"
        self._tasks.append(self.machine.background.keep(watching, self._watch_readiness))

    async def _start_programs(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        if not self.plan.spec.host_network:
            async with self.machine.building:
                await self._build_network()
        if self.proxy != "none":
            self.programs.admin = self.admin
            self.programs.start(Running("envoy", PROXY_CONTAINER, self._envoy()))
        if self.proxy == "sidecar" and self.settings.hold_application:
            while not await envoy_process.is_ready(self.admin):
                await asyncio.sleep(_SHORTEST_PAUSE)
        self._workloads_started = True
        for command in self._contents.commands:
            self.programs.start(Running("workload", command.container, self._command(command)))
        if self._contents.stand_in is not None:
            self._start_stand_in(self._contents.stand_in)

    def update(self, contents: Contents) -> None:
        """Services changed: the stand-in is started again when it has to listen elsewhere."""
        before, self._contents = self._contents, contents
        same = _process_of(contents.stand_in) == _process_of(before.stand_in)
        if same or not self._workloads_started:
            return
        if before.stand_in is not None:
            self.programs.end(before.stand_in.containers[0])
        if contents.stand_in is not None:
            self._start_stand_in(contents.stand_in)

    async def stop(self, drain: float) -> None:
        """Take it out of traffic, let it finish for `drain` seconds, end its processes, let its
        namespaces go."""
        self.stopping = True
        self.machine.changed()
        await asyncio.sleep(drain)
        for task in self._tasks:
            task.cancel()
        await self.terminate()
        self._let_go()

    async def terminate(self) -> None:
        """SIGTERM, and SIGKILL for who is still there after the grace period."""
        grace = self.plan.spec.termination_grace_period_seconds or _GRACE
        await self.programs.end_all(min(_GRACE, grace))

    def _let_go(self) -> None:
        if self.programs.space is not None:
            self.programs.space.close()
            self.programs.space = None

    async def _build_network(self) -> None:
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
        self.programs.space = await podspace.make(network, self.machine.reaper.watch)
        podspace.attach(network)

    def _envoy(self) -> Program:
        identity = identity_of(self.plan, self.ip, self.proxy_plan)
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
        program = Program(self.log(name), function=lambda: _echo(config))
        self.programs.start(Running("workload", name, program))

    async def _watch_readiness(self) -> None:
        """Each time the pod is not ready it is looked at again after a part of the time that this
        has taken already."""
        while True:
            self.programs.ended.clear()
            began = time.monotonic()
            while missing := await self._readiness.missing(self._contents):
                self._set_waiting(missing)
                waited = (time.monotonic() - began) / _PART_OF_WAIT
                await asyncio.sleep(min(max(waited, _SHORTEST_PAUSE), _LONGEST_PAUSE))
            self._set_waiting(())
            await self._readiness.until_interrupted()

    def _set_waiting(self, missing: tuple[str, ...]) -> None:
        changed = bool(missing) != bool(self.waiting_for)
        self.waiting_for = missing
        if changed:
            self.machine.changed()


def _process_of(stand_in: StandIn | None) -> object:
    """What a stand-in's process depends on: the names of its ports do not matter."""
    return stand_in and (stand_in.containers, stand_in.spoken, stand_in.calls)


def _echo(config: EchoConfig) -> int:
    process.name_process("varka-echo")
    asyncio.run(serve(config))
    return 0
