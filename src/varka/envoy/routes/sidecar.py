"""Outbound route configurations of sidecars."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from varka.base.digits import number
from varka.base.memo import Memo
from varka.base.names import Namespace
from varka.envoy.build import Build
from varka.envoy.resource import EnvoyResource, Form, Layers
from varka.envoy.routes import configuration
from varka.envoy.routes.candidate import Candidate
from varka.envoy.routes.domains import Domains, client_of, with_port
from varka.envoy.routes.outbound import RouteInputs, make_plan
from varka.envoy.routes.settings import RouteSettings, settings_of
from varka.envoy.routes.source import MESH, Source, interest_of
from varka.envoy.routes.virtual_host import catch_all, virtual_host
from varka.envoy.routes.virtual_host_set import (
    VirtualHostSet,
    by_domain,
    layers,
    shared_virtual_hosts,
    virtual_hosts,
    virtual_hosts_for,
)
from varka.mesh.model import EgressListener, Scope
from varka.proxy.traits import Traits
from varka.registry.service import Protocol

HTTP_PROXY = "http_proxy"
"""The route configuration of `meshConfig.proxyHttpPort`."""
_UNIX = "unix://"

VHDS_FROM = 512
"""From this many services on a port (about a quarter of a MiB), its virtual hosts travel alone to
proxies that have nothing of it yet: from here on that saves Envoy's CPU as well as bytes (`python
-m benchmarks forms`).
"""


class RouteParts(Struct, frozen=True, eq=False):
    """A route configuration, and its virtual hosts where they travel alone."""

    route: EnvoyResource
    virtual_hosts: Layers = ()


class _Name(Struct, frozen=True):
    """What a listener says with a route configuration's name: `8080`, `<host>:8080` for one service
    whose protocol is sniffed, `http_proxy`, or the path of a unix socket."""

    port: int
    host: str = ""


def _parse(name: str) -> _Name | None:
    if name == HTTP_PROXY or name.startswith(_UNIX):
        return _Name(0)
    host, _, port = name.rpartition(":")
    asked = number(port)
    return None if asked is None else _Name(asked, host)


def sidecar_route(
    build: Build,
    scope: Scope,
    namespace: Namespace,
    name: str,
    form: Form | None = None,
) -> RouteParts:
    """The route configuration that a listener names, for clients of a namespace; an empty one for
    an unknown name.

    It has this form, or the one for its size.
    """
    meaning = _parse(name)
    if meaning is None:
        return RouteParts(configuration.empty(name))
    settings = build.once(settings_of)
    listener = _listener(scope, meaning.port, name)
    found = (
        _virtual_host_set(
            build.memo, scope, namespace, listener, meaning.port, build.traits, settings
        )
        if listener
        else VirtualHostSet()
    )
    if meaning.host:
        only = tuple(
            _encode(build.memo, candidate, settings)
            for candidate in _only(build.memo, found, meaning)
        )
        return RouteParts(build.memo(configuration.whole, name, only))
    rest = build.memo(catch_all, scope.allow_any, scope.dynamic_dns, scope.egress_proxy, settings)
    if not meaning.port or (_form(found) if form is None else form) is Form.WHOLE:
        return RouteParts(
            build.memo(
                configuration.whole, name, (*virtual_hosts(build.memo, found, "", settings), rest)
            )
        )
    # Envoy finds the configuration of a virtual host by what is before the slash, and removes it by
    # its own name.
    return RouteParts(
        build.memo(configuration.by_virtual_host, name, (rest,)),
        layers(build.memo, found, f"{name}/", settings),
    )


def _virtual_host_set(
    memo: Memo,
    scope: Scope,
    namespace: Namespace,
    listener: EgressListener,
    port: int,
    traits: Traits,
    settings: RouteSettings,
) -> VirtualHostSet:
    if listener.port is not None and listener.port.protocol.upper() == Protocol.HTTP_PROXY:
        port = 0
    rules, client = listener.virtual_services, client_of(traits)
    source = memo(interest_of, *rules).narrow(Source(MESH, namespace, frozenset(traits.labels)))
    plan = memo.nested(
        make_plan, RouteInputs(rules, listener.groups, scope.groups, port, source, client, settings)
    )
    return memo.nested(
        virtual_hosts_for, plan, memo(shared_virtual_hosts, plan, port), port, namespace, client
    )


def _listener(scope: Scope, port: int, name: str) -> EgressListener | None:
    """The Sidecar's listener for a port (for port 0: for the address in `name`), else the one for
    all other ports."""
    for listener in scope.egress:
        if listener.port is None or (
            listener.port.number == port and (port or listener.bind == name)
        ):
            return listener
    return None


def _only(memo: Memo, host_set: VirtualHostSet, meaning: _Name) -> tuple[Candidate, ...]:
    """All requests of a listener on a service's own address are for it, whatever their `Host`
    says."""
    owners = memo(by_domain, host_set)
    names = (with_port(meaning.host, meaning.port), meaning.host)
    matching = tuple(dict.fromkeys(owners[name] for name in names if name in owners))
    return (replace(matching[0], domains=Domains(("*",))),) if len(matching) == 1 else matching


def _encode(memo: Memo, candidate: Candidate, settings: RouteSettings) -> EnvoyResource:
    return memo(virtual_host, candidate.name, candidate.domains.all, candidate.table, settings)


def _form(host_set: VirtualHostSet) -> Form:
    return Form.WHOLE if len(host_set.shared.places) < VHDS_FROM else Form.BY_VIRTUAL_HOST
