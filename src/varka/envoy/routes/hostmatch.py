"""Which hosts and services of a port each VirtualService speaks about."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from varka.envoy.routes.match import Semantics, semantics_of
from varka.mesh.hosts import is_wildcard, most_specific, overlaps
from varka.mesh.model import MergedVirtualService, ScopedService, ServiceGroup
from varka.registry.service import Protocol, ServicePort

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


def host_matches(
    rules: tuple[MergedVirtualService, ...],
    everything: ServiceIndex,
    index: ServiceIndex,
    port: int,
    namespace: str,
) -> tuple[HostMatch, ...]:
    """In the order of the rules. A wildcard host matches the services for which no other rule is
    more specific.

    Except on port 80, rules that name no service of the port are left out. `namespace` is the
    client's.
    """
    owners = _owners(rules, everything)
    found = (_host_match(rule, index, owners) for rule in rules)
    touching = (matched for matched in found if port == HTTP_PORT or _touches(matched, index))
    return tuple(allowed for matched in touching if (allowed := _allowed(matched, namespace)))


def _allowed(matched: HostMatch, namespace: str) -> HostMatch | None:
    """A route of the Gateway API speaks about services of its own namespace (for all clients), else
    for clients of its own namespace; and about nothing but services."""
    if semantics_of(matched.rule) is not Semantics.GATEWAY:
        return matched
    own = matched.rule.namespace
    services = tuple(
        entry for entry in matched.services if own in (entry.service.namespace, namespace)
    )
    return replace(matched, services=services) if services else None


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


def _host_match(
    rule: MergedVirtualService, index: ServiceIndex, owners: Mapping[str, MergedVirtualService]
) -> HostMatch:
    hosts: list[str] = []
    services: list[ScopedService] = []
    exact = [host.lower() for host in rule.spec.hosts if not is_wildcard(host)]
    for host in exact:
        if host in index.services:
            services.append(index.services[host])
        else:
            hosts.append(host)
    for wildcard in (host.lower() for host in rule.spec.hosts if is_wildcard(host)):
        covered = [host for host in index.services if overlaps(host, wildcard)]
        services += [index.services[host] for host in covered if owners.get(host) is rule]
        hosts += [] if covered else [wildcard]
    return HostMatch(rule, tuple(hosts), tuple(services))


def _touches(matched: HostMatch, index: ServiceIndex) -> bool:
    """Some host of the rule is a service of the port, also one that another rule owns or a wildcard
    service covers."""
    if matched.services:
        return True
    wide = [host for host in index.services if is_wildcard(host)]
    for host in matched.rule.spec.hosts:
        services = index.services if is_wildcard(host) else wide
        if any(overlaps(service, host.lower()) for service in services):
            return True
    return False
