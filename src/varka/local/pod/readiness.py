"""When a pod gets traffic.

- its programs run
- its proxy has a configuration
- the stand-in listens on all its ports
- every readinessProbe succeeds
- a program without a readinessProbe listens on one of its ports that Services name: Kubernetes
  takes such a container for ready as soon as it runs, and here it is kept out of traffic while all
  of them are still closed. Ports that no Service names, and those that the program opens later or
  never, are not waited for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from contextlib import suppress
from datetime import UTC, datetime

from varka.local.pod import envoy_process
from varka.local.pod.probe import listening, probe
from varka.local.pod.programs import Programs, Running
from varka.local.workload.containers import PROXY_CONTAINER, Contents
from varka.local.workload.workloads import PodPlan
from varka.resources.model import kubernetes


class Readiness:
    """Looks at one pod. `proxy` is `sidecar`, `router` or `none`; `home` is the node's network
    namespace."""

    def __init__(self, plan: PodPlan, ip: str, proxy: str, programs: Programs, home: int) -> None:
        self._plan, self._ip, self._proxy = plan, ip, proxy
        self._programs, self._home = programs, home
        self._announced = 0
        """The pid of the Envoy that was said to be ready."""
        self._probed = [
            (one, one.readiness_probe)
            for one in plan.spec.containers
            if one.readiness_probe is not None and proxy != "router"
        ]

    async def missing(self, contents: Contents) -> tuple[str, ...]:
        """What the pod still waits for, in words; nothing when it is ready."""
        if stopped := self._programs.not_running:
            return tuple(
                f"container {one.container} ended with exit code {one.exit_code}" for one in stopped
            )
        if (admin := self._programs.admin) is not None:
            if not await envoy_process.is_ready(admin):
                return ("its proxy has no configuration yet",)
            self._announce(self._programs.by_container[PROXY_CONTAINER])
        if self._proxy == "router":
            return ()
        opened = listening(self._programs.space, self._home)
        closed = tuple(_closed(self._plan.spec, contents, opened))
        return closed or await self._failing_probes()

    def _announce(self, envoy: Running) -> None:
        """Say so in the proxy's log, once for each process, as Istio's agent does."""
        if envoy.pid != self._announced:
            self._announced = envoy.pid
            now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            with suppress(OSError), envoy.program.log.open("a") as file:
                file.write(f"{now}\tinfo\tenvoy agent\tEnvoy proxy is ready\n")

    async def until_interrupted(self) -> None:
        """Of a pod that is ready: until one of its programs ends, or its probes fail as often as
        they may."""
        failures = 0
        while not await self._ends_within(self._period()):
            failures = failures + 1 if await self._failing_probes() else 0
            if failures >= min(probe.failure_threshold for _, probe in self._probed):
                return

    async def _ends_within(self, seconds: float | None) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._programs.ended.wait()
        except TimeoutError:
            return False
        return True

    def _period(self) -> float | None:
        return min((max(probe.period_seconds, 1) for _, probe in self._probed), default=None)

    async def _failing_probes(self) -> tuple[str, ...]:
        """The first that fails."""
        for container, checked in self._probed:
            if not await probe(checked, container, self._ip, self._programs.space, self._home):
                return (f"the readinessProbe of container {container.name} fails",)
        return ()


def _closed(spec: kubernetes.PodSpec, contents: Contents, opened: Collection[int]) -> Iterable[str]:
    """Containers that nobody can reach yet."""
    stand_in = contents.stand_in.ports if contents.stand_in is not None else ()
    if missing := {number for number, _ in stand_in} - set(opened):
        yield f"the stand-in does not listen on port {_numbers(missing)} yet"
    commands = {command.container for command in contents.commands}
    declared = {one.name: {port.container_port for port in one.ports} for one in spec.containers}
    for container in spec.containers:
        if container.name not in commands or container.readiness_probe is not None:
            continue
        elsewhere = {
            port for name, ports in declared.items() if name != container.name for port in ports
        }
        ports = contents.service_ports - elsewhere
        if ports and not ports & set(opened):
            yield (
                f"container {container.name} does not listen on port {_numbers(ports)}, where"
                " Services lead"
            )


def _numbers(ports: Collection[int]) -> str:
    return ", ".join(map(str, sorted(ports)))
