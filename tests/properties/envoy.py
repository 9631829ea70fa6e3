"""An Envoy as a delta client: what it asks for follows from what it was given."""

from __future__ import annotations

from collections import deque
from typing import Any

from envoy.service.discovery.v3 import discovery_pb2
from tests.properties.messages import assignment_names, holds_virtual_hosts, route_names

from varka.base.memo import Memo
from varka.envoy.dump import message_of
from varka.envoy.references import SERVED, named_secrets
from varka.envoy.resource import EnvoyResource, TypeUrl
from varka.xds.messages import DeltaRequest
from varka.xds.responses import Response
from varka.xds.subscription import WILDCARDS

CDS, EDS, LDS, RDS, VHDS, SDS = (
    TypeUrl.CLUSTER,
    TypeUrl.ENDPOINTS,
    TypeUrl.LISTENER,
    TypeUrl.ROUTE,
    TypeUrl.VIRTUAL_HOST,
    TypeUrl.SECRET,
)


class Envoy:
    """Takes responses in order and queues what it would send. Listeners are asked for after the
    first clusters."""

    def __init__(self) -> None:
        self.held: dict[TypeUrl, dict[str, EnvoyResource]] = {type_: {} for type_ in TypeUrl}
        self.asked: dict[TypeUrl, set[str]] = {EDS: set(), RDS: set(), SDS: set()}
        self.opened: dict[TypeUrl, None] = {}
        """Types that were asked for on this stream, in this order."""
        self.warming: set[str] = set()
        """Clusters that wait for their endpoints."""
        self.sending: deque[DeltaRequest] = deque()
        self._memo = Memo()
        self._open(CDS)

    def reconnect(self) -> None:
        """A new stream: everything is asked for again, in the order of the first time, with the
        versions of what is there."""
        opened, self.opened = self.opened, {}
        self.sending.clear()
        for type_ in opened:
            if type_ in WILDCARDS:
                self._open(type_)
            else:
                self.opened[type_] = None
                versions = {name: r.version for name, r in self.held[type_].items()}
                self.sending.append(
                    DeltaRequest(
                        type_, subscribe=tuple(sorted(self.asked[type_])), versions=versions
                    )
                )

    def receive(self, response: Response) -> None:
        """Apply a response and accept it."""
        message = discovery_pb2.DeltaDiscoveryResponse.FromString(response.message.body)
        type_ = TypeUrl(message.type_url)
        found = [
            EnvoyResource(type_, r.name, r.resource.value, r.version) for r in message.resources
        ]
        assert len({r.name for r in found}) == len(found)
        assert all(r.version for r in found)
        self._apply(type_, found, list(message.removed_resources))
        self.sending.append(DeltaRequest(type_, nonce=message.nonce))
        if type_ is CDS:
            self._open(LDS)
        self._follow()

    def _apply(self, type_: TypeUrl, found: list[EnvoyResource], removed: list[str]) -> None:
        held = self.held[type_]
        for resource in found:
            if type_ in self.asked and resource.name not in self.asked[type_]:
                continue
            if type_ is VHDS and not self._awaits(resource.name.partition("/")[0]):
                continue
            if type_ is RDS and (before := held.get(resource.name)):
                forms = [holds_virtual_hosts(message_of(route)) for route in (before, resource)]
                assert forms[0] == forms[1], f"{resource.name} changed its form"
            held[resource.name] = resource
            if type_ is CDS:
                self.warming.update(assignment_names(message_of(resource)))
            elif type_ is EDS:
                self.warming.discard(resource.name)
        for name in removed:
            held.pop(name, None)

    def _awaits(self, route: str) -> bool:
        """Virtual hosts for a route configuration that is not there are lost."""
        known = self.held[RDS].get(route)
        return known is not None and holds_virtual_hosts(message_of(known))

    def _follow(self) -> None:
        """Ask for what is named now, and forget what no longer is."""
        self._ask(EDS, {n for cluster in self._messages(CDS) for n in assignment_names(cluster)})
        self._ask(RDS, {n for listener in self._messages(LDS) for n in route_names(listener)})
        both = (*self._messages(CDS), *self._messages(LDS))
        named = {name for message in both for name in named_secrets(message)}
        self._ask(SDS, {name for name in named if name.startswith(SERVED)})
        self.warming &= self.asked[EDS]
        if any(holds_virtual_hosts(route) for route in self._messages(RDS)):
            self._open(VHDS)
        alone = self.held[VHDS]
        self.held[VHDS] = {
            name: r for name, r in alone.items() if name.partition("/")[0] in self.held[RDS]
        }

    def _messages(self, type_: TypeUrl) -> list[Any]:
        return [message_of(resource) for resource in self.held[type_].values()]

    def _ask(self, type_: TypeUrl, wanted: set[str]) -> None:
        asked = self.asked[type_]
        more, less = tuple(sorted(wanted - asked)), tuple(sorted(asked - wanted))
        if more or less:
            self.opened[type_] = None
            self.sending.append(DeltaRequest(type_, subscribe=more, unsubscribe=less))
        self.asked[type_] = wanted
        self.held[type_] = {name: r for name, r in self.held[type_].items() if name in wanted}

    def _open(self, type_: TypeUrl) -> None:
        if type_ not in self.opened:
            self.opened[type_] = None
            self.sending.append(
                DeltaRequest(type_, versions={n: r.version for n, r in self.held[type_].items()})
            )
