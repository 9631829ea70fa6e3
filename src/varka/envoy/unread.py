"""What no message for Envoy is made of yet, and why: `analyze.no_effect` tells who sets it."""

from __future__ import annotations

from collections.abc import Mapping

_METRICS = "Istio's own metrics are not made yet; those of Envoy are at port 15090"
_OLD_TRACER = (
    "proxies trace to extensionProviders that a Telemetry or defaultProviders.tracing names"
)
_GONE = "Envoy 1.40 has no such tracer"
_AUTHORIZATION = "authorization policies are not enforced yet"
_INBOUND = "Istio has no use for it on the way in"

UNREAD: Mapping[str, str] = {
    "MeshConfig.hboneIdleTimeout": "ambient mode is not built",
    "MeshConfig.enableTracing": _OLD_TRACER,
    "MeshConfig.certificates": "certificates of Kubernetes' webhooks are not made",
    "MeshConfig.verifyCertificateAtClient": (
        "servers of `tls` without caCertificates are checked against the system's roots"
    ),
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
    "MeshConfig.extensionProviders.opentelemetry.serviceAttributeEnrichment": (
        "spans have no attributes of the service"
    ),
    "MeshConfig.extensionProviders.opentelemetry.grpc.initialMetadata.envName": (
        "Envoy 1.40 sends metadata of gRPC calls as they are written"
    ),
    "MeshConfig.extensionProviders.opentelemetry.dynatraceSampler": (
        "Dynatrace's sampler is not configured"
    ),
    "MeshConfig.extensionProviders.opentelemetry.resourceDetectors.dynatrace": (
        "Dynatrace's resource detector is not configured"
    ),
    "MeshConfig.defaultProviders.metrics": _METRICS,
    "MeshConfig.defaultConfig.zipkinAddress": _OLD_TRACER,
    "MeshConfig.defaultConfig.tracing.zipkin": _OLD_TRACER,
    "MeshConfig.defaultConfig.tracing.lightstep": _OLD_TRACER,
    "MeshConfig.defaultConfig.tracing.datadog": _OLD_TRACER,
    "MeshConfig.defaultConfig.tracing.stackdriver": _OLD_TRACER,
    "MeshConfig.defaultConfig.tracing.openCensusAgent": _OLD_TRACER,
    "MeshConfig.defaultConfig.tracing.tlsSettings": _OLD_TRACER,
    "MeshConfig.defaultConfig.tracing.enableIstioTags": "Istio's own tags of spans are not made",
    "MeshConfig.defaultConfig.envoyAccessLogService.tlsSettings": (
        "the access log service is reached in plaintext"
    ),
    "MeshConfig.defaultConfig.envoyAccessLogService.tcpKeepalive": (
        "the access log service is reached without keepalive"
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
    "Telemetry.metrics": _METRICS,
    "Telemetry.tracing.enableIstioTags": "Istio's own tags of spans are not made",
    "Telemetry.tracing.disableContextPropagation": "trace headers are always passed on",
}
"""Kind and path of a field (all below it are meant, too) -> why it has no effect."""
