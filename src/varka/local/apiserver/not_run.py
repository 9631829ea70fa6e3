"""Workloads that nothing on this machine runs: objects with a template for pods whose kind is not
one that the runtime plays the controller of."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from varka.base.diagnostic import Diagnostic, Severity
from varka.base.names import ObjectKey
from varka.local.workload.workloads import WORKLOAD_KINDS
from varka.resources.resource import Resource
from varka.store.state import State

CODE = "P0002"
_HINT = (
    "varka runs the pods of Deployment, StatefulSet, DaemonSet, ReplicaSet, Job and Pod; use one of"
    " these here"
)


def not_run(state: State, about: Collection[ObjectKey] | None = None) -> list[Diagnostic]:
    """One for each such object, or for those among `about`: a warning when Services count on its
    pods, for them nobody answers."""
    return [
        _diagnostic(resource, labels, state)
        for key, resource in state.resources.items()
        if key.kind not in WORKLOAD_KINDS and (about is None or key in about)
        for labels in _pod_labels(resource)
    ]


def _diagnostic(resource: Resource[Any], labels: Mapping[str, str], state: State) -> Diagnostic:
    services = list(_selecting(state, resource.namespace, labels))
    lost = f", so that nobody answers for {_listed(services)}" if services else ""
    return Diagnostic(
        CODE,
        Severity.WARNING if services else Severity.INFO,
        f"the pods of a {resource.key.kind} are not run here{lost}",
        state.origin(resource.key, ("kind",)),
        resource.key,
        hint=_HINT,
    )


def _listed(services: Collection[str]) -> str:
    return f"Service{'s' if len(services) > 1 else ''} {', '.join(services)}"


def _pod_labels(resource: Resource[Any]) -> Iterator[Mapping[str, str]]:
    """Of the pods that its controller would make: `spec.template` holds them, of a CronJob within
    `spec.jobTemplate`."""
    spec = resource.raw.get("spec")
    if not isinstance(spec, Mapping):
        return
    job = spec.get("jobTemplate")
    inner = job.get("spec") if isinstance(job, Mapping) else spec
    template = inner.get("template") if isinstance(inner, Mapping) else None
    if not isinstance(template, Mapping):
        return
    pod = template.get("spec")
    if isinstance(pod, Mapping) and isinstance(pod.get("containers"), list):
        metadata = template.get("metadata")
        labels = metadata.get("labels") if isinstance(metadata, Mapping) else None
        yield labels if isinstance(labels, Mapping) else {}


def _selecting(state: State, namespace: str, labels: Mapping[str, str]) -> Iterable[str]:
    """Services that would send traffic to pods with these labels, and find no other workload."""
    running = [
        other
        for kind in ("Pod", *sorted(WORKLOAD_KINDS - {"Pod"}))
        for group in ("", "apps", "batch")
        for resource in state.of(kind, group)
        if resource.namespace == namespace
        for other in (resource.labels, *_pod_labels(resource))
    ]
    for service in state.of("Service"):
        selector = (service.raw.get("spec") or {}).get("selector") or {}
        if not selector or service.namespace != namespace or not _matches(selector, labels):
            continue
        if not any(_matches(selector, other) for other in running):
            yield service.name


def _matches(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    return all(labels.get(name) == value for name, value in selector.items())
