"""Everything about a proxy that compiled configuration may depend on, besides its scope: a small
value, equal for most proxies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from varka.proxy.node import Interception, Proxy, ProxyType

_DNS_DOMAIN = "*.svc.cluster.local"


class Traits(Struct, frozen=True):
    """Equal traits and equal scopes mean equal bytes. Nothing that is a proxy's own (name, address)
    belongs here."""

    type: ProxyType
    cluster_id: str = "Kubernetes"
    network: str = ""
    interception: Interception = Interception.REDIRECT
    ipv4: bool = True
    ipv6: bool = False
    dns_capture: bool = False
    """The proxy resolves automatically allocated addresses of ServiceEntries."""
    http10: bool = False
    idle_timeout: str = ""
    """Node metadata IDLE_TIMEOUT, a duration; "" when unset."""
    unprivileged: bool = False
    """May not bind ports below 1024 (node metadata UNPRIVILEGED_POD)."""
    labels: tuple[tuple[str, str], ...] = ()
    """The client's labels that some rule names (`failoverPriority`, `sourceLabels`), sorted; only
    these."""
    mesh_tls: bool = False
    """Workload certificates are there (SDS `default` and `ROOTCA`): ISTIO_MUTUAL can be spoken."""
    system_roots: str = "/etc/ssl/certs/ca-certificates.crt"
    """Where the proxy finds the CA certificates of its system, for `tls` without
    `caCertificates`."""
    istio_filters: bool = False
    """The binary has Istio's own extensions (`istio.alpn`, `istio.stats`, ...): never send them
    otherwise."""
    proxy_config: str = ""
    """What listeners and routes take from node metadata PROXY_CONFIG, as canonical JSON; "" when it
    was not sent."""
    reserved_ports: frozenset[int] = frozenset()
    """Ports of the bootstrap's own listeners (node metadata ENVOY_STATUS_PORT,
    ENVOY_PROMETHEUS_PORT)."""
    http_proxy_port: int = 0
    """Node metadata HTTP_PROXY_PORT; 0 when unset."""
    dns_domain: str = _DNS_DOMAIN
    """The domain in which the proxy resolves short names; `*` stands for its namespace, so that
    namespaces share the rest."""

    def has_labels(self, wanted: Mapping[str, str]) -> bool:
        """Whether the workload carries all these labels (`sourceLabels`; none wanted is a
        match)."""
        return all(pair in self.labels for pair in wanted.items())


_NODE = "kubernetes.io/hostname"
"""Label that Istio gives every proxy: the node it runs on."""
_PROXY_CONFIG = ("gatewayTopology", "proxyHeaders", "connectionSettings", "tracing")


def traits_of(proxy: Proxy, label_keys: frozenset[str]) -> Traits:
    """`label_keys` are the labels that rules in the proxy's scope name."""
    labels = {_NODE: proxy.text("NODE_NAME"), **proxy.labels}
    addresses = proxy.addresses or ("0.0.0.0",)
    return Traits(
        type=proxy.type,
        cluster_id=proxy.text("CLUSTER_ID") or "Kubernetes",
        network=proxy.text("NETWORK"),
        interception=proxy.interception,
        ipv4=any(":" not in a for a in addresses),
        ipv6=any(":" in a for a in addresses),
        dns_capture=proxy.flag("DNS_CAPTURE"),
        http10=proxy.flag("HTTP10"),
        idle_timeout=proxy.text("IDLE_TIMEOUT"),
        unprivileged=proxy.flag("UNPRIVILEGED_POD"),
        istio_filters="istio.alpn" in proxy.extensions,
        labels=tuple(
            sorted((key, value) for key, value in labels.items() if key in label_keys and value)
        ),
        proxy_config=_proxy_config(proxy),
        reserved_ports=frozenset(
            number
            for key in ("ENVOY_STATUS_PORT", "ENVOY_PROMETHEUS_PORT")
            if (number := _port(proxy.text(key)))
        ),
        http_proxy_port=_port(proxy.text("HTTP_PROXY_PORT")),
        dns_domain=_dns_domain(proxy),
    )


def _dns_domain(proxy: Proxy) -> str:
    first, _, rest = proxy.dns_domain.partition(".")
    if not rest:
        return proxy.dns_domain or _DNS_DOMAIN
    return f"*.{rest}" if first == proxy.namespace else proxy.dns_domain


def _port(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) <= 5 else 0


def _proxy_config(proxy: Proxy) -> str:
    value = proxy.metadata.get("PROXY_CONFIG")
    if not isinstance(value, Mapping):
        return ""
    return json.dumps(
        {key: _whole(value[key]) for key in _PROXY_CONFIG if key in value}, sort_keys=True
    )


def _whole(value: Any) -> Any:
    """Integers again: metadata travel as protobuf's Struct, which knows only floating-point
    numbers."""
    if isinstance(value, Mapping):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
