"""The names that a match of an EnvoyFilter can ask for, as proxies have them."""

from __future__ import annotations

from collections.abc import Iterable

from envoy.config.route.v3 import route_components_pb2, route_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2 as hcm_pb2,
)

from varka.envoy.dump import message_of
from varka.envoy.filters.listeners import HCM
from varka.envoy.resource import EnvoyResource, TypeUrl

Names = dict[str, set[str]]
"""Field of a match (`cluster.name`) -> the names that it would find."""
_CHAIN = "listener.filterChain"
_ROUTES = "routeConfiguration"


def names_in(resources: Iterable[EnvoyResource]) -> Names:
    """All names in clusters, listeners and route configurations; other resources have none to ask
    for."""
    found: Names = {}
    for resource in resources:
        for field, name in _READ.get(resource.type, _nothing)(resource):
            found.setdefault(field, set()).add(name)
    return found


Named = Iterable[tuple[str, str]]


def _nothing(_resource: EnvoyResource) -> Named:
    return ()


def _cluster(resource: EnvoyResource) -> Named:
    yield "cluster.name", resource.name
    if resource.name.count("|") == 3:
        _direction, _port, subset, host = resource.name.split("|")
        yield "cluster.subset", subset
        yield "cluster.service", host


def _listener(resource: EnvoyResource) -> Named:
    listener = message_of(resource)
    yield "listener.name", listener.name
    yield from (("listener.listenerFilter", item.name) for item in listener.listener_filters)
    for chain in (*listener.filter_chains, listener.default_filter_chain):
        yield f"{_CHAIN}.name", chain.name
        for item in chain.filters:
            yield f"{_CHAIN}.filter.name", item.name
            if item.name == HCM:
                manager = hcm_pb2.HttpConnectionManager.FromString(item.typed_config.value)
                yield from (
                    (f"{_CHAIN}.filter.subFilter.name", one.name) for one in manager.http_filters
                )
                yield from _configuration(manager.route_config)


def _route(resource: EnvoyResource) -> Named:
    return _configuration(message_of(resource))


def _configuration(configuration: route_pb2.RouteConfiguration) -> Named:
    yield f"{_ROUTES}.name", configuration.name
    for host in configuration.virtual_hosts:
        yield from _host(host)


def _virtual_host(resource: EnvoyResource) -> Named:
    return _host(message_of(resource))


def _host(host: route_components_pb2.VirtualHost) -> Named:
    yield f"{_ROUTES}.vhost.name", host.name
    yield from ((f"{_ROUTES}.vhost.domainName", domain) for domain in host.domains)
    yield from ((f"{_ROUTES}.vhost.route.name", route.name) for route in host.routes)


_READ = {
    TypeUrl.CLUSTER: _cluster,
    TypeUrl.LISTENER: _listener,
    TypeUrl.ROUTE: _route,
    TypeUrl.VIRTUAL_HOST: _virtual_host,
}
