"""What proxies are not started with, and why: `analyze.no_effect` tells who sets it."""

from __future__ import annotations

from collections.abc import Mapping

_ELSEWHERE = "varka starts its proxies itself"
_MTLS = "there is no mutual TLS between workloads yet"
_METRICS = "Istio's own metrics are not made yet; those of Envoy are at port 15090"

UNREAD: Mapping[str, str] = {
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
    "MeshConfig.defaultConfig.statsdUdpAddress": "statistics are only served at port 15090",
    "MeshConfig.defaultConfig.envoyMetricsServiceAddress": (
        "statistics are only served at port 15090"
    ),
    "MeshConfig.defaultConfig.envoyMetricsService": "statistics are only served at port 15090",
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
    "MeshConfig.defaultConfig.connectionSettings.globalDownstreamConnectionLimit": (
        "connections are not limited"
    ),
    "ProxyConfig.image": _ELSEWHERE,
}
"""Kind and path of a field (all below it are meant, too) -> why it has no effect."""
