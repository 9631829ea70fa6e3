"""Names that Envoy's configuration and Istio's tools agree on."""

from __future__ import annotations

import re

from varka.base.names import ClusterName, Hostname, ObjectKey

PASSTHROUGH = ClusterName("PassthroughCluster")
"""Original destination: what a sidecar that allows any traffic sends unknown hosts to."""
BLACK_HOLE = ClusterName("BlackHoleCluster")
"""No endpoints: traffic that must not go anywhere."""
INBOUND_PASSTHROUGH = ClusterName("InboundPassthroughCluster")
"""Inbound traffic to ports that no service names; shows the port it arrived at as it is."""
DYNAMIC_DNS = ClusterName("AllowAnyDynamicDNSCluster")
"""Dynamic forward proxy for unknown hosts (`outboundTrafficPolicy.mode: ALLOW_ANY_DYNAMIC_DNS`)."""

ISTIO = "istio"
"""Key in `filter_metadata` under which Istio says what an Envoy object was made from."""

_VERSIONS = {
    "EnvoyFilter": "v1alpha3",
    "ProxyConfig": "v1beta1",
    "WasmPlugin": "v1alpha1",
    "TrafficExtension": "v1alpha1",
}
_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def outbound_cluster(port: int, subset: str, host: Hostname | str) -> ClusterName:
    return ClusterName(f"outbound|{port}|{subset}|{host}")


def inbound_cluster(port: int) -> ClusterName:
    """`port` is where the workload listens (`Sidecar.ingress.port`, else the target port)."""
    return ClusterName(f"inbound|{port}||")


def sni_cluster(port: int, subset: str, host: Hostname | str) -> ClusterName:
    """The form that is a valid SNI: what mesh mTLS asks for, and what AUTO_PASSTHROUGH gateways
    name their clusters."""
    return ClusterName(f"outbound_.{port}_.{subset}_.{host}")


def dns_cache(host: Hostname | str) -> str:
    """The DNS cache that a dynamic forward proxy cluster and its filter share."""
    return f"{host}_dfp_dns_cache"


def stat_name(cluster: str) -> str:
    """`alt_stat_name`: the delimiter keeps the dots of a host name out of the names of the
    metrics."""
    return f"{cluster};"


def istio_metadata(key: ObjectKey) -> str:
    """What `filter_metadata.istio.config` says of an object:
    `/apis/<group>/<version>/namespaces/<ns>/<kind>/<name>`.

    The version is the one Istio stores the kind in, whatever the manifest says.
    """
    version = _VERSIONS.get(key.kind, "v1")
    kind = _HUMPS.sub("-", key.kind).lower()
    return f"/apis/{key.group}/{version}/namespaces/{key.namespace}/{kind}/{key.name}"
