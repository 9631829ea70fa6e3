"""VirtualService `http` rules as Envoy routes."""

from __future__ import annotations

from envoy.config.route.v3 import route_components_pb2 as envoy
from msgspec import Struct

from varka.base.names import FieldOrigin, ObjectKey
from varka.envoy import wkt
from varka.envoy.istio_names import ISTIO, istio_metadata, outbound_cluster
from varka.envoy.routes import cors, fault
from varka.envoy.routes.action import forward, served_destinations, set_timeout
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


class PlannedRoute(Struct, frozen=True):
    """What a route was made from, and where it leads."""

    field: FieldOrigin
    """`spec.http[2]` of a rule; a Service where no rule speaks about it."""
    match: FieldOrigin | None = None
    """`spec.http[2].match[1]`; None for a route without one."""
    destinations: tuple[tuple[str, int, FieldOrigin], ...] = ()
    """Cluster, weight and `spec.http[2].route[0]` of each; none for what answers itself."""


class RouteTable(Struct, frozen=True, eq=False):
    """Routes in order, as several virtual hosts may share them."""

    routes: tuple[envoy.Route, ...]
    origins: tuple[ObjectKey, ...] = ()
    planned: tuple[PlannedRoute, ...] = ()
    """One for each route; none for those of the mesh itself."""


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
    planned: list[PlannedRoute] = []
    for http, field in zip(rule.spec.http, fields_of(rule), strict=True):
        for at, request in enumerate(http.match or (None,)):
            if request is not None and not (request.port in (0, port) and source.meets(request)):
                continue
            route = _route(rule.key, http, request, semantics, known, settings, tls)
            if route is None:
                continue
            routes.append(route)
            matched = field.at("match", at) if request is not None and field.path else None
            planned.append(PlannedRoute(field, matched, _destinations(route, http, field)))
            if is_catch_all(route.match):
                return RouteTable(tuple(routes), rule.sources or (rule.key,), tuple(planned))
    return RouteTable(tuple(routes), rule.sources or (rule.key,), tuple(planned))


def fields_of(rule: MergedVirtualService) -> tuple[FieldOrigin, ...]:
    """Where each of its `http` routes stands; the object itself where nobody knows."""
    return rule.http_fields or (FieldOrigin(rule.key),) * len(rule.spec.http)


def _destinations(
    route: envoy.Route, http: networking.HTTPRoute, field: FieldOrigin
) -> tuple[tuple[str, int, FieldOrigin], ...]:
    """The clusters of a route, each with the destination that it is."""
    weighted = route.route.weighted_clusters.clusters
    clusters = [(each.name, each.weight.value) for each in weighted]
    if route.route.cluster:
        clusters = [(route.route.cluster, 1)]
    below = field.key.kind == "VirtualService" and field.path
    return tuple(
        (name, weight, field.at("route", at) if below else field)
        for (name, weight), at in zip(clusters, served_destinations(http), strict=bool(clusters))
    )


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
    origin = FieldOrigin(service.source)
    planned = PlannedRoute(origin, None, ((route.route.cluster, 1, origin),))
    return RouteTable((route,), (service.source,), (planned,))


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
