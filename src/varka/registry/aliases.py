"""ExternalName Services: other names of a service."""

from __future__ import annotations

from msgspec.structs import replace

from varka.base.names import Hostname, Namespace
from varka.registry.service import Resolution, Service

Alias = tuple[Namespace, Hostname]


def aliases(services: tuple[Service, ...]) -> dict[Hostname, tuple[Alias, ...]]:
    """The aliases of each name that is no alias itself. An alias of an alias counts for the last
    name of the chain; aliases that name each other in a loop count for none."""
    target = {
        s.hostname: Hostname(s.external_name) for s in services if s.resolution is Resolution.ALIAS
    }
    by_name: dict[Hostname, list[Alias]] = {}
    for service in services:
        if service.resolution is Resolution.ALIAS:
            concrete, seen = target[service.hostname], {service.hostname}
            while concrete in target and concrete not in seen:
                seen.add(concrete)
                concrete = target[concrete]
            if concrete not in target:
                by_name.setdefault(concrete, []).append((service.namespace, service.hostname))
    return {host: tuple(sorted(names)) for host, names in by_name.items()}


def with_aliases(service: Service, names: tuple[Alias, ...]) -> Service:
    return replace(service, aliases=names)
