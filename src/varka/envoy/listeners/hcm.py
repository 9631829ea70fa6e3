"""The HTTP connection manager: its settings. Its filters are in `httpfilters`."""

from __future__ import annotations

from envoy.config.core.v3 import config_source_pb2, extension_pb2, protocol_pb2
from envoy.config.route.v3 import route_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2 as hcm_pb2,
)
from envoy.extensions.http.header_formatters.preserve_case.v3 import preserve_case_pb2
from envoy.extensions.request_id.uuid.v3 import uuid_pb2

from varka.envoy import wkt
from varka.envoy.build import ListenerBuild
from varka.envoy.listeners.accesslog import http_logs
from varka.envoy.listeners.connection import apply_connection_settings
from varka.envoy.listeners.httpfilters.chain import http_filters
from varka.envoy.listeners.manager import HttpManager
from varka.envoy.listeners.parts import Side
from varka.envoy.listeners.tcp import idle_timeout
from varka.envoy.listeners.tracing import tracing
from varka.envoy.proxymetadata import proxy_config
from varka.proxy.traits import Traits
from varka.resources.model.mesh import (
    ForwardClientCertDetails,
    MeshConfig,
    NormalizationType,
    ProxyConfig,
    ProxyHeaders,
)

_Manager = hcm_pb2.HttpConnectionManager
SERVER_NAME = "istio-envoy"


def connection_manager(build: ListenerBuild, manager: HttpManager) -> hcm_pb2.HttpConnectionManager:
    own = proxy_config(build)
    headers = own.proxy_headers or ProxyHeaders()
    message = _Manager(
        codec_type=_Manager.AUTO,
        stat_prefix=manager.stat_prefix,
        access_log=http_logs(build, manager.side),
        use_remote_address=wkt.boolean(manager.side is Side.GATEWAY),
        upgrade_configs=[_Manager.UpgradeConfig(upgrade_type="websocket")],
        stream_idle_timeout=wkt.duration(0),
        append_x_forwarded_port=bool(headers.x_forwarded_port and headers.x_forwarded_port.enabled),
        proxy_100_continue=True,
        http_filters=http_filters(build, manager),
        request_id_extension=_request_id(build, manager.side),
        tracing=tracing(build, manager.side, own),
    )
    _routes(message, manager.routes)
    _normalization(message, build.config)
    _protocol_options(message, manager, build.traits, headers)
    _server_header(message, manager.side, headers)
    _client_certificate(message, manager.side, own, headers)
    apply_connection_settings(message, own.connection_settings, build.traits)
    return message


def rds(name: str) -> hcm_pb2.Rds:
    """Routes over the aggregated stream. No time limit: a listener without its routes must not go
    live."""
    source = config_source_pb2.ConfigSource(
        ads=config_source_pb2.AggregatedConfigSource(),
        initial_fetch_timeout=wkt.duration(0),
        resource_api_version=config_source_pb2.V3,
    )
    return hcm_pb2.Rds(config_source=source, route_config_name=name)


def _routes(message: _Manager, routes: str | route_pb2.RouteConfiguration) -> None:
    if isinstance(routes, str):
        message.rds.CopyFrom(rds(routes))
    else:
        message.route_config.CopyFrom(routes)


def _request_id(build: ListenerBuild, side: Side) -> hcm_pb2.RequestIDExtension:
    chosen = (
        build.telemetry.server_tracing if side is Side.INBOUND else build.telemetry.client_tracing
    )
    config = uuid_pb2.UuidRequestIdConfig(
        use_request_id_for_trace_sampling=wkt.boolean(
            chosen.use_request_id if chosen is not None else True
        )
    )
    return hcm_pb2.RequestIDExtension(typed_config=wkt.pack(config))


def _normalization(message: _Manager, config: MeshConfig) -> None:
    """`meshConfig.pathNormalization`."""
    chosen = (
        config.path_normalization.normalization
        if config.path_normalization
        else NormalizationType.DEFAULT
    )
    message.normalize_path.value = chosen is not NormalizationType.NONE
    merge = (NormalizationType.MERGE_SLASHES, NormalizationType.DECODE_AND_MERGE_SLASHES)
    message.merge_slashes = chosen in merge
    decode_slashes = chosen is NormalizationType.DECODE_AND_MERGE_SLASHES
    message.path_with_escaped_slashes_action = (
        _Manager.UNESCAPE_AND_FORWARD if decode_slashes else _Manager.KEEP_UNCHANGED
    )


def _protocol_options(
    message: _Manager, manager: HttpManager, traits: Traits, headers: ProxyHeaders
) -> None:
    if (timeout := idle_timeout(traits)) is not None:
        message.common_http_protocol_options.idle_timeout.CopyFrom(wkt.duration(timeout))
    if manager.http2:
        message.http2_protocol_options.SetInParent()
    if manager.side is Side.GATEWAY:
        message.http_protocol_options.SetInParent()
    if traits.http10:
        message.http_protocol_options.accept_http_10 = True
    if manager.absolute_urls:
        message.http_protocol_options.allow_absolute_url.value = True
    if headers.preserve_http1_header_case:
        formatter = extension_pb2.TypedExtensionConfig(
            name="preserve_case",
            typed_config=wkt.pack(preserve_case_pb2.PreserveCaseFormatterConfig()),
        )
        header_format = protocol_pb2.Http1ProtocolOptions.HeaderKeyFormat(
            stateful_formatter=formatter
        )
        message.http_protocol_options.header_key_format.CopyFrom(header_format)


def _server_header(message: _Manager, side: Side, headers: ProxyHeaders) -> None:
    """`server: istio-envoy`, but for outbound listeners of sidecars: there Envoy's own `envoy`."""
    message.server_name = "" if side is Side.OUTBOUND else SERVER_NAME
    if headers.server is not None and headers.server.disabled:
        message.server_name = ""
        message.server_header_transformation = _Manager.PASS_THROUGH
    elif headers.server is not None and headers.server.value:
        message.server_name = headers.server.value
    if headers.request_id is not None and headers.request_id.disabled:
        message.generate_request_id.value = False


def _client_certificate(
    message: _Manager, side: Side, own: ProxyConfig, headers: ProxyHeaders
) -> None:
    """XFCC: sidecars add the client's identity for their workload, gateways replace what came from
    outside (`gatewayTopology.forwardClientCertDetails`)."""
    if side is Side.INBOUND:
        chosen, details = headers.forwarded_client_cert, headers.set_current_client_cert_details
        name = "APPEND_FORWARD" if chosen is ForwardClientCertDetails.UNDEFINED else chosen.value
        message.forward_client_cert_details = _Manager.ForwardClientCertDetails.Value(name)
        shown = message.set_current_client_cert_details
        shown.subject.value = details is None or details.subject is not False
        shown.uri = details is None or details.uri is not False
        shown.dns = details is None or details.dns is not False
        shown.cert = details is not None and bool(details.cert)
        shown.chain = details is not None and bool(details.chain)
    elif side is Side.GATEWAY:
        topology = own.gateway_topology
        chosen = (
            topology.forward_client_cert_details if topology else ForwardClientCertDetails.UNDEFINED
        )
        name = "SANITIZE_SET" if chosen is ForwardClientCertDetails.UNDEFINED else chosen.value
        message.xff_num_trusted_hops = topology.num_trusted_proxies if topology else 0
        message.forward_client_cert_details = _Manager.ForwardClientCertDetails.Value(name)
        if name in ("APPEND_FORWARD", "SANITIZE_SET"):
            shown = message.set_current_client_cert_details
            shown.subject.value, shown.cert, shown.dns, shown.uri = True, True, True, True
