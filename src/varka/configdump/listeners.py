"""Listeners of a config dump, what their filter chains match and where these lead."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from varka.configdump.reader import Dump, NoSection, at, items, number, resources, text
from varka.configdump.routes import describe_match

Row = tuple[str, ...]

HTTP = "envoy.filters.network.http_connection_manager"
TCP = "envoy.filters.network.tcp_proxy"
_ALPN_NAMES = {
    ("http/1.0", "http/1.1", "h2c"): "App: HTTP",
    ("istio", "istio-http/1.0", "istio-http/1.1", "istio-h2"): "App: Istio HTTP Plain",
    (
        "http/1.0",
        "http/1.1",
        "h2c",
        "istio-http/1.0",
        "istio-http/1.1",
        "istio-h2",
    ): "App: HTTP TLS",
    ("istio-peer-exchange", "istio"): "App: TCP TLS",
}


class ListenerFilter(Struct, frozen=True):
    """Each part, where given, must be the listener's own; case does not matter."""

    address: str = ""
    port: int = 0
    type: str = ""

    def takes(self, listener: Any) -> bool:
        addresses = [address.lower() for address in _addresses(listener)]
        return (
            (not self.address or self.address.lower() in addresses)
            and (not self.port or _port(listener) == self.port)
            and (not self.type or self.type.upper() == kind(listener))
        )


def select(dump: Dump, chosen: ListenerFilter) -> list[dict[str, Any]]:
    """The listeners that pass, in the dump's order. Raises NoSection when the dump has no listener
    at all."""
    section = dump.section("ListenersConfigDump")
    lists = {"dynamic_listeners": ("active_state", "listener"), "static_listeners": ("listener",)}
    listeners = list(resources(section, lists))
    if not listeners:
        raise NoSection("no listeners found")
    return [listener for listener in listeners if chosen.takes(listener)]


def rows(listeners: Sequence[Any], *, verbose: bool = True, named: bool = False) -> list[Row]:
    header: Row = ("ADDRESSES", "PORT", *(("MATCH", "DESTINATION") if verbose else ("TYPE",)))
    table = [("NAME", *header) if named else header]
    for listener in sorted(
        listeners, key=lambda each: (_port(each), _addresses(each)[0], kind(each))
    ):
        front: Row = (",".join(_addresses(listener)), str(_port(listener)))
        if named:
            front = (f"listener/{text(listener, 'name')}", *front)
        table += [
            (*front, *back) for back in (_chains(listener) if verbose else [(kind(listener),)])
        ]
    return table


def kind(listener: Any) -> str:
    """`HTTP`, `TCP`, `HTTP+TCP` or `UNKNOWN`; a proxy to the black hole does not count."""
    filters = [each for chain in _all_chains(listener) for each in items(chain, "filters")]
    http = any(text(each, "name") == HTTP for each in filters)
    tcp = any(_is_tcp(each) for each in filters)
    return "+".join(name for name, there in (("HTTP", http), ("TCP", tcp)) if there) or "UNKNOWN"


def _all_chains(listener: Any) -> list[Any]:
    default = at(listener, "default_filter_chain")
    return [*items(listener, "filter_chains"), *([default] if default is not None else [])]


def _addresses(listener: Any) -> list[str]:
    address = at(listener, "address")
    first = text(address, "socket_address", "address") or text(address, "pipe", "path")
    return [
        first,
        *(
            text(more, "address", "socket_address", "address")
            for more in items(listener, "additional_addresses")
        ),
    ]


def _port(listener: Any) -> int:
    return number(listener, "address", "socket_address", "port_value")


def _chains(listener: Any) -> list[Row]:
    """What each filter chain matches and where it leads."""
    pairs = [
        (_match(at(chain, "filter_chain_match")), _destination(items(chain, "filters")))
        for chain in _all_chains(listener)
    ]
    return sorted(pairs, key=lambda row: row[1], reverse=True)


def _match(match: Any) -> str:
    parts = []
    if names := items(match, "server_names"):
        parts.append(f"SNI: {','.join(names)}")
    if transport := text(match, "transport_protocol"):
        parts.append(f"Trans: {transport}")
    if protocols := items(match, "application_protocols"):
        parts.append(_ALPN_NAMES.get(tuple(protocols), f"App: {','.join(protocols)}"))
    port = at(match, "destination_port")
    suffix = "" if port is None else f":{port}"
    ranges = [
        f"{text(r, 'address_prefix')}/{number(r, 'prefix_len')}"
        for r in items(match, "prefix_ranges")
    ]
    if ranges or suffix:
        parts.append(f"Addr: {','.join(ranges) or '*'}{suffix}")
    return "; ".join(parts) or "ALL"


def _is_tcp(network_filter: Any) -> bool:
    return text(network_filter, "name") == TCP and "BlackHoleCluster" not in json.dumps(
        at(network_filter, "typed_config")
    )


def _destination(filters: Sequence[Any]) -> str:
    for each in filters:
        config = at(each, "typed_config")
        if text(each, "name") == HTTP:
            if (inline := at(config, "route_config")) is not None:
                return _inline_routes(inline)
            name = text(config, "rds", "route_config_name")
            return f"Route: {name}" if name else "HTTP"
        if _is_tcp(each):
            return _cluster(text(config, "cluster"))
    return "Non-HTTP/Non-TCP"


def _cluster(name: str) -> str:
    return name if "Cluster" in name else f"Cluster: {name}"


def _inline_routes(configuration: Any) -> str:
    hosts = items(configuration, "virtual_hosts")
    if (
        len(hosts) == 1
        and items(hosts[0], "domains") == ["*"]
        and len(routes := items(hosts[0], "routes")) == 1
    ):
        cluster = text(routes[0], "route", "cluster")
        if cluster and text(routes[0], "match", "prefix") == "/":
            return _cluster(cluster)
    return f"Inline Route: {'; '.join(_host(host) for host in hosts)}"


def _host(host: Any) -> str:
    domains = items(host, "domains")
    matches = ", ".join(describe_match(at(route, "match")) for route in items(host, "routes"))
    return matches if domains in (["*"], []) else f"{'/'.join(domains)} {matches}"
