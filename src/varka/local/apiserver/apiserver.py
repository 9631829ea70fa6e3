"""Admission as a hook of the control plane's store: what an API server adds to objects before
anyone sees them."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from varka.base.diagnostic import Diagnostic
from varka.base.names import ObjectKey
from varka.local.apiserver.admission import Object, Options, admit
from varka.local.apiserver.not_run import not_run
from varka.mesh.config import mesh_config_of
from varka.mesh.ingress import gateway_selector, is_ours
from varka.resources.check import check_object
from varka.resources.meshconfig import default_mesh_config
from varka.resources.place import Place
from varka.resources.resource import Resource
from varka.store.state import State
from varka.store.store import Store

SOURCE = "up"
"""The source of objects that nobody wrote: namespaces, gateways."""
_PLACE = Place("varka up")
_RUNTIME = "runtime"


class _Written(Struct):
    """A Pod as the user wrote it, and as the runtime reports it once it runs."""

    owner: str
    place: Place
    raw: Object
    reported: Resource[Any] | None = None


class ApiServer:
    """Called after every change of the store; returns the keys of what came, changed or went
    because of it. `memory` is the file that keeps Service addresses over restarts; None: nothing
    does."""

    def __init__(self, memory: Path | None, options: Options) -> None:
        self._memory, self._options = memory, options
        self._addresses: Mapping[str, str] = (
            json.loads(memory.read_text()) if memory is not None and memory.exists() else {}
        )
        self._made: dict[ObjectKey, tuple[Object, Resource[Any]]] = {}
        self._pods: dict[ObjectKey, _Written] = {}

    def __call__(self, store: Store) -> tuple[ObjectKey, ...]:
        self._keep_pods(store)
        state = store.state
        written = {
            key: resource
            for key, resource in state.resources.items()
            if store.owner(key) not in (SOURCE, _RUNTIME)
        }
        admission = admit(
            [_complete(resource) for resource in written.values()],
            self._addresses,
            self._options,
            _ingress_gateway(state),
        )
        store.amend(map(self._resource, admission.changed))
        added = [
            resource
            for resource in map(self._resource, admission.added)
            if resource.key not in written
        ]
        self._remember(admission.addresses)
        return store.replace(SOURCE, [(resource, _PLACE) for resource in added]).keys

    def findings(
        self, state: State, about: Collection[ObjectKey] | None = None
    ) -> Sequence[Diagnostic]:
        """Workloads whose pods are not run on this machine."""
        return not_run(state, about)

    def _keep_pods(self, store: Store) -> None:
        """A Pod that the user wrote stays the user's when the runtime reports its status: saved
        again it keeps the status, deleted it is gone."""
        state = store.state
        for pod in state.of("Pod"):
            owner, known = store.owner(pod.key), self._pods.get(pod.key)
            if owner == _RUNTIME:
                newest = store.written(_RUNTIME, pod.key)
                if known is not None and newest is not None:
                    known.reported = pod
                    store.write(known.owner, [(newest[0], known.place)])
            elif known is None or (pod is not known.reported and pod.raw != known.raw):
                self._pods[pod.key] = _Written(owner, state.places[pod.key], pod.raw)
            elif pod is not known.reported and known.reported is not None:
                store.write(owner, [(known.reported, state.places[pod.key])])
        for key in [key for key in self._pods if key not in state.resources]:
            del self._pods[key]

    def _resource(self, value: Object) -> Resource[Any]:
        """The same resource for the same content."""
        resource, key, findings = check_object(value, None)
        if resource is None or key is None:
            raise ValueError(
                f"{value['kind']} {value['metadata']['name']}:"
                f" {[finding.message for finding in findings]}"
            )
        known = self._made.get(key)
        if known is not None and known[0] == value:
            return known[1]
        self._made[key] = (value, resource)
        return resource

    def _remember(self, addresses: Mapping[str, str]) -> None:
        if addresses == self._addresses:
            return
        self._addresses = addresses
        if self._memory is None:
            return
        fresh = self._memory.with_suffix(".new")
        fresh.write_text(json.dumps(dict(addresses)))
        os.replace(fresh, self._memory)


def _ingress_gateway(state: State) -> Mapping[str, str] | None:
    """The labels of the gateway that serves Ingresses, when there is one to serve."""
    config = mesh_config_of(state) or default_mesh_config()
    classes = {one.name: one for one in state.of("IngressClass", "networking.k8s.io")}
    ingresses = state.of("Ingress", "networking.k8s.io")
    if not any(is_ours(ingress, classes, config) for ingress in ingresses):
        return None
    return {"istio": gateway_selector(config)}


def _complete(resource: Resource[Any]) -> Object:
    """The object with its namespace, where it was left out."""
    if not resource.namespace or (resource.raw.get("metadata") or {}).get("namespace"):
        return resource.raw
    return {
        **resource.raw,
        "metadata": {**resource.raw["metadata"], "namespace": resource.namespace},
    }
