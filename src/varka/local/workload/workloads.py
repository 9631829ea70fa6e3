"""From workload objects to the pods that should run: the deciding half of Kubernetes' controllers,
without doing anything."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from varka.base.names import ObjectKey
from varka.resources.model import kubernetes
from varka.resources.model.base import decode

WORKLOAD_KINDS = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "Pod"})
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_MACHINE = "varka"
TEMPLATE_HASH = "pod-template-hash"
LAST_APPLIED = "varka.dev/last-applied"
"""Annotation of a running Pod: its metadata and spec as they were written."""


class PodPlan(Struct, frozen=True, eq=False):
    """A pod as it should be. Two plans with the same name and `revision` are the same pod."""

    name: str
    namespace: str
    owner: ObjectKey
    workload: str
    """The name that Istio calls the workload: the Deployment's, not the ReplicaSet's."""
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    spec: kubernetes.PodSpec
    raw_spec: Mapping[str, Any]
    revision: str
    run_once: bool = False
    ordinal: int = 0

    @property
    def key(self) -> str:
        return f"{self.name}.{self.namespace}"

    @property
    def node(self) -> str:
        """The node that the pod names (a Node of the manifests may tell its place), else this
        machine's name."""
        return self.spec.node_name or _MACHINE

    @property
    def service_account(self) -> str:
        return self.spec.service_account_name or "default"


def plan(objects: Iterable[Mapping[str, Any]]) -> list[PodPlan]:
    """The pods of all workload objects among `objects` (as a Kubernetes API returns them)."""
    return [
        pod for value in objects if value.get("kind") in WORKLOAD_KINDS for pod in pods_of(value)
    ]


def pods_of(value: Mapping[str, Any]) -> list[PodPlan]:
    """The pods of one workload object. Raises ValueError, TypeError, KeyError or AttributeError for
    one that no API server would have let pass."""
    metadata, kind = value["metadata"], str(value["kind"])
    namespace, name = str(metadata.get("namespace") or "default"), str(metadata["name"])
    group = str(value.get("apiVersion", "")).rpartition("/")[0]
    owner = ObjectKey(group, kind, namespace, name)
    if kind == "Pod":
        return [_pod(owner, name, _as_written(value))]
    spec: Mapping[str, Any] = value.get("spec") or {}
    template: Mapping[str, Any] = spec.get("template") or {}
    digest = _word(json.dumps(template, sort_keys=True, default=str), 10)
    subdomain = str(spec.get("serviceName") or "") if kind == "StatefulSet" else ""
    return [
        _pod(owner, _pod_name(kind, name, digest, number), template, number, digest, subdomain)
        for number in range(_count(kind, spec))
    ]


def _as_written(pod: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the user wrote of a Pod that runs by now. An annotation of that name that somebody else
    wrote says nothing."""
    text = (pod["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    try:
        written = json.loads(text) if text is not None else None
    except (ValueError, TypeError):
        written = None
    if not isinstance(written, Mapping):
        return pod
    parts = written.get("metadata"), written.get("spec")
    return written if all(isinstance(part, Mapping) for part in parts) else pod


def _count(kind: str, spec: Mapping[str, Any]) -> int:
    if kind == "DaemonSet":
        return 1
    if kind == "Job":
        completions = spec.get("completions")
        parallelism = spec.get("parallelism")
        return min(
            1 if parallelism is None else int(parallelism),
            1 if completions is None else int(completions),
        )
    replicas = spec.get("replicas")
    return 1 if replicas is None else int(replicas)


def _pod_name(kind: str, name: str, digest: str, number: int) -> str:
    if kind == "StatefulSet":
        return f"{name}-{number}"
    suffix = _word(f"{name}/{digest}/{number}", 5)
    return f"{name}-{digest}-{suffix}" if kind == "Deployment" else f"{name}-{suffix}"


def _pod(
    owner: ObjectKey,
    name: str,
    template: Mapping[str, Any],
    ordinal: int = 0,
    digest: str = "",
    subdomain: str = "",
) -> PodPlan:
    """`subdomain` is the Service that gives a StatefulSet's pods names of their own."""
    metadata: Mapping[str, Any] = template.get("metadata") or {}
    raw_spec: Mapping[str, Any] = template.get("spec") or {}
    spec = decode(raw_spec, kubernetes.PodSpec)
    if subdomain:
        spec = replace(spec, hostname=name, subdomain=subdomain)
    labels = {**(metadata.get("labels") or {}), **_own_labels(owner.kind, name, digest, ordinal)}
    annotations = dict(metadata.get("annotations") or {})
    return PodPlan(
        name=name,
        namespace=owner.namespace,
        owner=owner,
        workload=owner.name,
        labels=labels,
        annotations=annotations,
        spec=spec,
        raw_spec=raw_spec,
        revision=_word(
            json.dumps([labels, annotations, raw_spec], sort_keys=True, default=str), 10
        ),
        run_once=owner.kind == "Job" or spec.restart_policy == "Never",
        ordinal=ordinal,
    )


def _own_labels(kind: str, pod: str, digest: str, ordinal: int) -> dict[str, str]:
    """What Kubernetes' controllers add to the labels of a template."""
    if kind == "Deployment":
        return {TEMPLATE_HASH: digest}
    if kind == "StatefulSet":
        return {
            "statefulset.kubernetes.io/pod-name": pod,
            "apps.kubernetes.io/pod-index": str(ordinal),
        }
    return {}


def _word(text: str, length: int) -> str:
    """A word of Kubernetes' safe alphabet, always the same for the same text."""
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:12])
    letters = []
    for _ in range(length):
        number, index = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[index])
    return "".join(letters)
