"""Gateways of a router, merged port by port."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct, field

from varka.base.memo import Memo
from varka.base.names import Namespace, ObjectKey
from varka.mesh.bound import gateway_name
from varka.mesh.ingress import INGRESS_SEMANTICS, SEMANTICS_ANNOTATION
from varka.mesh.model import (
    Conflict,
    GatewayPort,
    GatewayServer,
    MergedGateway,
    MergedVirtualService,
)
from varka.mesh.virtualservices import VirtualServiceBook
from varka.proxy.node import Proxy
from varka.registry.protocol import parse
from varka.registry.selectors import selects
from varka.registry.service import Protocol, ServiceTarget
from varka.resources.model import networking
from varka.resources.model.networking import Server, ServerTLSSettingsTLSmode
from varka.resources.resource import Resource

Gateway = Resource[networking.Gateway]
_SERVICES = "internal.istio.io/gateway-service"
_PARENT_NAMESPACE = "internal.istio.io/parent-namespace"
_NO_TRANSLATION = "experimental.istio.io/disable-gateway-port-translation"
_PASSTHROUGH = (ServerTLSSettingsTLSmode.PASSTHROUGH, ServerTLSSettingsTLSmode.AUTO_PASSTHROUGH)


def gateways_of(
    gateways: tuple[Gateway, ...],
    proxy: Proxy,
    targets: tuple[ServiceTarget, ...],
    own_namespace_only: bool,
) -> tuple[Gateway, ...]:
    """Those that name a Service the proxy serves, or whose `selector` is among its labels (none
    selects all routers), in whatever namespace."""
    return tuple(
        g
        for g in gateways
        if (
            bool(_served(g, targets))
            if _SERVICES in g.annotations
            else selects(g.spec.selector, proxy.labels)
        )
        and (g.namespace == proxy.namespace or not own_namespace_only)
    )


def _served(gateway: Gateway, targets: tuple[ServiceTarget, ...]) -> tuple[ServiceTarget, ...]:
    """The targets that a Gateway names by Service; all when it names none."""
    if _SERVICES not in gateway.annotations:
        return targets
    names = gateway.annotations[_SERVICES].split(",")
    namespace = gateway.annotations.get(_PARENT_NAMESPACE) or gateway.namespace
    return tuple(
        t for t in targets if t.service.hostname in names and t.service.namespace == namespace
    )


def merged_gateway(
    memo: Memo,
    gateways: tuple[Gateway, ...],
    proxy: Proxy,
    targets: tuple[ServiceTarget, ...],
    book: VirtualServiceBook,
    own_namespace_only: bool,
) -> MergedGateway:
    """`targets`: what the router serves, which says where its Services' ports lead to."""
    chosen = gateways_of(gateways, proxy, targets, own_namespace_only)
    ports, conflicts = memo(merge_servers, chosen, targets)
    bound = dict.fromkeys(
        v for gateway in chosen for v in book.seen(proxy.namespace, gateway_name(gateway.key))
    )
    return memo(MergedGateway, ports, tuple(sorted(bound, key=_precedence)), conflicts)


def _precedence(virtual_service: MergedVirtualService) -> tuple[bool, str, str, str]:
    key = virtual_service.key
    return ("*" in virtual_service.export_to, virtual_service.created, key.name, key.namespace)


def merge_servers(
    gateways: tuple[Gateway, ...], targets: tuple[ServiceTarget, ...]
) -> tuple[tuple[GatewayPort, ...], tuple[Conflict, ...]]:
    """All servers of all gateways by the port and address they listen on; older gateways win
    conflicts."""
    merge = _Merge()
    for gateway in gateways:
        for index, server in enumerate(gateway.spec.servers):
            if server.port is not None:
                for number in _bound_ports(gateway, server.port.number, targets):
                    merge.add(gateway, index, number)
    ports = tuple(
        GatewayPort(
            number,
            bind,
            parse(servers[0].server.port.protocol).value if servers[0].server.port else "",
            tuple(servers),
        )
        for (number, bind), servers in merge.listeners.items()
    )
    return ports, tuple(merge.conflicts)


def _bound_ports(
    gateway: Gateway, number: int, targets: tuple[ServiceTarget, ...]
) -> Iterable[int]:
    """Where a server's port leads to: a Gateway that names its Services listens on all their target
    ports; others on the target port of the first Service that has the server's port, else on that
    port itself."""
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
    """The route configuration of a server: one for all plain HTTP servers of a port, one for each
    that terminates HTTPS; "" for those that forward bytes."""
    if server.port is None:
        return ""
    protocol, bind = parse(server.port.protocol), f".{server.bind}" if server.bind else ""
    if protocol.is_http:
        return f"http.{number}{bind}"
    if protocol is Protocol.HTTPS and not is_passthrough(server):
        port = server.port
        return f"https.{port.number}.{port.name}.{gateway.name}.{gateway.namespace}{bind}"
    return ""


def is_passthrough(server: Server) -> bool:
    """TLS goes through to the workload."""
    return server.tls is not None and server.tls.mode in _PASSTHROUGH


class _Taken(Struct, frozen=True):
    """What stands in a server's way: the field of it, why, and whose server was first."""

    field: str
    reason: str
    winner: ObjectKey


class _Plain(Struct, frozen=True):
    protocol: Protocol
    bind: str
    gateway: ObjectKey


class _Merge(Struct):
    """The listeners so far, and what they have taken."""

    listeners: dict[tuple[int, str], list[GatewayServer]] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)
    _plain: dict[int, _Plain] = field(default_factory=dict)
    """Of each port its latest plain text server."""
    _ports: set[int] = field(default_factory=set)
    _tls_hosts: dict[tuple[int, str, tuple[str, str]], ObjectKey] = field(default_factory=dict)
    _tls_for_all: dict[tuple[int, str], ObjectKey] = field(default_factory=dict)
    """TLS servers whose filter chain needs no SNI, by port and address."""
    _routes: dict[str, ObjectKey] = field(default_factory=dict)

    def add(self, gateway: Gateway, index: int, number: int) -> None:
        server = gateway.spec.servers[index]
        of_ingress = gateway.annotations.get(SEMANTICS_ANNOTATION) == INGRESS_SEMANTICS
        name = route_name(server, number, gateway.key)
        hosts = server_hosts(server, Namespace(gateway.namespace))
        taken = self._host_taken(gateway.key, server, number, hosts) or self._port_taken(
            gateway.key, server, number, name
        )
        if taken:
            # Ingresses may share a host: the first one's certificate is for the paths of all.
            if not of_ingress:
                self.conflicts.append(
                    Conflict(
                        gateway.key,
                        f"spec.servers[{index}].{taken.field}",
                        taken.reason,
                        taken.winner,
                    )
                )
            return
        self._routes.setdefault(name, gateway.key)
        all_names = any(host == "*" for _, host in hosts)
        if server.tls is not None and not name.startswith("http.") and all_names:
            self._tls_for_all.setdefault((number, server.bind), gateway.key)
        path = () if of_ingress else ("spec", "servers", index)
        added = GatewayServer(gateway.key, server, hosts, name, path)
        self.listeners.setdefault((number, server.bind), []).append(added)

    def _host_taken(
        self, key: ObjectKey, server: Server, number: int, hosts: Iterable[tuple[str, str]]
    ) -> _Taken | None:
        """Two filter chains of one listener must not have the same SNI."""
        if server.tls is None:
            return None
        places = {(number, server.bind, host) for host in hosts}
        if taken := sorted(places & self._tls_hosts.keys()):
            names = ", ".join(dict.fromkeys(name for _, _, (_, name) in taken))
            return _Taken(
                "hosts",
                f"port {number} already has a TLS server for {names}",
                self._tls_hosts[taken[0]],
            )
        self._tls_hosts.update(dict.fromkeys(places, key))
        return None

    def _port_taken(self, key: ObjectKey, server: Server, number: int, name: str) -> _Taken | None:
        """Why a server can't join the others of its port."""
        protocol = parse(server.port.protocol) if server.port else Protocol.AUTO
        new = number not in self._ports
        self._ports.add(number)
        first = self._plain.get(number)
        if first is not None and first.bind == server.bind:
            if (protocol.is_http or protocol is first.protocol) and first.protocol.is_http:
                return None
            return _Taken(
                "port", f"port {number} is already served as {first.protocol.value}", first.gateway
            )
        if server.tls is None or protocol.is_http:
            if whole := self._tls_for_all.get((number, server.bind)):
                return _Taken("port", f"a TLS server for all hosts has all of port {number}", whole)
            self._plain[number] = _Plain(protocol, server.bind, key)
        elif first is None and not new and name and name in self._routes:
            title = server.port.name if server.port else ""
            return _Taken(
                "port.name",
                f"port {number} already has an HTTPS server named {title}",
                self._routes[name],
            )
        return None
