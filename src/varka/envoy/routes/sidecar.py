"""Outbound route configurations of sidecars."""

from __future__ import annotations

from dataclasses import dataclass, replace

from varka.base.memo import Memo
from varka.envoy.resource import EnvoyResource, Layer, Layers
from varka.envoy.routes import configuration
from varka.envoy.routes.domains import Domains, with_port
from varka.envoy.routes.outbound import Outbound
from varka.envoy.routes.settings import RouteSettings, settings_of
from varka.envoy.routes.virtual_host import Candidate, catch_all, deduplicated, virtual_host
from varka.mesh.model import EgressListener, Scope
from varka.proxy.traits import Traits
from varka.registry.model import Protocol
from varka.resources.model.mesh import MeshConfig

HTTP_PROXY = "http_proxy"
"""The route configuration of `meshConfig.proxyHttpPort`."""
_UNIX = "unix://"

VHDS_FROM = 512
"""From this many services on a port (about a quarter of a MiB), its virtual hosts travel alone.

Envoy must not see a route configuration change its form again and again, so this looks at nothing but
how many services the scope has on the port: rules, endpoints and sizes of virtual hosts come and go,
services rarely.
"""


@dataclass(frozen=True, eq=False, slots=True)
class RouteParts:
    """A route configuration, and its virtual hosts where they travel alone."""

    route: EnvoyResource
    virtual_hosts: Layers = ()


@dataclass(frozen=True, slots=True)
class _Name:
    """What a listener says with a route configuration's name: `8080`, `<host>:8080` for one service whose protocol is
    sniffed, `http_proxy`, or the path of a unix socket."""

    port: int
    host: str = ""


def _parse(name: str) -> _Name | None:
    if name == HTTP_PROXY or name.startswith(_UNIX):
        return _Name(0)
    host, _, port = name.rpartition(":")
    return _Name(int(port), host) if port.isdecimal() else None


def sidecar_route(memo: Memo, scope: Scope, name: str, traits: Traits, config: MeshConfig, *, whole: bool = False) -> RouteParts:
    """The route configuration that a listener names. `whole` keeps it in one piece, whatever its size.

    An unknown name gets an empty configuration.
    """
    meaning = _parse(name)
    if meaning is None:
        return RouteParts(configuration.empty(name))
    settings = memo(settings_of, config, traits)
    listener = _listener(scope, meaning.port, name)
    found = memo(_candidates, memo, scope, listener, meaning.port, traits, settings) if listener else ()
    if meaning.host:
        hosts = _encoded(memo, _only(found, meaning), settings)
        return RouteParts(memo(configuration.whole, name, hosts))
    rest = memo(catch_all, scope.allow_any, scope.dynamic_dns, scope.egress_proxy, settings)
    services = sum(1 for candidate in found if candidate.group)
    if services < VHDS_FROM or whole or not meaning.port:
        return RouteParts(memo(configuration.whole, name, (*_encoded(memo, found, settings), rest)))
    return RouteParts(memo(configuration.by_virtual_host, name, (rest,)), _layers(memo, name, found, settings))


def _candidates(
    memo: Memo, scope: Scope, listener: EgressListener, port: int, traits: Traits, settings: RouteSettings
) -> tuple[Candidate, ...]:
    """Sorted by name; no domain twice. Many services with a sniffed protocol ask for those of the same port."""
    if listener.port is not None and listener.port.protocol.upper() == Protocol.HTTP_PROXY:
        port = 0
    found = deduplicated(Outbound(memo, scope, listener, port, traits, settings).candidates())
    kept = found if port else (one for candidate in found if (one := _of_proxy(candidate)))
    return tuple(sorted(kept, key=lambda candidate: candidate.name))


def _listener(scope: Scope, port: int, name: str) -> EgressListener | None:
    """The Sidecar's listener for a port (for port 0: for the address in `name`), else the one for all other ports."""
    for listener in scope.egress:
        if listener.port is None or (listener.port.number == port and (port or listener.bind == name)):
            return listener
    return None


def _of_proxy(candidate: Candidate) -> Candidate | None:
    """Behind an HTTP proxy all ports meet: names without a port mean 80."""
    if candidate.name.endswith(":80"):
        return candidate
    domains = tuple(domain for domain in candidate.domains.all if ":" in domain)
    return replace(candidate, domains=Domains(domains)) if domains else None


def _only(candidates: tuple[Candidate, ...], meaning: _Name) -> tuple[Candidate, ...]:
    """All requests of a listener on a service's own address are for it, whatever their `Host` says."""
    name = with_port(meaning.host, meaning.port)
    names = (name, meaning.host)
    matching = [c for c in candidates if any(domain in names for domain in c.domains.all)]
    return (replace(matching[0], domains=Domains(("*",))),) if len(matching) == 1 else tuple(matching)


def _encoded(memo: Memo, candidates: tuple[Candidate, ...], settings: RouteSettings) -> tuple[EnvoyResource, ...]:
    return tuple(memo(virtual_host, c.name, c.domains.all, c.table, settings) for c in candidates)


def _layers(memo: Memo, name: str, candidates: tuple[Candidate, ...], settings: RouteSettings) -> Layers:
    """A layer for each namespace, and one for hosts that only VirtualServices name. Envoy finds the configuration of a
    virtual host by what is before the `/`, and removes it by its own name: so both names are the same."""
    groups: dict[str, list[EnvoyResource]] = {}
    for c in candidates:
        groups.setdefault(c.group, []).append(memo(virtual_host, f"{name}/{c.name}", c.domains.all, c.table, settings))
    return tuple(memo(Layer.of, tuple(hosts)) for hosts in groups.values())
