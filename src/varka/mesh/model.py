"""What the rest of the program asks of the mesh, as values compared by identity.

A proxy's outbound side is a `Scope`: services grouped by their namespace, each with the rules that
this scope applies to it. Scopes of equal content share groups, so what is compiled from a group is
compiled once for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec
from msgspec import Struct, field

from varka.base.names import FieldOrigin, FieldPath, Hostname, Namespace, ObjectKey
from varka.registry.service import Service, ServicePort, ServiceTarget
from varka.resources.model import networking


class MergedRule(Struct, frozen=True, eq=False):
    """The DestinationRules of one host as one: subsets appended, the first top-level policy
    kept."""

    host: Hostname
    namespace: Namespace
    policy: networking.TrafficPolicy | None
    """As written: `meshConfig.defaultTrafficPolicy` is not in it."""
    subsets: tuple[networking.Subset, ...]
    sources: tuple[ObjectKey, ...]
    """Oldest first; the first is what `filter_metadata.istio.config` names."""
    policy_field: FieldOrigin | None = None
    """Where `policy` stands."""
    subset_fields: tuple[FieldOrigin, ...] = ()
    """Where each of `subsets` stands."""
    selected: bool = False
    """It has a `workloadSelector`, so it is meant for the few workloads that may read its
    `credentialName`."""


class MergedVirtualService(Struct, frozen=True, eq=False):
    """A VirtualService with hosts resolved to full names, short destinations too, and delegates
    merged in.

    `spec` has full host names everywhere: `hosts`, destinations, mirrors; gateway names are
    `namespace/name` or `mesh`.
    """

    key: ObjectKey
    namespace: Namespace
    spec: networking.VirtualService
    created: str
    export_to: frozenset[str]
    sources: tuple[ObjectKey, ...]
    """Itself and the delegates merged into it."""
    label_keys: frozenset[str] = frozenset()
    """Labels that its `sourceLabels` name."""
    semantics: str = ""
    """`ingress` or `gateway` when it stands for an object of another API, whose prefixes end at a
    path separator."""
    http_fields: tuple[FieldOrigin, ...] = ()
    """Where each of `spec.http` stands: in this object, a delegate, an Ingress."""


class ScopedService(Struct, frozen=True):
    """A service as one scope sees it. `ports` are those the scope imports (all unless a Sidecar
    names one)."""

    service: Service
    ports: tuple[ServicePort, ...]
    rule: MergedRule | None
    inbound_rule: MergedRule | None = None
    """What the service's own workloads apply to what they receive: a rule's `workloadSelector` is
    about what the selected workloads send."""


class ServiceGroup(Struct, frozen=True, eq=False):
    """The services of one namespace as scopes see them, oldest first. The same object for all
    scopes that see the same."""

    namespace: Namespace
    services: tuple[ScopedService, ...]
    index: Mapping[Hostname, ScopedService] = field(default_factory=dict)
    needs_locality: bool = False
    """Some service of it balances by locality."""
    label_keys: frozenset[str] = frozenset()
    """Labels that `failoverPriority` of its rules names."""


class EgressListener(Struct, frozen=True, eq=False):
    """One `Sidecar.egress` entry, or the only one when there is no Sidecar. `port` None: all ports
    not named by others."""

    port: networking.SidecarPort | None
    bind: str
    capture: networking.CaptureMode
    groups: tuple[ServiceGroup, ...]
    virtual_services: tuple[MergedVirtualService, ...]
    """Those bound to `mesh` whose hosts this listener imports: the namespace's own, those exported
    to it by name, those for all; oldest first in each. The first for a host wins."""


class Scope(Struct, frozen=True, eq=False):
    """The outbound side of proxies: what a namespace (or a Sidecar of it) sees. Namespaces that see
    the same share it."""

    egress: tuple[EgressListener, ...]
    groups: tuple[ServiceGroup, ...]
    """The union over all listeners: what clusters are made of, with the services that rules route
    to."""
    allow_any: bool
    """`outboundTrafficPolicy.mode` of the Sidecar, else of the mesh, is ALLOW_ANY (or
    ALLOW_ANY_DYNAMIC_DNS)."""
    dynamic_dns: bool
    """The mode is ALLOW_ANY_DYNAMIC_DNS."""
    egress_proxy: networking.Destination | None
    needs_locality: bool
    """Some service of it balances by locality, so the client's own locality matters."""
    label_keys: frozenset[str] = frozenset()
    """Labels that its rules name (`sourceLabels`, `failoverPriority`): what `Traits.labels` may
    hold."""
    asks_namespace: bool = False
    """Some `tcp` or `tls` route of it is for clients of one namespace (`sourceNamespace`)."""
    index: Mapping[Hostname, ScopedService] = field(default_factory=dict)
    """All services of `groups`; empty in values made by hand."""

    def find(self, host: Hostname) -> ScopedService | None:
        """The service a rule of this scope means by a full host name: a scope has only one of a
        name."""
        if self.index:
            return self.index.get(host)
        return next(
            (e for group in self.groups for e in group.services if e.service.hostname == host), None
        )


class IngressListener(Struct, frozen=True, eq=False):
    """One `Sidecar.ingress` entry with the service port it replaces where there is one."""

    spec: networking.IstioIngressListener
    target: ServiceTarget | None


class MutualTls(StrEnum):
    """What clients of a port must speak (PeerAuthentication)."""

    DISABLE = "DISABLE"
    PERMISSIVE = "PERMISSIVE"
    STRICT = "STRICT"


class Peers(Struct, frozen=True):
    """What clients of a workload must speak: `mode`, but for some ports (those the workload listens
    on)."""

    mode: MutualTls = MutualTls.DISABLE
    ports: tuple[tuple[int, MutualTls], ...] = ()

    def at(self, port: int) -> MutualTls:
        return dict(self.ports).get(port, self.mode)


class Inbound(Struct, frozen=True, eq=False):
    """The inbound side of a workload: the ports it serves. Equal workloads share it."""

    namespace: Namespace
    targets: tuple[ServiceTarget, ...]
    """One for each (service, port) with an endpoint at the workload, oldest service first; several
    may share a target port."""
    ingress: tuple[IngressListener, ...] | None
    """Set when a Sidecar has `ingress`: then it replaces `targets`."""
    sidecar: ObjectKey | None
    connection_pool: networking.ConnectionPoolSettings | None
    """`Sidecar.inboundConnectionPool`."""
    addresses: tuple[str, ...] = ()
    """The proxy's own addresses, only when some `ingress[].defaultEndpoint` is `0.0.0.0:port` or
    `[::]:port`."""
    address: str = ""
    """The workload's own address, only when some `ingress` listener names no `bind`: there it
    binds, and Istio names its filter chains by it."""
    peers: Peers = Peers()


class GatewayServer(Struct, frozen=True, eq=False):
    """One `servers[]` entry of one Gateway, as it stands on a proxy."""

    gateway: ObjectKey
    server: networking.Server
    hosts: tuple[tuple[str, str], ...]
    """(namespace, dns name); namespace `*` for any; `.` is resolved."""
    route_name: str
    """`http.8080`, `https.443.https.gw.ns`, ...; "" for TCP and TLS passthrough."""
    path: FieldPath = ()
    """Its field in the Gateway: `spec.servers[0]`; empty for what stands for an Ingress."""

    @property
    def field(self) -> FieldOrigin:
        return FieldOrigin(self.gateway, self.path)


class GatewayPort(Struct, frozen=True, eq=False):
    """All servers that share a listener of a gateway proxy."""

    number: int
    """The port the proxy binds: the target port when a Service of the proxy maps the server's
    port."""
    bind: str
    """"" is the wildcard address."""
    protocol: str
    """The family on this port: `HTTP` (plain), `HTTPS`/`TLS`, `TCP`; of the first (oldest)
    server."""
    servers: tuple[GatewayServer, ...]


class Conflict(Struct, frozen=True):
    """A `servers[]` entry that is not served because another Gateway (or entry) has its place."""

    gateway: ObjectKey
    path: str
    """The field that stands in the way: `spec.servers[1].hosts`."""
    reason: str
    winner: ObjectKey


class MergedGateway(Struct, frozen=True, eq=False):
    """All Gateways that select a proxy, merged port by port; conflicting servers are left out."""

    ports: tuple[GatewayPort, ...]
    virtual_services: tuple[MergedVirtualService, ...]
    """Visible ones bound to some Gateway of these, oldest first."""
    conflicts: tuple[Conflict, ...] = ()


PatchContent = tuple[ObjectKey, bytes]


class FilterPatch(Struct, frozen=True):
    """One EnvoyFilter patch in the order of application."""

    source: ObjectKey
    index: int
    patch: networking.EnvoyConfigObjectPatch
    namespace: Namespace

    @property
    def path(self) -> tuple[str | int, ...]:
        """Where it stands in its object."""
        return ("spec", "configPatches", self.index)

    @property
    def content(self) -> PatchContent:
        """Equal for a patch that is written again as it was, whatever else of its object
        changed."""
        return (self.source, msgspec.json.encode(self.patch, order="sorted"))
