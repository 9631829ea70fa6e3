"""What services want of outbound listeners: one request for each address and port."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from varka.base.names import Hostname
from varka.envoy.build import Build
from varka.envoy.listeners.addresses import vips, wildcards
from varka.envoy.listeners.chains import PLAINTEXT_HTTP, RAW_BUFFER, Chain, HttpTarget
from varka.envoy.listeners.headless import Pods
from varka.envoy.listeners.l4 import Destination, Rule, chains_for
from varka.envoy.listeners.merge import ListenerRequest, Place, Planned, merge
from varka.mesh.model import ScopedService, ServiceGroup
from varka.proxy.traits import Traits
from varka.registry.protocol import parse
from varka.registry.service import Protocol, Resolution, Service, ServicePort
from varka.resources.model.networking import SidecarPort


class Binding(Struct, frozen=True):
    """How the listeners of one egress listener bind."""

    binds: tuple[str, ...] = ()
    """Empty: the addresses of the services."""
    to_port: bool = False
    port: SidecarPort | None = None
    """Set when everything is served on one port that the Sidecar names."""


class GroupPlan(Struct, frozen=True, eq=False):
    """The requests of one service group. `own` places are addresses of its services, where others
    seldom are."""

    own: Mapping[Place, Planned]
    requests: Mapping[Place, tuple[ListenerRequest, ...]]
    """What `own` was merged from, for places that another group requests too."""
    shared: tuple[ListenerRequest, ...]
    """At wildcard addresses and where the Sidecar says."""


def plan_group(
    build: Build,
    group: ServiceGroup,
    binding: Binding,
    rules: tuple[Rule, ...],
    pods: Pods,
) -> GroupPlan:
    own: dict[Place, tuple[ListenerRequest, ...]] = {}
    shared: list[ListenerRequest] = []
    plain_http: set[Place] = set()
    for request in _requests(build, group, binding, rules, pods):
        if not request.wildcard and not binding.binds and binding.port is None:
            own[request.place] = (*own.get(request.place, ()), request)
        elif not _only_http(request):
            shared.append(request)
        elif request.place not in plain_http:
            plain_http.add(request.place)
            shared.append(request)
    return GroupPlan(
        {place: merge(requests)[place] for place, requests in own.items()}, own, tuple(shared)
    )


def _only_http(request: ListenerRequest) -> bool:
    """Whether a second one at the same place would add nothing."""
    targets = [chain.target for chain in request.http]
    return request.protocol.is_http and not any(
        isinstance(t, HttpTarget) and t.dynamic for t in targets
    )


def _requests(
    build: Build,
    group: ServiceGroup,
    binding: Binding,
    rules: tuple[Rule, ...],
    pods: Pods,
) -> Iterator[ListenerRequest]:
    addresses = {(service, port): found for service, port, found in pods}
    for entry in group.services:
        if entry.service.resolution is Resolution.ALIAS:
            continue
        ports = entry.ports if binding.port is None else (_sidecar_port(binding.port),)
        for port in ports:
            if _can_bind(build, binding, port):
                yield from _port_requests(
                    build, entry, port, binding, rules, addresses.get((entry.service, port.number))
                )


def _sidecar_port(port: SidecarPort) -> ServicePort:
    return ServicePort(port.name, port.number, parse(port.protocol))


def _can_bind(build: Build, binding: Binding, port: ServicePort) -> bool:
    """Not ports of the proxy's own listeners, nor privileged ones without the privilege."""
    if binding.to_port and build.traits.unprivileged and 0 < port.number < 1024:
        return False
    primary = binding.binds[0] if binding.binds else ""
    wild = primary == wildcards(build.traits)[0] or (not primary and port.protocol.is_http)
    own = {
        build.config.proxy_listen_port,
        build.config.proxy_inbound_listen_port,
        *build.traits.reserved_ports,
    }
    return not (wild and port.number in own)


def _port_requests(
    build: Build,
    entry: ScopedService,
    port: ServicePort,
    binding: Binding,
    rules: tuple[Rule, ...],
    pods: tuple[str, ...] | None,
) -> Iterator[ListenerRequest]:
    service, wild = entry.service, wildcards(build.traits)
    age = ("*" in service.export_to, *service.age)
    if port.protocol.is_http:
        binds = binding.binds or wild
        sniffed = binds[0] == wild[0] and port.protocol is not Protocol.HTTP_PROXY
        http = _http_chain(service, port, binds[0], shared=True, sniffed=sniffed)
        yield ListenerRequest(
            binds,
            port.number,
            port.protocol,
            binds[0] == wild[0],
            (),
            (http,),
            binding.to_port,
            age,
        )
        return
    if not port.protocol.is_tcp and port.protocol is not Protocol.AUTO:
        return
    for binds, address, cidrs in _places(service, binding, pods, build.traits):
        destination = Destination(entry, port, binds[0], wild[0], address, cidrs)
        tcp = chains_for(destination, rules, build.traits, build.config.outbound_cluster_stat_name)
        sniffs = port.protocol is Protocol.AUTO
        chains = (
            (_http_chain(service, port, binds[0], shared=binds[0] == wild[0], sniffed=True),)
            if sniffs
            else ()
        )
        yield ListenerRequest(
            binds,
            port.number,
            port.protocol,
            binds[0] == wild[0],
            tcp,
            chains,
            binding.to_port,
            age,
        )


def _places(
    service: Service, binding: Binding, pods: tuple[str, ...] | None, traits: Traits
) -> Iterator[tuple[tuple[str, ...], str, tuple[str, ...]]]:
    """(addresses to bind, address of the service, CIDRs to match)."""
    found = vips(service, traits)
    if binding.binds:
        yield binding.binds, "" if "/" in found[0][0] else found[0][0], ()
    elif pods is not None:
        yield from (((pod,), found[0][0], ()) for pod in pods)
    else:
        for addresses in found:
            if "/" in addresses[0]:
                yield wildcards(traits), "", addresses
            else:
                yield addresses, addresses[0], ()


def _http_chain(
    service: Service, port: ServicePort, bind: str, *, shared: bool, sniffed: bool
) -> Chain:
    """`shared` routes are those of the port for all hosts; others are of this service alone."""
    if port.number == 0:
        route = bind
    else:
        route = str(port.number) if shared else f"{service.hostname}:{port.number}"
    dynamic: tuple[Hostname, ...] = ()
    if service.hostname.startswith("*") and service.resolution is Resolution.DYNAMIC_DNS:
        dynamic = (service.hostname,)
    target = HttpTarget(route, port.protocol is Protocol.GRPC_WEB, dynamic)
    return Chain(target, alpn=PLAINTEXT_HTTP, transport=RAW_BUFFER) if sniffed else Chain(target)
