"""From a mesh snapshot to the views of proxies: the one place that knows which parts make a proxy's configuration.

A view is made of layers and each layer of leaf resources. What equal scopes share is compiled once
for a snapshot; what an unchanged group gives is the same layer as before (see `base.memo`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, ParamSpec, TypeVar

from varka.base.diagnostic import Diagnostic, Severity
from varka.base.memo import Memo
from varka.base.names import Namespace
from varka.base.settings import Settings
from varka.envoy.clusters.inbound import inbound_layer as inbound_clusters
from varka.envoy.clusters.outbound import outbound_layer
from varka.envoy.clusters.sni import sni_layers
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
from varka.mesh.model import FilterPatch, Inbound, MergedGateway, MergedRule, Scope, ServiceGroup
from varka.mesh.snapshot import MeshSnapshot, take
from varka.mesh.telemetry import Telemetry, names_services, reachable, resolve
from varka.proxy.node import Proxy, ProxyType
from varka.proxy.traits import Traits, traits_of
from varka.registry.model import Endpoint, Resolution, Service, ServicePort
from varka.resources.model.mesh import MeshConfig
from varka.store.state import State

P = ParamSpec("P")
R = TypeVar("R")
Parcel = dict[TypeUrl, Layers]
Dialled = tuple[tuple[Service, ServicePort, tuple[Endpoint, ...]], ...]


class Compiler:
    """Compiles views for proxies; holds the memo and the newest snapshot. Belongs to one thread."""

    def __init__(self, config: MeshConfig, settings: Settings) -> None:
        self.memo = Memo()
        self.config = config
        self._settings = settings
        self._snapshot = take(State(), config, self.memo, settings)
        self._known: dict[tuple[object, ...], object] = {}
        self._traits: dict[Traits, Traits] = {}
        """Equal traits as one object, which is quicker to compare."""

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
        parts = self._parts(proxy)
        shared = self._once(self._gateway if parts.gateway else self._sidecar, parts._replace(inbound=None))
        own = self._workload(parts, parts.inbound) if parts.inbound else NOTHING
        secrets, problems = self._once(self._secrets, shared.secrets | own.secrets, parts.scope.namespace)
        return self.memo(view_of, shared, own, secrets, problems)

    def route(self, proxy: Proxy, name: str) -> EnvoyResource:
        """A route configuration by name, also one that no listener names; whole, whatever its size."""
        parts = self._parts(proxy)
        memo, gateway, scope = self.memo, parts.gateway, parts.scope
        if gateway is not None:
            found = memo(gateway_route, memo, gateway, scope, name, parts.traits, self.config)
        else:
            found = memo(sidecar_route, memo, scope, name, parts.traits, self.config, whole=True).route
        layers = finished(memo, {TypeUrl.ROUTE: (memo(layer_of, (found,)),)}, parts.patches, gateway).layers
        return layers[TypeUrl.ROUTE][0].resources[name]

    def _parts(self, proxy: Proxy) -> Parts:
        snapshot = self._snapshot
        scope = snapshot.scope(proxy)
        router = proxy.type is ProxyType.ROUTER
        traits = self.memo(traits_for, proxy, scope.needs_locality, scope.label_keys)
        return Parts(
            scope,
            snapshot.gateway(proxy) if router else None,
            None if router else snapshot.inbound(proxy),
            self._traits.setdefault(traits, traits),
            self._once(reachable, self._telemetry(proxy), scope),
            snapshot.filters(proxy),
        )

    def _telemetry(self, proxy: Proxy) -> Telemetry:
        snapshot = self._snapshot
        objects = snapshot.telemetries()
        services = snapshot.services() if names_services(objects, self.config) else ()
        return self.memo(resolve, objects, services, self.config, snapshot.root_namespace, proxy)

    def _once(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Like the memo, but for one snapshot: for what depends on endpoints too, which no argument tells."""
        key = (function, *args)
        if key not in self._known:
            self._known[key] = function(*args, **kwargs)
        return self._known[key]  # type: ignore[return-value]

    def _gateway(self, parts: Parts) -> Portion:
        memo, scope, traits, gateway = self.memo, parts.scope, parts.traits, parts.gateway
        assert gateway is not None
        listeners = gateway_layers(memo, gateway, scope, traits, self.config, self._snapshot.endpoints, parts.telemetry)
        routes = tuple(memo(gateway_route, memo, gateway, scope, name, traits, self.config) for name in sorted(listeners.routes))
        clusters, assignments = sni_layers(memo, gateway, scope.groups, traits, self.config, self._snapshot.endpoints)
        layers = self._outbound(scope, traits)
        layers |= {
            TypeUrl.CLUSTER: layers[TypeUrl.CLUSTER] + clusters,
            TypeUrl.ENDPOINTS: layers[TypeUrl.ENDPOINTS] + assignments,
            TypeUrl.LISTENER: listeners.layers,
            TypeUrl.ROUTE: (memo(layer_of, routes),),
        }
        return finished(memo, layers, parts.patches, gateway)

    def _sidecar(self, parts: Parts) -> Portion:
        """What a sidecar shares with all others of its scope."""
        memo, scope, traits = self.memo, parts.scope, parts.traits
        listeners = memo(outbound_listeners, memo, scope, traits, self.config, parts.telemetry, self._dialled(scope))
        found = [memo(sidecar_route, memo, scope, name, traits, self.config) for name in sorted(listeners.routes)]
        layers = self._outbound(scope, traits)
        layers |= {
            TypeUrl.LISTENER: listeners.layers,
            TypeUrl.ROUTE: (memo(layer_of, tuple(part.route for part in found)),),
            TypeUrl.VIRTUAL_HOST: tuple(layer for part in found for layer in part.virtual_hosts),
        }
        return finished(memo, layers, parts.patches)

    def _dialled(self, scope: Scope) -> Dialled:
        """The endpoints that clients dial themselves: all that listeners depend on of endpoints."""
        found = (pair for group in scope.groups for pair in self.memo(direct_ports, group))
        return tuple((service, port, self._snapshot.endpoints(service, port)) for service, port in found)

    def _workload(self, parts: Parts, inbound: Inbound) -> Portion:
        """The inbound side of a sidecar; of its scope only the rules for its own services matter."""
        served = dict.fromkeys(t.service for t in (*inbound.targets, *(i.target for i in inbound.ingress or () if i.target)))
        rules = tuple((s, entry.rule) for s in served if (entry := parts.scope.find(s.hostname)) and entry.rule)
        traits, telemetry, patches = parts.traits, parts.telemetry, parts.patches
        return self.memo(workload, self.memo, inbound, rules, traits, telemetry, patches, self.config, self._settings)

    def _outbound(self, scope: Scope, traits: Traits) -> Parcel:
        static = self.memo(static_layer, traits, self.config)
        return {
            TypeUrl.CLUSTER: (static, *(self._once(self._clusters, group, traits) for group in scope.groups)),
            TypeUrl.ENDPOINTS: tuple(self._once(self._assignments, group, traits) for group in scope.groups),
        }

    def _clusters(self, group: ServiceGroup, traits: Traits) -> Layer:
        return outbound_layer(self.memo, group, traits, self.config, self._snapshot.endpoints)

    def _assignments(self, group: ServiceGroup, traits: Traits) -> Layer:
        return assignment_layer(self.memo, group, traits, self.config, self._snapshot.endpoints)

    def _secrets(self, names: frozenset[str], namespace: Namespace) -> tuple[Layers, tuple[Diagnostic, ...]]:
        """What the control plane answers to the names of secrets, and why some are missing."""
        files = self.memo(file_layer, names)
        made, problems = secret_layer(self.memo, names - files.resources.keys(), namespace, self._snapshot.find)
        return (files, made), problems


class Parts(NamedTuple):
    """All that a view is made from; equal parts (by identity of each) are one view."""

    scope: Scope
    gateway: MergedGateway | None
    inbound: Inbound | None
    traits: Traits
    telemetry: Telemetry
    patches: tuple[FilterPatch, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Portion:
    """The layers that a view has in common with others, or its own; with the names of secrets they need."""

    layers: Mapping[TypeUrl, Layers]
    secrets: frozenset[str] = frozenset()
    diagnostics: tuple[Diagnostic, ...] = ()
    hits: frozenset[FilterPatch] = frozenset()


NOTHING = Portion({})
HOLDERS = (TypeUrl.CLUSTER, TypeUrl.LISTENER)
"""Types whose resources name secrets."""


def traits_for(proxy: Proxy, needs_locality: bool, label_keys: frozenset[str]) -> Traits:
    return traits_of(proxy, needs_locality=needs_locality, label_keys=label_keys)


def direct_ports(group: ServiceGroup) -> tuple[tuple[Service, ServicePort], ...]:
    """Ports of services whose endpoints clients address themselves (headless ones)."""
    direct = (entry for entry in group.services if entry.service.resolution is Resolution.PASSTHROUGH)
    return tuple((entry.service, port) for entry in direct for port in entry.ports)


def outbound_listeners(
    memo: Memo, scope: Scope, traits: Traits, config: MeshConfig, telemetry: Telemetry, dialled: Dialled
) -> ListenerParts:
    table = {(service, port): endpoints for service, port, endpoints in dialled}
    return outbound_layers(memo, scope, traits, config, lambda service, port: table[service, port], telemetry)


def workload(
    memo: Memo,
    inbound: Inbound,
    rules: tuple[tuple[Service, MergedRule], ...],
    traits: Traits,
    telemetry: Telemetry,
    patches: tuple[FilterPatch, ...],
    config: MeshConfig,
    settings: Settings,
) -> Portion:
    listeners = inbound_listeners(memo, inbound, traits, config, telemetry, settings)
    clusters = inbound_clusters(memo, inbound, dict(rules), traits, config)
    return finished(memo, {TypeUrl.CLUSTER: (clusters,), TypeUrl.LISTENER: listeners.layers}, patches, inbound=True)


def finished(
    memo: Memo,
    layers: Parcel,
    patches: tuple[FilterPatch, ...],
    gateway: MergedGateway | None = None,
    *,
    inbound: bool = False,
) -> Portion:
    """Layers after EnvoyFilters. What these add to the outbound side replaces what has the same name there."""
    hits: set[FilterPatch] = set()
    problems: list[Diagnostic] = []
    if patches:
        ports = server_ports(gateway) if gateway else ()
        for type_, found in layers.items():
            *done, more = patch_layers(memo, type_, found, patches, gateway is not None, ports)
            kept = tuple(memo(without, p.layer, more.layer) for p in done)
            layers = layers | {type_: kept if inbound else (*kept, more.layer)}
            for patched in (*done, more):
                hits |= patched.hits
                problems += [set_aside(rejected) for rejected in patched.rejected]
    names = (secret_names(memo, layer) for type_ in HOLDERS for layer in layers.get(type_, ()))
    secrets = frozenset[str]().union(*names)
    return memo(portion, tuple(layers.items()), secrets, tuple(dict.fromkeys(problems)), frozenset(hits))


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


def portion(
    layers: tuple[tuple[TypeUrl, Layers], ...],
    secrets: frozenset[str],
    diagnostics: tuple[Diagnostic, ...] = (),
    hits: frozenset[FilterPatch] = frozenset(),
) -> Portion:
    return Portion(dict(layers), secrets, diagnostics, hits)


def view_of(shared: Portion, own: Portion, secrets: Layers, problems: tuple[Diagnostic, ...]) -> View:
    found = dict.fromkeys((*shared.diagnostics, *own.diagnostics, *problems))
    return View(shared.layers, {**own.layers, TypeUrl.SECRET: secrets}, tuple(found), shared.hits | own.hits)


def file_layer(names: frozenset[str]) -> Layer:
    """Secrets that are files at the proxy, which reads and watches them itself."""
    found = ((name, file_secret(name)) for name in sorted(names))
    return Layer.of(encode(TypeUrl.SECRET, name, message) for name, message in found if message is not None)


def set_aside(rejected: Rejected) -> Diagnostic:
    message = f"this patch is not applied: {rejected.reason}"
    path = f"spec.configPatches[{rejected.patch.index}].patch.value"
    hint = "Envoy would refuse the whole resource; mend the value"
    return Diagnostic("V7001", Severity.ERROR, message, None, rejected.patch.source, path, hint)
