"""ServiceEntry."""

from __future__ import annotations

from varka.resources.codes import Code
from varka.resources.model.networking import Location, Resolution, ServiceEntry
from varka.resources.resource import Resource
from varka.resources.validate import values
from varka.resources.validate.common import check_export_to, check_labels, check_selector
from varka.resources.validate.cursor import Cursor
from varka.resources.validate.workloadentry import check_address, check_entry, check_ports

_AUTO_ALLOCATE = "networking.istio.io/enable-autoallocate-ip"
_USE_WAYPOINT = "istio.io/use-waypoint"
_DNS = (Resolution.DNS, Resolution.DNS_ROUND_ROBIN)
_DYNAMIC_PROTOCOLS = ("http", "tls", "grpc", "http2")


def validate(resource: Resource[ServiceEntry], here: Cursor) -> None:
    entry = resource.spec
    check_selector(entry.workload_selector, here.at("workloadSelector"))
    if entry.workload_selector is not None and entry.endpoints:
        here.at("endpoints").error(
            Code.SE_ENDPOINTS, "only one of workloadSelector and endpoints can be set"
        )
    _check_hosts(entry, here)
    for place, address in here.each("addresses", entry.addresses):
        place.check(Code.SE_ADDRESSES, values.ip_subnet(address))
        if "/" in address and entry.resolution not in (Resolution.NONE, Resolution.STATIC):
            place.error(
                Code.SE_ADDRESSES,
                f"a CIDR block needs resolution NONE or STATIC, not {entry.resolution}",
            )
    _check_ports(resource, here)
    if entry.resolution == Resolution.NONE:
        _check_none(entry, here)
    elif entry.resolution == Resolution.STATIC:
        for place, endpoint in here.each("endpoints", entry.endpoints):
            check_entry(endpoint, {port.name for port in entry.ports}, place, domain_allowed=False)
    elif entry.resolution in _DNS:
        _check_dns(entry, here)
    elif entry.resolution == Resolution.DYNAMIC_DNS:
        _check_dynamic(resource, here)
    if entry.resolution != Resolution.NONE and len(entry.hosts) > 1:
        for place, port in here.each("ports", entry.ports):
            if not values.is_http(port.protocol) and not values.is_tls(port.protocol):
                place.error(
                    Code.SE_PORTS,
                    f"several hosts can't share a port of protocol {port.protocol or 'TCP'}",
                )
    check_export_to(entry.export_to, resource.namespace, here, allow_none=True)


def _check_hosts(entry: ServiceEntry, here: Cursor) -> None:
    if not entry.hosts:
        here.error(Code.SE_HOSTS, "a ServiceEntry needs at least one host")
    for place, host in here.each("hosts", entry.hosts):
        if host == "*":
            place.error(Code.SE_HOSTS, "the host * is not allowed", "name a domain: *.example.com")
            continue
        place.check(Code.SE_HOSTS, values.wildcard_domain(host))
        if entry.resolution != Resolution.DYNAMIC_DNS and (wrong := values.partial_wildcard(host)):
            place.warning(Code.SE_HOSTS, wrong)


def _check_ports(resource: Resource[ServiceEntry], here: Cursor) -> None:
    entry = resource.spec
    names: set[str] = set()
    numbers: set[int] = set()
    for place, port in here.each("ports", entry.ports):
        if port.name in names:
            place.at("name").error(Code.SE_PORTS, f"there are two ports named {port.name!r}")
        if port.number in numbers:
            place.at("number").error(Code.SE_PORTS, f"there are two ports {port.number}")
        names.add(port.name)
        numbers.add(port.number)
        if port.target_port:
            place.at("targetPort").check(Code.SE_PORTS, values.port(port.target_port))
        if port.protocol in ("", "TCP") and not entry.addresses and not _has_own_address(resource):
            place.warning(
                Code.SE_PORTS,
                "a TCP port without addresses can't be told apart from others",
                "set addresses",
            )
        place.at("name").check(Code.SE_PORTS, values.port_name(port.name))
        place.at("protocol").check(Code.SE_PORTS, values.protocol(port.protocol))
        place.at("number").check(Code.SE_PORTS, values.port(port.number))


def _has_own_address(resource: Resource[ServiceEntry]) -> bool:
    """Whether Istio allocates an address for it."""
    opted_out = resource.labels.get(_AUTO_ALLOCATE, "").lower() == "false"
    return not opted_out and resource.spec.resolution != Resolution.NONE


def _check_none(entry: ServiceEntry, here: Cursor) -> None:
    if entry.endpoints:
        here.at("endpoints").error(
            Code.SE_RESOLUTION,
            "resolution NONE sends to the address asked for: endpoints can't be set",
        )
    if entry.workload_selector is not None:
        here.at("workloadSelector").warning(
            Code.SE_RESOLUTION, "workloadSelector has no effect with resolution NONE"
        )


def _check_dns(entry: ServiceEntry, here: Cursor) -> None:
    if not entry.endpoints:
        for place, host in here.each("hosts", entry.hosts):
            if values.fqdn(host):
                message = (
                    f"{host!r} can't be looked up: resolution {entry.resolution} without endpoints"
                    " needs full domain names"
                )
                place.error(Code.SE_RESOLUTION, message)
    if entry.resolution == Resolution.DNS_ROUND_ROBIN and len(entry.endpoints) > 1:
        here.at("endpoints").error(
            Code.SE_RESOLUTION, "DNS_ROUND_ROBIN can have one endpoint at most"
        )
    names = {port.name for port in entry.ports}
    for place, endpoint in here.each("endpoints", entry.endpoints):
        check_address(endpoint.address, place.at("address"), domain_allowed=True)
        check_labels(endpoint.labels, place.at("labels"))
        check_ports(endpoint, names, place)
    if (
        entry.addresses
        and len(entry.hosts) > 1
        and any(values.is_tcp(port.protocol) for port in entry.ports)
    ):
        here.at("hosts").warning(
            Code.SE_HOSTS, "several hosts share addresses and a TCP port: they can't be told apart"
        )


def _check_dynamic(resource: Resource[ServiceEntry], here: Cursor) -> None:
    entry = resource.spec
    for place, host in here.each("hosts", entry.hosts):
        if not host.startswith("*"):
            place.error(Code.SE_RESOLUTION, f"DYNAMIC_DNS needs wildcard hosts, {host!r} is none")
    for name, value in (("addresses", entry.addresses), ("endpoints", entry.endpoints)):
        if value:
            here.at(name).error(
                Code.SE_RESOLUTION,
                f"DYNAMIC_DNS looks hosts up for each request: {name} can't be set",
            )
    for place, port in here.each("ports", entry.ports):
        if port.protocol.lower() not in _DYNAMIC_PROTOCOLS:
            place.at("protocol").error(
                Code.SE_RESOLUTION, "DYNAMIC_DNS supports HTTP, HTTP2, GRPC and TLS only"
            )
        if port.target_port:
            hint = "requests name the port behind their host"
            place.at("targetPort").info(
                Code.SE_RESOLUTION, "targetPort has no effect with DYNAMIC_DNS", hint
            )
    if entry.location == Location.MESH_INTERNAL and resource.labels.get(
        _USE_WAYPOINT, ""
    ).lower() not in ("", "none"):
        here.at("location").error(
            Code.SE_RESOLUTION, "MESH_INTERNAL with DYNAMIC_DNS does not work with waypoints"
        )
