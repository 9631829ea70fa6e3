"""Services and endpoints as values; compared by identity, the same object while nothing in them
changed."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct, field

from varka.base.names import Hostname, Namespace, ObjectKey
from varka.proxy.node import Locality


class Protocol(StrEnum):
    """Application protocol of a port. AUTO: undeclared, sniffed by Envoy."""

    HTTP = "HTTP"
    HTTP2 = "HTTP2"
    GRPC = "GRPC"
    GRPC_WEB = "GRPC-Web"
    HTTP_PROXY = "HTTP_PROXY"
    HTTPS = "HTTPS"
    TLS = "TLS"
    TCP = "TCP"
    UDP = "UDP"
    MONGO = "Mongo"
    REDIS = "Redis"
    MYSQL = "MySQL"
    AUTO = "UnsupportedProtocol"

    @property
    def is_http(self) -> bool:
        return self in (
            Protocol.HTTP,
            Protocol.HTTP2,
            Protocol.GRPC,
            Protocol.GRPC_WEB,
            Protocol.HTTP_PROXY,
        )

    @property
    def is_http2(self) -> bool:
        return self in (Protocol.HTTP2, Protocol.GRPC, Protocol.GRPC_WEB)

    @property
    def is_tls(self) -> bool:
        return self in (Protocol.HTTPS, Protocol.TLS)

    @property
    def is_tcp(self) -> bool:
        """Treated as opaque bytes (declared TCP or TLS families, databases)."""
        return self in (
            Protocol.TCP,
            Protocol.HTTPS,
            Protocol.TLS,
            Protocol.MONGO,
            Protocol.REDIS,
            Protocol.MYSQL,
        )


class Resolution(StrEnum):
    """How a client finds the endpoints; names as in Istio's model."""

    CLIENT_SIDE = "ClientSideLB"
    DNS = "DNSLB"
    DNS_ROUND_ROBIN = "DNSRoundRobinLB"
    PASSTHROUGH = "Passthrough"
    DYNAMIC_DNS = "DynamicDNS"
    ALIAS = "Alias"
    """A Kubernetes ExternalName."""


class Registry(StrEnum):
    KUBERNETES = "Kubernetes"
    EXTERNAL = "External"
    """ServiceEntries."""


class ServicePort(Struct, frozen=True):
    """`number` is what clients dial; `target` where workloads listen unless an endpoint says
    otherwise (a number or the name of a container port)."""

    name: str
    number: int
    protocol: Protocol
    target: int | str = 0


class Service(Struct, frozen=True, eq=False):
    """One name that clients dial, from a Kubernetes Service or one host of a ServiceEntry."""

    hostname: Hostname
    namespace: Namespace
    name: str
    source: ObjectKey
    registry: Registry
    ports: tuple[ServicePort, ...]
    resolution: Resolution
    addresses: tuple[str, ...] = ()
    """Virtual addresses (may hold CIDRs for ServiceEntries); () when it has none (headless, no
    address)."""
    auto_addresses: tuple[str, ...] = ()
    """From 240.240.0.0/16 and 2001:2::/48; only proxies with DNS capture use them."""
    mesh_external: bool = False
    export_to: frozenset[str] = frozenset()
    """Namespaces that see it; `*` all, empty only after `~`. `.` and the mesh default are resolved
    already."""
    labels: Mapping[str, str] = field(default_factory=dict)
    selector: Mapping[str, str] = field(default_factory=dict)
    subject_alt_names: tuple[str, ...] = ()
    created: str = ""
    external_name: str = ""
    publish_not_ready: bool = False
    traffic_distribution: str = ""
    headless: bool = False
    """A Kubernetes Service with `clusterIP: None`."""
    node_local: bool = False
    """`internalTrafficPolicy: Local`."""
    aliases: tuple[tuple[Namespace, Hostname], ...] = ()
    """ExternalName Services that name this one: requests to them are requests to it."""
    sticky: bool = False
    """Label `istio.io/persistent-session`: endpoints that drain still get the sessions they
    hold."""

    @property
    def age(self) -> tuple[str, str, str]:
        return (self.created, self.name, self.namespace)

    def port(self, number: int) -> ServicePort | None:
        return next((p for p in self.ports if p.number == number), None)

    def visible_to(self, namespace: Namespace) -> bool:
        return "*" in self.export_to or namespace in self.export_to


class Health(StrEnum):
    HEALTHY = "HEALTHY"
    UNHEALTHY = "UNHEALTHY"
    DRAINING = "DRAINING"


class Endpoint(Struct, frozen=True, eq=False):
    """One address behind one service port. `address` is an IP, a DNS name (DNS resolutions) or
    `unix://` path (port 0)."""

    address: str
    port: int
    labels: Mapping[str, str] = field(default_factory=dict)
    namespace: Namespace = Namespace("")
    service_account: str = ""
    workload: str = ""
    """Name of the Deployment (or pod, or WorkloadEntry) it belongs to."""
    locality: Locality = Locality()
    network: str = ""
    node: str = ""
    weight: int = 0
    """0: not given (1)."""
    tls_mode: str = ""
    """`istio` when it can speak mesh mTLS."""
    health: Health = Health.HEALTHY


class ServiceTarget(Struct, frozen=True):
    """A port of a service that a workload serves: inbound side. Value equality: (service identity,
    port, target)."""

    service: Service
    port: ServicePort
    target: int
