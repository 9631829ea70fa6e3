"""Routes that go to clusters: destinations, weights, rewrites, mirrors, timeouts, retries."""

from __future__ import annotations

import re

from envoy.config.core.v3 import base_pb2
from envoy.config.route.v3 import route_components_pb2 as envoy
from envoy.type.matcher.v3 import regex_pb2
from envoy.type.v3 import percent_pb2
from google.protobuf.duration_pb2 import Duration as DurationMessage

from varka.base.duration import Duration
from varka.envoy import wkt
from varka.envoy.routes.hash import hash_policy
from varka.envoy.routes.headers import mutations
from varka.envoy.routes.match import Semantics
from varka.envoy.routes.percent import of_hundred, of_percent
from varka.envoy.routes.retry import outbound_policy
from varka.envoy.routes.settings import RouteSettings
from varka.envoy.routes.target import Targets
from varka.resources.model import networking

NO_TIMEOUT = DurationMessage()
NOWHERE = networking.Destination()


def set_timeout(action: envoy.RouteAction, timeout: Duration | None) -> None:
    """Istio has no default timeout. `max_grpc_timeout` makes gRPC clients' own deadlines count."""
    message = wkt.duration(timeout) if timeout else NO_TIMEOUT
    action.timeout.CopyFrom(message)
    action.max_grpc_timeout.CopyFrom(message)


def forward(
    target: envoy.Route,
    rule: networking.HTTPRoute,
    semantics: Semantics,
    targets: Targets,
    settings: RouteSettings,
) -> None:
    """Make `target` send requests to the rule's destinations. Its match and the rule's own header
    mutations are set already."""
    action = target.route
    authority = mutations(rule.headers).authority
    set_timeout(action, rule.timeout)
    if semantics is Semantics.GATEWAY:
        action.cluster_not_found_response_code = envoy.RouteAction.INTERNAL_SERVER_ERROR
    if rule.rewrite is not None:
        action.append_x_forwarded_host = settings.append_x_forwarded_host
        _rewrite_path(target, rule.rewrite, semantics)
        authority = rule.rewrite.authority or authority
    if authority:
        action.host_rewrite_literal = authority
    _mirror(action, rule, targets)
    hashed = _destinations(target, rule, targets)
    policy = outbound_policy(rule.retries or settings.retries, hashed=hashed)
    if policy is not None:
        action.retry_policy.CopyFrom(policy)


def _rewrite_path(
    target: envoy.Route, rewrite: networking.HTTPRewrite, semantics: Semantics
) -> None:
    action = target.route
    if rewrite.uri_regex_rewrite is not None:
        pattern = regex_pb2.RegexMatcher(regex=rewrite.uri_regex_rewrite.match)
        substitution = rewrite.uri_regex_rewrite.rewrite
        action.regex_rewrite.CopyFrom(
            regex_pb2.RegexMatchAndSubstitute(pattern=pattern, substitution=substitution)
        )
    elif rewrite.uri == "/" and semantics is Semantics.GATEWAY:
        # A path-separated prefix rewritten to "/" would leave "//rest": take the prefix and its
        # slash.
        pattern = regex_pb2.RegexMatcher(
            regex=f"^{re.escape(target.match.path_separated_prefix)}(/?)(.*)"
        )
        action.regex_rewrite.CopyFrom(
            regex_pb2.RegexMatchAndSubstitute(pattern=pattern, substitution=r"/\2")
        )
    elif rewrite.uri:
        action.prefix_rewrite = rewrite.uri


def _mirror(action: envoy.RouteAction, rule: networking.HTTPRoute, targets: Targets) -> None:
    if rule.mirror is not None:
        _add_mirror(action, rule.mirror, _mirror_share(rule), targets)
    for policy in rule.mirrors:
        if policy.destination is not None:
            share = of_percent(policy.percentage) if policy.percentage else of_hundred(100)
            _add_mirror(action, policy.destination, share, targets)


def _mirror_share(rule: networking.HTTPRoute) -> percent_pb2.FractionalPercent:
    if rule.mirror_percentage is not None:
        return of_percent(rule.mirror_percentage)
    return of_hundred(100 if rule.mirror_percent is None else rule.mirror_percent)


def _add_mirror(
    action: envoy.RouteAction,
    destination: networking.Destination,
    share: percent_pb2.FractionalPercent,
    targets: Targets,
) -> None:
    """An explicit 0 % mirrors nothing, so it is left out."""
    if share.numerator:
        action.request_mirror_policies.add(
            cluster=targets.cluster(destination),
            runtime_fraction=base_pb2.RuntimeFractionalPercent(default_value=share),
            trace_sampled=wkt.boolean(False),
            disable_shadow_host_suffix_append=True,
        )


def _destinations(target: envoy.Route, rule: networking.HTTPRoute, targets: Targets) -> bool:
    """Returns whether retries must stay on the host that was hashed to: only a single destination
    can promise that."""
    if len(rule.route) == 1:
        return _single(target, rule.route[0], targets)
    for at in served_destinations(rule):
        weighted = rule.route[at]
        _weighted(target.route, weighted, weighted.destination or NOWHERE, targets)
    return False


def served_destinations(rule: networking.HTTPRoute) -> tuple[int, ...]:
    """Which of `route` get requests: a single one always, of several those with a weight."""
    if len(rule.route) == 1:
        return (0,)
    weighted = enumerate(rule.route)
    return tuple(at for at, each in weighted if each.weight and each.destination is not None)


def _single(target: envoy.Route, only: networking.HTTPRouteDestination, targets: Targets) -> bool:
    destination = only.destination or NOWHERE
    target.route.cluster = targets.cluster(destination)
    changes = mutations(only.headers)
    changes.apply(target)
    if changes.authority and not target.route.HasField("host_rewrite_literal"):
        target.route.host_rewrite_literal = changes.authority
    return _add_hash(target.route, destination, targets)


def _weighted(
    action: envoy.RouteAction,
    rule: networking.HTTPRouteDestination,
    destination: networking.Destination,
    targets: Targets,
) -> None:
    """Weights are relative. Header changes of one destination belong to its cluster."""
    cluster = action.weighted_clusters.clusters.add(
        name=targets.cluster(destination), weight=wkt.uint32(rule.weight)
    )
    changes = mutations(rule.headers)
    changes.apply(cluster)
    if changes.authority:
        cluster.host_rewrite_literal = changes.authority
    _add_hash(action, destination, targets)


def _add_hash(
    action: envoy.RouteAction, destination: networking.Destination, targets: Targets
) -> bool:
    hash_ = targets.hash(destination)
    if hash_ is None:
        return False
    policy = hash_policy(hash_)
    if policy is not None:
        action.hash_policy.append(policy)
    return True
