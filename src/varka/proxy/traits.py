"""What compiled configuration may depend on besides its scope: a small value, equal for most proxies."""

from __future__ import annotations

from dataclasses import dataclass

from varka.proxy.node import Interception, Locality, Proxy, ProxyType


@dataclass(frozen=True, slots=True)
class Traits:
    """Equal traits and equal scopes mean equal bytes. Nothing that is a proxy's own (name, address) belongs here."""

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
    locality: Locality = Locality()
    """Empty unless some rule that this proxy sees balances by locality."""
    labels: tuple[tuple[str, str], ...] = ()
    """The client's labels that some `failoverPriority` compares with those of endpoints, sorted; only these."""
    mesh_tls: bool = False
    """Workload certificates are there (SDS `default` and `ROOTCA`): ISTIO_MUTUAL can be spoken."""
    system_roots: str = "/etc/ssl/certs/ca-certificates.crt"
    """Where the proxy finds the CA certificates of its system, for `tls` without `caCertificates`."""
    istio_filters: bool = False
    """The binary has Istio's own extensions (`istio.alpn`, `istio.stats`, ...): never send them otherwise."""


def traits_of(proxy: Proxy, *, needs_locality: bool = False) -> Traits:
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
        locality=proxy.locality if needs_locality else Locality(),
        istio_filters="istio.alpn" in proxy.extensions,
    )
