"""What the servers of a Gateway do with connections, as filter chains."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from varka.base.names import Hostname, ObjectKey
from varka.envoy.istio_names import sni_cluster
from varka.envoy.listeners.chains import MTLS, Chain, HttpTarget, TcpTarget
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


def port_chains(port: GatewayPort, world: GatewayInputs) -> Iterator[ServerChain]:
    """All chains of a listener; no two of them match the same connections. Plain HTTP servers
    share one; beside TLS servers it takes what has no SNI."""
    plain = [served for served in port.servers if _protocol(served).is_http]
    taken: set[tuple[object, ...]] = set()
    for served in port.servers:
        for found in _server_chains(served, world) if served not in plain else ():
            # One name of a passed-through rule that is taken drops the rule: the older one has it.
            names = [(name, found.chain.alpn) for name in found.chain.names or ("",)]
            if taken.isdisjoint(names):
                yield found
            taken.update(names)
    if plain:
        origins = tuple(dict.fromkeys(served.gateway for served in plain))
        yield ServerChain(Chain(_http(plain[0]), origins=origins))


def _http(served: GatewayServer) -> HttpTarget:
    return HttpTarget(served.route_name, _protocol(served) is Protocol.GRPC_WEB)


def _protocol(served: GatewayServer) -> Protocol:
    return parse(served.server.port.protocol) if served.server.port is not None else Protocol.AUTO


def _server_chains(served: GatewayServer, world: GatewayInputs) -> Iterator[ServerChain]:
    tls = served.server.tls
    if tls is not None and terminates(tls):
        sni = tuple(sorted({name for _, name in served.hosts}))
        if _protocol(served) is Protocol.HTTPS:
            yield ServerChain(
                Chain(_http(served), sni, origins=(served.gateway,)), tls, served.server.name
            )
        elif (found := _tcp_target(served, world)) is not None:
            target, rule = found
            yield ServerChain(Chain(target, sni, origins=(served.gateway, *rule.sources)), tls)
    elif tls is not None and tls.mode is Mode.AUTO_PASSTHROUGH:
        yield from _auto_passthrough(served, world)
    elif tls is not None:
        yield from _passthrough(served, world)
    elif (found := _tcp_target(served, world)) is not None:
        target, rule = found
        yield ServerChain(Chain(target, origins=(served.gateway, *rule.sources)))


def _tcp_target(
    served: GatewayServer, world: GatewayInputs
) -> tuple[TcpTarget, MergedVirtualService] | None:
    """The first `tcp` rule of a VirtualService bound to the gateway that is for this port. A
    TLSRoute has `tls` rules instead, also where the gateway terminates TLS."""
    for rule in _bound(served, world):
        routes = [(r.match, r.route) for r in rule.spec.tcp]
        if not routes and rule.key.kind == "TLSRoute":
            routes = [(r.match, r.route) for r in rule.spec.tls]  # type: ignore[misc]
        for matches, destinations in routes:
            if not matches or any(_applies(m, served) for m in matches):
                target = _to(destinations, served, rule, world)
                if target is not None:
                    return target, rule
    return None


def _passthrough(served: GatewayServer, world: GatewayInputs) -> Iterator[ServerChain]:
    """A chain for each match of each `tls` rule, by SNI."""
    for rule in _bound(served, world):
        for route in rule.spec.tls:
            target = _to(route.route, served, rule, world)
            if target is None:
                continue
            origins = (served.gateway, *rule.sources)
            for match in route.match:
                if _applies(match, served):
                    yield ServerChain(Chain(target, match.sni_hosts, origins=origins))


def _auto_passthrough(served: GatewayServer, world: GatewayInputs) -> Iterator[ServerChain]:
    """Any service of the mesh by the SNI that names its cluster. Only mesh mTLS passes, told by its
    ALPN."""
    hosts = [name for _, name in served.hosts]
    for entry in (e for group in world.scope.groups for e in group.services):
        service = entry.service
        if service.mesh_external or not any(is_within(service.hostname, host) for host in hosts):
            continue
        subsets = (
            "",
            *(subset.name for subset in (entry.rule.subsets if entry.rule is not None else ())),
        )
        for port in (p for p in service.ports if p.protocol is not Protocol.UDP):
            for subset in subsets:
                yield ServerChain(_sni_chain(entry, port, subset, served.gateway, world))


def _sni_chain(
    entry: ScopedService, port: ServicePort, subset: str, gateway: ObjectKey, world: GatewayInputs
) -> Chain:
    service, pattern = entry.service, world.stat_pattern
    cluster = sni_cluster(port.number, subset, entry.service.hostname)
    prefix = stat_prefix(pattern, service, subset, port.number, port.name) if pattern else cluster
    target = single(
        cluster, prefix, entry.rule, subset, port.protocol, world.traits, tunnelled=False
    )
    return Chain(target, (cluster,), alpn=MTLS, origins=(gateway, entry.service.source))


def _bound(served: GatewayServer, world: GatewayInputs) -> Iterator[MergedVirtualService]:
    """The VirtualServices of this gateway whose hosts meet the server's."""
    for rule, _ in world.bound.get(gateway_name(served.gateway), NONE).shared(served):
        yield rule


def _applies(match: Match | TLSMatchAttributes, served: GatewayServer) -> bool:
    port = served.server.port.number if served.server.port is not None else 0
    return match.port in (0, port) and (
        not match.gateways or gateway_name(served.gateway) in match.gateways
    )


def _to(
    destinations: Iterable[RouteDestination],
    served: GatewayServer,
    rule: MergedVirtualService,
    world: GatewayInputs,
) -> TcpTarget | None:
    routes = tuple(destinations)
    found = {
        r.destination.host: world.scope.find(Hostname(r.destination.host))
        for r in routes
        if r.destination is not None
    }
    port = served.server.port
    listened = ServicePort(port.name if port else "", port.number if port else 0, _protocol(served))
    return to_routes(routes, found, listened, rule.key, world.traits, world.stat_pattern)
