"""What routes take from the mesh configuration, as a small value: changes elsewhere in it leave
routes alone."""

from __future__ import annotations

import json
from dataclasses import dataclass

from varka.proxy.traits import Traits
from varka.resources.model import networking
from varka.resources.model.base import decode
from varka.resources.model.mesh import MeshConfig, ProxyHeaders


@dataclass(frozen=True, slots=True)
class RouteSettings:
    retries: networking.HTTPRetry | None = None
    """`defaultHttpRetryPolicy`: for rules without `retries`."""
    include_request_attempt_count: bool = True
    """`x-envoy-attempt-count` for the upstream (`proxyHeaders.attemptCount`)."""
    append_x_forwarded_host: bool = False
    """Rewrites keep the original host in `x-forwarded-host` (`proxyHeaders.xForwardedHost`)."""


def settings_of(config: MeshConfig, traits: Traits) -> RouteSettings:
    """A proxy's own ProxyConfig stands before the mesh's `defaultConfig`."""
    own = json.loads(traits.proxy_config).get("proxyHeaders") if traits.proxy_config else None
    headers = (
        decode(own, ProxyHeaders)
        if own
        else config.default_config and config.default_config.proxy_headers
    )
    attempts = headers.attempt_count if headers else None
    host = headers.x_forwarded_host if headers else None
    return RouteSettings(
        retries=config.default_http_retry_policy,
        include_request_attempt_count=not (attempts and attempts.disabled),
        append_x_forwarded_host=bool(host and host.enabled),
    )
