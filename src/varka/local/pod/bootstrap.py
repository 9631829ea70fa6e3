"""What an Envoy is started with: who it is, where its configuration comes from, its own small
listeners.

Shaped as Istio's (tools/packaging/common/envoy_bootstrap.json), so that Istio's tools can read it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from varka.local.network.capture import ENVOY_MARK
from varka.local.pod.identity import ProxyIdentity, locality, metadata

_SOL_SOCKET, _SO_MARK = 1, 36
_HCM = (
    "type.googleapis.com/envoy.extensions.filters.network"
    ".http_connection_manager.v3.HttpConnectionManager"
)
_ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
_HTTP2 = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def bootstrap(proxy: ProxyIdentity, ads: str, admin: str) -> dict[str, Any]:
    """The bootstrap as plain values. `ads` is the path of the control plane's socket; at the path
    `admin` the administration interface can be reached from outside the pod."""
    runtime = {**_RUNTIME, **dict(proxy.settings.runtime)}
    clusters = [
        _admin_cluster(),
        _xds_cluster(ads),
        _access_log_cluster(proxy.settings.access_log_service),
    ]
    return {
        "node": {
            "id": proxy.id,
            "cluster": proxy.settings.service_name(proxy.labels, proxy.workload, proxy.namespace),
            "locality": locality(proxy.labels),
            "metadata": metadata(proxy),
        },
        "admin": {
            "profile_path": "/dev/null",
            "address": _address("127.0.0.1", 15000),
            "ignore_global_conn_limit": True,
        },
        "layered_runtime": {
            "layers": [
                {"name": "deprecation", "static_layer": runtime},
                {"name": "admin", "admin_layer": {}},
            ]
        },
        "overload_manager": {"resource_monitors": [_ANY_NUMBER_OF_CONNECTIONS]},
        "stats_config": {"use_all_default_tags": False, "stats_tags": _STATS_TAGS},
        "stats_flush_interval": "60s",
        "watchdogs": {"main_thread_watchdog": _PATIENT, "worker_watchdog": _PATIENT},
        "deferred_stat_options": {"enable_deferred_creation_stats": True},
        "cluster_manager": {
            "enable_deferred_cluster_creation": True,
            "upstream_bind_config": {"socket_options": [_mark_option()]},
        },
        "dynamic_resources": {
            "ads_config": {
                "api_type": "DELTA_GRPC",
                "transport_api_version": "V3",
                "set_node_on_first_message_only": True,
                "grpc_services": [
                    {"envoy_grpc": {"cluster_name": "xds-grpc", "retry_policy": _SOON_AGAIN}}
                ],
            },
            "lds_config": _over_ads(),
            "cds_config": _over_ads(),
        },
        "static_resources": {"clusters": clusters, "listeners": _listeners(admin)},
    }


_SOON_AGAIN = {"retry_back_off": {"base_interval": "0.025s", "max_interval": "1s"}}
"""The control plane is on this machine, and it may still be loading when an Envoy is up. Without
this Envoy waits half a second and soon much longer."""
_PATIENT = {"miss_timeout": "60s", "megamiss_timeout": "120s"}
"""Envoy's watchdog looks ten times a second; many idle Envoys on one machine would be felt."""
_ANY_NUMBER_OF_CONNECTIONS = {
    "name": "envoy.resource_monitors.global_downstream_max_connections",
    "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3"
        ".DownstreamConnectionsConfig",
        "max_active_downstream_connections": 2**31 - 1,
    },
}
"""Istio sets the same by a runtime key that is deprecated now. Without either Envoy warns."""
_RUNTIME = {
    "re2.max_program_size.error_level": "32768",
    "envoy.reloadable_features.http_reject_path_with_fragment": False,
}
_STATS_TAGS = [
    {"tag_name": "cluster_name", "regex": r"^cluster\.((.+?(\..+?\.svc\.cluster\.local)?)\.)"},
    {"tag_name": "tcp_prefix", "regex": r"^tcp\.((.*?)\.)\w+?$"},
    {"tag_name": "response_code", "regex": r"_rq(_(\d{3}))$"},
    {"tag_name": "response_code_class", "regex": r"_rq(_(\dxx))$"},
    {
        "tag_name": "http_conn_manager_prefix",
        "regex": r"^http\.(((outbound_([0-9]{1,3}\.{0,1}){4}_\d{0,5})|([_A-Za-z0-9]+))\.)",
    },
    {
        "tag_name": "listener_address",
        "regex": r"^listener\.(((?:[_.[:digit:]]*|[_\[\]aAbBcCdDeEfF[:digit:]]*))\.)",
    },
]


def _mark_option() -> dict[str, Any]:
    option = {
        "level": _SOL_SOCKET,
        "name": _SO_MARK,
        "int_value": ENVOY_MARK,
        "state": "STATE_PREBIND",
    }
    return {"description": "exempt from capture", **option}


def _over_ads() -> dict[str, Any]:
    return {"ads": {}, "initial_fetch_timeout": "0s", "resource_api_version": "V3"}


def _address(address: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": address, "port_value": port}}


def _pipe(path: str) -> dict[str, Any]:
    return {"pipe": {"path": path, "mode": 0o600}}


def _cluster(name: str, address: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    endpoint = {"endpoint": {"address": address}}
    assignment = {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]}
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": assignment,
        **fields,
    }


def _admin_cluster() -> dict[str, Any]:
    return _cluster("prometheus_stats", _address("127.0.0.1", 15000))


def _access_log_cluster(address: str) -> dict[str, Any]:
    """Where `enableEnvoyAccessLogService` sends to: a `host:port`; nowhere when it is empty."""
    http2 = {"@type": _HTTP2, "explicit_http_config": {"http2_protocol_options": {}}}
    options = {
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": http2
        }
    }
    name = "envoy_accesslog_service"
    if not address:
        return {"name": name, "type": "STATIC", **options}
    host, _, port = address.rpartition(":")
    return _cluster(
        name,
        _address(host.strip("[]"), int(port)),
        type="STRICT_DNS",
        dns_lookup_family="V4_ONLY",
        **options,
    )


def _xds_cluster(path: str) -> dict[str, Any]:
    http2 = {"@type": _HTTP2, "explicit_http_config": {"http2_protocol_options": {}}}
    return _cluster(
        "xds-grpc",
        {"pipe": {"path": path}},
        typed_extension_protocol_options={
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": http2
        },
        circuit_breakers={
            "thresholds": [
                {"max_connections": 100000, "max_pending_requests": 100000, "max_requests": 100000}
            ],
        },
        upstream_bind_config={},
    )


def _listeners(admin: str) -> list[dict[str, Any]]:
    """Metrics at 15090, readiness at 15021, and the whole administration interface at a socket of
    the runtime's."""
    metrics = [{"match": {"prefix": "/stats/prometheus"}, "route": {"cluster": "prometheus_stats"}}]
    ready = [
        {
            "match": {"path": "/healthz/ready"},
            "route": {"cluster": "prometheus_stats", "prefix_rewrite": "/ready"},
        }
    ]
    everything = [
        {"match": {"prefix": "/"}, "route": {"cluster": "prometheus_stats", "timeout": "0s"}}
    ]
    return [
        _listener("prometheus", _address("0.0.0.0", 15090), metrics),
        _listener("agent", _address("0.0.0.0", 15021), ready),
        _listener("admin", _pipe(admin), everything),
    ]


def _listener(
    name: str, address: Mapping[str, Any], routes: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    manager = {
        "@type": _HCM,
        "stat_prefix": name,
        "codec_type": "AUTO",
        "route_config": {
            "virtual_hosts": [{"name": "backend", "domains": ["*"], "routes": routes}]
        },
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": _ROUTER}}],
    }
    filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    return {
        "name": name,
        "address": address,
        "bypass_overload_manager": True,
        "filter_chains": [{"filters": filters}],
    }
