"""Inbound listeners of sidecars: `virtualInbound` with chains for each port the workload serves,
and the listeners that `Sidecar.ingress` binds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from envoy.config.core.v3 import base_pb2
from envoy.config.listener.v3 import listener_components_pb2 as components
from envoy.config.listener.v3 import listener_pb2
from envoy.config.route.v3 import route_components_pb2, route_pb2
from msgspec import Struct
from msgspec.structs import replace

from varka.base.names import ClusterName, ObjectKey
from varka.base.settings import Settings
from varka.envoy import wkt
from varka.envoy.build import Build, ListenerBuild
from varka.envoy.istio_names import INBOUND_PASSTHROUGH, inbound_cluster, stat_name
from varka.envoy.listeners import filters
from varka.envoy.listeners.accesslog import listener_logs, tcp_logs
from varka.envoy.listeners.addresses import additional, listener_name, socket, wildcards
from varka.envoy.listeners.chains import TcpTarget, config_metadata
from varka.envoy.listeners.hcm import Manager, connection_manager, manager_filter
from varka.envoy.listeners.inspect import inspectors
from varka.envoy.listeners.mtls import ChainKind, chain_kinds, mesh_socket
from varka.envoy.listeners.parts import ListenerParts, Side
from varka.envoy.listeners.tcp import idle_timeout, network_filters, stat_prefix
from varka.envoy.listeners.tls import downstream_socket
from varka.envoy.listeners.virtual import black_hole_chain
from varka.envoy.resource import EnvoyResource, Layer, TypeUrl, encode
from varka.envoy.routes.route import inbound_route
from varka.mesh.model import Inbound, IngressListener, MutualTls, Peers
from varka.proxy.node import Interception
from varka.proxy.traits import Traits
from varka.registry.protocol import parse
from varka.registry.service import Protocol, ServiceTarget
from varka.resources.model.mesh import MeshConfig
from varka.resources.model.networking import CaptureMode, ServerTLSSettings

VIRTUAL_INBOUND = "virtualInbound"
CATCH_ALL_HTTP = "virtualInbound-catchall-http"


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
    origins: tuple[ObjectKey, ...] = ()

    @property
    def passes(self) -> bool:
        """No service names the port: whatever comes goes to it as it is."""
        return self.cluster == INBOUND_PASSTHROUGH

    @property
    def name(self) -> str:
        return listener_name(self.bind, self.target)


def inbound_layer(
    build: ListenerBuild,
    inbound: Inbound,
    settings: Settings,
) -> ListenerParts:
    """One layer: inbound listeners have their routes in them, so none are named."""
    if not build.config.proxy_inbound_listen_port or not build.config.proxy_listen_port:
        return ListenerParts((), frozenset())
    ports = sorted(_served(build, inbound, settings), key=lambda served: served.target)
    passing = _passing(inbound.peers, {served.target for served in ports})
    redirected = (*passing, *(served for served in ports if not served.bound))
    resources = [build.once(bound_listener, served) for served in ports if served.bound]
    if build.traits.interception is not Interception.NONE:
        resources.insert(0, build.once(virtual_inbound, redirected))
    return ListenerParts((build.memo(Layer.of, tuple(resources)),), frozenset())


def _passing(peers: Peers, served: set[int]) -> Iterator[InboundPort]:
    """Ports that no service names; those with a mode of their own (`portLevelMtls`) have chains of
    their own."""
    yield InboundPort(INBOUND_PASSTHROUGH, Protocol.AUTO, mtls=peers.mode)
    for port, mode in sorted(peers.ports):
        if port not in served:
            yield InboundPort(INBOUND_PASSTHROUGH, Protocol.AUTO, target=port, mtls=mode)


def _served(build: Build, inbound: Inbound, settings: Settings) -> Iterable[InboundPort]:
    """For each target port the oldest service counts, its protocol too."""
    if inbound.ingress is not None:
        candidates = (
            _of_ingress(entry, inbound, build.traits, settings) for entry in inbound.ingress
        )
    elif build.traits.interception is Interception.NONE:
        # The workload listens at its service ports itself.
        return ()
    else:
        candidates = (_of_service(build, target) for target in inbound.targets)
    found: dict[int, InboundPort] = {}
    for served in candidates:
        if served is not None:
            found.setdefault(served.target, _secured(served, inbound.peers))
    return found.values()


def _secured(served: InboundPort, peers: Peers) -> InboundPort:
    """With the mTLS of its port; TLS of its own it keeps only where mesh mTLS is off."""
    mode = peers.at(served.target)
    return replace(served, mtls=mode, tls=served.tls if mode is MutualTls.DISABLE else None)


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
        origins=(service.source,),
    )


def _of_ingress(
    entry: IngressListener, inbound: Inbound, traits: Traits, settings: Settings
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
        origins=(key,) if key is not None else (),
    )


def after_tls(protocol: Protocol) -> Protocol:
    """What is inside once TLS is taken off."""
    return {Protocol.HTTPS: Protocol.HTTP, Protocol.TLS: Protocol.TCP}.get(protocol, protocol)


def virtual_inbound(build: ListenerBuild, served: tuple[InboundPort, ...]) -> EnvoyResource:
    """Where inbound connections are redirected: chains by destination port, and passing through for
    all other ports."""
    chains = [
        black_hole_chain(
            f"{VIRTUAL_INBOUND}-blackhole", build.config.proxy_inbound_listen_port, build.traits
        )
    ]
    for one in served:
        chains.extend(_chains(build, one))
    listener = _listener(
        build,
        VIRTUAL_INBOUND,
        wildcards(build.traits),
        build.config.proxy_inbound_listen_port,
        chains,
    )
    redirect = [filters.original_dst()]
    if build.traits.interception is Interception.TPROXY:
        listener.transparent.value = True
        redirect.append(filters.original_src())
    listener.listener_filters.extend([*redirect, *inspectors(chains)])
    return encode(
        TypeUrl.LISTENER,
        VIRTUAL_INBOUND,
        listener,
        dict.fromkeys(o for one in served for o in one.origins),
    )


def bound_listener(build: ListenerBuild, served: InboundPort) -> EnvoyResource:
    """A port of `Sidecar.ingress` that is bound instead of redirected to."""
    chains = list(_chains(build, served))
    listener = _listener(build, served.name, (served.bind,), served.target, chains)
    listener.listener_filters.extend(inspectors(chains))
    return encode(TypeUrl.LISTENER, served.name, listener, served.origins)


def _listener(
    build: ListenerBuild,
    name: str,
    addresses: tuple[str, ...],
    port: int,
    chains: Iterable[Any],
) -> Any:
    listener = listener_pb2.Listener(
        name=name,
        address=socket(addresses[0], port),
        additional_addresses=additional(addresses[1:], port),
        filter_chains=chains,
        traffic_direction=base_pb2.INBOUND,
        continue_on_listener_filters_timeout=True,
        max_connections_to_accept_per_socket_event=wkt.uint32(1),
        access_log=listener_logs(build, Side.INBOUND),
    )
    if build.config.protocol_detection_timeout is not None:
        listener.listener_filters_timeout.CopyFrom(
            wkt.duration(build.config.protocol_detection_timeout)
        )
    return listener


def _chains(build: ListenerBuild, served: InboundPort) -> Iterator[Any]:
    for kind in chain_kinds(served.protocol, served.mtls, served.tls is not None):
        match = components.FilterChainMatch(
            application_protocols=kind.alpn, transport_protocol=kind.transport
        )
        if served.target:
            match.destination_port.value = served.target
        name = (
            served.name if not served.passes else CATCH_ALL_HTTP if kind.http else VIRTUAL_INBOUND
        )
        yield components.FilterChain(
            name=name,
            filter_chain_match=match,
            filters=_http(build, served) if kind.http else _tcp(build, served),
            transport_socket=_socket(build, served, kind) if kind.terminated else None,
            metadata=config_metadata(served.config),
        )


def _socket(build: Build, served: InboundPort, kind: ChainKind) -> Any:
    if served.tls is not None:
        return downstream_socket(build, served.tls)
    return mesh_socket(build, http=kind.http)


def _http(build: ListenerBuild, served: InboundPort) -> list[Any]:
    prefix = served.cluster if served.passes else f"inbound_{served.name}"
    manager = Manager(
        Side.INBOUND,
        stat_name(prefix),
        grpc_web=served.protocol is Protocol.GRPC_WEB,
        http2=served.protocol.is_http2,
    )
    return [manager_filter(connection_manager(build, manager, _routes(served, build.config)))]


def _routes(served: InboundPort, config: MeshConfig) -> Any:
    """Everything goes to the workload."""
    operation = f"{served.host}:{served.port}/*"
    route = inbound_route(
        served.cluster, operation, served.protocol, config.default_inbound_http_retry_policy
    )
    host = route_components_pb2.VirtualHost(
        name=f"inbound|http|{served.port}", domains=["*"], routes=[route]
    )
    return route_pb2.RouteConfiguration(
        name=served.cluster, virtual_hosts=[host], validate_clusters=wkt.boolean(False)
    )


def _tcp(build: ListenerBuild, served: InboundPort) -> list[Any]:
    target = TcpTarget(
        ((served.cluster, 1),),
        served.stat_prefix or served.cluster,
        idle_timeout(build.traits),
        mongo=served.protocol is Protocol.MONGO,
    )
    return network_filters(target, build.traits, tcp_logs(build, Side.INBOUND))
