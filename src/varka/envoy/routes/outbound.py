"""Which virtual hosts the requests of sidecars meet on a port: services, and hosts that
VirtualServices name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from varka.base.memo import Memo
from varka.envoy.routes.candidate import Candidate, full_names
from varka.envoy.routes.domains import Client, Domains, bracketed, service_domains, with_port
from varka.envoy.routes.hash import service_hash
from varka.envoy.routes.match import Semantics, semantics_of
from varka.envoy.routes.route import RouteTable, service_routes, virtual_service_routes
from varka.envoy.routes.settings import RouteSettings
from varka.envoy.routes.source import Source, interest_of
from varka.envoy.routes.target import Target, destination_hosts, target_of
from varka.mesh.hosts import is_wildcard, most_specific, overlaps
from varka.mesh.model import MergedVirtualService, ScopedService, ServiceGroup
from varka.registry.service import Protocol, Resolution, ServicePort

HTTP_PORT = 80
"""Where Istio also serves hosts that no service has."""


class ServiceIndex(Struct, frozen=True, eq=False):
    """Services by name, each with those of its ports that count."""

    services: Mapping[str, ScopedService] = field(default_factory=dict)
    ports: Mapping[str, tuple[ServicePort, ...]] = field(default_factory=dict)


def service_index(groups: tuple[ServiceGroup, ...], port: int) -> ServiceIndex:
    """The services of a scope that have `port`; 0: all of them, also those without ports (an
    ExternalName may have none)."""
    entries: dict[str, ScopedService] = {
        entry.service.hostname: entry for group in groups for entry in group.services
    }
    ports: dict[str, tuple[ServicePort, ...]] = {
        host: tuple(p for p in entry.ports if _counts(p, port)) for host, entry in entries.items()
    }
    return ServiceIndex(
        {host: entry for host, entry in entries.items() if ports[host] or port == 0}, ports
    )


def _counts(port: ServicePort, number: int) -> bool:
    return number in (0, port.number) and port.protocol is not Protocol.UDP


def is_routable(port: ServicePort) -> bool:
    """HTTP, or it may turn out to be."""
    return port.protocol.is_http or port.protocol is Protocol.AUTO


class HostMatch(Struct, frozen=True, eq=False):
    """What one VirtualService speaks about on a port: hosts that no service has, and services."""

    rule: MergedVirtualService
    hosts: tuple[str, ...]
    services: tuple[ScopedService, ...]


def claims(
    rules: tuple[MergedVirtualService, ...],
    everything: ServiceIndex,
    known: ServiceIndex,
    port: int,
    namespace: str,
) -> tuple[HostMatch, ...]:
    """In the order of the rules. A wildcard host claims those services for which no other rule is
    more specific.

    Except on port 80, rules that name no service of the port are left out. `namespace` is the
    client's.
    """
    owners = _owners(rules, everything)
    found = (_claim(rule, known, owners) for rule in rules)
    touching = (claim for claim in found if port == HTTP_PORT or _touches(claim, known))
    return tuple(allowed for claim in touching if (allowed := _allowed(claim, namespace)))


def _allowed(claim: HostMatch, namespace: str) -> HostMatch | None:
    """A route of the Gateway API speaks about services of its own namespace (for all clients), else
    for clients of its own namespace; and about nothing but services."""
    if semantics_of(claim.rule) is not Semantics.GATEWAY:
        return claim
    own = claim.rule.namespace
    services = tuple(
        entry for entry in claim.services if own in (entry.service.namespace, namespace)
    )
    return replace(claim, services=services) if services else None


def _owners(
    rules: tuple[MergedVirtualService, ...], everything: ServiceIndex
) -> Mapping[str, MergedVirtualService]:
    """The rule with the most specific host for each service; of equal hosts the oldest rule's."""
    by_host: dict[str, MergedVirtualService] = {}
    for rule in rules:
        for host in rule.spec.hosts:
            by_host.setdefault(host, rule)
    wildcards = {host: rule for host, rule in by_host.items() if is_wildcard(host)}
    found = (
        (host, most_specific(host, by_host, wildcards)) for host in everything.services if wildcards
    )
    return {host: rule for host, rule in found if rule is not None}


def _claim(
    rule: MergedVirtualService, known: ServiceIndex, owners: Mapping[str, MergedVirtualService]
) -> HostMatch:
    hosts: list[str] = []
    services: list[ScopedService] = []
    exact = [host.lower() for host in rule.spec.hosts if not is_wildcard(host)]
    for host in exact:
        if host in known.services:
            services.append(known.services[host])
        else:
            hosts.append(host)
    for wildcard in (host.lower() for host in rule.spec.hosts if is_wildcard(host)):
        covered = [host for host in known.services if overlaps(host, wildcard)]
        services += [known.services[host] for host in covered if owners.get(host) is rule]
        hosts += [] if covered else [wildcard]
    return HostMatch(rule, tuple(hosts), tuple(services))


def _touches(claim: HostMatch, known: ServiceIndex) -> bool:
    """Some host of the rule is a service of the port, also one that another rule owns or a wildcard
    service covers."""
    if claim.services:
        return True
    wide = [host for host in known.services if is_wildcard(host)]
    for host in claim.rule.spec.hosts:
        services = known.services if is_wildcard(host) else wide
        if any(overlaps(service, host.lower()) for service in services):
            return True
    return False


class Plan(Struct, frozen=True, eq=False):
    """What all clients have in common that see the same services and rules: everything but the
    short names of services in the client's own namespace."""

    candidates: tuple[Candidate, ...]
    """In the order in which they may take domains: rules first, then services without a rule."""
    neighbours: Mapping[str, tuple[int, ...]]
    """Which candidates a client of a namespace may know by shorter names."""
    domains: frozenset[str]
    """All domains of the candidates."""
    full_names: frozenset[str]


class RouteInputs(Struct, frozen=True):
    """What a plan is made from."""

    rules: tuple[MergedVirtualService, ...]
    imported: tuple[ServiceGroup, ...]
    """A listener's services."""
    groups: tuple[ServiceGroup, ...]
    """The whole scope's services, whose DestinationRules count for all destinations."""
    port: int
    """0: all ports."""
    source: Source
    """The client as far as the rules ask for it."""
    client: Client
    settings: RouteSettings


def make_plan(memo: Memo, given: RouteInputs) -> Plan:
    candidates = tuple(_Making(memo, given).candidates())
    neighbours: dict[str, list[int]] = {}
    for index, candidate in enumerate(candidates):
        for label in {label for name in candidate.names for label in name.split(".")[1:-1]}:
            neighbours.setdefault(label, []).append(index)
    domains = frozenset(domain for candidate in candidates for domain in candidate.domains.all)
    return Plan(
        candidates,
        {label: tuple(found) for label, found in neighbours.items()},
        domains,
        full_names(candidates),
    )


class _Making:
    """Lives for one call; what it makes is remembered piece by piece."""

    def __init__(self, memo: Memo, given: RouteInputs) -> None:
        self._memo, self._given, self._port, self._settings = (
            memo,
            given,
            given.port,
            given.settings,
        )
        self._rules = memo(service_index, given.groups, 0).services
        self._everything = memo(service_index, given.imported, 0)
        self._known = memo(service_index, given.imported, given.port)
        self._claims = memo(
            claims, given.rules, self._everything, self._known, given.port, given.source.namespace
        )

    def candidates(self) -> Iterator[Candidate]:
        taken: set[str] = set()
        for claim in self._claims:
            table = self._table(claim.rule)
            if table.routes:
                yield from self._claimed(claim, table)
                taken.update(
                    entry.service.hostname for entry in claim.services if self._routable(entry)
                )
        for host, entry in self._known.services.items():
            if host not in taken and entry.service.resolution is not Resolution.ALIAS:
                for port in self._routable(entry):
                    yield self._of_service(entry, port.number, self._default(entry, port.number))

    def _claimed(self, claim: HostMatch, table: RouteTable) -> Iterator[Candidate]:
        offered = [
            (entry, port.number) for entry in claim.services for port in self._routable(entry)
        ]
        numbers = dict.fromkeys(number for _, number in offered) or (
            (HTTP_PORT,) if self._port == HTTP_PORT else ()
        )
        for number in numbers:
            for host in claim.hosts:
                yield Candidate(with_port(host, number), Domains((bracketed(host),)), table)
        for entry, number in offered:
            yield self._of_service(entry, number, table)

    def _routable(self, entry: ScopedService) -> list[ServicePort]:
        """Port 80 first: where ports share names (HTTP proxies), the bare ones are its."""
        ports = [port for port in self._known.ports[entry.service.hostname] if is_routable(port)]
        return sorted(ports, key=lambda port: port.number != HTTP_PORT)

    def _of_service(self, entry: ScopedService, port: int, table: RouteTable) -> Candidate:
        service = entry.service
        aliases = tuple(host for _, host in service.aliases if host in self._everything.services)
        domains = self._memo(
            service_domains, service, aliases, self._given.client, 0 if self._port else port
        )
        return Candidate(with_port(service.hostname, port), domains, table, service, aliases, port)

    def _default(self, entry: ScopedService, port: int) -> RouteTable:
        return self._memo(
            service_routes, entry.service, port, service_hash(entry.rule, port), self._settings
        )

    def _table(self, rule: MergedVirtualService) -> RouteTable:
        targets = tuple(self._target(host) for host in self._memo(destination_hosts, rule.spec))
        source = self._memo(interest_of, rule).narrow(self._given.source)
        return self._memo(virtual_service_routes, rule, self._port, targets, source, self._settings)

    def _target(self, host: str) -> Target:
        entry = self._known.services.get(host)
        ruled = self._rules.get(host)
        # On a port of its own Istio knows no other port of a service: requests go on to the same
        # port.
        ports = [p.number for p in self._known.ports.get(host, ())] if self._port == 0 else ()
        return target_of(
            host, entry.service if entry else None, ports, ruled.rule if ruled else None
        )
