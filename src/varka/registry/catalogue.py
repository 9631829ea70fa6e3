"""All services, ordered, one for each name in a namespace."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from varka.base.memo import Memo
from varka.base.names import Hostname, Namespace
from varka.registry.aliases import aliases, with_aliases
from varka.registry.service import Registry, Service


class NamespaceServices(Struct, frozen=True, eq=False):
    """The services of one namespace, oldest first; the same object while none of them changed."""

    namespace: Namespace
    services: tuple[Service, ...]
    restricted: tuple[Service, ...]
    """The services whose `exportTo` leaves some namespace out."""


class Catalogue(Struct, frozen=True, eq=False):
    """All services of the mesh; the same object while none of them changed."""

    services: tuple[Service, ...]
    """Oldest first; one for each (namespace, host name)."""
    namespaces: Mapping[Namespace, NamespaceServices]
    hosts: Mapping[Hostname, tuple[Service, ...]]
    """All services of a name, in whatever namespace."""
    contested: tuple[Hostname, ...]
    """Names that services of several namespaces have."""
    parts: Mapping[Service, tuple[Service, ...]]
    """What a service was merged from: services of one name in one namespace share their
    endpoints."""


def take_catalogue(memo: Memo, services: tuple[Service, ...]) -> Catalogue:
    parts: dict[Service, tuple[Service, ...]] = {}
    merged: list[Service] = []
    for group in memo(same_names, services):
        service = group[0] if len(group) == 1 else memo(merge, group)
        if len(group) > 1:
            parts[service] = group
        merged.append(service)
    named = memo(aliases, tuple(merged))
    for index, service in enumerate(merged if named else ()):
        if service.hostname in named:
            merged[index] = memo(with_aliases, service, named[service.hostname])
            parts[merged[index]] = parts.pop(service, (service,))
    grouped: dict[Namespace, list[Service]] = {}
    for service in merged:
        grouped.setdefault(service.namespace, []).append(service)
    namespaces = tuple(
        memo(namespace_services, name, tuple(own)) for name, own in sorted(grouped.items())
    )
    return memo(catalogue, tuple(merged), namespaces, tuple(parts.items()))


def catalogue(
    services: tuple[Service, ...],
    namespaces: tuple[NamespaceServices, ...],
    parts: tuple[tuple[Service, tuple[Service, ...]], ...],
) -> Catalogue:
    hosts: dict[Hostname, tuple[Service, ...]] = {}
    for service in services:
        hosts[service.hostname] = (*hosts.get(service.hostname, ()), service)
    contested = tuple(host for host, named in hosts.items() if len(named) > 1)
    return Catalogue(services, {n.namespace: n for n in namespaces}, hosts, contested, dict(parts))


def namespace_services(namespace: Namespace, services: tuple[Service, ...]) -> NamespaceServices:
    return NamespaceServices(
        namespace, services, tuple(s for s in services if "*" not in s.export_to)
    )


def same_names(services: tuple[Service, ...]) -> tuple[tuple[Service, ...], ...]:
    """Services of the same name in the same namespace together: those of Kubernetes first, then
    oldest first."""
    groups: dict[tuple[Namespace, Hostname], list[Service]] = {}
    for service in sorted(services, key=lambda s: s.age):
        groups.setdefault((service.namespace, service.hostname), []).append(service)
    return tuple(
        tuple(sorted(g, key=lambda s: s.registry is not Registry.KUBERNETES))
        for g in groups.values()
    )


def merge(group: tuple[Service, ...]) -> Service:
    """The first service of a group, with more ports and addresses:

    - a Kubernetes Service takes nothing from ServiceEntries;
    - a ServiceEntry takes the ports and addresses of those that differ from it in nothing else.
    """
    first, *others = group
    ports, addresses = list(first.ports), list(first.addresses)
    for other in others:
        if first.registry is Registry.KUBERNETES or _but_ports_and_addresses(
            first
        ) != _but_ports_and_addresses(other):
            continue
        known = {port.number for port in ports}
        ports.extend(port for port in other.ports if port.number not in known)
        addresses.extend(address for address in other.addresses if address not in addresses)
    return replace(first, ports=tuple(ports), addresses=tuple(addresses))


def _but_ports_and_addresses(service: Service) -> tuple[object, ...]:
    return (
        service.resolution,
        service.registry,
        dict(service.labels),
        dict(service.selector),
        service.export_to,
    )
