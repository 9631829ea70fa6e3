"""Fields of mesh configurations, workloads' annotations and Telemetry that nothing here reads, and
mesh configurations that do not count."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from varka.base.diagnostic import Diagnostic, Severity
from varka.base.names import ObjectKey
from varka.envoy import unread as envoy
from varka.inject import unread as inject
from varka.mesh import unread as mesh
from varka.mesh.config import mesh_config_sources
from varka.resources.check import pod_annotations
from varka.resources.codes import Code
from varka.resources.findings import path_text
from varka.resources.ineffective import ineffective
from varka.resources.meshconfig import proxy_config_without_effect, without_effect
from varka.resources.resource import Resource
from varka.resources.validate.podannotations import PROXY_CONFIG
from varka.resources.yaml import Path, parse_value
from varka.store.state import State

NO_EFFECT, SHADOWED = "V7021", "V7022"
_LISTED = (("telemetry.istio.io", "Telemetry"), ("networking.istio.io", "ProxyConfig"))
_WORKLOADS = frozenset(
    (
        ("", "Pod"),
        ("batch", "Job"),
        *(("apps", kind) for kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")),
    )
)


UNREAD: Mapping[str, str] = {**mesh.UNREAD, **envoy.UNREAD, **inject.UNREAD}
"""What any of the packages that could read it does not."""


def without_effect_of(
    state: State, about: Iterable[ObjectKey] | None = None
) -> Iterator[Diagnostic]:
    """A warning, without its place, for each such field of the objects that are asked for, and for
    those that are not enforced at all; of all objects when `about` is None."""
    sources = mesh_config_sources(state)
    for key in state.resources if about is None else about:
        resource = state.resources.get(key)
        if resource in sources:
            yield from _of_mesh(resource, sources[0])
        elif resource is not None and key[:2] in _LISTED:
            fields = ineffective(resource.raw.get("spec") or {}, key.kind, UNREAD)
            yield from _warnings(resource, ((("spec", *path), reason) for path, reason in fields))
        elif resource is not None and key[:2] in _WORKLOADS:
            yield from _warnings(resource, _of_pods(resource))
        elif resource is not None and (message := mesh.not_enforced(key)):
            yield Diagnostic(Code.NOT_ENFORCED, Severity.WARNING, message, object=key, path="kind")


def _of_mesh(source: Resource[Any], counts: Resource[Any]) -> Iterator[Diagnostic]:
    if source is counts:
        yield from _warnings(source, without_effect(source.raw, UNREAD))
        return
    message = f"this mesh configuration does not count: {counts.key} has one, too"
    yield Diagnostic(
        SHADOWED,
        Severity.WARNING,
        message,
        object=source.key,
        hint="put all settings into one of them",
    )


def _of_pods(workload: Resource[Any]) -> Iterator[tuple[Path, str]]:
    """The fields of the annotation that a workload gives its pods. A pod that a workload made is
    not looked at: the workload is."""
    where, annotations = pod_annotations(workload.key.kind, workload.raw) or ((), {})
    text = annotations.get(PROXY_CONFIG)
    if (
        isinstance(text, str)
        and text
        and not (workload.raw.get("metadata") or {}).get("ownerReferences")
    ):
        for path, reason in _of_annotation(text):
            yield (*where, PROXY_CONFIG, *path), reason


def _warnings(resource: Resource[Any], fields: Iterable[tuple[Path, str]]) -> Iterator[Diagnostic]:
    for path, reason in fields:
        name = next(step for step in reversed(path) if isinstance(step, str))
        yield Diagnostic(
            NO_EFFECT,
            Severity.WARNING,
            f"{name} has no effect: {reason}",
            None,
            resource.key,
            path_text(path),
        )


@lru_cache(maxsize=1024)
def _of_annotation(text: str) -> tuple[tuple[Path, str], ...]:
    try:
        value = parse_value(text)
    except ValueError:
        return ()
    return tuple(proxy_config_without_effect(value, UNREAD))
