"""The mesh at one moment: everything that compiling a proxy's configuration may ask."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct, field

from varka.base.memo import Memo
from varka.base.names import Namespace, ObjectKey
from varka.base.settings import Settings
from varka.mesh import destinationrules, virtualservices
from varka.mesh.discoveryselectors import discovered
from varka.mesh.envoyfilters import patches_of
from varka.mesh.gateways import Gateway, merged_gateway
from varka.mesh.gatewayservices import needed_services
from varka.mesh.groups import GroupEndpoints, group_endpoints
from varka.mesh.ingress import take_ingresses
from varka.mesh.model import FilterPatch, MergedGateway, Scope, ServiceGroup
from varka.mesh.proxycontext import NamespaceIndex, ProxyContext, proxy_context_of
from varka.mesh.scopes import Sources, make_router_scope, make_scope
from varka.mesh.sidecars import NO_SIDECARS, Sidecar, Sidecars, by_namespace
from varka.proxy.node import Proxy, ProxyType
from varka.registry import registry
from varka.registry.endpoints import EMPTY
from varka.registry.registry import ServiceRegistry
from varka.registry.service import Endpoint, Service, ServicePort
from varka.registry.workloads import NOTHING
from varka.resources.model import telemetry
from varka.resources.model.mesh import MeshConfig
from varka.resources.resource import Resource
from varka.store.state import State

ISTIO = "networking.istio.io"
DEFAULT_ROOT_NAMESPACE = Namespace("istio-system")
_ScopeKey = tuple[Namespace, Sidecar | None, frozenset[ObjectKey]]
_RouterKey = tuple[Namespace, frozenset[str] | None, frozenset[ObjectKey]]


class MeshSnapshot(Struct, frozen=True, eq=False):
    """Immutable and numbered. All answers are the same objects for equal questions, and over
    snapshots while nothing they depend on changed. Answers are made when first asked for, so a
    snapshot belongs to its memo's thread."""

    number: int
    config: MeshConfig
    root_namespace: Namespace
    _state: State
    _memo: Memo
    _registry: ServiceRegistry
    _sources: Sources
    _settings: Settings
    _gateways: tuple[Gateway, ...]
    _sidecars: Sidecars
    _indices: dict[Namespace, NamespaceIndex] = field(default_factory=dict)
    _scopes: dict[_ScopeKey, Scope] = field(default_factory=dict)
    _router_scopes: dict[_RouterKey, Scope] = field(default_factory=dict)

    def services(self) -> tuple[Service, ...]:
        """All services, oldest first."""
        return self._registry.catalogue.services

    def endpoints(self, service: Service, port: ServicePort) -> tuple[Endpoint, ...]:
        """All endpoints of a service port, whatever subset; in a stable order."""
        return self._registry.tables.get(service, EMPTY).of(port)

    def endpoints_of(self, group: ServiceGroup) -> GroupEndpoints:
        """The endpoints of all services of a group."""
        tables = self._registry.tables
        return self._memo(
            group_endpoints,
            group,
            tuple(tables.get(entry.service, EMPTY) for entry in group.services),
        )

    def proxy_context(self, proxy: Proxy) -> ProxyContext:
        """What the proxy's own namespace decides about it."""
        index = self._indices.get(proxy.namespace)
        if index is None:
            index = self._indices[proxy.namespace] = self._namespace_index(proxy.namespace)
        return self._memo.nested(proxy_context_of, index, proxy)

    def scope(self, proxy: Proxy) -> Scope:
        """The outbound side of a sidecar, or of a router (all visible services, no egress
        listener)."""
        return self.scope_of(proxy, self.proxy_context(proxy))

    def scope_of(self, proxy: Proxy, context: ProxyContext) -> Scope:
        if proxy.type is not ProxyType.SIDECAR:
            return self._router_scope(proxy, context)
        key = (context.namespace, context.sidecar, context.selected)
        if key not in self._scopes:
            self._scopes[key] = make_scope(self._memo, self._sources, *key)
        return self._scopes[key]

    def _router_scope(self, proxy: Proxy, context: ProxyContext) -> Scope:
        needed = None
        if self._settings.pilot_filter_gateway_cluster_config:
            needed = self._memo(
                needed_services,
                self.gateway(proxy),
                self.config,
                self._state.of("EnvoyFilter", ISTIO),
            )
        key = (context.namespace, needed, context.selected)
        if key not in self._router_scopes:
            self._router_scopes[key] = make_router_scope(
                self._memo, self._sources, context.namespace, context.selected, needed
            )
        return self._router_scopes[key]

    def gateway(self, proxy: Proxy) -> MergedGateway:
        """The Gateways that select a router, merged; empty when none does."""
        targets, book = self.proxy_context(proxy).targets, self._sources.virtual_services
        own_namespace_only = self._settings.pilot_scope_gateway_to_namespace
        return self._memo.nested(
            merged_gateway, self._gateways, proxy, targets, book, own_namespace_only
        )

    def patches(self) -> Iterator[FilterPatch]:
        """Of all EnvoyFilters, whomever they are for."""
        return (
            patch for each in self._state.of("EnvoyFilter", ISTIO) for patch in patches_of(each)
        )

    def telemetries(self) -> tuple[Resource[telemetry.Telemetry], ...]:
        """All Telemetry objects, oldest first."""
        return self._state.of("Telemetry", "telemetry.istio.io")

    def find(self, key: ObjectKey) -> Resource[Any] | None:
        """An object by its key: the Secret or ConfigMap that a credential names."""
        return self._state.resources.get(key)

    def _namespace_index(self, namespace: Namespace) -> NamespaceIndex:
        services = self._registry.catalogue.namespaces.get(namespace)
        root = self.root_namespace
        return self._memo(
            NamespaceIndex,
            services,
            tuple(self._registry.tables[service] for service in services.services)
            if services
            else (),
            self._registry.workloads.get(namespace, NOTHING),
            self._sources.rules.get(namespace),
            self._sidecars.get(namespace, NO_SIDECARS),
            self._sidecars.get(root, NO_SIDECARS).default,
            tuple(
                f for f in self._state.of("EnvoyFilter", ISTIO) if f.namespace in (namespace, root)
            ),
            root,
        )


def take(state: State, config: MeshConfig, memo: Memo, settings: Settings) -> MeshSnapshot:
    """The snapshot of a state. With the same memo, what did not change since the last one is the
    same object."""
    state = discovered(state, config)
    root = Namespace(config.root_namespace) if config.root_namespace else DEFAULT_ROOT_NAMESPACE
    services = registry.take(state, config, memo, settings, root)
    ingresses = take_ingresses(state, config, memo, settings.domain, root)
    rules = destinationrules.take_rules(
        state, memo, config.default_destination_rule_export_to, settings.domain
    )
    book = virtualservices.take_virtual_services(
        state,
        memo,
        config.default_virtual_service_export_to,
        settings.domain,
        ingresses.virtual_services,
    )
    sources = Sources(services.catalogue, rules, book, config, root)
    sidecars = memo(by_namespace, state.of("Sidecar", ISTIO))
    gateways = (*state.of("Gateway", ISTIO), *ingresses.gateways)
    return MeshSnapshot(
        state.number, config, root, state, memo, services, sources, settings, gateways, sidecars
    )
