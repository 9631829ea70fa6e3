"""WorkloadEntry, also as endpoint of a ServiceEntry."""

from __future__ import annotations

from collections.abc import Set

from varka.base.ip import is_ip
from varka.resources.codes import Code
from varka.resources.model.networking import WorkloadEntry
from varka.resources.resource import Resource
from varka.resources.validate import values
from varka.resources.validate.common import check_labels
from varka.resources.validate.cursor import Cursor


def validate(resource: Resource[WorkloadEntry], here: Cursor) -> None:
    check_entry(resource.spec, None, here, domain_allowed=True)


def check_entry(
    entry: WorkloadEntry, service_ports: Set[str] | None, here: Cursor, *, domain_allowed: bool
) -> None:
    """`service_ports` are the names of the ServiceEntry's ports, None when it is not known."""
    address, place = entry.address, here.at("address")
    is_socket = address.startswith("unix://")
    if is_socket:
        place.check(Code.WE_ADDRESS, values.unix_path(address.removeprefix("unix://")))
        if entry.ports:
            here.at("ports").error(Code.WE_PORTS, "a unix socket has no ports")
        if service_ports is not None and len(service_ports) != 1:
            here.error(Code.WE_PORTS, "a unix socket needs a service with exactly one port")
    elif address:
        check_address(address, place, domain_allowed=domain_allowed)
    elif entry.network:
        here.warning(
            Code.WE_ADDRESS,
            f"without address it is reached through the gateways of network {entry.network!r}",
        )
    else:
        here.error(Code.WE_ADDRESS, "address is required")
        return
    check_ports(entry, service_ports, here)
    check_labels(entry.labels, here.at("labels"))


def check_address(address: str, here: Cursor, *, domain_allowed: bool) -> None:
    if is_ip(address):
        return
    if not domain_allowed:
        here.error(
            Code.WE_ADDRESS, f"{address!r} is no IP address", "domain names need resolution: DNS"
        )
    elif values.fqdn(address):
        here.error(Code.WE_ADDRESS, f"{address!r} is neither a domain name nor an IP address")


def check_ports(entry: WorkloadEntry, service_ports: Set[str] | None, here: Cursor) -> None:
    for name, number in entry.ports.items():
        place = here.at("ports", name)
        if service_ports is not None and name not in service_ports:
            place.error(Code.WE_PORTS, f"the ServiceEntry has no port named {name!r}")
        place.check(Code.WE_PORTS, values.port_name(name))
        place.check(Code.WE_PORTS, values.port(number))
