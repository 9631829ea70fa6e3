"""Endpoints, from one of two sources: the load assignments of a config dump (`select`, `rows`), or
Envoy's `/clusters`, which also knows about outliers (`select_hosts`, `host_rows`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from varka.configdump.naming import cluster_order
from varka.configdump.reader import Dump, NoSection, at, items, number, resources, text

Row = tuple[str, ...]


class EndpointFilter(Struct, frozen=True):
    """Compared without regard to case; `address` may carry the port."""

    address: str = ""
    port: int = 0
    cluster: str = ""
    status: str = ""

    def takes(self, cluster: str, addresses: Sequence[str], port: int, status: str) -> bool:
        known = [
            form.lower() for address in addresses for form in (address, address.rpartition(":")[0])
        ]
        return (
            (not self.address or self.address.lower() in known)
            and self.port in (0, port)
            and (not self.cluster or self.cluster.lower() == cluster.lower())
            and (not self.status or self.status.upper() == status)
        )


def from_clusters(dump: Dump) -> bool:
    """Whether this is `/clusters?format=json`."""
    return at(dump.document, "cluster_statuses") is not None


def select(dump: Dump, chosen: EndpointFilter) -> list[dict[str, Any]]:
    """Load assignments with the endpoints that pass, without those that have none left."""
    try:
        section = dump.section("EndpointsConfigDump")
    except NoSection:
        return []
    lists = {
        "dynamic_endpoint_configs": ("endpoint_config",),
        "static_endpoint_configs": ("endpoint_config",),
    }
    filtered = (_filtered(assignment, chosen) for assignment in resources(section, lists))
    kept = [
        assignment
        for assignment in filtered
        if any(items(group, "lb_endpoints") for group in items(assignment, "endpoints"))
    ]
    return sorted(kept, key=lambda assignment: cluster_order(text(assignment, "cluster_name")))


def _filtered(assignment: dict[str, Any], chosen: EndpointFilter) -> dict[str, Any]:
    cluster = text(assignment, "cluster_name")

    def takes(endpoint: Any) -> bool:
        port = number(endpoint, "endpoint", "address", "socket_address", "port_value")
        return chosen.takes(cluster, _addresses(endpoint), port, _status(endpoint))

    def kept(locality: Any) -> dict[str, Any]:
        rest = {k: v for k, v in locality.items() if k not in ("lb_endpoints", "lbEndpoints")}
        return {**rest, "lb_endpoints": [e for e in items(locality, "lb_endpoints") if takes(e)]}

    return {**assignment, "endpoints": [kept(each) for each in items(assignment, "endpoints")]}


def rows(assignments: Sequence[Any], *, named: bool = False) -> list[Row]:
    table: list[Row] = [("NAME", "STATUS", "LOCALITY", "CLUSTER")]
    for assignment in assignments:
        for group in items(assignment, "endpoints"):
            locality = _locality(at(group, "locality"))
            for endpoint in items(group, "lb_endpoints"):
                name = ",".join(_addresses(endpoint))
                shown = f"endpoint/{name}" if named else name
                table.append((shown, _status(endpoint), locality, text(assignment, "cluster_name")))
    return table


def select_hosts(dump: Dump, chosen: EndpointFilter) -> list[dict[str, Any]]:
    """The cluster statuses that have at least one host which passes."""
    return [
        status for status in items(dump.document, "cluster_statuses") if any(_hosts(status, chosen))
    ]


def host_rows(statuses: Sequence[Any], chosen: EndpointFilter) -> list[Row]:
    """One row for each host that passes, sorted by address, port and cluster."""
    sortable = []
    for status in statuses:
        for host in _hosts(status, chosen):
            port = number(host, "address", "socket_address", "port_value")
            failed = at(host, "health_status", "failed_outlier_check") is True
            health = text(host, "health_status", "eds_health_status") or "UNKNOWN"
            row = (
                _address(at(host, "address"), "unix://"),
                health,
                "FAILED" if failed else "OK",
                text(status, "name"),
            )
            sortable.append(
                (text(host, "address", "socket_address", "address") or row[0], port, row[3], row)
            )
    return [
        ("ENDPOINT", "STATUS", "OUTLIER CHECK", "CLUSTER"),
        *(row for *_, row in sorted(sortable)),
    ]


def _hosts(status: Any, chosen: EndpointFilter) -> list[Any]:
    return [
        host
        for host in items(status, "host_statuses")
        if chosen.takes(
            text(status, "name"),
            [_address(at(host, "address"), "unix://")],
            number(host, "address", "socket_address", "port_value"),
            text(host, "health_status", "eds_health_status") or "UNKNOWN",
        )
    ]


def _addresses(endpoint: Any) -> list[str]:
    more = (
        at(additional, "address")
        for additional in items(endpoint, "endpoint", "additional_addresses")
    )
    return [_address(address) for address in (at(endpoint, "endpoint", "address"), *more)]


def _address(address: Any, pipe_prefix: str = "") -> str:
    if (socket := at(address, "socket_address")) is not None:
        return f"{text(socket, 'address')}:{number(socket, 'port_value')}"
    if (pipe := at(address, "pipe")) is not None:
        return pipe_prefix + text(pipe, "path")
    internal = at(address, "envoy_internal_address")
    if name := text(internal, "server_listener_name"):
        return f"envoy://{name}/{text(internal, 'endpoint_id')}"
    return "unknown"


def _status(endpoint: Any) -> str:
    return text(endpoint, "health_status") or "UNKNOWN"


def _locality(locality: Any) -> str:
    parts = [text(locality, name) for name in ("region", "zone", "sub_zone")]
    return "/".join(parts[: 1 if not parts[1] else 2 if not parts[2] else 3])
