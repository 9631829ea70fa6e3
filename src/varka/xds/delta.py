"""One delta stream as a state machine: requests and views go in, responses come out. No IO, no
clock.

A stream is a cursor. For each type it holds what the client subscribed to and up to which view it
was served; the difference to the newest view is computed when the connection can take it, so a slow
client skips what it missed. Order: clusters, endpoints, secrets; when the client has accepted them,
listeners, routes, virtual hosts; when it has accepted all of these, clusters that are gone are
removed.

Rules from Envoy's side (each seen with Envoy 1.40):
- an explicit subscription must be answered, else other clusters warm for ever;
- a changed EDS cluster warms until its endpoints come again, unchanged or not;
- virtual hosts that arrive before the route configuration which wants them are lost;
- one bad resource rejects its whole response.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import chain

from varka.envoy.resource import EnvoyResource, Forms, TypeUrl, View
from varka.xds.events import Accepted, Answer, Rejection
from varka.xds.messages import DeltaRequest
from varka.xds.responses import Difference, Response, Responses
from varka.xds.routeforms import RouteForms
from varka.xds.subscription import Subscription

NAMED = (TypeUrl.CLUSTER, TypeUrl.ENDPOINTS, TypeUrl.SECRET, TypeUrl.EXTENSION)
NAMING = (TypeUrl.LISTENER, TypeUrl.ROUTE, TypeUrl.VIRTUAL_HOST)
"""They name resources of the other types, and wait until the client has accepted those."""
ORDER = NAMED + NAMING

_EMPTY = View()
_NO_NAMES: frozenset[str] = frozenset()

Lookup = Callable[[TypeUrl, str], EnvoyResource | None]
"""A resource that a client asks for by name although no view has it: an empty route configuration,
say."""


class DeltaStream:
    """`request` and `update` are its inputs; `next` gives what to send now, None when there is
    nothing: the client has everything, or must answer first."""

    def __init__(
        self, responses: Responses, view: View, lookup: Lookup = lambda _type, _name: None
    ) -> None:
        self._responses, self._lookup = responses, lookup
        self.view = view
        self.types: dict[TypeUrl, Subscription] = {}
        self._routes = RouteForms(responses)
        self._ready: deque[Response] = deque()
        """Responses of one type, to be sent one after the other."""
        self._halves: deque[tuple[EnvoyResource, ...]] = deque()
        """The resources of rejected responses, in halves: the good ones must still arrive."""
        self._endpoints_due: set[str] = set()
        """Changed clusters, whose endpoints must be sent again."""
        self._removable: set[str] = set()
        """Clusters to remove when nothing names them any more."""
        self._patient = True
        """What names others waits for the client's answers."""

    @property
    def forms(self) -> Forms:
        """The route configurations that the client has: in a view they must keep their form."""
        return self._routes.forms

    def update(self, view: View) -> None:
        """Go on to another view. Types in which the views do not differ are served with that."""
        old, self.view = self.view, view
        self._patient = True
        pairs = zip(old.portions, view.portions, strict=True)
        differences = [self._responses.differences(before, now) for before, now in pairs]
        for type_, subscription in self.types.items():
            if subscription.served is old and not any(type_ in part for part in differences):
                subscription.served = view

    def overdue(self) -> None:
        """The client takes too long to answer: go on with this view without waiting."""
        self._patient = False

    def request(self, request: DeltaRequest) -> tuple[Answer, ...]:
        """Take a request: what it says of a response that was sent. Unknown types are ignored."""
        if request.type not in TypeUrl._value2member_map_:
            return ()
        type_ = TypeUrl(request.type)
        subscription = self.types.get(type_)
        if subscription is None:
            subscription = self.types[type_] = Subscription.begin(type_, request)
            if type_ is TypeUrl.ROUTE:
                self._routes.held(subscription.held.items())
        answers = self._answers(type_, subscription, request) if request.nonce else ()
        subscription.change(request, self._responses)
        if type_ is TypeUrl.ROUTE:
            self._routes.dropped(request.unsubscribe)
        return answers

    def in_sync(self) -> bool:
        """Everything of the newest view was sent and answered."""
        if self._ready or self._halves or self._removable:
            return False
        for one in self.types.values():
            if one.served is not self.view or one.outstanding or one.requested:
                return False
        return True

    def refused(self) -> Iterator[Rejection]:
        """What the client rejected and still goes without."""
        for type_, subscription in self.types.items():
            for name, error in subscription.errors.items():
                resource = self.view.get(type_, name)
                if resource is not None:
                    yield Rejection(resource, error)

    def next(self) -> Response | None:
        """The next response; taking it means sending it."""
        if not self._ready:
            self._ready.extend(self._due())
        if not self._ready:
            return None
        response = self._ready.popleft()
        self.types[response.type].outstanding[response.nonce] = response
        self._responses.count(response)
        return response

    def _answers(
        self, type_: TypeUrl, subscription: Subscription, request: DeltaRequest
    ) -> tuple[Answer, ...]:
        """A rejected response of several resources says nothing yet: its halves are sent again."""
        response = subscription.outstanding.pop(request.nonce, None)
        if response is None:
            return ()
        if not request.error:
            for resource in response.resources if subscription.errors else ():
                subscription.errors.pop(resource.name, None)
            if type_ is TypeUrl.ROUTE:
                self._routes.accepted(response.resources)
            return (Accepted(response),)
        if len(response.resources) == 1:
            resource = response.resources[0]
            subscription.errors[resource.name] = request.error
            if type_ is TypeUrl.ROUTE:
                self._routes.rejected(resource.name)
            return (Rejection(resource, request.error),)
        middle = len(response.resources) // 2
        halves = (response.resources[:middle], response.resources[middle:])
        self._halves.extend(half for half in halves if half)
        return ()

    def _due(self) -> list[Response]:
        """The responses of the first type that has something to send."""
        while self._halves:
            half = self._halves.popleft()
            current = tuple(r for r in half if self.view.get(r.type, r.name) is r)
            if current:
                return [self._responses.response(current[0].type, current)]
        for type_ in ORDER:
            subscription = self.types.get(type_)
            if (
                subscription is not None
                and self._may_lack(type_, subscription)
                and not self._must_wait(type_, subscription)
                and (responses := self._serve(type_, subscription))
            ):
                return responses
        if not self._removable or self._waits_for(ORDER):
            return []
        view, removable = self.view, self._removable
        gone = tuple(sorted(n for n in removable if view.get(TypeUrl.CLUSTER, n) is None))
        self._removable = set()
        return [self._responses.response(TypeUrl.CLUSTER, (), gone)] if gone else []

    def _waits_for(self, types: tuple[TypeUrl, ...]) -> bool:
        return self._patient and any(t in self.types and self.types[t].outstanding for t in types)

    def _again(self, type_: TypeUrl) -> set[str] | frozenset[str]:
        """Names behind which resources of this type must be sent although they did not change."""
        if type_ is TypeUrl.ENDPOINTS:
            return self._endpoints_due
        return self._routes.hosts_due if type_ is TypeUrl.VIRTUAL_HOST else _NO_NAMES

    def _may_lack(self, type_: TypeUrl, subscription: Subscription) -> bool:
        """Whether something may have to be sent."""
        current = subscription.served is self.view and not subscription.requested
        return not current or bool(self._again(type_))

    def _must_wait(self, type_: TypeUrl, subscription: Subscription) -> bool:
        """A change of what names others waits until those are accepted; what the client asked for
        never waits."""
        if type_ not in NAMING:
            return False
        asked = subscription.served is None or subscription.requested or self._again(type_)
        return not asked and self._waits_for(NAMED)

    def _serve(self, type_: TypeUrl, subscription: Subscription) -> list[Response]:
        """Responses that bring one type up to the newest view; the cursor moves there."""
        first = subscription.served is None
        differences = self._differences(type_, subscription.served)
        again = self._again(type_)
        if not (first or differences or subscription.requested or again):
            subscription.served = self.view
            return []
        parts = [subscription.cut(difference) for difference in differences]
        if type_ is TypeUrl.VIRTUAL_HOST:
            parts = [self._routes.with_route(part) for part in parts]
        unchanged, unknown = self._unchanged(type_, subscription, parts)
        removed = self._removed(type_, subscription, differences) + unknown
        subscription.serve(self.view)
        self._endpoints_due = set() if type_ is TypeUrl.ENDPOINTS else self._endpoints_due
        if type_ is TypeUrl.VIRTUAL_HOST:
            self._routes.hosts_due = set()
        sent = [part for part in (*(p.changed for p in parts), unchanged) if part]
        if type_ is TypeUrl.CLUSTER:
            self._endpoints_due |= {resource.name for resource in chain(*sent)}
            self._removable |= set(removed)
            removed = ()
        elif type_ is TypeUrl.ROUTE:
            follow = TypeUrl.VIRTUAL_HOST in self.types and not first
            self._routes.sent(chain(*sent), hosts_follow=follow)
        if not sent and not removed and first and not subscription.resumed:
            return self._nothing(type_)
        responses = [self._responses.response(type_, resources) for resources in sent[:-1]]
        if sent or removed:
            responses.append(self._responses.response(type_, sent[-1] if sent else (), removed))
        return responses

    def _differences(self, type_: TypeUrl, old: View | None) -> list[Difference]:
        """Between an old view (None: nothing) and the newest one, portion by portion."""
        pairs = zip((old or _EMPTY).portions, self.view.portions, strict=True)
        of_type = (self._responses.differences(before, now).get(type_) for before, now in pairs)
        return [difference for difference in of_type if difference]

    def _unchanged(
        self, type_: TypeUrl, subscription: Subscription, parts: list[Difference]
    ) -> tuple[tuple[EnvoyResource, ...], tuple[str, ...]]:
        """What must be sent although it did not change, and names asked for that are nowhere."""
        again = self._again(type_)
        hosts: tuple[EnvoyResource, ...] = ()
        names = subscription.requested
        if type_ is TypeUrl.ENDPOINTS:
            names = names.union(name for name in again if subscription.wants(name))
        elif again:
            of_routes = (r for r in self.view.of(type_) if r.name.partition("/")[0] in again)
            hosts = tuple(r for r in of_routes if not any(r.name in part.names for part in parts))
        resources, unknown = [], []
        for name in sorted(names.difference(*(part.names for part in parts))):
            resource = self.view.get(type_, name) or self._lookup(type_, name)
            if resource is not None:
                resources.append(resource)
            elif name in subscription.requested:
                unknown.append(name)
        return (*resources, *hosts), tuple(unknown)

    def _removed(
        self, type_: TypeUrl, subscription: Subscription, differences: list[Difference]
    ) -> tuple[str, ...]:
        """What the client has and the view has not. Envoy itself drops endpoints and routes that
        nothing names."""
        if type_ in (TypeUrl.ENDPOINTS, TypeUrl.ROUTE):
            return ()
        names = {*subscription.held, *chain.from_iterable(d.removed for d in differences)}
        return tuple(
            sorted(n for n in names if subscription.wants(n) and self.view.get(type_, n) is None)
        )

    def _nothing(self, type_: TypeUrl) -> list[Response]:
        """The answer to a first request for which there is nothing: Envoy waits for one."""
        removed: tuple[str, ...] = ()
        if type_ is TypeUrl.VIRTUAL_HOST and TypeUrl.ROUTE in self.types:
            removed = tuple(f"{name}/none" for name in sorted(self.types[TypeUrl.ROUTE].names))
        return [self._responses.response(type_, (), removed)]
