"""What the servers of a Gateway do with connections, as filter chains."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from varka.base.names import FieldOrigin, FieldPath, Hostname
from varka.envoy.istio_names import sni_cluster
from varka.envoy.listeners.chains import MTLS, Chain, HttpTarget, TcpTarget, rule_fields
from varka.envoy.listeners.l4 import Match
from varka.envoy.listeners.tcp import single, stat_prefix, to_routes
from varka.envoy.listeners.tls import terminates
from varka.mesh.bound import NONE, Bound, gateway_name
from varka.mesh.hosts import is_within
from varka.mesh.model import GatewayPort, GatewayServer, MergedVirtualService, Scope, ScopedService
from varka.proxy.traits import Traits
from varka.registry.protocol import parse
from varka.registry.service import Protocol, ServicePort
from varka.resources.model.networking import RouteDestination, ServerTLSSettings, TLSMatchAttributes
from varka.resources.model.networking import ServerTLSSettingsTLSmode as Mode


class ServerChain(Struct, frozen=True):
    chain: Chain
    tls: ServerTLSSettings | None = None
    """TLS that the chain terminates."""
    stat_prefix: str = ""
    """Of the HTTP manager, when the server has a name."""


class GatewayInputs(Struct, frozen=True):
    """What chains are made of, besides the servers."""

    scope: Scope
    bound: Mapping[str, Bound]
    """VirtualServices for TCP and TLS, by Gateway."""
    traits: Traits
    stat_pattern: str


def port_chains(port: GatewayPort, inputs: GatewayInputs) -> Iterator[ServerChain]:
    """All chains of a listener; no two of them match the same connections. Plain HTTP servers
    share one; beside TLS servers it takes what has no SNI."""
    plain = [server for server in port.servers if _protocol(server).is_http]
    taken: set[tuple[object, ...]] = set()
    for server in port.servers:
        for found in _server_chains(server, inputs) if server not in plain else ():
            # One name of a passed-through rule that is taken drops the rule: the older one has it.
            names = [(name, found.chain.alpn) for name in found.chain.names or ("",)]
            if taken.isdisjoint(names):
                yield found
            taken.update(names)
    if plain:
        fields = tuple(server.field for server in plain)
        yield ServerChain(Chain(_http(plain[0]), fields=fields))


def _http(server: GatewayServer) -> HttpTarget:
    return HttpTarget(server.route_name, _protocol(server) is Protocol.GRPC_WEB)


def _protocol(server: GatewayServer) -> Protocol:
    return parse(server.server.port.protocol) if server.server.port is not None else Protocol.AUTO


def _server_chains(server: GatewayServer, inputs: GatewayInputs) -> Iterator[ServerChain]:
    tls = server.server.tls
    if tls is not None and terminates(tls):
        sni = tuple(sorted({name for _, name in server.hosts}))
        if _protocol(server) is Protocol.HTTPS:
            yield ServerChain(
                Chain(_http(server), sni, fields=(server.field,)), tls, server.server.name
            )
        elif (found := _tcp_target(server, inputs)) is not None:
            target, fields = found
            yield ServerChain(Chain(target, sni, fields=(server.field, *fields)), tls)
    elif tls is not None and tls.mode is Mode.AUTO_PASSTHROUGH:
        yield from _auto_passthrough(server, inputs)
    elif tls is not None:
        yield from _passthrough(server, inputs)
    elif (found := _tcp_target(server, inputs)) is not None:
        target, fields = found
        yield ServerChain(Chain(target, fields=(server.field, *fields)))


def _tcp_target(
    server: GatewayServer, inputs: GatewayInputs
) -> tuple[TcpTarget, tuple[FieldOrigin, ...]] | None:
    """The first `tcp` rule of a VirtualService bound to the gateway that is for this port. A
    TLSRoute has `tls` rules instead, also where the gateway terminates TLS."""
    for rule in _bound(server, inputs):
        kind, routes = "tcp", [(r.match, r.route) for r in rule.spec.tcp]
        if not routes and rule.key.kind == "TLSRoute":
            kind, routes = "tls", [(r.match, r.route) for r in rule.spec.tls]  # type: ignore[misc]
        for index, (matches, destinations) in enumerate(routes):
            if not matches or any(_applies(m, server) for m in matches):
                target = _to(destinations, server, rule, (kind, index), inputs)
                if target is not None:
                    return target, rule_fields(rule, kind, index)
    return None


def _passthrough(server: GatewayServer, inputs: GatewayInputs) -> Iterator[ServerChain]:
    """A chain for each match of each `tls` rule, by SNI."""
    for rule in _bound(server, inputs):
        for index, route in enumerate(rule.spec.tls):
            path = ("tls", index)
            target = _to(route.route, server, rule, path, inputs)
            if target is None:
                continue
            for number, match in enumerate(route.match):
                if _applies(match, server):
                    fields = (server.field, *rule_fields(rule, *path, "match", number))
                    yield ServerChain(Chain(target, match.sni_hosts, fields=fields))


def _auto_passthrough(server: GatewayServer, inputs: GatewayInputs) -> Iterator[ServerChain]:
    """Any service of the mesh by the SNI that names its cluster. Only mesh mTLS passes, told by its
    ALPN."""
    hosts = [name for _, name in server.hosts]
    for entry in (e for group in inputs.scope.groups for e in group.services):
        service = entry.service
        if service.mesh_external or not any(is_within(service.hostname, host) for host in hosts):
            continue
        subsets = (
            "",
            *(subset.name for subset in (entry.rule.subsets if entry.rule is not None else ())),
        )
        for port in (p for p in service.ports if p.protocol is not Protocol.UDP):
            for subset in subsets:
                yield ServerChain(_sni_chain(entry, port, subset, server.field, inputs))


def _sni_chain(
    entry: ScopedService, port: ServicePort, subset: str, field: FieldOrigin, inputs: GatewayInputs
) -> Chain:
    service, pattern = entry.service, inputs.stat_pattern
    cluster = sni_cluster(port.number, subset, entry.service.hostname)
    prefix = stat_prefix(pattern, service, subset, port.number, port.name) if pattern else cluster
    target = single(
        cluster, prefix, entry.rule, subset, port.protocol, inputs.traits, tunnelled=False
    )
    return Chain(target, (cluster,), alpn=MTLS, fields=(field, FieldOrigin(entry.service.source)))


def _bound(server: GatewayServer, inputs: GatewayInputs) -> Iterator[MergedVirtualService]:
    """The VirtualServices of this gateway whose hosts meet the server's."""
    for rule, _ in inputs.bound.get(gateway_name(server.gateway), NONE).shared(server):
        yield rule


def _applies(match: Match | TLSMatchAttributes, server: GatewayServer) -> bool:
    port = server.server.port.number if server.server.port is not None else 0
    return match.port in (0, port) and (
        not match.gateways or gateway_name(server.gateway) in match.gateways
    )


def _to(
    destinations: Iterable[RouteDestination],
    server: GatewayServer,
    rule: MergedVirtualService,
    path: FieldPath,
    inputs: GatewayInputs,
) -> TcpTarget | None:
    routes = tuple(destinations)
    found = {
        r.destination.host: inputs.scope.find(Hostname(r.destination.host))
        for r in routes
        if r.destination is not None
    }
    port = server.server.port
    listened = ServicePort(port.name if port else "", port.number if port else 0, _protocol(server))
    return to_routes(routes, found, listened, rule, path, inputs.traits, inputs.stat_pattern)
