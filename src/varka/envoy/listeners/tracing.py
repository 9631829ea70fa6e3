"""`tracing` of HTTP connection managers: which spans are taken, and to whom they are reported."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from envoy.config.core.v3 import (
    base_pb2,
    extension_pb2,
    grpc_service_pb2,
    http_service_pb2,
    http_uri_pb2,
)
from envoy.config.trace.v3 import (
    datadog_pb2,
    http_tracer_pb2,
    opentelemetry_pb2,
    skywalking_pb2,
    zipkin_pb2,
)
from envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2 as hcm_pb2,
)
from envoy.extensions.tracers.opentelemetry.resource_detectors.v3 import (
    environment_resource_detector_pb2,
)
from envoy.type.tracing.v3 import custom_tag_pb2
from envoy.type.v3 import percent_pb2
from google.protobuf.message import Message

from varka.base.duration import Duration
from varka.envoy import wkt
from varka.envoy.build import ListenerBuild
from varka.envoy.istio_names import outbound_cluster
from varka.envoy.listeners.parts import Side
from varka.mesh.telemetry import Provider, Tracing
from varka.proxy.node import ProxyType
from varka.resources.model import mesh
from varka.resources.model import telemetry as model
from varka.resources.model.mesh import HttpHeader, ProxyConfig, TraceContextOption

_DEFAULT_SAMPLING = 1.0
"""PILOT_TRACE_SAMPLING, in percent."""
_SERVICE = "istio-proxy"
"""Datadog wants a name."""
_REPORT_TIMEOUT = Duration.seconds(5)


def tracing(
    build: ListenerBuild, side: Side, own: ProxyConfig
) -> hcm_pb2.HttpConnectionManager.Tracing | None:
    """The `tracing` message; None where nothing is traced."""
    chosen = (
        build.telemetry.server_tracing if side is Side.INBOUND else build.telemetry.client_tracing
    )
    if chosen is None or chosen.provider is None:
        return None
    name, config, limit = _provider(chosen.provider, chosen.service)
    message = hcm_pb2.HttpConnectionManager.Tracing(
        client_sampling=percent_pb2.Percent(value=100),
        random_sampling=percent_pb2.Percent(value=_sampling(chosen, own)),
        overall_sampling=percent_pb2.Percent(value=100),
        custom_tags=[_tag(tag, value) for tag, value in chosen.custom_tags or _own_tags(own)],
        provider=http_tracer_pb2.Tracing.Http(name=name, typed_config=wkt.pack(config)),
    )
    limit = limit or (own.tracing.max_path_tag_length if own.tracing is not None else 0)
    if limit:
        message.max_path_tag_length.value = limit
    if build.traits.type is ProxyType.ROUTER or chosen.provider.config.skywalking is not None:
        message.spawn_upstream_span.value = True
    return message


def _sampling(chosen: Tracing, own: ProxyConfig) -> float:
    if chosen.sampling is not None:
        return chosen.sampling
    given = own.tracing.sampling if own.tracing is not None else 0.0
    return given if 0 < given <= 100 else _DEFAULT_SAMPLING


def _own_tags(own: ProxyConfig) -> list[tuple[str, mesh.CustomTag]]:
    """`tracing.customTags` of the proxy, for where no Telemetry names any."""
    return sorted(own.tracing.custom_tags.items()) if own.tracing is not None else []


def _tag(name: str, value: model.CustomTag | mesh.CustomTag) -> custom_tag_pb2.CustomTag:
    tag = custom_tag_pb2.CustomTag(tag=name)
    if value.literal is not None:
        tag.literal.value = value.literal.value
    elif value.environment is not None:
        tag.environment.name, tag.environment.default_value = (
            value.environment.name,
            value.environment.default_value,
        )
    elif value.header is not None:
        tag.request_header.name, tag.request_header.default_value = (
            value.header.name,
            value.header.default_value,
        )
    elif isinstance(value, model.CustomTag) and value.formatter is not None:
        tag.value = value.formatter.value
    return tag


def _provider(provider: Provider, service: str) -> tuple[str, Message, int]:
    """Name of the tracer, its configuration, and the longest path it takes (0: Envoy's default)."""
    for found, name, make in _TRACERS:
        if (given := getattr(provider.config, found)) is not None:
            return (
                f"envoy.tracers.{name}",
                make(provider, service),
                getattr(given, "max_tag_length", 0),
            )
    raise ValueError(f"extension provider {provider.config.name} does not trace")


def _cluster(provider: Provider) -> str:
    return outbound_cluster(provider.port, "", provider.host)


def _zipkin(provider: Provider, _: str) -> zipkin_pb2.ZipkinConfig:
    given = provider.config.zipkin
    assert given is not None
    options = zipkin_pb2.ZipkinConfig.TraceContextOption
    w3c = given.trace_context_option is TraceContextOption.USE_B3_WITH_W3C_PROPAGATION
    return zipkin_pb2.ZipkinConfig(
        collector_service=_http(
            provider, given.path or "/api/v2/spans", given.timeout, given.headers
        ),
        collector_endpoint_version=zipkin_pb2.ZipkinConfig.HTTP_JSON,
        trace_id_128bit=not given.enable_64bit_trace_id,
        shared_span_context=wkt.boolean(False),
        trace_context_option=options.Value("USE_B3_WITH_W3C_PROPAGATION" if w3c else "USE_B3"),
    )


def _opentelemetry(provider: Provider, service: str) -> opentelemetry_pb2.OpenTelemetryConfig:
    given = provider.config.opentelemetry
    assert given is not None
    config = opentelemetry_pb2.OpenTelemetryConfig(service_name=service)
    if given.http is not None:
        config.http_service.CopyFrom(
            _http(provider, given.http.path, given.http.timeout, given.http.headers)
        )
    else:
        config.grpc_service.CopyFrom(_grpc(provider))
        if given.grpc is not None and given.grpc.timeout is not None:
            config.grpc_service.timeout.CopyFrom(wkt.duration(given.grpc.timeout))
        for header in given.grpc.initial_metadata if given.grpc is not None else ():
            config.grpc_service.initial_metadata.add(key=header.name, value=_value(header))
    if given.resource_detectors is not None and given.resource_detectors.environment is not None:
        detector = environment_resource_detector_pb2.EnvironmentResourceDetectorConfig()
        config.resource_detectors.append(
            extension_pb2.TypedExtensionConfig(
                name="envoy.tracers.opentelemetry.resource_detectors.environment",
                typed_config=wkt.pack(detector),
            )
        )
    return config


def _datadog(provider: Provider, service: str) -> datadog_pb2.DatadogConfig:
    return datadog_pb2.DatadogConfig(
        collector_cluster=_cluster(provider),
        collector_hostname=provider.host,
        service_name=service or _SERVICE,
    )


def _skywalking(provider: Provider, _: str) -> skywalking_pb2.SkyWalkingConfig:
    given = provider.config.skywalking
    token = given.access_token if given is not None else ""
    client = skywalking_pb2.ClientConfig(backend_token=token) if token else None
    return skywalking_pb2.SkyWalkingConfig(grpc_service=_grpc(provider), client_config=client)


_TRACERS: tuple[tuple[str, str, Callable[[Provider, str], Message]], ...] = (
    ("zipkin", "zipkin", _zipkin),
    ("opentelemetry", "opentelemetry", _opentelemetry),
    ("datadog", "datadog", _datadog),
    ("skywalking", "skywalking", _skywalking),
)


def _grpc(provider: Provider) -> grpc_service_pb2.GrpcService:
    target = grpc_service_pb2.GrpcService.EnvoyGrpc(
        cluster_name=_cluster(provider), authority=provider.host
    )
    return grpc_service_pb2.GrpcService(envoy_grpc=target)


def _http(
    provider: Provider, path: str, timeout: Duration | None, headers: Iterable[HttpHeader]
) -> http_service_pb2.HttpService:
    uri = http_uri_pb2.HttpUri(
        uri=f"http://{provider.host}/{path.removeprefix('/')}",
        cluster=_cluster(provider),
        timeout=wkt.duration(timeout if timeout is not None else _REPORT_TIMEOUT),
    )
    service = http_service_pb2.HttpService(http_uri=uri)
    for header in headers:
        service.request_headers_to_add.add(
            header=base_pb2.HeaderValue(key=header.name, value=_value(header)),
            append_action=base_pb2.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD,
        )
    return service


def _value(header: HttpHeader) -> str:
    """`envName` is read by the proxy, from its own environment."""
    return (
        header.value
        if header.value is not None
        else f"%ENVIRONMENT({header.env_name})%"
        if header.env_name
        else ""
    )
