"""Addresses behind headless services: clients dial pods, so each pod address gets a listener."""

from __future__ import annotations

from collections.abc import Iterable

from varka.base.ip import is_ip
from varka.envoy.build import Build
from varka.envoy.listeners.addresses import UNSPECIFIED, vips, wildcards
from varka.mesh.groups import Endpoints
from varka.mesh.model import ServiceGroup
from varka.proxy.traits import Traits
from varka.registry.service import Protocol, Registry, Resolution, Service, ServicePort

Pods = tuple[tuple[Service, int, tuple[str, ...]], ...]
"""A service, the number of its port, and the addresses behind it."""
HeadlessEndpoints = tuple[tuple[ServiceGroup, Pods], ...]
"""All that listeners depend on of endpoints: the groups that have headless ports, with these."""


def headless_endpoints(
    build: Build, groups: Iterable[ServiceGroup], endpoints: Endpoints
) -> HeadlessEndpoints:
    found = ((group, build.once(headless_ports, group)) for group in groups)
    return tuple((group, _pods(ports, endpoints)) for group, ports in found if ports)


def headless_ports(build: Build, group: ServiceGroup) -> tuple[tuple[Service, ServicePort], ...]:
    """TCP ports of services without an address, which clients find by the addresses of pods."""
    direct = (
        entry
        for entry in group.services
        if entry.service.resolution is Resolution.PASSTHROUGH
        and _without_address(entry.service, build.traits)
    )
    return tuple(
        (entry.service, port)
        for entry in direct
        for port in entry.ports
        if port.protocol.is_tcp or port.protocol is Protocol.AUTO
    )


def _pods(ports: Iterable[tuple[Service, ServicePort]], endpoints: Endpoints) -> Pods:
    """A ServiceEntry without addresses and without any workload has no such ports: it gets a
    wildcard listener."""
    found: list[tuple[Service, int, tuple[str, ...]]] = []
    for service, port in ports:
        addresses = tuple(dict.fromkeys(e.address for e in endpoints(service, port)))
        if addresses or service.registry is Registry.KUBERNETES or service.selector:
            found.append((service, port.number, tuple(a for a in addresses if is_ip(a))))
    return tuple(found)


def _without_address(service: Service, traits: Traits) -> bool:
    return vips(service, traits)[0][0] in (UNSPECIFIED, wildcards(traits)[0])
