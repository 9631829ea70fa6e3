"""`consistentHash` of DestinationRules as hash policies of routes: the cluster only says that it
hashes, the route says what."""

from __future__ import annotations

from collections.abc import Iterable

from envoy.config.route.v3 import route_components_pb2 as envoy

from varka.envoy import wkt
from varka.mesh.model import MergedRule
from varka.resources.model import networking

_HashPolicy = envoy.RouteAction.HashPolicy


def service_hash(rule: MergedRule | None, port: int) -> networking.ConsistentHashLB | None:
    """What traffic to a service port hashes by when no VirtualService chooses a subset."""
    if rule is None or rule.policy is None:
        return None
    return _of_port(rule.policy.port_level_settings, port) or _of(rule.policy.load_balancer)


def destination_hash(
    rule: MergedRule | None, destination: networking.Destination
) -> networking.ConsistentHashLB | None:
    """What a route to a destination hashes by; the nearest wins: subset's port, subset, rule's
    port, rule.

    Port settings count only when the destination names its port.
    """
    if rule is None:
        return None
    subset = next((s for s in rule.subsets if s.name == destination.subset), None)
    port = destination.port.number if destination.port else None
    for policy in (subset.traffic_policy if subset else None, rule.policy):
        found = policy and (_of_port(policy.port_level_settings, port) or _of(policy.load_balancer))
        if found:
            return found
    return None


def hash_policy(hash_: networking.ConsistentHashLB) -> envoy.RouteAction.HashPolicy | None:
    if hash_.http_header_name is not None:
        return _HashPolicy(header=_HashPolicy.Header(header_name=hash_.http_header_name))
    if hash_.http_cookie is not None:
        return _HashPolicy(cookie=_cookie(hash_.http_cookie))
    if hash_.use_source_ip is not None:
        return _HashPolicy(
            connection_properties=_HashPolicy.ConnectionProperties(source_ip=hash_.use_source_ip)
        )
    if hash_.http_query_parameter_name is not None:
        return _HashPolicy(
            query_parameter=_HashPolicy.QueryParameter(name=hash_.http_query_parameter_name)
        )
    return None


def _cookie(cookie: networking.HTTPCookie) -> envoy.RouteAction.HashPolicy.Cookie:
    """Without `ttl` Envoy only reads the cookie; with one (0: for the session) it also sets it."""
    return _HashPolicy.Cookie(
        name=cookie.name,
        path=cookie.path,
        ttl=wkt.duration(cookie.ttl) if cookie.ttl is not None else None,
        attributes=[
            _HashPolicy.CookieAttribute(name=a.name, value=a.value) for a in cookie.attributes
        ],
    )


def _of_port(
    settings: Iterable[networking.PortTrafficPolicy], port: int | None
) -> networking.ConsistentHashLB | None:
    return next(
        (
            _of(setting.load_balancer)
            for setting in settings
            if setting.port and setting.port.number == port
        ),
        None,
    )


def _of(balancer: networking.LoadBalancerSettings | None) -> networking.ConsistentHashLB | None:
    return balancer.consistent_hash if balancer else None
