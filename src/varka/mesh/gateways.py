"""Gateways of a router, merged port by port."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from varka.base.memo import Memo
from varka.base.names import Namespace, ObjectKey
from varka.mesh.model import GatewayPort, GatewayServer, MergedGateway, MergedVirtualService
from varka.mesh.virtualservices import VirtualServiceBook
from varka.proxy.node import Proxy
from varka.registry.model import Protocol, ServiceTarget
from varka.registry.protocol import parse
from varka.registry.selectors import selects
from varka.resources.model import networking
from varka.resources.model.networking import Server, ServerTLSSettingsTLSmode
from varka.resources.resource import Resource

Gateway = Resource[networking.Gateway]
_SERVICES = "internal.istio.io/gateway-service"
_PARENT_NAMESPACE = "internal.istio.io/parent-namespace"
_NO_TRANSLATION = "experimental.istio.io/disable-gateway-port-translation"
_PASSTHROUGH = (ServerTLSSettingsTLSmode.PASSTHROUGH, ServerTLSSettingsTLSmode.AUTO_PASSTHROUGH)


def gateways_of(
    gateways: tuple[Gateway, ...], proxy: Proxy, targets: tuple[ServiceTarget, ...], own_namespace_only: bool
) -> tuple[Gateway, ...]:
    """Those that name a Service the proxy serves, or whose `selector` is among its labels (none selects all routers), in
    whatever namespace."""
    return tuple(
        g
        for g in gateways
        if (bool(_served(g, targets)) if _SERVICES in g.annotations else selects(g.spec.selector, proxy.labels))
        and (g.namespace == proxy.namespace or not own_namespace_only)
    )


def _served(gateway: Gateway, targets: tuple[ServiceTarget, ...]) -> tuple[ServiceTarget, ...]:
    """The targets that a Gateway names by Service; all when it names none."""
    if _SERVICES not in gateway.annotations:
        return targets
    names = gateway.annotations[_SERVICES].split(",")
    namespace = gateway.annotations.get(_PARENT_NAMESPACE) or gateway.namespace
    return tuple(t for t in targets if t.service.hostname in names and t.service.namespace == namespace)


def merged_gateway(
    memo: Memo,
    gateways: tuple[Gateway, ...],
    targets: tuple[ServiceTarget, ...],
    book: VirtualServiceBook,
    namespace: Namespace,
) -> MergedGateway:
    """`targets`: what the router serves, which says where its Services' ports lead to."""
    ports, conflicts = memo(merge_servers, gateways, targets)
    names = [f"{g.namespace}/{g.name}" for g in gateways]
    bound = dict.fromkeys(v for name in names for v in book.seen(namespace, name))
    return memo(MergedGateway, ports, tuple(sorted(bound, key=_precedence)), conflicts)


def _precedence(virtual_service: MergedVirtualService) -> tuple[bool, str, str, str]:
    key = virtual_service.key
    return ("*" in virtual_service.export_to, virtual_service.created, key.name, key.namespace)


Conflicts = tuple[tuple[ObjectKey, str], ...]


def merge_servers(gateways: tuple[Gateway, ...], targets: tuple[ServiceTarget, ...]) -> tuple[tuple[GatewayPort, ...], Conflicts]:
    """All servers of all gateways by the port and address they listen on; older gateways win conflicts."""
    merge = _Merge()
    for gateway in gateways:
        for server in gateway.spec.servers:
            if server.port is not None:
                for number in _bound_ports(gateway, server.port.number, targets):
                    merge.add(gateway, server, number)
    ports = tuple(
        GatewayPort(number, bind, parse(servers[0].server.port.protocol).value if servers[0].server.port else "", tuple(servers))
        for (number, bind), servers in merge.listeners.items()
    )
    return ports, tuple(merge.conflicts)


def _bound_ports(gateway: Gateway, number: int, targets: tuple[ServiceTarget, ...]) -> Iterable[int]:
    """Where a server's port leads to: a Gateway that names its Services listens on all their target ports; others on the
    target port of the first Service that has the server's port, else on that port itself."""
    found = [t for t in _served(gateway, targets) if t.port.number == number]
    if _SERVICES in gateway.annotations:
        return dict.fromkeys(t.target for t in found)
    return [t.target for t in found if _NO_TRANSLATION not in t.service.labels][:1] or [number]


def server_hosts(server: Server, namespace: Namespace) -> tuple[tuple[str, str], ...]:
    """(namespace, name) of each host: `*` for any namespace, `.` is the Gateway's own."""
    found: list[tuple[str, str]] = []
    for host in server.hosts:
        where, slash, name = host.partition("/")
        found.append((str(namespace) if where == "." else where, name) if slash else ("*", host))
    return (("*", "*"),) if ("*", "*") in found and "*/*" in server.hosts else tuple(found)


def route_name(server: Server, number: int, gateway: ObjectKey) -> str:
    """The route configuration of a server: one for all plain HTTP servers of a port, one for each that terminates HTTPS;
    "" for those that forward bytes."""
    if server.port is None:
        return ""
    protocol, bind = parse(server.port.protocol), f".{server.bind}" if server.bind else ""
    if protocol.is_http:
        return f"http.{number}{bind}"
    if protocol is Protocol.HTTPS and not is_passthrough(server):
        return f"https.{server.port.number}.{server.port.name}.{gateway.name}.{gateway.namespace}{bind}"
    return ""


def is_passthrough(server: Server) -> bool:
    """TLS goes through to the workload."""
    return server.tls is not None and server.tls.mode in _PASSTHROUGH


@dataclass(slots=True)
class _Merge:
    """The listeners so far, and what they have taken."""

    listeners: dict[tuple[int, str], list[GatewayServer]] = field(default_factory=dict)
    conflicts: list[tuple[ObjectKey, str]] = field(default_factory=list)
    _plain: dict[int, tuple[Protocol, str]] = field(default_factory=dict)
    """Of each port the protocol and address of its latest plain text server."""
    _ports: set[int] = field(default_factory=set)
    _tls_hosts: set[tuple[int, str, tuple[str, str]]] = field(default_factory=set)
    _routes: set[str] = field(default_factory=set)

    def add(self, gateway: Gateway, server: Server, number: int) -> None:
        name = route_name(server, number, gateway.key)
        hosts = server_hosts(server, Namespace(gateway.namespace))
        problem = self._host_conflict(server, number, hosts) or self._conflict(server, number, name)
        if problem:
            self.conflicts.append((gateway.key, problem))
            return
        self._routes.add(name)
        added = GatewayServer(gateway.key, server, hosts, name)
        self.listeners.setdefault((number, server.bind), []).append(added)

    def _host_conflict(self, server: Server, number: int, hosts: Iterable[tuple[str, str]]) -> str:
        """Two filter chains of one listener must not have the same SNI."""
        if server.tls is None:
            return ""
        places = {(number, server.bind, host) for host in hosts}
        if taken := places & self._tls_hosts:
            return f"port {number} already has a TLS server for {', '.join(sorted(host for _, _, (_, host) in taken))}"
        self._tls_hosts |= places
        return ""

    def _conflict(self, server: Server, number: int, name: str) -> str:
        """Why a server can't join the others of its port; "" when it can."""
        protocol = parse(server.port.protocol) if server.port else Protocol.AUTO
        plain = server.tls is None or protocol.is_http
        if number not in self._ports:
            self._ports.add(number)
            if plain:
                self._plain[number] = (protocol, server.bind)
            return ""
        if number in self._plain:
            first, bind = self._plain[number]
            if bind == server.bind:
                if not ((protocol.is_http or protocol is first) and first.is_http):
                    return f"port {number} is already served as {first.value}"
            elif plain:
                self._plain[number] = (protocol, server.bind)
            return ""
        if plain:
            self._plain[number] = (protocol, server.bind)
            return ""
        if name and name in self._routes:
            return f"port {number} already has an HTTPS server named {server.port.name if server.port else ''}"
        return ""
