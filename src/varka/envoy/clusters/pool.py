"""Connection pools and circuit breakers (`trafficPolicy.connectionPool`, `retryBudget`)."""

from __future__ import annotations

from envoy.config.cluster.v3 import circuit_breaker_pb2
from google.protobuf.wrappers_pb2 import UInt32Value

from varka.envoy import wkt
from varka.envoy.clusters.builder import ClusterBuilder, connect_timeout
from varka.envoy.clusters.protocol import use_client_protocol
from varka.resources.model import networking
from varka.resources.model.mesh import MeshConfig

_UNLIMITED = 2**32 - 1
_BUDGET_INTERVAL = 3
"""Number of Envoy's field `RetryBudget.budget_interval`, which the protobufs that we build with
don't have yet."""
_NONE = networking.ConnectionPoolSettings()


def apply_pool(
    builder: ClusterBuilder,
    pool: networking.ConnectionPoolSettings | None,
    budget: networking.RetryBudget | None,
    config: MeshConfig,
) -> None:
    """Limits, timeouts and keepalive. Nothing is limited unless asked for: Envoy's own limits
    (1,024 requests, 3 retries) are too small for a busy sidecar."""
    pool = pool or _NONE
    tcp, http = pool.tcp, pool.http
    cluster = builder.message
    cluster.connect_timeout.CopyFrom(
        wkt.duration(tcp.connect_timeout)
        if tcp and tcp.connect_timeout is not None
        else connect_timeout(config)
    )
    cluster.circuit_breakers.thresholds.append(_thresholds(tcp, http, budget))
    _keepalive(builder, config.tcp_keepalive)
    if tcp:
        _keepalive(builder, tcp.tcp_keepalive)
    _common_options(builder, tcp, http)
    if http and http.use_client_protocol:
        use_client_protocol(builder)


def _thresholds(
    tcp: networking.TCPSettings | None,
    http: networking.HTTPSettings | None,
    budget: networking.RetryBudget | None,
) -> circuit_breaker_pb2.CircuitBreakers.Thresholds:
    result = circuit_breaker_pb2.CircuitBreakers.Thresholds(
        max_connections=_limit(tcp.max_connections if tcp else 0),
        max_pending_requests=_limit(http.http1_max_pending_requests if http else 0),
        max_requests=_limit(http.http2_max_requests if http else 0),
        max_retries=_limit(http.max_retries if http else 0),
    )
    if budget is not None:
        result.retry_budget.budget_percent.value = (
            20.0 if budget.percent is None else budget.percent
        )
        result.retry_budget.min_retry_concurrency.value = budget.min_retry_concurrency or 3
        if budget.budget_interval is not None:
            wkt.set_unknown(
                result.retry_budget, _BUDGET_INTERVAL, wkt.duration(budget.budget_interval)
            )
    return result


def _limit(value: int) -> UInt32Value:
    return wkt.uint32(value if 0 < value < _UNLIMITED else _UNLIMITED)


def _keepalive(builder: ClusterBuilder, keepalive: networking.TcpKeepalive | None) -> None:
    """An empty block switches keepalive on with the system's values; a rule overrides the mesh
    field by field."""
    if keepalive is None:
        return
    target = builder.message.upstream_connection_options.tcp_keepalive
    target.SetInParent()
    if keepalive.probes:
        target.keepalive_probes.value = keepalive.probes
    if keepalive.time is not None:
        target.keepalive_time.value = int(keepalive.time.total_seconds)
    if keepalive.interval is not None:
        target.keepalive_interval.value = int(keepalive.interval.total_seconds)


def _common_options(
    builder: ClusterBuilder,
    tcp: networking.TCPSettings | None,
    http: networking.HTTPSettings | None,
) -> None:
    common = builder.options.common_http_protocol_options
    idle = (
        http.idle_timeout
        if http and http.idle_timeout is not None
        else tcp.idle_timeout
        if tcp
        else None
    )
    if idle is not None:
        common.idle_timeout.CopyFrom(wkt.duration(idle))
    if tcp and tcp.max_connection_duration is not None:
        common.max_connection_duration.CopyFrom(wkt.duration(tcp.max_connection_duration))
    if http is None:
        return
    if http.max_requests_per_connection > 0:
        common.max_requests_per_connection.value = http.max_requests_per_connection
    if builder.options.explicit_http_config.HasField("http2_protocol_options"):
        _http2(builder.options.explicit_http_config.http2_protocol_options, http)


def _http2(options: object, http: networking.HTTPSettings) -> None:
    if http.max_concurrent_streams > 0:
        options.max_concurrent_streams.value = http.max_concurrent_streams  # type: ignore[attr-defined]
    if http.http2_keep_alive is not None:
        keepalive = options.connection_keepalive  # type: ignore[attr-defined]
        if http.http2_keep_alive.interval is not None:
            keepalive.interval.CopyFrom(wkt.duration(http.http2_keep_alive.interval))
        if http.http2_keep_alive.timeout is not None:
            keepalive.timeout.CopyFrom(wkt.duration(http.http2_keep_alive.timeout))
