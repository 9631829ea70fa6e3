"""Which inbound ports are inspected: sniffing holds a connection until the client speaks, so only
where chains need it."""

from __future__ import annotations

from collections.abc import Iterable

from envoy.config.listener.v3 import listener_components_pb2 as components
from envoy.type.v3 import range_pb2

from varka.envoy.listeners import filters
from varka.envoy.listeners.chains import PLAINTEXT_HTTP, TLS

_Predicate = components.ListenerFilterChainMatchPredicate
_ANY_PORT = 0


def inspectors(chains: Iterable[components.FilterChain]) -> list[components.ListenerFilter]:
    """`tls_inspector`, then `http_inspector`, which must not look at what the first found to be
    TLS; each disabled at ports whose declared protocol makes it useless."""
    tls: dict[int, bool] = {}
    http: dict[int, bool] = {}
    for chain in chains:
        match = chain.filter_chain_match
        port = match.destination_port.value
        tls[port] = tls.get(port, False) or match.transport_protocol == TLS
        http[port] = http.get(port, False) or not {*PLAINTEXT_HTTP}.isdisjoint(
            match.application_protocols
        )
    found = []
    if any(tls.values()):
        found.append(filters.tls_inspector(_tls_disabled(tls)))
    if any(http.values()):
        found.append(
            filters.http_inspector(_at([port for port, wanted in http.items() if not wanted]))
        )
    return found


def _tls_disabled(wanted: dict[int, bool]) -> _Predicate | None:
    """Where unnamed ports are inspected the others are left out; else only those that want it are
    let in."""
    if wanted.get(_ANY_PORT, False):
        return _at([port for port, want in wanted.items() if not want])
    inside = _at([port for port, want in wanted.items() if want])
    return _Predicate(not_match=inside)


def _at(ports: list[int]) -> _Predicate | None:
    """A predicate for these ports; None for none of them."""
    rules = [
        _Predicate(destination_port_range=range_pb2.Int32Range(start=p, end=p + 1))
        for p in sorted(ports)
    ]
    if len(rules) > 1:
        return _Predicate(or_match=_Predicate.MatchSet(rules=rules))
    return rules[0] if rules else None
