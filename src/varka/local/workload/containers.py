"""What the containers of a pod run on this machine: the programs that the user named, and a
stand-in for all others."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from varka.base.digits import number
from varka.local.workload.services import ServiceView
from varka.local.workload.workloads import PodPlan
from varka.registry import protocol
from varka.registry.service import Protocol
from varka.resources.model import kubernetes

RUN_ANNOTATION = "varka.dev/run."
CALLS_ANNOTATION = "varka.dev/calls"
PROXY_CONTAINER = "istio-proxy"
_REFERENCE = re.compile(r"\$\$|\$\(([A-Za-z_.-][A-Za-z0-9_.-]*)\)")


class Command(Struct, frozen=True):
    """A program that stands for a container."""

    container: str
    argv: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()
    directory: str = ""


class StandIn(Struct, frozen=True):
    """The echo stand-in for `containers`: `ports` are (number, protocol by the port's name)."""

    containers: tuple[str, ...]
    ports: tuple[tuple[int, str], ...]
    calls: tuple[str, ...] = ()

    @property
    def spoken(self) -> tuple[tuple[int, str], ...]:
        """(number, what the stand-in speaks there). A program does not know what its port is
        called: it goes by the bytes it reads. Only where clients wait for the server's first word
        the name, or the well-known number, says so (see `varka.local.echo.config.Port`)."""
        return tuple(
            (number, "mysql" if word == "mysql" or number in _SERVER_FIRST else "")
            for number, word in self.ports
        )


_SERVER_FIRST = frozenset({21, 22, 25, 110, 143, 587, 3306})
"""FTP, SSH, SMTP, POP3, IMAP, submission of mail, MySQL."""


class Contents(Struct, frozen=True):
    """`service_ports` are the TCP ports of the pod that Services lead to."""

    commands: tuple[Command, ...] = ()
    stand_in: StandIn | None = None
    service_ports: frozenset[int] = frozenset()


class Surroundings(Struct, frozen=True, eq=False):
    """What a container's environment may refer to: ConfigMaps and Secrets by (kind, namespace,
    name), the machine's variables."""

    machine: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[tuple[str, str, str], Mapping[str, str]] = field(default_factory=dict)


def contents(
    pod: PodPlan,
    ip: str,
    services: Iterable[ServiceView],
    images: Mapping[str, str],
    around: Surroundings,
) -> Contents:
    """Decide for each container. `images` is the table of `--run IMAGE=COMMAND`."""
    commands, replaced = [], []
    of_commands: set[int] = set()
    for container in pod.spec.containers:
        if container.name == PROXY_CONTAINER:
            continue
        argv = _argv(pod, container, images)
        if argv is None:
            replaced.append(container)
            continue
        of_commands |= {port.container_port for port in container.ports}
        env = environment(pod, container, ip, around)
        words = tuple(expand(word, env) for word in argv)
        commands.append(Command(container.name, words, tuple(env.items()), container.working_dir))
    targets = dict(_of_services(pod, services))
    left = {port: word for port, word in targets.items() if port not in of_commands}
    return Contents(tuple(commands), _stand_in(pod, replaced, left), frozenset(targets))


def _argv(
    pod: PodPlan, container: kubernetes.Container, images: Mapping[str, str]
) -> list[str] | None:
    """An annotation is the whole command. A table's command takes the place of the image's
    entrypoint: `args` follow it."""
    written = pod.annotations.get(RUN_ANNOTATION + container.name)
    if written is not None:
        return shlex.split(written)
    for image in (
        container.image,
        container.image.rpartition(":")[0],
        container.image.split("/")[-1].split(":")[0],
    ):
        if image in images:
            return [*shlex.split(images[image]), *container.args]
    return None


def environment(
    pod: PodPlan, container: kubernetes.Container, ip: str, around: Surroundings
) -> dict[str, str]:
    """The machine's variables with the container's on top: `envFrom`, then `env`, references in
    values replaced."""
    env = {**around.machine, "HOSTNAME": pod.name}
    for source in container.env_from:
        for kind, reference in (
            ("ConfigMap", source.config_map_ref),
            ("Secret", source.secret_ref),
        ):
            if reference is not None:
                data = around.data.get((kind, pod.namespace, reference.name), {})
                env.update((source.prefix + key, value) for key, value in data.items())
    for variable in container.env:
        value = (
            _value_from(pod, variable.value_from, ip, around)
            if variable.value_from
            else expand(variable.value, env)
        )
        env[variable.name] = value
    return env


def _value_from(pod: PodPlan, source: Mapping[str, Any], ip: str, around: Surroundings) -> str:
    for kind, field_name in (("ConfigMap", "configMapKeyRef"), ("Secret", "secretKeyRef")):
        reference = source.get(field_name)
        if reference:
            data = around.data.get((kind, pod.namespace, str(reference.get("name", ""))), {})
            return data.get(str(reference.get("key", "")), "")
    path = str((source.get("fieldRef") or {}).get("fieldPath", ""))
    for prefix, values in (
        ("metadata.labels", pod.labels),
        ("metadata.annotations", pod.annotations),
    ):
        if path.startswith(prefix + "["):
            return values.get(path[len(prefix) + 1 : -1].strip("'\""), "")
    known = {
        "metadata.name": pod.name,
        "metadata.namespace": pod.namespace,
        "metadata.uid": pod.revision,
        "spec.nodeName": "varka",
        "spec.serviceAccountName": pod.service_account,
        "status.podIP": ip,
        "status.podIPs": ip,
        "status.hostIP": ip,
    }
    return known.get(path, "")


def expand(text: str, env: Mapping[str, str]) -> str:
    """Kubernetes' `$(NAME)`; `$$` is a dollar sign, an unknown name stays as it is."""
    return _REFERENCE.sub(
        lambda reference: env.get(reference[1], reference[0]) if reference[1] else "$", text
    )


def _stand_in(
    pod: PodPlan, containers: Sequence[kubernetes.Container], targets: Mapping[int, str]
) -> StandIn | None:
    if not containers:
        return None
    ports = {
        port.container_port: _word(
            protocol.of_service_port(port.container_port, port.name, "TCP", None)
        )
        for container in containers
        for port in container.ports
        if port.protocol == "TCP" and port.container_port
    }
    ports.update(targets)
    calls = tuple(
        url.strip() for url in pod.annotations.get(CALLS_ANNOTATION, "").split(",") if url.strip()
    )
    names = tuple(container.name for container in containers)
    return StandIn(names, tuple(sorted(ports.items())), calls) if ports else None


def _of_services(pod: PodPlan, services: Iterable[ServiceView]) -> Iterable[tuple[int, str]]:
    """Target ports of the Services that select the pod, with the protocol that the Service
    names."""
    named = {
        port.name: port.container_port
        for container in pod.spec.containers
        for port in container.ports
        if port.name
    }
    for service in services:
        if not service.selects(pod.namespace, pod.labels):
            continue
        for port in service.spec.ports:
            target = port.target_port if port.target_port is not None else port.port
            given = number(target) if isinstance(target, str) else target
            listening = named.get(str(target), 0) if given is None else given
            if listening and port.protocol == "TCP":
                chosen = protocol.of_service_port(
                    port.port, port.name, port.protocol, port.app_protocol or None
                )
                yield listening, _word(chosen)


def _word(chosen: Protocol) -> str:
    return "" if chosen is Protocol.AUTO else chosen.value.lower()
