"""The ports that a workload serves, as values: what a listener accepts there and hands to whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from varka.base.names import ClusterName, FieldOrigin, ObjectKey
from varka.base.settings import Settings
from varka.envoy.build import Build
from varka.envoy.istio_names import INBOUND_PASSTHROUGH, inbound_cluster
from varka.envoy.listeners.addresses import listener_name, wildcards
from varka.envoy.listeners.tcp import stat_prefix
from varka.mesh.model import Inbound, IngressListener, MutualTls, Peers
from varka.proxy.node import Interception
from varka.proxy.traits import Traits
from varka.registry.protocol import parse
from varka.registry.service import Protocol, ServiceTarget
from varka.resources.model.networking import CaptureMode, ServerTLSSettings


class InboundPort(Struct, frozen=True):
    """One port that a workload serves, or that passes through. `target` 0: any port that nothing
    else speaks about."""

    cluster: ClusterName
    protocol: Protocol
    port: int = 0
    """Of the service that names it."""
    target: int = 0
    bind: str = ""
    bound: bool = False
    host: str = ""
    """Of that service, for trace operations and statistics."""
    stat_prefix: str = ""
    """Of TCP chains, when `inboundClusterStatName` is set."""
    mtls: MutualTls = MutualTls.DISABLE
    tls: ServerTLSSettings | None = None
    """TLS with certificates of its own; only where mesh mTLS is off."""
    config: ObjectKey | None = None
    fields: tuple[FieldOrigin, ...] = ()
    """What asks for it: the Service, or the entry of a Sidecar."""

    @property
    def passes(self) -> bool:
        """No service names the port: whatever comes goes to it as it is."""
        return self.cluster == INBOUND_PASSTHROUGH

    @property
    def name(self) -> str:
        return listener_name(self.bind, self.target)


def passing_ports(peers: Peers, named: set[int]) -> Iterator[InboundPort]:
    """Ports that no service names; those with a mode of their own (`portLevelMtls`) have chains of
    their own."""
    yield InboundPort(INBOUND_PASSTHROUGH, Protocol.AUTO, mtls=peers.mode)
    for port, mode in sorted(peers.ports):
        if port not in named:
            yield InboundPort(INBOUND_PASSTHROUGH, Protocol.AUTO, target=port, mtls=mode)


def inbound_ports(build: Build, inbound: Inbound, settings: Settings) -> Iterable[InboundPort]:
    """For each target port the oldest service counts, its protocol too."""
    if inbound.ingress is not None:
        candidates = (
            _of_ingress(index, entry, inbound, build.traits, settings)
            for index, entry in enumerate(inbound.ingress)
        )
    elif build.traits.interception is Interception.NONE:
        # The workload listens at its service ports itself.
        return ()
    else:
        candidates = (_of_service(build, target) for target in inbound.targets)
    found: dict[int, InboundPort] = {}
    for port in candidates:
        if port is not None:
            found.setdefault(port.target, _secured(port, inbound.peers))
    return found.values()


def _secured(port: InboundPort, peers: Peers) -> InboundPort:
    """With the mTLS of its port; TLS of its own it keeps only where mesh mTLS is off."""
    mode = peers.at(port.target)
    return replace(port, mtls=mode, tls=port.tls if mode is MutualTls.DISABLE else None)


def _of_service(build: Build, target: ServiceTarget) -> InboundPort | None:
    own = {
        build.config.proxy_listen_port,
        build.config.proxy_inbound_listen_port,
        *build.traits.reserved_ports,
    }
    if target.target in own:
        return None
    service, pattern = target.service, build.config.inbound_cluster_stat_name
    return InboundPort(
        inbound_cluster(target.target),
        target.port.protocol,
        port=target.port.number,
        target=target.target,
        bind=wildcards(build.traits)[0],
        host=service.hostname,
        stat_prefix=stat_prefix(
            pattern, service, "", target.port.number, target.port.name, target.target
        )
        if pattern
        else "",
        fields=(FieldOrigin(service.source),),
    )


def _of_ingress(
    index: int, entry: IngressListener, inbound: Inbound, traits: Traits, settings: Settings
) -> InboundPort | None:
    spec, key = entry.spec, inbound.sidecar
    if spec.port is None:
        return None
    port, protocol = spec.port.number, parse(spec.port.protocol)
    tls = spec.tls if settings.enable_tls_on_sidecar_ingress else None
    none = spec.capture_mode is CaptureMode.NONE
    bound = none or (
        spec.capture_mode is CaptureMode.DEFAULT and traits.interception is Interception.NONE
    )
    if bound and traits.unprivileged and 0 < port < 1024:
        return None
    wild = spec.bind == wildcards(traits)[0] or (not spec.bind and protocol.is_http)
    if wild and port in traits.reserved_ports:
        return None
    return InboundPort(
        inbound_cluster(port),
        after_tls(protocol) if tls is not None else protocol,
        port=port,
        target=port,
        bind=spec.bind or inbound.address or wildcards(traits)[0],
        bound=bound,
        host=f"{key.name}.{key.namespace}" if key is not None else "",
        tls=tls,
        config=key,
        fields=(FieldOrigin(key, ("spec", "ingress", index)),) if key is not None else (),
    )


def after_tls(protocol: Protocol) -> Protocol:
    """What is inside once TLS is taken off."""
    return {Protocol.HTTPS: Protocol.HTTP, Protocol.TLS: Protocol.TCP}.get(protocol, protocol)
