"""Access logs of HTTP managers, TCP proxies and listeners."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from envoy.config.accesslog.v3 import accesslog_pb2
from envoy.config.core.v3 import (
    config_source_pb2,
    grpc_service_pb2,
    substitution_format_string_pb2,
)
from envoy.extensions.access_loggers.file.v3 import file_pb2
from envoy.extensions.access_loggers.filters.cel.v3 import cel_pb2
from envoy.extensions.access_loggers.grpc.v3 import als_pb2
from envoy.extensions.access_loggers.open_telemetry.v3 import logs_service_pb2
from opentelemetry.proto.common.v1 import common_pb2

from varka.envoy import wkt
from varka.envoy.build import ListenerBuild
from varka.envoy.istio_names import outbound_cluster
from varka.envoy.listeners.accesslog_format import (
    JSON_FORMAT,
    TEXT_FORMAT,
    formatters,
    json_format,
    text_format,
)
from varka.envoy.listeners.parts import Side
from varka.mesh.telemetry import AccessLog, Provider
from varka.resources.model import mesh
from varka.resources.model.mesh import AccessLogEncoding, MeshConfig

_FILE = "envoy.access_loggers.file"
_HTTP_ALS = "envoy.access_loggers.http_grpc"
_TCP_ALS = "envoy.access_loggers.tcp_grpc"
_OTEL_ALS = "envoy.access_loggers.open_telemetry"
_ALS_CLUSTER = "envoy_accesslog_service"
_BUILT_IN = "envoy"


def http_logs(build: ListenerBuild, side: Side) -> list[accesslog_pb2.AccessLog]:
    """`access_log` of an HTTP connection manager."""
    found = _of_providers(build, side)
    if found is not None:
        return found
    logs = (
        [file_log(build.config.access_log_file, build.config)]
        if build.config.access_log_file
        else []
    )
    if build.config.enable_envoy_access_log_service:
        logs.append(_http_als("http_envoy_accesslog", _ALS_CLUSTER, ""))
    return logs


def tcp_logs(build: ListenerBuild, side: Side) -> list[accesslog_pb2.AccessLog]:
    """`access_log` of a TCP proxy."""
    found = _of_providers(build, side)
    if found is not None:
        return found
    logs = (
        [file_log(build.config.access_log_file, build.config)]
        if build.config.access_log_file
        else []
    )
    if build.config.enable_envoy_access_log_service:
        logs.append(_tcp_als("tcp_envoy_accesslog", _ALS_CLUSTER, ""))
    return logs


def listener_logs(build: ListenerBuild, side: Side) -> list[accesslog_pb2.AccessLog]:
    """`access_log` of a listener: only connections that no filter chain takes (flag NR); others are
    logged by their chain."""
    if build.config.disable_envoy_listener_log:
        return []
    no_route = accesslog_pb2.AccessLogFilter(
        response_flag_filter=accesslog_pb2.ResponseFlagFilter(flags=["NR"])
    )
    found = _of_providers(build, side, no_route)
    if found is not None:
        return found
    logs = (
        [file_log(build.config.access_log_file, build.config)]
        if build.config.access_log_file
        else []
    )
    if build.config.enable_envoy_access_log_service:
        logs.append(_tcp_als("listener_envoy_accesslog", _ALS_CLUSTER, ""))
    for log in logs:
        log.filter.CopyFrom(no_route)
    return logs


def _of_providers(
    build: ListenerBuild, side: Side, only: accesslog_pb2.AccessLogFilter | None = None
) -> list[accesslog_pb2.AccessLog] | None:
    logs = build.telemetry.server_logs if side is Side.INBOUND else build.telemetry.client_logs
    if logs is None:
        return None
    return [_with_filters(_of_provider(log.provider, build.config), log, only) for log in logs]


def _with_filters(
    message: accesslog_pb2.AccessLog, log: AccessLog, only: accesslog_pb2.AccessLogFilter | None
) -> accesslog_pb2.AccessLog:
    filters = [only] if only is not None else []
    if log.expression:
        expression = cel_pb2.ExpressionFilter(expression=log.expression)
        extension = accesslog_pb2.ExtensionFilter(
            name="envoy.access_loggers.extension_filters.cel", typed_config=wkt.pack(expression)
        )
        filters.append(accesslog_pb2.AccessLogFilter(extension_filter=extension))
    if len(filters) == 1:
        message.filter.CopyFrom(filters[0])
    elif filters:
        message.filter.and_filter.filters.extend(filters)
    return message


def _of_provider(provider: Provider, config: MeshConfig) -> accesslog_pb2.AccessLog:
    """Raises ValueError for a provider that is no access log: `mesh.telemetry` leaves these out."""
    found, cluster = provider.config, outbound_cluster(provider.port, "", provider.host)
    if (file := found.envoy_file_access_log) is not None:
        if found.name == _BUILT_IN and file.log_format is None and not file.omit_empty_values:
            return file_log(file.path, config)
        return _provider_file_log(file)
    if (http := found.envoy_http_als) is not None:
        return _http_als(
            http.log_name or "http_envoy_accesslog",
            cluster,
            provider.host,
            http.filter_state_objects_to_log,
            http,
        )
    if (tcp := found.envoy_tcp_als) is not None:
        return _tcp_als(
            tcp.log_name or "tcp_envoy_accesslog",
            cluster,
            provider.host,
            tcp.filter_state_objects_to_log,
        )
    if (otel := found.envoy_otel_als) is not None:
        return _otel_als(otel, cluster, provider.host)
    raise ValueError(f"extension provider {found.name} does not log")


def file_log(path: str, config: MeshConfig) -> accesslog_pb2.AccessLog:
    """A file log in the mesh's format (`accessLogEncoding`, `accessLogFormat`)."""
    if config.access_log_encoding is AccessLogEncoding.JSON:
        return _file(path, json_format(_parsed(config.access_log_format) or JSON_FORMAT))
    return _file(path, text_format(config.access_log_format))


def _parsed(text: str) -> Mapping[str, Any] | None:
    """`accessLogFormat` as JSON fields; None (the default is used) when it is no JSON object."""
    try:
        value = json.loads(text) if text else None
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _provider_file_log(file: mesh.EnvoyFileAccessLogProvider) -> accesslog_pb2.AccessLog:
    shape = file.log_format
    if shape is not None and shape.text is None:
        layout = json_format(shape.labels or JSON_FORMAT)
    else:
        layout = text_format(shape.text or "" if shape is not None else "")
    layout.omit_empty_values = file.omit_empty_values
    return _file(file.path or "/dev/stdout", layout)


def _file(
    path: str, layout: substitution_format_string_pb2.SubstitutionFormatString
) -> accesslog_pb2.AccessLog:
    return accesslog_pb2.AccessLog(
        name=_FILE, typed_config=wkt.pack(file_pb2.FileAccessLog(path=path, log_format=layout))
    )


def _grpc(
    log_name: str, cluster: str, host: str, state: tuple[str, ...] = ()
) -> als_pb2.CommonGrpcAccessLogConfig:
    envoy_grpc = grpc_service_pb2.GrpcService.EnvoyGrpc(cluster_name=cluster, authority=host)
    return als_pb2.CommonGrpcAccessLogConfig(
        log_name=log_name,
        grpc_service=grpc_service_pb2.GrpcService(envoy_grpc=envoy_grpc),
        transport_api_version=config_source_pb2.V3,
        filter_state_objects_to_log=state,
    )


def _http_als(
    name: str,
    cluster: str,
    host: str,
    state: tuple[str, ...] = (),
    more: mesh.EnvoyHttpGrpcV3LogProvider | None = None,
) -> accesslog_pb2.AccessLog:
    config = als_pb2.HttpGrpcAccessLogConfig(common_config=_grpc(name, cluster, host, state))
    if more is not None:
        config.additional_request_headers_to_log.extend(more.additional_request_headers_to_log)
        config.additional_response_headers_to_log.extend(more.additional_response_headers_to_log)
        config.additional_response_trailers_to_log.extend(more.additional_response_trailers_to_log)
    return accesslog_pb2.AccessLog(name=_HTTP_ALS, typed_config=wkt.pack(config))


def _tcp_als(
    name: str, cluster: str, host: str, state: tuple[str, ...] = ()
) -> accesslog_pb2.AccessLog:
    config = als_pb2.TcpGrpcAccessLogConfig(common_config=_grpc(name, cluster, host, state))
    return accesslog_pb2.AccessLog(name=_TCP_ALS, typed_config=wkt.pack(config))


def _otel_als(
    otel: mesh.EnvoyOpenTelemetryLogProvider, cluster: str, host: str
) -> accesslog_pb2.AccessLog:
    body = (
        otel.log_format.text
        if otel.log_format is not None and otel.log_format.text
        else TEXT_FORMAT
    )
    labels = dict(otel.log_format.labels or {}) if otel.log_format is not None else {}
    config = logs_service_pb2.OpenTelemetryAccessLogConfig(
        common_config=_grpc(otel.log_name or "otel_envoy_accesslog", cluster, host),
        disable_builtin_labels=True,
        body=common_pb2.AnyValue(string_value=body),
        formatters=formatters(body + json.dumps(labels)),
    )
    for key in sorted(labels):
        config.attributes.values.add(
            key=key, value=common_pb2.AnyValue(string_value=str(labels[key]))
        )
    return accesslog_pb2.AccessLog(name=_OTEL_ALS, typed_config=wkt.pack(config))
