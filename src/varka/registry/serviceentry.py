"""Services from ServiceEntries: one for each host."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network

from varka.base.ip import is_ip
from varka.base.names import Hostname, Namespace, ObjectKey
from varka.registry import protocol
from varka.registry.kubernetes import PERSISTENT_SESSION, traffic_distribution
from varka.registry.selectors import matches
from varka.registry.service import Registry, Resolution, Service, ServicePort
from varka.registry.topology import Topology
from varka.registry.visibility import export_to, seen_by
from varka.registry.workload import Workload, of_entry
from varka.resources.model import networking
from varka.resources.model.mesh import ServiceEntryVisibility, Visibility
from varka.resources.model.networking import Location
from varka.resources.resource import Resource

_RESOLUTIONS = {
    networking.Resolution.NONE: Resolution.PASSTHROUGH,
    networking.Resolution.STATIC: Resolution.CLIENT_SIDE,
    networking.Resolution.DNS: Resolution.DNS,
    networking.Resolution.DNS_ROUND_ROBIN: Resolution.DNS_ROUND_ROBIN,
    networking.Resolution.DYNAMIC_DNS: Resolution.DYNAMIC_DNS,
}
DNS_RESOLUTIONS = frozenset({Resolution.DNS, Resolution.DNS_ROUND_ROBIN})


def services(
    resource: Resource[networking.ServiceEntry],
    default_export: tuple[str, ...],
    visibility: Visibility,
    namespace_distribution: str,
) -> tuple[Service, ...]:
    """`visibility` caps `exportTo` (`meshConfig.serviceEntryVisibility`)."""
    spec = resource.spec
    namespace = Namespace(resource.namespace)
    exported = cap(export_to(spec.export_to, namespace, default_export), visibility, namespace)
    ports = tuple(
        ServicePort(p.name, p.number, protocol.parse(p.protocol), p.target_port or p.number)
        for p in spec.ports
    )
    addresses = tuple(a for a in map(_address, spec.addresses) if a)
    return tuple(
        Service(
            hostname=Hostname(host),
            namespace=namespace,
            name=host,
            source=resource.key,
            registry=Registry.EXTERNAL,
            ports=ports,
            resolution=_RESOLUTIONS[spec.resolution],
            addresses=addresses,
            mesh_external=spec.location is Location.MESH_EXTERNAL,
            export_to=exported,
            labels=resource.labels,
            selector=spec.workload_selector.labels if spec.workload_selector else {},
            subject_alt_names=spec.subject_alt_names,
            created=resource.created,
            traffic_distribution=traffic_distribution(
                "", resource.annotations, namespace_distribution
            ),
            sticky=bool(resource.labels.get(PERSISTENT_SESSION)),
        )
        for host in dict.fromkeys(spec.hosts)
    )


def entry_visibility(
    policy: ServiceEntryVisibility | None, namespace_labels: Mapping[str, str]
) -> Visibility:
    """What `serviceEntryVisibility` says of the ServiceEntries of a namespace, as far as sidecars
    obey it: the first policy whose rules all match, else the default."""
    if policy is None or not policy.apply_to_sidecars:
        return Visibility.PUBLIC
    for each in policy.policies:
        if all(
            r.namespace_selector and matches(r.namespace_selector, namespace_labels)
            for r in each.matching_rules
        ):
            return each.visibility
    return policy.default_visibility


def cap(exported: frozenset[str], visibility: Visibility, namespace: Namespace) -> frozenset[str]:
    if visibility is Visibility.NONE:
        return frozenset()
    if visibility is Visibility.NAMESPACE:
        return frozenset({str(namespace)}) if seen_by(exported, namespace) else frozenset()
    return exported


def _address(text: str) -> str:
    """An IP address or CIDR; one that holds a single address is that address, and anything else is
    left out."""
    if is_ip(text):
        return text
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return ""
    return text.partition("/")[0] if network.num_addresses == 1 else text


def inline_workloads(
    resource: Resource[networking.ServiceEntry], topology: Topology
) -> tuple[Workload, ...]:
    """`spec.endpoints`, named after the ServiceEntry and their place."""
    return tuple(
        of_entry(entry, resource.key, f"{resource.name}-{index}", entry.labels, topology)
        for index, entry in enumerate(resource.spec.endpoints)
    )


def own_name(host: Hostname, source: ObjectKey) -> Workload:
    """The only endpoint of a host that is resolved by DNS and names no other."""
    return Workload(source, source.name, Namespace(source.namespace), (host,), {}, is_pod=False)
