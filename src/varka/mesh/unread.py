"""What the semantics of the mesh do not read yet, and why: `analyze.no_effect` tells who sets
it."""

from __future__ import annotations

from collections.abc import Mapping

from varka.base.names import ObjectKey

_MTLS = "there is no mutual TLS between workloads yet"
_ONE_CLUSTER = "there is one cluster only"
_TARGETS = "refers to waypoints and Gateway API objects"

UNREAD: Mapping[str, str] = {
    "MeshConfig.configSources": "objects come from files and `varka apply`",
    "MeshConfig.enableAutoMtls": _MTLS,
    "MeshConfig.trustDomain": _MTLS,
    "MeshConfig.trustDomainAliases": _MTLS,
    "MeshConfig.caCertificates": _MTLS,
    "MeshConfig.ca": _MTLS,
    "MeshConfig.meshMTLS": _MTLS,
    "MeshConfig.serviceSettings": _ONE_CLUSTER,
    "MeshConfig.serviceScopeConfigs": _ONE_CLUSTER,
    "Telemetry.targetRef": _TARGETS,
    "Telemetry.targetRefs": _TARGETS,
}
"""Kind and path of a field (all below it are meant, too) -> why it has no effect."""

NOT_ENFORCED: Mapping[tuple[str, str], str] = {
    ("security.istio.io", "AuthorizationPolicy"): "every request is let through",
    ("security.istio.io", "PeerAuthentication"): "connections between workloads are plain text",
    ("security.istio.io", "RequestAuthentication"): "tokens are not looked at",
    ("extensions.istio.io", "WasmPlugin"): "proxies do not load it",
    ("extensions.istio.io", "TrafficExtension"): "proxies do not load it",
    ("gateway.networking.k8s.io", ""): "the Gateway API is not served",
}
"""(group, kind) of objects that are checked and kept, and do nothing: what happens instead. An
empty kind is all of the group."""


def not_enforced(key: ObjectKey) -> str:
    """What happens although there is an object of this kind; "" for kinds that have effect."""
    instead = NOT_ENFORCED.get(key[:2]) or NOT_ENFORCED.get((key.group, ""))
    return f"{key.kind} is accepted, not enforced yet: {instead}" if instead else ""
