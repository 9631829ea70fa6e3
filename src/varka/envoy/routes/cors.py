"""`corsPolicy` as the per-route configuration of Envoy's CORS filter."""

from __future__ import annotations

from envoy.config.core.v3 import base_pb2
from envoy.extensions.filters.http.cors.v3 import cors_pb2
from envoy.type.matcher.v3 import string_pb2

from varka.envoy import wkt
from varka.envoy.routes.match import string_matcher
from varka.envoy.routes.percent import of_hundred
from varka.resources.model import networking

FILTER = "envoy.filters.http.cors"


def cors(policy: networking.CorsPolicy) -> cors_pb2.CorsPolicy:
    """Preflights of other origins go on to the service unless `unmatchedPreflights: IGNORE`."""
    ignored = policy.unmatched_preflights is networking.UnmatchedPreflights.IGNORE
    result = cors_pb2.CorsPolicy(
        allow_origin_string_match=_origins(policy),
        allow_methods=",".join(policy.allow_methods),
        allow_headers=",".join(policy.allow_headers),
        expose_headers=",".join(policy.expose_headers),
        filter_enabled=base_pb2.RuntimeFractionalPercent(default_value=of_hundred(100)),
        forward_not_matching_preflights=wkt.boolean(not ignored),
    )
    if policy.max_age is not None:
        result.max_age = str(int(policy.max_age.total_seconds))
    if policy.allow_credentials is not None:
        result.allow_credentials.value = policy.allow_credentials
    return result


def _origins(policy: networking.CorsPolicy) -> list[string_pb2.StringMatcher]:
    if policy.allow_origins:
        return [string_matcher(origin) for origin in policy.allow_origins]
    return [string_pb2.StringMatcher(exact=origin) for origin in policy.allow_origin]
