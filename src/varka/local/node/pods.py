"""The pods of this machine: which run, which are to be started and stopped, which could not be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address

from varka.local.network.addresses import FIRST_POD, GATEWAY
from varka.local.pod.machine import Machine
from varka.local.pod.pod import Pod
from varka.local.workload import rollout
from varka.local.workload.cluster import Cluster, ProxyPlan
from varka.local.workload.containers import Contents, contents
from varka.local.workload.services import RunningPod
from varka.local.workload.workloads import PodPlan

_DRAIN = 1.0


class Pods:
    """By key (`name.namespace`). `images` is the table of `--run IMAGE=COMMAND`."""

    def __init__(self, machine: Machine, images: Mapping[str, str]) -> None:
        self._machine, self._images = machine, images
        self.by_key: dict[str, Pod] = {}
        self._failed: dict[str, tuple[str, str]] = {}
        """Revision and reason of those that could not be started: tried again when they change."""
        self._addresses = _addresses()
        self._links = 0
        self.newly_failed: list[tuple[str, str]] = []
        """Key and reason, until somebody has reported them."""

    @property
    def failed(self) -> Mapping[str, str]:
        """Why pods could not be started."""
        return {key: why for key, (_, why) in self._failed.items()}

    @property
    def running(self) -> list[RunningPod]:
        return [pod.running for pod in self.by_key.values()]

    def has_sidecar(self, address: str) -> bool:
        return any(pod.ip == address and pod.proxy == "sidecar" for pod in self.by_key.values())

    def is_settled(self, cluster: Cluster) -> bool:
        """Whether there is a pod for everything that the manifests want, and nothing else."""
        return set(cluster.plans) - set(self._failed) == set(self.by_key)

    def reconcile(self, cluster: Cluster) -> None:
        """Start, stop and change pods so that they become what `cluster` wants."""
        proxies = self._proxies(cluster)
        wanted = {
            key: rollout.Wanted(f"{plan.revision}/{proxies[key]}", plan.owner, plan.ordinal)
            for key, plan in cluster.plans.items()
            if key in proxies
        }
        present = {
            key: rollout.Present(f"{pod.plan.revision}/{pod.proxy_plan}", pod.plan.owner, pod.ready)
            for key, pod in self.by_key.items()
        }
        self._failed = {k: value for k, value in self._failed.items() if k in cluster.plans}
        steps = rollout.steps(wanted, present)
        for key in steps.stop:
            self._stop(self.by_key[key])
        for key in steps.start:
            self._start(cluster.plans[key], proxies[key], cluster)
        for key, pod in self.by_key.items():
            if key in wanted and not pod.stopping and key not in steps.start:
                pod.update(self._contents(pod.plan, pod.ip, cluster))

    def _proxies(self, cluster: Cluster) -> dict[str, ProxyPlan]:
        """What stands before each pod, of all for which that can be decided."""
        proxies: dict[str, ProxyPlan] = {}
        for key, plan in cluster.plans.items():
            try:
                proxies[key] = cluster.proxy(plan)
            except (ValueError, TypeError, AttributeError) as error:
                self._note_failure(plan, error)
        return proxies

    def _contents(self, plan: PodPlan, ip: str, cluster: Cluster) -> Contents:
        return contents(plan, ip, cluster.services, self._images, cluster.around)

    def _start(self, plan: PodPlan, proxy: ProxyPlan, cluster: Cluster) -> None:
        if self._failed.get(plan.key, ("",))[0] == plan.revision:
            return
        self._failed.pop(plan.key, None)
        self._links += 1
        ip = GATEWAY if plan.spec.host_network else next(self._addresses)
        pod = Pod(plan, ip, proxy, self._machine, f"pod{self._links}")
        try:
            inside = self._contents(plan, ip, cluster)
        except ValueError as error:
            self._note_failure(plan, error)
            return
        self.by_key[plan.key] = pod
        pod.start(inside, lambda error: self._give_up(pod, error))

    def _give_up(self, pod: Pod, error: Exception) -> None:
        if self.by_key.get(pod.plan.key) is pod:
            del self.by_key[pod.plan.key]
        self._note_failure(pod.plan, error)
        self._machine.changed()

    def _note_failure(self, plan: PodPlan, error: Exception) -> None:
        if self._failed.get(plan.key) != (plan.revision, str(error)):
            self._failed[plan.key] = (plan.revision, str(error))
            self.newly_failed.append((plan.key, str(error)))

    def _stop(self, pod: Pod) -> None:
        if not pod.stopping:
            pod.stopping = True
            self._machine.background.start(f"stopping pod {pod.plan.key}", self._finish(pod))

    async def _finish(self, pod: Pod) -> None:
        try:
            await pod.stop(_DRAIN)
        finally:
            if self.by_key.get(pod.plan.key) is pod:
                del self.by_key[pod.plan.key]
            self._machine.changed()


def _addresses() -> Iterator[str]:
    """Addresses of pods in turn, so that one is not soon used again."""
    while True:
        for number in range(65000):
            yield str(IPv4Address(FIRST_POD) + number)
