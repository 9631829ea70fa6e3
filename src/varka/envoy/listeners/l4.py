"""VirtualService `tls` and `tcp` routes of a sidecar, as filter chains."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from varka.base.names import FieldOrigin, Hostname, Namespace
from varka.envoy.istio_names import outbound_cluster
from varka.envoy.listeners.chains import Chain, rule_fields
from varka.envoy.listeners.tcp import single, stat_prefix, to_routes
from varka.mesh.hosts import overlaps
from varka.mesh.model import MergedVirtualService, Scope, ScopedService
from varka.proxy.traits import Traits
from varka.registry.service import Resolution, Service, ServicePort
from varka.resources.model import networking

MESH = "mesh"
Match = networking.L4MatchAttributes | networking.TLSMatchAttributes


class Rule(Struct, frozen=True):
    """A VirtualService with `tcp` or `tls` routes, with everything else they depend on."""

    source: MergedVirtualService
    destinations: tuple[tuple[str, ScopedService | None], ...]
    """The services of its destinations, as the scope sees them."""
    namespace: Namespace = Namespace("")
    """Of the proxies; only set when `sourceNamespace` is matched on."""

    @property
    def spec(self) -> networking.VirtualService:
        return self.source.spec

    def fields(self, *path: str | int) -> tuple[FieldOrigin, ...]:
        """Its field, and the DestinationRules of its destinations."""
        rules = [
            FieldOrigin(source)
            for _, found in self.destinations
            if found is not None and found.rule is not None
            for source in found.rule.sources
        ]
        return (*rule_fields(self.source, *path), *dict.fromkeys(rules))


def rules_of(
    virtual_services: Iterable[MergedVirtualService], scope: Scope, namespace: Namespace
) -> tuple[Rule, ...]:
    """Those with layer 4 routes: a change of HTTP routes leaves the result equal. `namespace` is
    the client's."""
    return tuple(
        _rule(found, scope, namespace)
        for found in virtual_services
        if found.spec.tcp or found.spec.tls
    )


def _rule(found: MergedVirtualService, scope: Scope, namespace: Namespace) -> Rule:
    spec = found.spec
    routes = [r for tls in spec.tls for r in tls.route] + [r for tcp in spec.tcp for r in tcp.route]
    hosts = dict.fromkeys(r.destination.host for r in routes if r.destination is not None)
    matches: list[Match] = [m for tls in spec.tls for m in tls.match]
    matches += [m for tcp in spec.tcp for m in tcp.match]
    namespaced = any(m.source_namespace for m in matches)
    return Rule(
        source=found,
        destinations=tuple((host, scope.find(Hostname(host))) for host in hosts),
        namespace=namespace if namespaced else Namespace(""),
    )


def rules_for(rules: tuple[Rule, ...], host: Hostname) -> tuple[Rule, ...]:
    return tuple(
        rule for rule in rules if any(overlaps(pattern, host) for pattern in rule.spec.hosts)
    )


def applies(match: Match, rule: Rule, port: int, traits: Traits) -> bool:
    """What can be decided before a connection is there: gateway, labels, port, namespace."""
    return (
        (not match.gateways or MESH in match.gateways)
        and traits.has_labels(match.source_labels)
        and match.port in (0, port)
        and match.source_namespace in ("", rule.namespace)
    )


class Destination(Struct, frozen=True):
    """What a listener is made for: a service on a port, bound somewhere."""

    entry: ScopedService
    port: ServicePort
    """The port listened on; `Sidecar.egress.port` may differ from the service's."""
    bind: str
    wildcard: str
    address: str
    """The virtual address of the service; "" when it is a CIDR, which is in `cidrs` then."""
    cidrs: tuple[str, ...] = ()

    @property
    def service(self) -> Service:
        return self.entry.service

    def fields(self) -> tuple[FieldOrigin, ...]:
        rules = self.entry.rule.sources if self.entry.rule is not None else ()
        return tuple(FieldOrigin(source) for source in (self.service.source, *rules))


def chains_for(
    destination: Destination, rules: tuple[Rule, ...], traits: Traits, stat_pattern: str
) -> tuple[Chain, ...]:
    """The TCP chains of a destination: `tls` routes on TLS ports, `tcp` routes on others, else the
    service itself."""
    found = rules_for(rules, destination.service.hostname)
    if destination.port.protocol.is_tls:
        return _tls_chains(destination, found, traits, stat_pattern)
    return _tcp_chains(destination, found, traits, stat_pattern)


def _tls_chains(
    destination: Destination, rules: tuple[Rule, ...], traits: Traits, pattern: str
) -> tuple[Chain, ...]:
    port, cidrs = destination.port, destination.cidrs
    chains: dict[tuple[tuple[str, ...], tuple[str, ...]], Chain] = {}
    for rule in rules:
        for index, route in enumerate(rule.spec.tls):
            path = ("tls", index)
            target = to_routes(
                route.route, dict(rule.destinations), port, rule.source, path, traits, pattern
            )
            if target is None:
                continue
            for number, match in enumerate(route.match):
                if not applies(match, rule, port.number, traits):
                    continue
                if match.destination_subnets and port.number > 0:
                    cidrs = match.destination_subnets
                fields = rule.fields(*path, "match", number)
                chain = Chain(target, match.sni_hosts, cidrs, config=rule.source.key, fields=fields)
                chains.setdefault((match.sni_hosts, match.destination_subnets), chain)
    if chains:
        return tuple(chains.values())
    return (_default_chain(destination, cidrs, _service_names(destination), traits, pattern),)


def _tcp_chains(
    destination: Destination, rules: tuple[Rule, ...], traits: Traits, pattern: str
) -> tuple[Chain, ...]:
    """Up to the first rule that takes any destination address; then the service's own chain is not
    needed."""
    port, chains = destination.port, list[Chain]()
    covered = False
    for rule in rules:
        for index, route in enumerate(rule.spec.tcp):
            path = ("tcp", index)
            target = to_routes(
                route.route, dict(rule.destinations), port, rule.source, path, traits, pattern
            )
            if target is None:
                continue
            fields = rule.fields(*path)
            matches = [m for m in route.match if applies(m, rule, port.number, traits)]
            if not route.match or any(
                not m.destination_subnets or port.number == 0 for m in matches
            ):
                chain = Chain(
                    target, cidrs=destination.cidrs, config=rule.source.key, fields=fields
                )
                return (*chains, chain)
            subnets = tuple(subnet for m in matches for subnet in m.destination_subnets)
            if subnets:
                chains.append(Chain(target, cidrs=subnets, fields=fields))
                covered = covered or sorted(subnets) == sorted(destination.cidrs)
    if covered:
        return tuple(chains)
    return (*chains, _default_chain(destination, destination.cidrs, (), traits, pattern))


def _service_names(destination: Destination) -> tuple[str, ...]:
    """The host as SNI where the address does not tell services apart: CIDRs, and wildcard
    listeners."""
    shared = destination.address == destination.wildcard == destination.bind
    host = destination.service.hostname
    if destination.cidrs or not destination.address or shared or _resolves_any(destination.service):
        return (host,)
    return ()


def _resolves_any(service: Service) -> bool:
    return service.hostname.startswith("*") and service.resolution is Resolution.DYNAMIC_DNS


def _default_chain(
    destination: Destination,
    cidrs: tuple[str, ...],
    sni: tuple[str, ...],
    traits: Traits,
    pattern: str,
) -> Chain:
    """To the service: its own port when it has only one, else the port listened on."""
    service, port = destination.service, destination.port.number
    if len(service.ports) == 1:
        port = service.ports[0].number
    cluster = outbound_cluster(port, "", service.hostname)
    prefix = stat_prefix(pattern, service, "", port) if pattern else cluster
    forward = (service.hostname, destination.port.number) if _resolves_any(service) else None
    target = single(
        cluster,
        prefix,
        destination.entry.rule,
        "",
        destination.port.protocol,
        traits,
        sni_forward=forward,
    )
    return Chain(target, sni, cidrs, fields=destination.fields())
