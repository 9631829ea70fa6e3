"""Route configurations of gateways: what servers and VirtualServices have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import zip_longest

from envoy.config.route.v3 import route_components_pb2 as envoy
from msgspec import Struct, field

from varka.base.memo import Memo
from varka.base.names import Namespace
from varka.envoy.build import Build
from varka.envoy.resource import EnvoyResource, TypeUrl, encode
from varka.envoy.routes import configuration
from varka.envoy.routes.domains import with_port
from varka.envoy.routes.match import Semantics, is_catch_all, semantics_of
from varka.envoy.routes.route import RouteTable, virtual_service_routes
from varka.envoy.routes.settings import RouteSettings, settings_of
from varka.envoy.routes.source import Source, interest_of
from varka.envoy.routes.target import Target, destination_hosts, target_of
from varka.envoy.routes.virtual_host import PlannedHost
from varka.mesh.bound import NONE, Bound, bound_by_gateway, gateway_name
from varka.mesh.model import (
    GatewayPort,
    GatewayServer,
    MergedGateway,
    MergedVirtualService,
    Scope,
    ScopedService,
    ServiceGroup,
)
from varka.proxy.traits import Traits


def gateway_route(
    build: Build,
    gateway: MergedGateway,
    scope: Scope,
    namespace: Namespace,
    name: str,
) -> EnvoyResource:
    """The route configuration that listeners of a gateway name: `http.8080`, `https.443.<port
    name>.<gateway>.<namespace>`. `namespace` is the router's.

    Empty when no server has it: Envoy still asks while a listener drains.
    """
    servers = build.memo(servers_by_route, gateway.ports).get(name)
    if servers is None:
        return configuration.empty(name)
    bound = build.memo.nested(bound_rules, gateway, namespace)
    owners = dict.fromkeys(gateway_name(server.gateway) for server in servers)
    ours = tuple((owner, bound.get(owner, NONE)) for owner in owners)
    return build.once(servers_route, name, servers, ours, scope, namespace)


def servers_route(
    build: Build,
    name: str,
    servers: tuple[GatewayServer, ...],
    bound: tuple[tuple[str, Bound], ...],
    scope: Scope,
    namespace: Namespace,
) -> EnvoyResource:
    """Made of these servers and the VirtualServices of their Gateways: those of others don't make
    it again."""
    settings = build.once(settings_of)
    merged = _merge(build.memo, servers, dict(bound), scope, namespace, build.traits, settings)
    if not merged:
        number = _port(servers[0])
        return build.memo(
            configuration.whole,
            name,
            (build.memo(_virtual_host, with_port("blackhole", number), ("*",), (), False, None),),
        )
    hosts = (
        build.memo(
            _virtual_host, h.name, tuple(h.domains), tuple(h.tables), h.require_tls, settings
        )
        for h in merged
    )
    return build.memo(configuration.whole, name, tuple(sorted(hosts, key=lambda host: host.name)))


class _Host(Struct):
    """A virtual host in the making: several servers and VirtualServices may add to it."""

    name: str
    domains: list[str]
    tables: list[RouteTable] = field(default_factory=list)
    require_tls: bool = False


def _merge(
    memo: Memo,
    servers: tuple[GatewayServer, ...],
    bound: Mapping[str, Bound],
    scope: Scope,
    namespace: Namespace,
    traits: Traits,
    settings: RouteSettings,
) -> list[_Host]:
    """Unlike in sidecars, all VirtualServices of a host count, in order."""
    services = memo(services_by_host, scope.groups)
    tables: dict[tuple[str, MergedVirtualService], RouteTable] = {}
    hosts: dict[str, _Host] = {}
    for server in servers:
        number, redirects = (
            _port(server),
            bool(server.server.tls and server.server.tls.https_redirect),
        )
        owner = gateway_name(server.gateway)
        for rule, common in bound[owner].shared(server):
            if (owner, rule) not in tables:
                targets = _targets(memo, rule, services, namespace)
                source = memo(interest_of, rule).narrow(
                    Source(owner, namespace, frozenset(traits.labels))
                )
                tls = server.server.tls is not None
                tables[owner, rule] = memo(
                    virtual_service_routes, rule, number, targets, source, settings, tls
                )
            if tables[owner, rule].routes:
                for host in common:
                    _entry(hosts, host, number, redirects).tables.append(tables[owner, rule])
        for _, host in server.hosts if redirects else ():
            _entry(hosts, host.lower(), number, redirects)
    return _collapsed(hosts)


def servers_by_route(ports: tuple[GatewayPort, ...]) -> Mapping[str, tuple[GatewayServer, ...]]:
    found: dict[str, list[GatewayServer]] = {}
    for server in (server for port in ports for server in port.servers):
        found.setdefault(server.route_name, []).append(server)
    return {name: tuple(servers) for name, servers in found.items()}


def bound_rules(memo: Memo, gateway: MergedGateway, namespace: Namespace) -> Mapping[str, Bound]:
    """The VirtualServices of each Gateway in the order in which a router in `namespace` takes
    them."""
    return bound_by_gateway(memo, gateway.virtual_services, lambda rule: _rank(rule, namespace))


def _rank(rule: MergedVirtualService, namespace: Namespace) -> int:
    """Rules that only the gateway's namespace sees come first, then those exported to chosen
    namespaces, then the rest, of which routes of the Gateway API in the gateway's own namespace
    override others."""
    if rule.export_to == {namespace}:
        return 0
    if "*" not in rule.export_to:
        return 1
    return 2 if semantics_of(rule) is Semantics.GATEWAY and rule.namespace == namespace else 3


def _entry(hosts: dict[str, _Host], host: str, port: int, redirects: bool) -> _Host:
    entry = hosts.setdefault(host, _Host(with_port(host, port), [host]))
    entry.require_tls = entry.require_tls or redirects
    return entry


def _collapsed(hosts: Mapping[str, _Host]) -> list[_Host]:
    """Hosts with the same routes share one virtual host, named after the first in Istio's order:
    longest first, then by name, wildcards last."""
    merged: dict[tuple[object, ...], _Host] = {}
    for _, host in sorted(
        hosts.items(), key=lambda item: (item[0].startswith("*"), -len(item[0]), item[0])
    ):
        key = (host.require_tls, *host.tables)
        if key in merged:
            merged[key].domains += host.domains
        else:
            merged[key] = host
    return list(merged.values())


def services_by_host(groups: tuple[ServiceGroup, ...]) -> Mapping[str, tuple[ScopedService, ...]]:
    found: dict[str, list[ScopedService]] = {}
    for group in groups:
        for entry in group.services:
            found.setdefault(entry.service.hostname, []).append(entry)
    return {host: tuple(entries) for host, entries in found.items()}


def _targets(
    memo: Memo,
    rule: MergedVirtualService,
    services: Mapping[str, tuple[ScopedService, ...]],
    namespace: Namespace,
) -> tuple[Target, ...]:
    return tuple(
        _target(host, services.get(host, ()), rule.namespace, namespace)
        for host in memo(destination_hosts, rule.spec)
    )


def _target(
    host: str, entries: Iterable[ScopedService], ours: Namespace, proxys: Namespace
) -> Target:
    """Of services with the same name the rule's own namespace is meant, then the gateway's, then
    the oldest."""
    chosen = min(
        entries,
        key=lambda e: (e.service.namespace != ours, e.service.namespace != proxys),
        default=None,
    )
    if chosen is None:
        return target_of(host, None, (), None)
    return target_of(host, chosen.service, (port.number for port in chosen.ports), chosen.rule)


def _virtual_host(
    name: str,
    domains: tuple[str, ...],
    tables: tuple[RouteTable, ...],
    require_tls: bool,
    settings: RouteSettings | None,
) -> EnvoyResource:
    """Routes that take everything go behind all others: VirtualServices of one host must not hide
    each other."""
    found = [pair for table in tables for pair in zip_longest(table.routes, table.planned)]
    found.sort(key=lambda pair: is_catch_all(pair[0].match))
    message = envoy.VirtualHost(
        name=name,
        domains=domains,
        routes=[route for route, _ in found],
        require_tls=envoy.VirtualHost.ALL if require_tls else envoy.VirtualHost.NONE,
        include_request_attempt_count=bool(settings and settings.include_request_attempt_count),
    )
    origins = dict.fromkeys(origin for table in tables for origin in table.origins)
    planned = PlannedHost(domains, tuple(plan for _, plan in found if plan is not None))
    return encode(TypeUrl.VIRTUAL_HOST, name, message, origins, planned=planned)


def _port(server: GatewayServer) -> int:
    return server.server.port.number if server.server.port else 0
