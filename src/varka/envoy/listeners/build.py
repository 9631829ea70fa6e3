"""A planned outbound listener as an Envoy resource."""

from __future__ import annotations

from collections.abc import Iterable

from envoy.config.core.v3 import base_pb2
from envoy.config.listener.v3 import listener_components_pb2 as components
from envoy.config.listener.v3 import listener_pb2
from msgspec import Struct

from varka.base.names import ClusterName
from varka.envoy import wkt
from varka.envoy.build import ListenerBuild
from varka.envoy.istio_names import stat_name
from varka.envoy.listeners import filters
from varka.envoy.listeners.addresses import additional, listener_name, socket
from varka.envoy.listeners.chains import (
    HANDSHAKE_TIMEOUT,
    Chain,
    HttpTarget,
    TcpTarget,
    WeightedCluster,
    config_metadata,
    origins,
)
from varka.envoy.listeners.manager import HttpManager
from varka.envoy.listeners.merge import Planned
from varka.envoy.listeners.networkfilters.chain import network_filters
from varka.envoy.listeners.networkfilters.spec import Target
from varka.envoy.listeners.parts import Side
from varka.envoy.listeners.tcp import idle_timeout
from varka.envoy.resource import EnvoyResource, TypeUrl, encode
from varka.resources.model.mesh import MeshConfig

PASSTHROUGH_CHAIN = "PassthroughFilterChain"


class Policy(Struct, frozen=True):
    """`outboundTrafficPolicy`: where connections go that nothing is known about."""

    cluster: ClusterName
    any_host: bool = False
    """HTTP goes to the host it names (ALLOW_ANY_DYNAMIC_DNS)."""


def outbound_listener(build: ListenerBuild, planned: Planned, policy: Policy) -> EnvoyResource:
    name = listener_name(planned.binds[0], planned.port)
    listener = listener_pb2.Listener(
        name=name,
        address=socket(planned.binds[0], planned.port),
        additional_addresses=additional(planned.binds[1:], planned.port),
        traffic_direction=base_pb2.OUTBOUND,
        continue_on_listener_filters_timeout=True,
    )
    if planned.bound:
        listener.max_connections_to_accept_per_socket_event.value = 1
    else:
        listener.bind_to_port.value = False
    _inspect(listener, planned.chains, build.config)
    for chain in planned.chains:
        message = _chain(build, chain, name, policy)
        if chain.matches_all:
            listener.default_filter_chain.CopyFrom(message)
        else:
            listener.filter_chains.append(message)
    _complete(build, listener, policy)
    return encode(TypeUrl.LISTENER, name, listener, origins(planned.fields), planned=planned)


def _inspect(listener: listener_pb2.Listener, chains: Iterable[Chain], config: MeshConfig) -> None:
    """Inspectors only where a chain needs what they find: they wait for the client's first
    bytes."""
    forwards = any(
        isinstance(c.target, TcpTarget) and c.target.sni_forward is not None for c in chains
    )
    if forwards or any(chain.sni for chain in chains):
        listener.listener_filters.append(filters.tls_inspector())
    if any(chain.alpn for chain in chains):
        listener.listener_filters.append(filters.http_inspector())
        if config.protocol_detection_timeout is not None:
            listener.listener_filters_timeout.CopyFrom(
                wkt.duration(config.protocol_detection_timeout)
            )
    else:
        listener.listener_filters_timeout.CopyFrom(wkt.duration(0))


def _complete(build: ListenerBuild, listener: listener_pb2.Listener, policy: Policy) -> None:
    """A chain that takes everything is no default when it is alone; without any, the rest passes
    through."""
    if not listener.HasField("default_filter_chain"):
        listener.default_filter_chain.name = PASSTHROUGH_CHAIN
        listener.default_filter_chain.filter_chain_match.SetInParent()
        listener.default_filter_chain.filters.extend(fallthrough(build, policy))
    elif not listener.filter_chains:
        listener.filter_chains.append(listener.default_filter_chain)
        listener.ClearField("default_filter_chain")


def _chain(
    build: ListenerBuild,
    chain: Chain,
    name: str,
    policy: Policy,
) -> components.FilterChain:
    message = components.FilterChain(
        filter_chain_match=chain.match(),
        metadata=config_metadata(chain.config),
        transport_socket_connect_timeout=wkt.duration(HANDSHAKE_TIMEOUT),
    )
    target: Target
    if isinstance(chain.target, HttpTarget):
        target = HttpManager(
            Side.OUTBOUND,
            stat_name(f"outbound_{name}"),
            chain.target.route,
            grpc_web=chain.target.grpc_web,
            dynamic=chain.target.dynamic,
            any_host=policy.any_host,
        )
    else:
        target = chain.target
    message.filters.extend(network_filters(build, Side.OUTBOUND, target))
    return message


def fallthrough(build: ListenerBuild, policy: Policy) -> list[components.Filter]:
    target = TcpTarget(
        (WeightedCluster(policy.cluster),), policy.cluster, idle_timeout(build.traits)
    )
    return network_filters(build, Side.OUTBOUND, target)
