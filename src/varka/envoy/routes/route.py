"""VirtualService `http` rules as Envoy routes."""

from __future__ import annotations

from envoy.config.route.v3 import route_components_pb2 as envoy
from msgspec import Struct

from varka.base.names import ObjectKey
from varka.envoy import wkt
from varka.envoy.istio_names import ISTIO, istio_metadata, outbound_cluster
from varka.envoy.routes import cors, fault
from varka.envoy.routes.action import forward, set_timeout
from varka.envoy.routes.domains import with_port
from varka.envoy.routes.hash import hash_policy
from varka.envoy.routes.headers import mutations
from varka.envoy.routes.match import Semantics, is_catch_all, route_match, semantics_of
from varka.envoy.routes.redirect import direct_response, redirect
from varka.envoy.routes.retry import inbound_policy, outbound_policy
from varka.envoy.routes.settings import RouteSettings
from varka.envoy.routes.source import Source
from varka.envoy.routes.target import Target, Targets
from varka.mesh.model import MergedVirtualService
from varka.registry.service import Protocol, Service
from varka.resources.model import networking

DEFAULT = "default"
"""The name of routes that no VirtualService made."""


class RouteTable(Struct, frozen=True, eq=False):
    """Routes in order, as several virtual hosts may share them."""

    routes: tuple[envoy.Route, ...]
    origins: tuple[ObjectKey, ...] = ()


def virtual_service_routes(
    rule: MergedVirtualService,
    port: int,
    targets: tuple[Target, ...],
    source: Source,
    settings: RouteSettings,
    tls: bool = False,
) -> RouteTable:
    """The routes of a VirtualService for requests that arrive at `port` (0: any, as at an HTTP
    proxy), in order.

    Ends with the first route that takes everything; empty when no rule is meant for the source and
    port.
    """
    semantics, known = semantics_of(rule), Targets.of(targets, port)
    routes: list[envoy.Route] = []
    for http in rule.spec.http:
        for request in http.match or (None,):
            if request is not None and not (request.port in (0, port) and source.meets(request)):
                continue
            route = _route(rule.key, http, request, semantics, known, settings, tls)
            if route is None:
                continue
            routes.append(route)
            if is_catch_all(route.match):
                return RouteTable(tuple(routes), rule.sources or (rule.key,))
    return RouteTable(tuple(routes), rule.sources or (rule.key,))


def service_routes(
    service: Service, port: int, hash_: networking.ConsistentHashLB | None, settings: RouteSettings
) -> RouteTable:
    """The route of a service port that no VirtualService speaks about."""
    route = _default_route(
        outbound_cluster(port, "", service.hostname), f"{with_port(service.hostname, port)}/*"
    )
    set_timeout(route.route, None)
    policy = outbound_policy(settings.retries)
    if policy is not None:
        route.route.retry_policy.CopyFrom(policy)
    hashing = hash_policy(hash_) if hash_ else None
    if hashing is not None:
        route.route.hash_policy.append(hashing)
    return RouteTable((route,), (service.source,))


def inbound_route(
    cluster: str, operation: str, protocol: Protocol, retries: networking.HTTPRetry | None
) -> envoy.Route:
    """The one route to the workload itself. gRPC streams are not retried: a reset there says
    nothing about the request."""
    route = _default_route(cluster, operation)
    route.route.timeout.SetInParent()
    route.route.max_stream_duration.max_stream_duration.SetInParent()
    route.route.max_stream_duration.grpc_timeout_header_max.SetInParent()
    policy = None if protocol in (Protocol.GRPC, Protocol.GRPC_WEB) else inbound_policy(retries)
    if policy is not None:
        route.route.retry_policy.CopyFrom(policy)
    return route


def _default_route(cluster: str, operation: str) -> envoy.Route:
    return envoy.Route(
        name=DEFAULT,
        match=route_match(None),
        route=envoy.RouteAction(cluster=cluster),
        decorator=envoy.Decorator(operation=operation),
    )


def _route(
    key: ObjectKey,
    http: networking.HTTPRoute,
    request: networking.HTTPMatchRequest | None,
    semantics: Semantics,
    targets: Targets,
    settings: RouteSettings,
    tls: bool,
) -> envoy.Route | None:
    """None when the rule gives Envoy nothing to do: no destination with a weight, an unknown
    redirect code."""
    route = envoy.Route(name=_name(http, request), match=route_match(request, semantics))
    route.metadata.filter_metadata[ISTIO].CopyFrom(wkt.struct({"config": istio_metadata(key)}))
    if request is not None:
        route.stat_prefix = request.stat_prefix
    mutations(http.headers).apply(route)
    _act(route, http, semantics, targets, settings, tls)
    if route.WhichOneof("action") is None:
        return None
    route.decorator.operation = _operation(route, key.name, targets.port)
    if http.fault is not None and (injected := fault.fault(http.fault)):
        route.typed_per_filter_config[fault.FILTER].CopyFrom(wkt.pack(injected))
    if http.cors_policy is not None:
        route.typed_per_filter_config[cors.FILTER].CopyFrom(wkt.pack(cors.cors(http.cors_policy)))
    return route


def _act(
    route: envoy.Route,
    http: networking.HTTPRoute,
    semantics: Semantics,
    targets: Targets,
    settings: RouteSettings,
    tls: bool,
) -> None:
    if http.redirect is not None:
        action = redirect(http.redirect, targets.port, tls=tls)
        if action is not None:
            route.redirect.CopyFrom(action)
    elif http.direct_response is not None:
        route.direct_response.CopyFrom(direct_response(http.direct_response))
    elif len(http.route) == 1 or any(destination.weight for destination in http.route):
        forward(route, http, semantics, targets, settings)


def _name(http: networking.HTTPRoute, request: networking.HTTPMatchRequest | None) -> str:
    return f"{http.name}.{request.name}" if request is not None and request.name else http.name


def _operation(route: envoy.Route, rule: str, port: int) -> str:
    """The span name: where the request goes when that is one place, else the rule's name."""
    kind = route.match.WhichOneof("path_specifier")
    path = {
        "prefix": f"{route.match.prefix}*",
        "path": route.match.path,
        "safe_regex": route.match.safe_regex.regex,
    }.get(kind or "", "/*")
    parts = route.route.cluster.split("|")
    return f"{parts[3]}:{parts[1]}{path}" if len(parts) == 4 else f"{rule}:{port}{path}"
