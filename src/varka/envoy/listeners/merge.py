"""Which services share a listener, and what happens when they do not go together.

Services request chains at an address and port; what stands there decides (Istio's rules):
HTTP after HTTP adds nothing, since routes tell hosts apart; TCP and HTTP together turn on
sniffing; chains that would match the same connections are dropped, the older service wins;
MySQL and Mongo, where the server speaks first, are never sniffed, so nothing joins them.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from varka.base.names import FieldOrigin, Hostname
from varka.envoy.listeners.chains import Chain, HttpTarget
from varka.registry.service import Protocol

Place = tuple[str, int]
"""Primary address and port."""


class ListenerRequest(Struct, frozen=True):
    """What one service wants at a place."""

    binds: tuple[str, ...]
    """The primary address first."""
    port: int
    protocol: Protocol
    wildcard: bool
    """Bound to the proxy's wildcard address, where hosts of many services meet."""
    tcp: tuple[Chain, ...]
    http: tuple[Chain, ...]
    bound: bool = False
    """It really binds its port, nothing redirects to it."""
    age: tuple[bool, str, str, str] = (False, "", "", "")

    @property
    def place(self) -> Place:
        return (self.binds[0], self.port)


class Planned(Struct, frozen=True):
    """A listener to be. `protocol` AUTO: it sniffs."""

    binds: tuple[str, ...]
    port: int
    protocol: Protocol
    chains: tuple[Chain, ...]
    bound: bool = False

    @property
    def fields(self) -> tuple[FieldOrigin, ...]:
        return tuple(dict.fromkeys(field for chain in self.chains for field in chain.fields))

    @property
    def routes(self) -> frozenset[str]:
        """The route configurations its HTTP chains name."""
        return frozenset(c.target.route for c in self.chains if isinstance(c.target, HttpTarget))


def merge(
    requests: Iterable[ListenerRequest], existing: dict[Place, Planned] | None = None
) -> dict[Place, Planned]:
    """All requests, oldest first, joined to the listeners that exist already."""
    listeners = dict(existing or {})
    for request in requests:
        current = listeners.get(request.place)
        joined = _first(request) if current is None else _join(current, request)
        listeners[request.place] = joined
    return listeners


def _first(request: ListenerRequest) -> Planned:
    # A wildcard HTTP listener always sniffs: what is not HTTP passes through it.
    sniffs = (
        request.protocol.is_http
        and request.protocol is not Protocol.HTTP_PROXY
        and request.wildcard
    )
    protocol = Protocol.AUTO if sniffs else request.protocol
    return Planned(
        request.binds,
        request.port,
        protocol,
        _joined((), (*request.tcp, *request.http)),
        request.bound,
    )


def _join(current: Planned, request: ListenerRequest) -> Planned:
    if request.protocol is Protocol.HTTP_PROXY:
        return _first(request)
    if request.protocol.is_http and not current.protocol.is_tcp:
        return _with_dynamic(current, request)
    if _speaks_first(current.protocol, request.protocol):
        return current
    if request.protocol is Protocol.AUTO and current.protocol.is_http:
        return _first(request)
    both = current.protocol.is_tcp != request.protocol.is_tcp or Protocol.AUTO in (
        current.protocol,
        request.protocol,
    )
    chains = request.tcp if current.protocol is Protocol.AUTO else (*request.tcp, *request.http)
    protocol = Protocol.AUTO if both else current.protocol
    return replace(current, protocol=protocol, chains=_joined(current.chains, chains))


def _speaks_first(one: Protocol, other: Protocol) -> bool:
    return one is not other and not {one, other}.isdisjoint((Protocol.MONGO, Protocol.MYSQL))


def _joined(chains: tuple[Chain, ...], more: Iterable[Chain]) -> tuple[Chain, ...]:
    taken, result = {c.identity for c in chains}, list(chains)
    for chain in more:
        if chain.identity not in taken:
            taken.add(chain.identity)
            result.append(chain)
    return tuple(result)


def _with_dynamic(current: Planned, request: ListenerRequest) -> Planned:
    """The HTTP chain that stands takes the request's hosts too; only names resolved on demand need
    its filters."""
    more = {
        host
        for chain in request.http
        if isinstance(chain.target, HttpTarget)
        for host in chain.target.dynamic
    }
    if not more:
        return current
    return replace(current, chains=tuple(_resolving(chain, more) for chain in current.chains))


def _resolving(chain: Chain, hosts: set[Hostname]) -> Chain:
    if not isinstance(chain.target, HttpTarget):
        return chain
    dynamic = tuple(sorted({*chain.target.dynamic, *hosts}))
    return replace(chain, target=replace(chain.target, dynamic=dynamic))
