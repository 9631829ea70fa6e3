"""What routes take from the mesh configuration, as a small value: changes elsewhere in it leave
routes alone."""

from __future__ import annotations

from msgspec import Struct

from varka.envoy.build import Build
from varka.envoy.proxymetadata import proxy_headers
from varka.resources.model import networking


class RouteSettings(Struct, frozen=True):
    retries: networking.HTTPRetry | None = None
    """`defaultHttpRetryPolicy`: for rules without `retries`."""
    include_request_attempt_count: bool = True
    """`x-envoy-attempt-count` for the upstream (`proxyHeaders.attemptCount`)."""
    append_x_forwarded_host: bool = False
    """Rewrites keep the original host in `x-forwarded-host` (`proxyHeaders.xForwardedHost`)."""


def settings_of(build: Build) -> RouteSettings:
    """A proxy's own ProxyConfig stands before the mesh's `defaultConfig`."""
    headers = proxy_headers(build)
    attempts, host = headers.attempt_count, headers.x_forwarded_host
    return RouteSettings(
        retries=build.config.default_http_retry_policy,
        include_request_attempt_count=not (attempts and attempts.disabled),
        append_x_forwarded_host=bool(host and host.enabled),
    )
