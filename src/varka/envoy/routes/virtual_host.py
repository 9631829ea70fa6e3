"""Virtual hosts: domains, and the routes behind them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from envoy.config.route.v3 import route_components_pb2 as envoy

from varka.envoy.names import DYNAMIC_DNS, PASSTHROUGH, outbound_cluster
from varka.envoy.resource import EnvoyResource, TypeUrl, encode
from varka.envoy.routes.action import set_timeout
from varka.envoy.routes.domains import Domains
from varka.envoy.routes.match import route_match
from varka.envoy.routes.route import RouteTable
from varka.envoy.routes.settings import RouteSettings
from varka.resources.model import networking

_BLOCKED = 502


@dataclass(frozen=True, slots=True)
class Candidate:
    """A virtual host before it is known which of its domains others have taken."""

    name: str
    """`<host>:<port>`, as Istio's tools show it."""
    domains: Domains
    table: RouteTable
    group: str = ""
    """The namespace of its service; "" for hosts that only a VirtualService names."""
    full_names: tuple[str, ...] = ()
    """Names that belong to its service and to nobody else's abbreviation."""


def deduplicated(candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    """Envoy refuses a route configuration where a domain (or name) is there twice: the first candidate keeps it, and an
    abbreviation gives way to the full name of a service."""
    candidates = tuple(candidates)
    full_names = {name for candidate in candidates for name in candidate.full_names}
    names: set[str] = set()
    taken: set[str] = set()
    for candidate in candidates:
        if candidate.name in names:
            continue
        names.add(candidate.name)
        found = candidate.domains
        if not taken.isdisjoint(found.all) or not full_names.isdisjoint(found.short):
            lost = taken | (found.short & full_names)
            found = Domains(tuple(domain for domain in found.all if domain not in lost), found.short)
        taken.update(found.all)
        if found.all:
            yield candidate if found is candidate.domains else Candidate(candidate.name, found, candidate.table, candidate.group)


def virtual_host(name: str, domains: tuple[str, ...], table: RouteTable, settings: RouteSettings) -> EnvoyResource:
    message = envoy.VirtualHost(
        name=name,
        domains=domains,
        routes=table.routes,
        include_request_attempt_count=settings.include_request_attempt_count,
    )
    return encode(TypeUrl.VIRTUAL_HOST, name, message, table.origins)


def catch_all(
    allow_any: bool, dynamic_dns: bool, egress_proxy: networking.Destination | None, settings: RouteSettings
) -> EnvoyResource:
    """What happens to requests for unknown hosts (`outboundTrafficPolicy`)."""
    if dynamic_dns:
        name, cluster = "allow_any_dynamic_dns", DYNAMIC_DNS
    elif not allow_any:
        return _blocked(settings)
    else:
        name, cluster = "allow_any", PASSTHROUGH
        if egress_proxy is not None:
            port = egress_proxy.port.number if egress_proxy.port else 0
            cluster = outbound_cluster(port, egress_proxy.subset, egress_proxy.host)
    route = envoy.Route(name=name, match=route_match(None), route=envoy.RouteAction(cluster=cluster))
    route.route.append_x_forwarded_host = settings.append_x_forwarded_host
    set_timeout(route.route, None)
    return virtual_host(name, ("*",), RouteTable((route,)), settings)


def _blocked(settings: RouteSettings) -> EnvoyResource:
    response = envoy.DirectResponseAction(status=_BLOCKED)
    route = envoy.Route(name="block_all", match=route_match(None), direct_response=response)
    return virtual_host("block_all", ("*",), RouteTable((route,)), settings)
