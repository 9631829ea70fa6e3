"""From a mesh snapshot to the views of proxies: the one place that knows which parts make a proxy's configuration.

A view is made of layers and each layer of leaf resources. What equal scopes share is compiled once
for a snapshot; what an unchanged group gives is the same layer as before (see `base.memo`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

from varka.base.diagnostic import Diagnostic, Severity
from varka.base.memo import Memo
from varka.base.settings import Settings
from varka.envoy.clusters.inbound import inbound_layer as inbound_clusters
from varka.envoy.clusters.outbound import outbound_layer
from varka.envoy.clusters.static import static_layer
from varka.envoy.endpoints import assignment_layer
from varka.envoy.filters.apply import Ports, Rejected, patch_layers
from varka.envoy.listeners.gateway import gateway_layers
from varka.envoy.listeners.inbound import inbound_layer as inbound_listeners
from varka.envoy.listeners.outbound import outbound_layers
from varka.envoy.listeners.parts import ListenerParts
from varka.envoy.listeners.tls import file_secret
from varka.envoy.references import secret_names
from varka.envoy.resource import EnvoyResource, Layer, Layers, TypeUrl, View, encode
from varka.envoy.routes.gateway import gateway_route
from varka.envoy.routes.sidecar import sidecar_route
from varka.envoy.secrets import secret_layer
from varka.mesh.model import FilterPatch, Inbound, MergedGateway, Scope, ServiceGroup
from varka.mesh.snapshot import MeshSnapshot, take
from varka.mesh.telemetry import Telemetry, telemetry_of
from varka.proxy.node import Proxy, ProxyType
from varka.proxy.traits import Traits, traits_of
from varka.resources.model.mesh import MeshConfig
from varka.store.state import State

P = ParamSpec("P")
R = TypeVar("R")
Parcel = dict[TypeUrl, Layers]


class Compiler:
    """Compiles views for proxies; holds the memo and the newest snapshot. Belongs to one thread."""

    def __init__(self, config: MeshConfig, settings: Settings) -> None:
        self.memo = Memo()
        self.config = config
        self._settings = settings
        self._snapshot = take(State(), config, self.memo, settings)
        self._known: dict[tuple[object, ...], object] = {}

    @property
    def snapshot(self) -> MeshSnapshot:
        return self._snapshot

    def update(self, state: State, config: MeshConfig | None = None) -> None:
        """Move on to a new state (and mesh configuration)."""
        self.config = config or self.config
        self.memo.turn()
        self._snapshot = take(state, self.config, self.memo, self._settings)
        self._known = {}

    def view(self, proxy: Proxy) -> View:
        """What this proxy gets: the same object for equal proxies, and over updates while nothing in it changed."""
        return self._once(self._compile, self._parts(proxy))

    def route(self, proxy: Proxy, name: str) -> EnvoyResource:
        """A route configuration by name, also one that no listener names; whole, whatever its size."""
        parts = self._parts(proxy)
        if parts.gateway is not None:
            return gateway_route(self.memo, parts.gateway, parts.scope, name, parts.traits, self.config)
        return sidecar_route(self.memo, parts.scope, name, parts.traits, self.config, whole=True).route

    def _parts(self, proxy: Proxy) -> Parts:
        snapshot = self._snapshot
        scope = snapshot.scope(proxy)
        router = proxy.type is ProxyType.ROUTER
        return Parts(
            scope,
            snapshot.gateway(proxy) if router else None,
            None if router else snapshot.inbound(proxy),
            traits_of(proxy, needs_locality=scope.needs_locality, label_keys=scope.label_keys),
            telemetry_of(snapshot, proxy),
            snapshot.filters(proxy),
        )

    def _once(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Like the memo, but for one snapshot: for what depends on endpoints too, which no argument tells."""
        key = (function, *args)
        if key not in self._known:
            self._known[key] = function(*args, **kwargs)
        return self._known[key]  # type: ignore[return-value]

    def _compile(self, parts: Parts) -> View:
        shared, own = self._gateway(parts) if parts.gateway else self._sidecar(parts)
        groups, traits = parts.scope.groups, parts.traits
        shared[TypeUrl.CLUSTER] = (
            self.memo(static_layer, traits, self.config),
            *(self._once(self._outbound, group, traits) for group in groups),
        )
        shared[TypeUrl.ENDPOINTS] = tuple(self._once(self._assignments, group, traits) for group in groups)
        notes = Notes()
        if parts.patches:
            shared, own = self._patched(parts, shared, notes), self._patched(parts, own, notes, added=False)
        own[TypeUrl.SECRET] = self._secrets(parts, shared, own, notes)
        return self.memo(
            view_of, tuple(shared.items()), tuple(own.items()), tuple(dict.fromkeys(notes.diagnostics)), frozenset(notes.hits)
        )

    def _patched(self, parts: Parts, layers: Parcel, notes: Notes, *, added: bool = True) -> Parcel:
        """After EnvoyFilters. What they add replaces what has the same name, and is among the shared layers."""
        ports = server_ports(parts.gateway) if parts.gateway else ()
        result: Parcel = {}
        for type_, found in layers.items():
            *done, more = patch_layers(self.memo, type_, found, parts.patches, parts.gateway is not None, ports)
            kept = tuple(self.memo(without, p.layer, more.layer) for p in done)
            result[type_] = (*kept, more.layer) if added else kept
            for patched in (*done, more):
                notes.hits |= patched.hits
                notes.diagnostics += [set_aside(rejected) for rejected in patched.rejected]
        return result

    def _secrets(self, parts: Parts, shared: Parcel, own: Parcel, notes: Notes) -> Layers:
        holders = [layer for parcel in (shared, own) for t in (TypeUrl.CLUSTER, TypeUrl.LISTENER) for layer in parcel.get(t, ())]
        names = frozenset[str]().union(*(secret_names(self.memo, layer) for layer in holders))
        files = self.memo(file_layer, names)
        wanted = names - files.resources.keys()
        made, problems = secret_layer(self.memo, wanted, parts.scope.namespace, self._snapshot.find)
        notes.diagnostics += problems
        return (files, made)

    def _outbound(self, group: ServiceGroup, traits: Traits) -> Layer:
        return outbound_layer(self.memo, group, traits, self.config, self._snapshot.endpoints)

    def _assignments(self, group: ServiceGroup, traits: Traits) -> Layer:
        return assignment_layer(self.memo, group, traits, self.config, self._snapshot.endpoints)

    def _gateway(self, parts: Parts) -> tuple[Parcel, Parcel]:
        memo, scope, traits, gateway = self.memo, parts.scope, parts.traits, parts.gateway
        assert gateway is not None
        listeners = gateway_layers(memo, gateway, scope, traits, self.config, self._snapshot.endpoints, parts.telemetry)
        routes = tuple(memo(gateway_route, memo, gateway, scope, name, traits, self.config) for name in sorted(listeners.routes))
        return {TypeUrl.LISTENER: listeners.layers, TypeUrl.ROUTE: (memo(layer_of, routes),)}, {}

    def _sidecar(self, parts: Parts) -> tuple[Parcel, Parcel]:
        memo, scope, traits, inbound = self.memo, parts.scope, parts.traits, parts.inbound
        assert inbound is not None
        outward = self._once(self._outbound_listeners, scope, traits, parts.telemetry)
        inward = inbound_listeners(memo, inbound, scope, traits, self.config, parts.telemetry, self._settings)
        found = [memo(sidecar_route, memo, scope, name, traits, self.config) for name in sorted(outward.routes | inward.routes)]
        shared: Parcel = {
            TypeUrl.LISTENER: outward.layers,
            TypeUrl.ROUTE: (memo(layer_of, tuple(part.route for part in found)),),
            TypeUrl.VIRTUAL_HOST: tuple(layer for part in found for layer in part.virtual_hosts),
        }
        own: Parcel = {
            TypeUrl.CLUSTER: (inbound_clusters(memo, inbound, scope, traits, self.config),),
            TypeUrl.LISTENER: inward.layers,
        }
        return shared, own

    def _outbound_listeners(self, scope: Scope, traits: Traits, telemetry: Telemetry) -> ListenerParts:
        return outbound_layers(self.memo, scope, traits, self.config, self._snapshot.endpoints, telemetry)


@dataclass(frozen=True, slots=True)
class Parts:
    """All that a view is made from; equal parts (by identity of each) are one view."""

    scope: Scope
    gateway: MergedGateway | None
    inbound: Inbound | None
    traits: Traits
    telemetry: Telemetry
    patches: tuple[FilterPatch, ...]


@dataclass(slots=True)
class Notes:
    """What is noticed while a view is made."""

    diagnostics: list[Diagnostic] = field(default_factory=list)
    hits: set[FilterPatch] = field(default_factory=set)


def server_ports(gateway: MergedGateway) -> Ports:
    """Bound port -> the `servers[].port.number`s it stands for: what `routeConfiguration.match.portNumber` means."""
    return tuple((p.number, frozenset(s.server.port.number for s in p.servers if s.server.port)) for p in gateway.ports)


def without(layer: Layer, other: Layer) -> Layer:
    """The layer without names that the other has; itself when there are none."""
    if layer.resources.keys().isdisjoint(other.resources):
        return layer
    return Layer({name: r for name, r in layer.resources.items() if name not in other.resources})


def layer_of(resources: tuple[EnvoyResource, ...]) -> Layer:
    return Layer.of(resources)


def view_of(
    shared: tuple[tuple[TypeUrl, Layers], ...],
    own: tuple[tuple[TypeUrl, Layers], ...],
    diagnostics: tuple[Diagnostic, ...],
    hits: frozenset[FilterPatch],
) -> View:
    return View(dict(shared), dict(own), diagnostics, hits)


def file_layer(names: frozenset[str]) -> Layer:
    """Secrets that are files at the proxy, which reads and watches them itself."""
    found = ((name, file_secret(name)) for name in sorted(names))
    return Layer.of(encode(TypeUrl.SECRET, name, message) for name, message in found if message is not None)


def set_aside(rejected: Rejected) -> Diagnostic:
    message = f"this patch is not applied: {rejected.reason}"
    path = f"spec.configPatches[{rejected.patch.index}].patch.value"
    hint = "Envoy would refuse the whole resource; mend the value"
    return Diagnostic("V7001", Severity.ERROR, message, None, rejected.patch.source, path, hint)
