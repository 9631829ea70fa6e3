"""Virtual hosts: domains, and the routes behind them."""

from __future__ import annotations

from envoy.config.route.v3 import route_components_pb2 as envoy
from msgspec import Struct

from varka.base.names import FieldOrigin
from varka.envoy.istio_names import DYNAMIC_DNS, PASSTHROUGH, outbound_cluster
from varka.envoy.resource import EnvoyResource, TypeUrl, encode
from varka.envoy.routes.action import set_timeout
from varka.envoy.routes.match import route_match
from varka.envoy.routes.route import PlannedRoute, RouteTable
from varka.envoy.routes.settings import RouteSettings
from varka.resources.model import networking

_BLOCKED = 502


class PlannedHost(Struct, frozen=True, eq=False):
    """A virtual host: its domains, and where its routes stand."""

    domains: tuple[str, ...]
    routes: tuple[PlannedRoute, ...]
    """In the order of the message."""

    @property
    def fields(self) -> tuple[FieldOrigin, ...]:
        return tuple(route.field for route in self.routes)


def virtual_host(
    name: str, domains: tuple[str, ...], table: RouteTable, settings: RouteSettings
) -> EnvoyResource:
    message = envoy.VirtualHost(
        name=name,
        domains=domains,
        routes=table.routes,
        include_request_attempt_count=settings.include_request_attempt_count,
    )
    planned = PlannedHost(domains, table.planned)
    return encode(TypeUrl.VIRTUAL_HOST, name, message, table.origins, planned=planned)


def catch_all(
    allow_any: bool,
    dynamic_dns: bool,
    egress_proxy: networking.Destination | None,
    settings: RouteSettings,
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
    route = envoy.Route(
        name=name, match=route_match(None), route=envoy.RouteAction(cluster=cluster)
    )
    route.route.append_x_forwarded_host = settings.append_x_forwarded_host
    set_timeout(route.route, None)
    return virtual_host(name, ("*",), RouteTable((route,)), settings)


def _blocked(settings: RouteSettings) -> EnvoyResource:
    response = envoy.DirectResponseAction(status=_BLOCKED)
    route = envoy.Route(name="block_all", match=route_match(None), direct_response=response)
    return virtual_host("block_all", ("*",), RouteTable((route,)), settings)
