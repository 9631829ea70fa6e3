"""From a mesh snapshot to the views of proxies: the one place that knows which parts make a proxy's
configuration.

A view is made of layers and each layer of leaf resources. What equal scopes share is compiled once
for a snapshot; what an unchanged group gives is the same layer as before (see `base.memo`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ParamSpec, TypeVar

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
from varka.envoy.resource import (
    NO_FORMS,
    NOTHING,
    EnvoyResource,
    Form,
    Forms,
    Layer,
    Layers,
    Portion,
    TypeUrl,
    View,
    encode,
)
from varka.envoy.routes.gateway import gateway_route
from varka.envoy.routes.sidecar import sidecar_route
from varka.envoy.secrets import secret_layer
from varka.envoy.viewkey import ProxyProfile, Refused, TelemetryInputs, ViewKey, view_key_of
from varka.mesh.model import (
    Conflict,
    FilterPatch,
    Inbound,
    MergedGateway,
    MergedRule,
    PatchContent,
    Scope,
    ServiceGroup,
)
from varka.mesh.proxycontext import ProxyContext
from varka.mesh.snapshot import MeshSnapshot, take
from varka.mesh.telemetry import Telemetry, names_services
from varka.proxy.node import Locality, Proxy, ProxyType
from varka.proxy.traits import Traits
from varka.registry.service import Endpoint, Resolution, Service, ServicePort
from varka.resources.findings import path_text
from varka.resources.model.mesh import MeshConfig
from varka.store.state import State

P = ParamSpec("P")
R = TypeVar("R")
LayersByType = dict[TypeUrl, Layers]
HeadlessEndpoints = tuple[tuple[Service, ServicePort, tuple[Endpoint, ...]], ...]


class Compiler:
    """Compiles views for proxies; holds the memo and the newest snapshot. Belongs to one thread."""

    def __init__(self, config: MeshConfig, settings: Settings) -> None:
        self.memo = Memo()
        self.config = config
        self._settings = settings
        self._snapshot = take(State(), config, self.memo, settings)
        self._telemetry = self._telemetry_inputs(self._snapshot, config)
        self._refused: Refused = frozenset()
        self._accepted: frozenset[PatchContent] = frozenset()
        """Patches that some proxy has: where one of several is to blame, it is none of these."""
        self._known: dict[tuple[object, ...], object] = {}
        self._portions: dict[tuple[ViewKey, Forms], Portion] = {}
        """Of this snapshot."""

    @property
    def snapshot(self) -> MeshSnapshot:
        return self._snapshot

    def update(self, state: State, config: MeshConfig | None = None) -> None:
        """Move on to a new state (and mesh configuration). When that raises, nothing has
        changed."""
        config = config or self.config
        self.memo.turn()
        snapshot = take(state, config, self.memo, self._settings)
        telemetry = self._telemetry_inputs(snapshot, config)
        known = self._refused or self._accepted
        written = frozenset(p.content for p in snapshot.patches()) if known else frozenset()
        refused = frozenset(one for one in self._refused if one[0] in written)
        self.config, self._snapshot, self._telemetry = config, snapshot, telemetry
        self._refused, self._accepted = refused, self._accepted & written
        self._known, self._portions = {}, {}

    def accept(self, patches: frozenset[PatchContent]) -> None:
        """A proxy took resources with these patches: until they change, none is to blame."""
        self._accepted |= patches

    def refuse(self, rejected: Iterable[Rejected]) -> bool:
        """Set patches aside that a proxy did not accept and none has accepted before, until they
        change; False when there is none, or they are already."""
        known = self._accepted.union(content for content, _ in self._refused)
        new = frozenset(
            (one.patch.content, one.reason) for one in rejected if one.patch.content not in known
        )
        self._refused |= new
        return bool(new)

    def view(self, proxy: Proxy, forms: Forms = NO_FORMS) -> View:
        """What this proxy gets: the same object for equal proxies, and over updates while nothing
        in it changed. Route configurations that it has keep their form."""
        audience, standing = self._audience(proxy)
        shared = self._shared(audience, forms)
        own = NOTHING if audience.gateway else self._workload(audience, standing.inbound)
        names = shared.secrets | own.secrets
        secrets = self._once(self._secrets, names, standing.namespace) if names else NOTHING
        return self.memo(View, shared, own, secrets)

    def route(self, proxy: Proxy, name: str) -> EnvoyResource:
        """A route configuration by name, also one that no listener names; whole, whatever its
        size."""
        audience, _ = self._audience(proxy)
        memo, gateway, scope, traits = (
            self.memo,
            audience.gateway,
            audience.scope,
            audience.character.traits,
        )
        if gateway is not None:
            found = memo(
                gateway_route, memo, gateway, scope, audience.namespace, name, traits, self.config
            )
        else:
            found = memo(
                sidecar_route,
                memo,
                scope,
                audience.namespace,
                name,
                traits,
                self.config,
                Form.WHOLE,
            ).route
        layers = finished(
            memo, {TypeUrl.ROUTE: (memo(Layer.of, (found,)),)}, audience.character, gateway
        ).layers
        return layers[TypeUrl.ROUTE][0].resources[name]

    def _audience(self, proxy: Proxy) -> tuple[ViewKey, ProxyContext]:
        snapshot = self._snapshot
        standing = snapshot.standing(proxy)
        gateway = snapshot.gateway(proxy) if proxy.type is ProxyType.ROUTER else None
        scope = snapshot.scope_of(proxy, standing)
        return self.memo(
            view_key_of, self.memo, self._telemetry, self._refused, proxy, standing, scope, gateway
        ), standing

    def _shared(self, audience: ViewKey, forms: Forms) -> Portion:
        """Mostly route configurations have the form that they would get now."""
        usual = self._portion(audience, NO_FORMS)
        return usual if self.memo(keeps, usual, forms) else self._portion(audience, forms)

    def _portion(self, audience: ViewKey, forms: Forms) -> Portion:
        key = (audience, forms)
        if key not in self._portions:
            self._portions[key] = (
                self._gateway(audience) if audience.gateway else self._sidecar(audience, forms)
            )
        return self._portions[key]

    def _once(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Like the memo, but for one snapshot: for what depends on endpoints too, which no argument
        tells."""
        key = (function, args, *sorted(kwargs.items()))
        if key not in self._known:
            self._known[key] = function(*args, **kwargs)
        return self._known[key]  # type: ignore[return-value]

    def _telemetry_inputs(self, snapshot: MeshSnapshot, config: MeshConfig) -> TelemetryInputs:
        objects = snapshot.telemetries()
        services = snapshot.services() if names_services(objects, config) else ()
        return self.memo(TelemetryInputs, objects, services, config, snapshot.root_namespace)

    def _gateway(self, audience: ViewKey) -> Portion:
        memo, scope, gateway, character = (
            self.memo,
            audience.scope,
            audience.gateway,
            audience.character,
        )
        assert gateway is not None
        config, traits, endpoints = self.config, character.traits, self._snapshot.endpoints
        listeners = gateway_layers(
            memo, gateway, scope, traits, config, endpoints, character.telemetry
        )
        names = sorted(listeners.routes)
        routes = tuple(
            memo(gateway_route, memo, gateway, scope, audience.namespace, name, traits, config)
            for name in names
        )
        clusters, assignments = sni_layers(
            memo, gateway, scope.groups, traits, character.locality, config, endpoints
        )
        outbound = self._once(self._outbound, scope.groups, traits, character.locality)
        layers = outbound | {
            TypeUrl.CLUSTER: outbound[TypeUrl.CLUSTER] + clusters,
            TypeUrl.ENDPOINTS: outbound[TypeUrl.ENDPOINTS] + assignments,
            TypeUrl.LISTENER: listeners.layers,
            TypeUrl.ROUTE: (memo(Layer.of, routes),),
        }
        return finished(memo, layers, character, gateway)

    def _sidecar(self, audience: ViewKey, forms: Forms) -> Portion:
        """What a sidecar shares with all others of its scope."""
        memo, scope, character = self.memo, audience.scope, audience.character
        config, traits = self.config, character.traits
        asked = audience.namespace if scope.asks_namespace else Namespace("")
        dialled = self._once(self._dialled, scope.groups)
        listeners = memo(
            outbound_listeners, memo, scope, asked, traits, config, character.telemetry, dialled
        )
        known = dict(forms)
        names = ((name, known.get(name)) for name in sorted(listeners.routes))
        found = [
            memo(sidecar_route, memo, scope, audience.namespace, name, traits, config, form)
            for name, form in names
        ]
        layers = {
            **self._once(self._outbound, scope.groups, traits, character.locality),
            TypeUrl.LISTENER: listeners.layers,
            TypeUrl.ROUTE: (memo(Layer.of, tuple(part.route for part in found)),),
            TypeUrl.VIRTUAL_HOST: tuple(layer for part in found for layer in part.virtual_hosts),
        }
        return finished(memo, layers, character)

    def _dialled(self, groups: tuple[ServiceGroup, ...]) -> HeadlessEndpoints:
        """The endpoints that clients dial themselves: all that listeners depend on of endpoints."""
        found = (pair for group in groups for pair in self.memo(direct_ports, group))
        return tuple(
            (service, port, self._snapshot.endpoints(service, port)) for service, port in found
        )

    def _workload(self, audience: ViewKey, inbound: Inbound) -> Portion:
        """The inbound side of a sidecar; of its scope only the rules for its own services
        matter."""
        served = dict.fromkeys(
            t.service
            for t in (*inbound.targets, *(i.target for i in inbound.ingress or () if i.target))
        )
        rules = tuple(
            (s, entry.rule)
            for s in served
            if (entry := audience.scope.find(s.hostname)) and entry.rule
        )
        return self.memo(
            workload, self.memo, inbound, rules, audience.character, self.config, self._settings
        )

    def _outbound(
        self, groups: tuple[ServiceGroup, ...], traits: Traits, locality: Locality
    ) -> LayersByType:
        memo, config = self.memo, self.config
        found = [(group, self._snapshot.endpoints_of(group)) for group in groups]
        clusters = (
            memo(outbound_layer, memo, group, traits, locality, config, endpoints)
            for group, endpoints in found
        )
        assignments = (
            memo(assignment_layer, memo, group, traits, locality, config, endpoints)
            for group, endpoints in found
        )
        return {
            TypeUrl.CLUSTER: (memo(static_layer, traits, config), *clusters),
            TypeUrl.ENDPOINTS: tuple(assignments),
            TypeUrl.EXTENSION: (),  # What EnvoyFilters add.
        }

    def _secrets(self, names: frozenset[str], namespace: Namespace) -> Portion:
        """What the control plane answers to the names of secrets, and why some are missing."""
        files = self.memo(file_layer, names)
        made, problems = secret_layer(
            self.memo, names - files.resources.keys(), namespace, self._snapshot.find
        )
        return self.memo(secrets_portion, (files, made), problems)


SET_ASIDE = "V7001"
"""Code of a patch that is not applied."""
HOLDERS = (TypeUrl.CLUSTER, TypeUrl.LISTENER)
"""Types whose resources name secrets."""


def keeps(portion: Portion, forms: Forms) -> bool:
    """Whether route configurations have these forms in it."""
    known = dict(forms)
    routes = (
        r for layer in portion.layers.get(TypeUrl.ROUTE, ()) for r in layer.resources.values()
    )
    return all(known.get(route.name, route.form) is route.form for route in routes)


def direct_ports(group: ServiceGroup) -> tuple[tuple[Service, ServicePort], ...]:
    """Ports of services whose endpoints clients address themselves (headless ones)."""
    direct = (
        entry for entry in group.services if entry.service.resolution is Resolution.PASSTHROUGH
    )
    return tuple((entry.service, port) for entry in direct for port in entry.ports)


def outbound_listeners(
    memo: Memo,
    scope: Scope,
    namespace: Namespace,
    traits: Traits,
    config: MeshConfig,
    telemetry: Telemetry,
    dialled: HeadlessEndpoints,
) -> ListenerParts:
    table = {(service, port): endpoints for service, port, endpoints in dialled}
    return outbound_layers(
        memo,
        scope,
        namespace,
        traits,
        config,
        lambda service, port: table[service, port],
        telemetry,
    )


def workload(
    memo: Memo,
    inbound: Inbound,
    rules: tuple[tuple[Service, MergedRule], ...],
    character: ProxyProfile,
    config: MeshConfig,
    settings: Settings,
) -> Portion:
    listeners = inbound_listeners(
        memo, inbound, character.traits, config, character.telemetry, settings
    )
    clusters = inbound_clusters(memo, inbound, dict(rules), character.traits, config)
    layers = {TypeUrl.CLUSTER: (clusters,), TypeUrl.LISTENER: listeners.layers}
    return finished(memo, layers, character, inbound=True)


def finished(
    memo: Memo,
    layers: LayersByType,
    character: ProxyProfile,
    gateway: MergedGateway | None = None,
    *,
    inbound: bool = False,
) -> Portion:
    """Layers after EnvoyFilters, with what could not be served. What filters add to the outbound
    side replaces what has the same name there."""
    hits: set[FilterPatch] = set()
    problems = [not_served(conflict) for conflict in gateway.conflicts] if gateway else []
    problems += [set_aside(rejected) for rejected in character.aside]
    if character.patches:
        ports = server_ports(gateway) if gateway else ()
        for type_, found in layers.items():
            *done, more = patch_layers(
                memo, type_, found, character.patches, gateway is not None, ports
            )
            kept = tuple(memo(without, p.layer, more.layer) for p in done)
            layers = layers | {type_: kept if inbound else (*kept, more.layer)}
            for patched in (*done, more):
                hits |= patched.hits
                problems += [set_aside(rejected) for rejected in patched.rejected]
    names = (secret_names(memo, layer) for type_ in HOLDERS for layer in layers.get(type_, ()))
    secrets = frozenset[str]().union(*names)
    return memo(
        portion, tuple(layers.items()), secrets, tuple(dict.fromkeys(problems)), frozenset(hits)
    )


def server_ports(gateway: MergedGateway) -> Ports:
    """Bound port -> the `servers[].port.number`s it stands for: what
    `routeConfiguration.match.portNumber` means."""
    return tuple(
        (p.number, frozenset(s.server.port.number for s in p.servers if s.server.port))
        for p in gateway.ports
    )


def without(layer: Layer, other: Layer) -> Layer:
    """The layer without names that the other has; itself when there are none."""
    if layer.resources.keys().isdisjoint(other.resources):
        return layer
    return Layer({name: r for name, r in layer.resources.items() if name not in other.resources})


def portion(
    layers: tuple[tuple[TypeUrl, Layers], ...],
    secrets: frozenset[str],
    diagnostics: tuple[Diagnostic, ...] = (),
    hits: frozenset[FilterPatch] = frozenset(),
) -> Portion:
    return Portion(dict(layers), secrets, diagnostics, hits)


def secrets_portion(layers: Layers, problems: tuple[Diagnostic, ...]) -> Portion:
    return Portion({TypeUrl.SECRET: layers}, diagnostics=problems)


def file_layer(names: frozenset[str]) -> Layer:
    """Secrets that are files at the proxy, which reads and watches them itself."""
    found = ((name, file_secret(name)) for name in sorted(names))
    return Layer.of(
        encode(TypeUrl.SECRET, name, message) for name, message in found if message is not None
    )


def not_served(conflict: Conflict) -> Diagnostic:
    """Istio's IST0145."""
    winner = conflict.winner
    message = (
        f"this server is not served: {conflict.reason}, of Gateway {winner.namespace}/{winner.name}"
    )
    hint = "give it other hosts, or another port or address"
    return Diagnostic("V7012", Severity.ERROR, message, None, conflict.gateway, conflict.path, hint)


def set_aside(rejected: Rejected) -> Diagnostic:
    message = f"this patch is not applied: {rejected.reason}"
    path = path_text((*rejected.patch.path, "patch", "value"))
    hint = "Envoy would refuse the whole resource; mend the value"
    return Diagnostic(SET_ASIDE, Severity.ERROR, message, None, rejected.patch.source, path, hint)
