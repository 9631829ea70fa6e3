"""Which virtual hosts the requests of sidecars meet on a port: services, and hosts that
VirtualServices name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from varka.base.memo import Memo
from varka.envoy.routes.candidate import Candidate, full_names
from varka.envoy.routes.domains import Client, Domains, bracketed, service_domains, with_port
from varka.envoy.routes.hash import service_hash
from varka.envoy.routes.hostmatch import (
    HTTP_PORT,
    HostMatch,
    host_matches,
    is_routable,
    service_index,
)
from varka.envoy.routes.route import RouteTable, service_routes, virtual_service_routes
from varka.envoy.routes.settings import RouteSettings
from varka.envoy.routes.source import Source, interest_of
from varka.envoy.routes.target import Target, destination_hosts, target_of
from varka.mesh.model import MergedVirtualService, ScopedService, ServiceGroup
from varka.registry.service import Resolution, ServicePort


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


def make_plan(memo: Memo, inputs: RouteInputs) -> Plan:
    candidates = tuple(_Making(memo, inputs).candidates())
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

    def __init__(self, memo: Memo, inputs: RouteInputs) -> None:
        self._memo, self._inputs, self._port, self._settings = (
            memo,
            inputs,
            inputs.port,
            inputs.settings,
        )
        self._rules = memo(service_index, inputs.groups, 0).services
        self._everything = memo(service_index, inputs.imported, 0)
        self._index = memo(service_index, inputs.imported, inputs.port)
        self._host_matches = memo(
            host_matches,
            inputs.rules,
            self._everything,
            self._index,
            inputs.port,
            inputs.source.namespace,
        )

    def candidates(self) -> Iterator[Candidate]:
        taken: set[str] = set()
        for matched in self._host_matches:
            table = self._table(matched.rule)
            if table.routes:
                yield from self._of_host_match(matched, table)
                taken.update(
                    entry.service.hostname for entry in matched.services if self._routable(entry)
                )
        for host, entry in self._index.services.items():
            if host not in taken and entry.service.resolution is not Resolution.ALIAS:
                for port in self._routable(entry):
                    yield self._of_service(entry, port.number, self._default(entry, port.number))

    def _of_host_match(self, matched: HostMatch, table: RouteTable) -> Iterator[Candidate]:
        offered = [
            (entry, port.number) for entry in matched.services for port in self._routable(entry)
        ]
        numbers = dict.fromkeys(number for _, number in offered) or (
            (HTTP_PORT,) if self._port == HTTP_PORT else ()
        )
        for number in numbers:
            for host in matched.hosts:
                yield Candidate(with_port(host, number), Domains((bracketed(host),)), table)
        for entry, number in offered:
            yield self._of_service(entry, number, table)

    def _routable(self, entry: ScopedService) -> list[ServicePort]:
        """Port 80 first: where ports share names (HTTP proxies), the bare ones are its."""
        ports = [port for port in self._index.ports[entry.service.hostname] if is_routable(port)]
        return sorted(ports, key=lambda port: port.number != HTTP_PORT)

    def _of_service(self, entry: ScopedService, port: int, table: RouteTable) -> Candidate:
        service = entry.service
        aliases = tuple(host for _, host in service.aliases if host in self._everything.services)
        domains = self._memo(
            service_domains, service, aliases, self._inputs.client, 0 if self._port else port
        )
        return Candidate(with_port(service.hostname, port), domains, table, service, aliases, port)

    def _default(self, entry: ScopedService, port: int) -> RouteTable:
        return self._memo(
            service_routes, entry.service, port, service_hash(entry.rule, port), self._settings
        )

    def _table(self, rule: MergedVirtualService) -> RouteTable:
        targets = tuple(self._target(host) for host in self._memo(destination_hosts, rule.spec))
        source = self._memo(interest_of, rule).narrow(self._inputs.source)
        return self._memo(virtual_service_routes, rule, self._port, targets, source, self._settings)

    def _target(self, host: str) -> Target:
        entry = self._index.services.get(host)
        ruled = self._rules.get(host)
        # On a port of its own Istio knows no other port of a service: requests go on to the same
        # port.
        ports = [p.number for p in self._index.ports.get(host, ())] if self._port == 0 else ()
        return target_of(
            host, entry.service if entry else None, ports, ruled.rule if ruled else None
        )
