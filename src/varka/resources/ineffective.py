"""Fields that Istio knows and nothing here reads: whoever sets one is told, with the reason.

MeshConfig, ProxyConfig and Telemetry only: fields of other kinds without effect are told by the
checks of these kinds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from varka.resources.yaml import Path

_SECURITY, _EXTENSIONS = "security.istio.io", "extensions.istio.io"
_GATEWAY_API = "gateway.networking.k8s.io"
NOT_ENFORCED: Mapping[tuple[str, str], str] = {
    (_SECURITY, "AuthorizationPolicy"): "every request is let through",
    (_SECURITY, "PeerAuthentication"): "connections between workloads are plain text",
    (_SECURITY, "RequestAuthentication"): "tokens are not looked at",
    (_EXTENSIONS, "WasmPlugin"): "proxies do not load it",
    (_EXTENSIONS, "TrafficExtension"): "proxies do not load it",
}
"""(group, kind) of objects that are checked and kept, and do nothing: what happens instead."""


def not_enforced(group: str, kind: str) -> str:
    """What happens although there is an object of this kind; "" for kinds that have effect."""
    if group == _GATEWAY_API:
        return "the Gateway API is not served"
    return NOT_ENFORCED.get((group, kind), "")


_ELSEWHERE = "varka starts its proxies itself"
_MTLS = "there is no mutual TLS between workloads yet"
_METRICS = "Istio's own metrics are not made yet; those of Envoy are at port 15090"
_OLD_TRACER = (
    "proxies trace to extensionProviders that a Telemetry or defaultProviders.tracing names"
)
_GONE = "Envoy 1.40 has no such tracer"
_AUTHORIZATION = "authorization policies are not enforced yet"
_INBOUND = "Istio has no use for it on the way in"
_ONE_CLUSTER = "there is one cluster only"
_OTEL = "MeshConfig.extensionProviders.opentelemetry"
_TARGETS = "refers to waypoints and Gateway API objects"

INEFFECTIVE: Mapping[str, str] = {
    "MeshConfig.hboneIdleTimeout": "ambient mode is not built",
    "MeshConfig.enableTracing": _OLD_TRACER,
    "MeshConfig.configSources": "objects come from files and `varka apply`",
    "MeshConfig.enableAutoMtls": _MTLS,
    "MeshConfig.trustDomain": _MTLS,
    "MeshConfig.trustDomainAliases": _MTLS,
    "MeshConfig.caCertificates": _MTLS,
    "MeshConfig.ca": _MTLS,
    "MeshConfig.meshMTLS": _MTLS,
    "MeshConfig.certificates": "certificates of Kubernetes' webhooks are not made",
    "MeshConfig.verifyCertificateAtClient": (
        "servers of `tls` without caCertificates are checked against the system's roots"
    ),
    "MeshConfig.serviceSettings": _ONE_CLUSTER,
    "MeshConfig.serviceScopeConfigs": _ONE_CLUSTER,
    "MeshConfig.enablePrometheusMerge": (
        "metrics of applications are not merged into those of their proxies"
    ),
    "MeshConfig.outboundTrafficPolicy.tls": "unknown hosts are connected to as the client asks",
    "MeshConfig.defaultTrafficPolicy.outlierDetection.consecutiveErrors": (
        "it gave way to consecutive5xxErrors"
    ),
    "MeshConfig.defaultInboundHttpRetryPolicy.perTryTimeout": _INBOUND,
    "MeshConfig.defaultInboundHttpRetryPolicy.retryRemoteLocalities": _INBOUND,
    "MeshConfig.defaultInboundHttpRetryPolicy.retryIgnorePreviousHosts": _INBOUND,
    "MeshConfig.extensionProviders.envoyExtAuthzHttp": _AUTHORIZATION,
    "MeshConfig.extensionProviders.envoyExtAuthzGrpc": _AUTHORIZATION,
    "MeshConfig.extensionProviders.lightstep": _GONE,
    "MeshConfig.extensionProviders.opencensus": _GONE,
    "MeshConfig.extensionProviders.stackdriver": _GONE,
    "MeshConfig.extensionProviders.prometheus": _METRICS,
    "MeshConfig.extensionProviders.sds": "certificates come from Secrets and files",
    f"{_OTEL}.serviceAttributeEnrichment": "spans have no attributes of the service",
    f"{_OTEL}.grpc.initialMetadata.envName": (
        "Envoy 1.40 sends metadata of gRPC calls as they are written"
    ),
    f"{_OTEL}.dynatraceSampler": "Dynatrace's sampler is not configured",
    f"{_OTEL}.resourceDetectors.dynatrace": "Dynatrace's resource detector is not configured",
    "MeshConfig.defaultProviders.metrics": _METRICS,
    "MeshConfig.defaultConfig.configPath": _ELSEWHERE,
    "MeshConfig.defaultConfig.binaryPath": _ELSEWHERE,
    "MeshConfig.defaultConfig.customConfigFile": _ELSEWHERE,
    "MeshConfig.defaultConfig.proxyBootstrapTemplatePath": _ELSEWHERE,
    "MeshConfig.defaultConfig.image": _ELSEWHERE,
    "MeshConfig.defaultConfig.discoveryAddress": _ELSEWHERE,
    "MeshConfig.defaultConfig.discoveryRefreshDelay": "configuration is pushed, never polled",
    "MeshConfig.defaultConfig.controlPlaneAuthPolicy": (
        "proxies reach the control plane over a socket of this machine"
    ),
    "MeshConfig.defaultConfig.availabilityZone": "a pod's locality comes from its labels",
    "MeshConfig.defaultConfig.zipkinAddress": _OLD_TRACER,
    "MeshConfig.defaultConfig.tracing.zipkin": _OLD_TRACER,
    "MeshConfig.defaultConfig.tracing.lightstep": _OLD_TRACER,
    "MeshConfig.defaultConfig.tracing.datadog": _OLD_TRACER,
    "MeshConfig.defaultConfig.tracing.stackdriver": _OLD_TRACER,
    "MeshConfig.defaultConfig.tracing.openCensusAgent": _OLD_TRACER,
    "MeshConfig.defaultConfig.tracing.tlsSettings": _OLD_TRACER,
    "MeshConfig.defaultConfig.tracing.enableIstioTags": "Istio's own tags of spans are not made",
    "MeshConfig.defaultConfig.statsdUdpAddress": "statistics are only served at port 15090",
    "MeshConfig.defaultConfig.envoyMetricsServiceAddress": (
        "statistics are only served at port 15090"
    ),
    "MeshConfig.defaultConfig.envoyMetricsService": "statistics are only served at port 15090",
    "MeshConfig.defaultConfig.envoyAccessLogService.tlsSettings": (
        "the access log service is reached in plaintext"
    ),
    "MeshConfig.defaultConfig.envoyAccessLogService.tcpKeepalive": (
        "the access log service is reached without keepalive"
    ),
    "MeshConfig.defaultConfig.proxyAdminPort": "the administration interface is at port 15000",
    "MeshConfig.defaultConfig.statusPort": (
        "there is no agent beside the proxy: its readiness is at port 15021"
    ),
    "MeshConfig.defaultConfig.statNameLength": "Envoy has no limit any more",
    "MeshConfig.defaultConfig.sds": _MTLS,
    "MeshConfig.defaultConfig.caCertificatesPem": _MTLS,
    "MeshConfig.defaultConfig.privateKeyProvider": "keys are used in software",
    "MeshConfig.defaultConfig.extraStatTags": _METRICS,
    "MeshConfig.defaultConfig.proxyStatsMatcher": "every statistic is kept anyway",
    "MeshConfig.defaultConfig.statsCompression": "statistics are served uncompressed",
    "MeshConfig.defaultConfig.readinessProbe": (
        "it is for virtual machines; pods have their own probes"
    ),
    "MeshConfig.defaultConfig.terminationDrainDuration": (
        "a pod that ends serves for one more second"
    ),
    "MeshConfig.defaultConfig.proxyHeaders.metadataExchangeHeaders": (
        "only Istio's own Envoy exchanges metadata"
    ),
    "MeshConfig.defaultConfig.connectionSettings.clusterPerConnectionBufferLimitBytes": (
        "clusters keep Envoy's limit"
    ),
    "MeshConfig.defaultConfig.connectionSettings.listenerConnectionLimit": (
        "connections are not limited"
    ),
    "MeshConfig.defaultConfig.connectionSettings.globalDownstreamConnectionLimit": (
        "connections are not limited"
    ),
    "ProxyConfig.image": _ELSEWHERE,
    "Telemetry.targetRef": _TARGETS,
    "Telemetry.targetRefs": _TARGETS,
    "Telemetry.metrics": _METRICS,
    "Telemetry.tracing.enableIstioTags": "Istio's own tags of spans are not made",
    "Telemetry.tracing.disableContextPropagation": "trace headers are always passed on",
}
"""Kind and path of a field (all below it are meant, too) -> why it has no effect."""


def ineffective(
    value: Any, field: str, defaults: Any = None, path: Path = ()
) -> Iterator[tuple[Path, str]]:
    """The fields without effect that `value` sets to something else than the default, and why.
    `value` is in the model's spelling; `field` says what it is the value of (`MeshConfig`,
    `MeshConfig.defaultConfig`)."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from ineffective(item, field, None, (*path, index))
    elif reason := INEFFECTIVE.get(field):
        if value != defaults:
            yield path, reason
    elif isinstance(value, dict):
        known = defaults if isinstance(defaults, dict) else {}
        for name, item in value.items():
            yield from ineffective(item, f"{field}.{name}", known.get(name), (*path, name))
