"""EnvoyFilters on the layers of a view: each resource is patched once for all proxies with the same
patches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.listener.v3 import listener_pb2
from envoy.config.route.v3 import route_components_pb2, route_pb2
from msgspec import Struct

from varka.base.memo import Memo
from varka.envoy.dump import message_of
from varka.envoy.filters.clusters import patch_cluster
from varka.envoy.filters.json import Unreadable
from varka.envoy.filters.listeners import patch_listener
from varka.envoy.filters.patch import Patch, Run, compiled
from varka.envoy.filters.routes import patch_route_configuration, patch_virtual_host
from varka.envoy.istio_names import INBOUND_PASSTHROUGH
from varka.envoy.references import named_secrets
from varka.envoy.resource import EnvoyResource, Layer, Layers, TypeUrl, encode
from varka.envoy.violations import violations
from varka.mesh.model import FilterPatch
from varka.resources.model.networking import ApplyTo, Operation, PatchContext

Ports = tuple[tuple[int, frozenset[int]], ...]

_TARGETS: dict[TypeUrl, tuple[ApplyTo, ...]] = {
    TypeUrl.CLUSTER: (ApplyTo.CLUSTER,),
    TypeUrl.LISTENER: (
        ApplyTo.LISTENER,
        ApplyTo.LISTENER_FILTER,
        ApplyTo.FILTER_CHAIN,
        ApplyTo.NETWORK_FILTER,
        ApplyTo.HTTP_FILTER,
        ApplyTo.ROUTE_CONFIGURATION,
        ApplyTo.VIRTUAL_HOST,
        ApplyTo.HTTP_ROUTE,
    ),
    TypeUrl.ROUTE: (ApplyTo.ROUTE_CONFIGURATION, ApplyTo.VIRTUAL_HOST, ApplyTo.HTTP_ROUTE),
    TypeUrl.VIRTUAL_HOST: (ApplyTo.VIRTUAL_HOST, ApplyTo.HTTP_ROUTE),
    TypeUrl.EXTENSION: (ApplyTo.EXTENSION_CONFIG,),
}
_WHOLE = {
    TypeUrl.CLUSTER: ApplyTo.CLUSTER,
    TypeUrl.LISTENER: ApplyTo.LISTENER,
    TypeUrl.EXTENSION: ApplyTo.EXTENSION_CONFIG,
}
"""What ADD patches bring as resources of their own."""


class Rejected(Struct, frozen=True):
    """A patch that is not applied, and why."""

    patch: FilterPatch
    reason: str


class Patched(Struct, frozen=True, eq=False):
    """A layer after its patches: which of them found something, which were set aside."""

    layer: Layer
    hits: frozenset[FilterPatch]
    rejected: tuple[Rejected, ...]


class PatchedResource(Struct, frozen=True, eq=False):
    resource: EnvoyResource | None
    """None when a patch removed it."""
    hits: frozenset[FilterPatch]
    rejected: tuple[Rejected, ...] = ()


def patch_layers(
    memo: Memo,
    type_: TypeUrl,
    layers: Layers,
    filters: tuple[FilterPatch, ...],
    router: bool,
    ports: Ports,
) -> tuple[Patched, ...]:
    """The layers of one type with all patches applied; a last one holds what ADD patches bring."""
    patches, broken = memo(_compiled, filters, type_)
    done = tuple(memo.nested(_layer, layer, patches, router, ports) for layer in layers)
    return (*done, memo(_added, type_, patches, router, broken))


def _compiled(
    filters: tuple[FilterPatch, ...], type_: TypeUrl
) -> tuple[tuple[Patch, ...], tuple[Rejected, ...]]:
    wanted = [(f, compiled(f)) for f in filters if f.patch.apply_to in _TARGETS.get(type_, ())]
    good = tuple(p for _, p in wanted if isinstance(p, Patch))
    bad = (
        tuple(Rejected(f, str(p)) for f, p in wanted if isinstance(p, Unreadable))
        if wanted and _owner(type_)
        else ()
    )
    return good, bad


def _owner(type_: TypeUrl) -> bool:
    """Route patches go to listeners (inline routes) and virtual hosts too: report a broken one
    once."""
    return type_ in _WHOLE


def _layer(
    memo: Memo, layer: Layer, patches: tuple[Patch, ...], router: bool, ports: Ports
) -> Patched:
    if not patches:
        return Patched(layer, frozenset(), ())
    done = [
        memo(_resource, resource, patches, router, ports) for resource in layer.resources.values()
    ]
    kept = {p.resource.name: p.resource for p in done if p.resource is not None}
    same = len(kept) == len(layer.resources) and all(
        layer.resources.get(n) is r for n, r in kept.items()
    )
    return Patched(
        layer if same else Layer(kept),
        frozenset().union(*(p.hits for p in done)),
        tuple(r for p in done for r in p.rejected),
    )


def _added(
    type_: TypeUrl, patches: tuple[Patch, ...], router: bool, broken: tuple[Rejected, ...]
) -> Patched:
    """Whole listeners, clusters and extension configurations that ADD patches bring; the last of a
    name wins."""
    contexts = (
        (PatchContext.GATEWAY,)
        if router
        else (PatchContext.SIDECAR_OUTBOUND, PatchContext.SIDECAR_INBOUND)
    )
    found, rejected = {}, list(broken)
    for patch in patches:
        if patch.apply_to is not _WHOLE.get(type_) or patch.operation is not Operation.ADD:
            continue
        if not any(map(patch.adds_in, contexts)):
            continue
        wrong = violations(patch.value)
        if wrong:
            rejected.append(Rejected(patch.source, "; ".join(wrong)))
        else:
            found[patch.value.name] = (
                encode(
                    type_,
                    patch.value.name,
                    patch.value,
                    patches=(patch.source,),
                    secrets=named_secrets(patch.value),
                ),
                patch.source,
            )
    return Patched(
        Layer({n: r for n, (r, _) in found.items()}),
        frozenset(s for _, s in found.values()),
        tuple(rejected),
    )


def _resource(
    resource: EnvoyResource, patches: tuple[Patch, ...], router: bool, ports: Ports
) -> PatchedResource:
    """All patches on one resource; when the result is no valid message, one by one without those at
    fault."""
    context = _context(resource, router)
    patched = _run(resource, patches, context, ports)
    if isinstance(patched, PatchedResource):
        return patched
    good: tuple[Patch, ...] = ()
    kept = PatchedResource(resource, frozenset())
    rejected: list[Rejected] = []
    for patch in patches:
        attempt = _run(resource, (*good, patch), context, ports)
        if isinstance(attempt, str):
            rejected.append(Rejected(patch.source, attempt))
        else:
            good, kept = (*good, patch), attempt
    return PatchedResource(kept.resource, kept.hits, (*kept.rejected, *rejected))


def _run(
    resource: EnvoyResource, patches: tuple[Patch, ...], context: PatchContext, ports: Ports
) -> PatchedResource | str:
    """The patched resource, or why Envoy would refuse it."""
    run, message = Run(patches, context), message_of(resource)
    kept = _APPLY[resource.type](run, message, resource.name, dict(ports))
    refused = tuple(
        Rejected(patch, reason) for patch, reason in run.refused.items() if patch not in run.hits
    )
    if not run.hits:
        return PatchedResource(resource, frozenset(), refused)
    if not kept:
        return PatchedResource(None, frozenset(run.hits), refused)
    wrong = violations(message)
    if wrong:
        return "; ".join(wrong)
    hits = sorted(run.hits, key=lambda hit: (hit.source, hit.index))
    patched = encode(
        resource.type,
        resource.name,
        message,
        resource.origins,
        hits,
        resource.form,
        resource.planned,
        secrets=named_secrets(message),
        inbound=resource.inbound,
    )
    return PatchedResource(patched, frozenset(hits), refused)


def _context(resource: EnvoyResource, router: bool) -> PatchContext:
    if router:
        return PatchContext.GATEWAY
    inbound = (
        resource.inbound
        or resource.name.startswith("inbound|")
        or resource.name in ("virtualInbound", INBOUND_PASSTHROUGH)
    )
    return PatchContext.SIDECAR_INBOUND if inbound else PatchContext.SIDECAR_OUTBOUND


def _cluster(
    run: Run, message: cluster_pb2.Cluster, name: str, ports: dict[int, frozenset[int]]
) -> bool:
    return patch_cluster(run, message)


def _listener(
    run: Run, message: listener_pb2.Listener, name: str, ports: dict[int, frozenset[int]]
) -> bool:
    return patch_listener(run, message)


def _route(
    run: Run, message: route_pb2.RouteConfiguration, name: str, ports: dict[int, frozenset[int]]
) -> bool:
    patch_route_configuration(run, message, ports)
    return True


def _virtual_host(
    run: Run, message: route_components_pb2.VirtualHost, name: str, ports: dict[int, frozenset[int]]
) -> bool:
    """One that travels alone. Patches mean the name that it would have in its route configuration,
    Envoy needs its own."""
    configuration, _, message.name = name.partition("/")
    kept = patch_virtual_host(run, message, configuration, ports)
    message.name = name
    return kept


_APPLY: dict[TypeUrl, Callable[[Run, Any, str, dict[int, frozenset[int]]], bool]] = {
    TypeUrl.CLUSTER: _cluster,
    TypeUrl.LISTENER: _listener,
    TypeUrl.ROUTE: _route,
    TypeUrl.VIRTUAL_HOST: _virtual_host,
}
