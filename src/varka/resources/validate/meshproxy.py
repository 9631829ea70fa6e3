"""ProxyConfig inside MeshConfig (`defaultConfig`) and in the annotation `proxy.istio.io/config`."""

from __future__ import annotations

from varka.base.digits import number
from varka.base.ip import is_ip
from varka.resources.codes import Code
from varka.resources.model import mesh
from varka.resources.validate import values
from varka.resources.validate.cursor import Cursor
from varka.resources.validate.trafficpolicy import check_client_tls

_CODE = Code.MC_PROXY_CONFIG
_AUTO_ALLOCATE = "ISTIO_META_DNS_AUTO_ALLOCATE"


def check_proxy_config(config: mesh.ProxyConfig, here: Cursor) -> None:
    required = {
        "configPath": config.config_path,
        "binaryPath": config.binary_path,
        "discoveryAddress": config.discovery_address,
    }
    for name, value in required.items():
        if not value:
            here.at(name).error(_CODE, f"{name} can't be empty")
    if not config.service_cluster and config.tracing_service_name is None:
        here.at("serviceCluster").error(_CODE, "serviceCluster or tracingServiceName is required")
    drain = config.drain_duration
    wrong = values.duration(drain) if drain is not None else "drainDuration is required"
    here.at("drainDuration").check(
        _CODE, wrong or ("only whole seconds are supported" if (drain or 0) % 10**9 else "")
    )
    here.at("proxyAdminPort").check(_CODE, values.port(config.proxy_admin_port))
    here.at("statusPort").check(_CODE, values.port(config.status_port))
    _check_addresses(config, here)
    if config.tracing is not None:
        _check_tracing(config.tracing, here.at("tracing"))
    if _AUTO_ALLOCATE in config.proxy_metadata:
        here.at("proxyMetadata", _AUTO_ALLOCATE).warning(
            Code.MC_DEPRECATED, f"{_AUTO_ALLOCATE} is deprecated"
        )
    if config.private_key_provider is not None:
        _check_keys(config.private_key_provider, here.at("privateKeyProvider"))
    if config.connection_settings is not None:
        _check_connections(config.connection_settings, here.at("connectionSettings"))


def _check_addresses(config: mesh.ProxyConfig, here: Cursor) -> None:
    addresses = {
        ("discoveryAddress",): config.discovery_address,
        ("statsdUdpAddress",): config.statsd_udp_address,
        ("envoyMetricsServiceAddress",): config.envoy_metrics_service_address,
        ("envoyMetricsService", "address"): config.envoy_metrics_service.address
        if config.envoy_metrics_service
        else "",
        ("envoyAccessLogService", "address"): config.envoy_access_log_service.address
        if config.envoy_access_log_service
        else "",
    }
    for path, address in addresses.items():
        if address:
            here.at(*path).check(_CODE, _address(address))


def _address(text: str) -> str:
    """`host:port`."""
    host, colon, port = text.rpartition(":")
    given = number(port)
    if (
        not colon
        or given is None
        or (":" in host and not (host.startswith("[") and host.endswith("]")))
    ):
        return f"{text!r} must have the form host:port"
    host = host.removeprefix("[").removesuffix("]")
    if values.fqdn(host) and not is_ip(host):
        return f"{host!r} is neither a domain name nor an IP address"
    return values.port(given)


def _check_tracing(tracing: mesh.Tracing, here: Cursor) -> None:
    if tracing.lightstep is not None:
        here.at("lightstep", "address").check(_CODE, _address(tracing.lightstep.address))
        if not tracing.lightstep.access_token:
            here.at("lightstep", "accessToken").error(_CODE, "accessToken is required")
    for name, tracer in (("zipkin", tracing.zipkin), ("datadog", tracing.datadog)):
        if tracer is not None:
            here.at(name, "address").check(
                _CODE, _address(tracer.address.replace("$(HOST_IP)", "127.0.0.1", 1))
            )
    check_client_tls(tracing.tls_settings, "", here.at("tlsSettings"))


def _check_keys(provider: mesh.PrivateKeyProvider, here: Cursor) -> None:
    for name, engine in (("cryptomb", provider.cryptomb), ("qat", provider.qat)):
        if engine is not None and not engine.poll_delay:
            here.at(name, "pollDelay").error(_CODE, "pollDelay is required and can't be 0")
    if provider.cryptomb is None and provider.qat is None:
        here.error(_CODE, "cryptomb or qat is required")


def _check_connections(settings: mesh.ConnectionSettings, here: Cursor) -> None:
    minimum: dict[str, tuple[int | None, int]] = {
        "listenerPerConnectionBufferLimitBytes": (
            settings.listener_per_connection_buffer_limit_bytes,
            0,
        ),
        "clusterPerConnectionBufferLimitBytes": (
            settings.cluster_per_connection_buffer_limit_bytes,
            0,
        ),
        "httpIdleTimeout": (settings.http_idle_timeout, 0),
        "httpMaxConnectionDuration": (settings.http_max_connection_duration, 0),
        "httpDrainTimeout": (settings.http_drain_timeout, 0),
        "httpRequestTimeout": (settings.http_request_timeout, 0),
        "httpRequestHeadersTimeout": (settings.http_request_headers_timeout, 0),
        "httpStreamIdleTimeout": (settings.http_stream_idle_timeout, 0),
        "httpMaxStreamDuration": (settings.http_max_stream_duration, 0),
        "httpMaxConcurrentStreams": (settings.http_max_concurrent_streams, 1),
        "http2InitialStreamWindowSize": (settings.http2_initial_stream_window_size, 65535),
        "http2InitialConnectionWindowSize": (settings.http2_initial_connection_window_size, 65535),
        "listenerConnectionLimit": (settings.listener_connection_limit, 1),
        "globalDownstreamConnectionLimit": (settings.global_downstream_connection_limit, 1),
    }
    for name, (value, least) in minimum.items():
        if value is not None and value < least:
            here.at(name).error(_CODE, f"{value} is too small: at least {least} is needed")
