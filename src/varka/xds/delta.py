"""One delta stream as a state machine: requests and views go in, responses come out. No IO, no
clock.

A stream is a cursor. For each type it holds what the client subscribed to and up to which layers of
a view it was served; the difference to the newest view is computed when the connection can take it,
so a slow client skips what it missed. Order: clusters, endpoints, secrets; when the client has
them, listeners, routes, virtual hosts; when it has all of these, clusters that are gone go.

Rules from Envoy's side (each seen with Envoy 1.40):
- an explicit subscription must be answered, else other clusters warm for ever;
- a changed EDS cluster warms until its endpoints come again, unchanged or not;
- virtual hosts that arrive before the route configuration which wants them are lost;
- one bad resource rejects its whole response.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator

from msgspec import Struct, field

from varka.envoy.resource import NO_FORMS, EnvoyResource, Form, Forms, TypeUrl, View, form_of
from varka.xds.events import Accepted, Answer, Rejection
from varka.xds.messages import DeltaRequest
from varka.xds.responses import Difference, Response, Responses

WILDCARDS = (TypeUrl.CLUSTER, TypeUrl.LISTENER, TypeUrl.VIRTUAL_HOST)
ORDER = (
    TypeUrl.CLUSTER,
    TypeUrl.ENDPOINTS,
    TypeUrl.SECRET,
    TypeUrl.EXTENSION,
    TypeUrl.LISTENER,
    TypeUrl.ROUTE,
    TypeUrl.VIRTUAL_HOST,
)
NAMING = (TypeUrl.LISTENER, TypeUrl.ROUTE, TypeUrl.VIRTUAL_HOST)
"""They name resources of the other types, and wait until the client has those."""
NAMED = tuple(t for t in ORDER if t not in NAMING)

_EMPTY = View()

Lookup = Callable[[TypeUrl, str], EnvoyResource | None]
"""A resource that a client asks for by name although no view has it: an empty route configuration,
say."""


class Subscription(Struct):
    """A type on one stream."""

    wildcard: bool
    names: frozenset[str] = frozenset()
    at: View | None = None
    """Served up to here; None: nothing sent yet."""
    held: dict[str, str] = field(default_factory=dict)
    """Versions that the client brought from an earlier stream and that were not compared yet."""
    fresh: frozenset[str] = frozenset()
    """Names to answer with the resource whatever was sent before."""
    outstanding: dict[str, Response] = field(default_factory=dict)
    """Sent, neither accepted nor rejected."""
    errors: dict[str, str] = field(default_factory=dict)
    """Resource that this client rejected -> why, until it accepts another version."""
    resumed: bool = False
    """The client came back with resources: silence tells it that nothing changed."""

    def wants(self, name: str) -> bool:
        return self.wildcard or name in self.names


class DeltaStream:
    """`request` and `update` are its inputs; `next` gives what to send now, None when there is
    nothing: the client has everything, or must answer first."""

    def __init__(
        self, responses: Responses, view: View, lookup: Lookup = lambda _type, _name: None
    ) -> None:
        self._responses, self._lookup = responses, lookup
        self.view = view
        self.types: dict[TypeUrl, Subscription] = {}
        self._ready: deque[Response] = deque()
        """Responses of one type, to be sent one after the other."""
        self._again: deque[tuple[EnvoyResource, ...]] = deque()
        """Halves of rejected responses: the good resources in them must still arrive."""
        self._behind: set[str] = set()
        """Changed clusters whose endpoints must follow."""
        self.forms: Forms = NO_FORMS
        """Route configurations that the client has: they keep their form, their virtual hosts need
        not follow again."""
        self._unsure: set[str] = set()
        """Those of them that were sent for the first time and neither accepted nor rejected."""
        self._followed: set[str] = set()
        """Route configurations just given whose virtual hosts must follow."""
        self._gone: set[str] = set()
        """Clusters to remove when nothing names them any more."""
        self._patient = True

    def update(self, view: View) -> None:
        """Types in which the views do not differ are served with that."""
        old, self.view = self.view, view
        self._patient = True
        differences = [
            self._responses.differences(*pair)
            for pair in zip(old.portions, view.portions, strict=True)
        ]
        for type_, subscription in self.types.items():
            if subscription.at is old and not any(type_ in found for found in differences):
                subscription.at = view

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
            explicit = [n for n in request.subscribe if n != "*"]
            wildcard = type_ in WILDCARDS and ("*" in request.subscribe or not explicit)
            held = dict(request.versions)
            subscription = self.types[type_] = Subscription(wildcard, held=held, resumed=bool(held))
            if type_ is TypeUrl.ROUTE:
                self._has_routes((name, form_of(version)) for name, version in held.items())
        answers = self._answered(type_, subscription, request) if request.nonce else ()
        self._subscribe(subscription, request)
        if type_ is TypeUrl.ROUTE:
            self._has_no_routes(request.unsubscribe)
        return answers

    def in_sync(self) -> bool:
        """Everything of the newest view was sent and answered."""
        if self._ready or self._again or self._gone:
            return False
        for subscription in self.types.values():
            if subscription.at is not self.view or subscription.outstanding or subscription.fresh:
                return False
        return True

    def refused(self) -> Iterator[Rejection]:
        """What the client rejected and still goes without."""
        for type_, subscription in self.types.items():
            found = (
                (self.view.get(type_, name), error) for name, error in subscription.errors.items()
            )
            yield from (
                Rejection(resource, error) for resource, error in found if resource is not None
            )

    def next(self) -> Response | None:
        """The next response; taking it means sending it."""
        if not self._ready:
            self._ready.extend(self._fill())
        if not self._ready:
            return None
        response = self._ready.popleft()
        self.types[response.type].outstanding[response.nonce] = response
        self._responses.count(response)
        return response

    def _subscribe(self, subscription: Subscription, request: DeltaRequest) -> None:
        """Whole sets of names, which streams that ask for the same share."""
        wanted, unwanted = frozenset(request.subscribe), frozenset(request.unsubscribe)
        if "*" in wanted:
            subscription.wildcard, wanted = True, wanted - {"*"}
        if wanted:
            subscription.names = self._responses.union(subscription.names, wanted)
            subscription.fresh |= (
                wanted.difference(request.versions) if request.versions else wanted
            )
        if unwanted:
            subscription.wildcard = subscription.wildcard and "*" not in unwanted
            subscription.names -= unwanted
            subscription.fresh -= unwanted

    def _answered(
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
                self._unsure.difference_update(r.name for r in response.resources)
            return (Accepted(response),)
        if len(response.resources) == 1:
            resource = response.resources[0]
            subscription.errors[resource.name] = request.error
            if type_ is TypeUrl.ROUTE and resource.name in self._unsure:
                self._has_no_routes((resource.name,))
            return (Rejection(resource, request.error),)
        middle = len(response.resources) // 2
        halves = (response.resources[:middle], response.resources[middle:])
        self._again.extend(half for half in halves if half)
        return ()

    def _fill(self) -> list[Response]:
        """All that is due of the first type that has something due."""
        while self._again:
            current = tuple(r for r in self._again.popleft() if self.view.get(r.type, r.name) is r)
            if current:
                return [self._responses.response(current[0].type, current)]
        for type_ in ORDER:
            subscription = self.types.get(type_)
            if subscription is None or not self._due(type_, subscription) or self._must_wait(type_):
                continue
            if responses := self._serve(type_, subscription):
                return responses
        if not self._gone or self._waits_for(ORDER):
            return []
        gone = tuple(sorted(n for n in self._gone if self.view.get(TypeUrl.CLUSTER, n) is None))
        self._gone = set()
        return [self._responses.response(TypeUrl.CLUSTER, (), gone)] if gone else []

    def _waits_for(self, types: tuple[TypeUrl, ...]) -> bool:
        return self._patient and any(t in self.types and self.types[t].outstanding for t in types)

    def _due(self, type_: TypeUrl, subscription: Subscription) -> bool:
        """Something may have to be sent."""
        if subscription.at is not self.view or subscription.fresh:
            return True
        return bool(
            self._behind
            if type_ is TypeUrl.ENDPOINTS
            else self._followed
            if type_ is TypeUrl.VIRTUAL_HOST
            else ()
        )

    def _must_wait(self, type_: TypeUrl) -> bool:
        """A change of what names others waits for their acceptance; what the client asked for never
        waits."""
        if type_ not in NAMING:
            return False
        subscription = self.types[type_]
        asked = (
            subscription.at is None
            or subscription.fresh
            or (type_ is TypeUrl.VIRTUAL_HOST and self._followed)
        )
        return not asked and self._waits_for(NAMED)

    def _serve(self, type_: TypeUrl, subscription: Subscription) -> list[Response]:
        """Responses that bring one type up to the newest view; the cursor moves there."""
        behind = self._behind if type_ is TypeUrl.ENDPOINTS else set()
        followed = self._followed if type_ is TypeUrl.VIRTUAL_HOST else set()
        first = subscription.at is None
        differences = self._differences(type_, subscription.at)
        if not (first or differences or subscription.fresh or behind or followed):
            subscription.at = self.view
            return []
        parts = [self._cut(found, subscription) for found in differences]
        if type_ is TypeUrl.VIRTUAL_HOST:
            parts = [self._awaited(part) for part in parts]
        again, unknown = (
            self._asked(type_, subscription, behind, parts)
            if subscription.fresh or behind
            else ((), ())
        )
        following = self._following(type_, followed, parts) if followed else ()
        removed = self._removed(type_, subscription, differences) + unknown
        subscription.at, subscription.held, subscription.fresh = self.view, {}, frozenset()
        behind.clear()
        followed.clear()
        sent = [
            resources for resources in (*(p.changed for p in parts), again + following) if resources
        ]
        self._note(type_, sent, removed, first)
        if type_ is TypeUrl.CLUSTER:
            removed = ()
        if not sent and not removed and first and not subscription.resumed:
            return self._nothing(type_)
        responses = [self._responses.response(type_, resources) for resources in sent[:-1]]
        if sent or removed:
            responses.append(self._responses.response(type_, sent[-1] if sent else (), removed))
        return responses

    def _differences(self, type_: TypeUrl, old: View | None) -> list[Difference]:
        """Between an old view (None: nothing) and the newest one, portion by portion."""
        portions = zip((old or _EMPTY).portions, self.view.portions, strict=True)
        return [
            found
            for before, now in portions
            if (found := self._responses.differences(before, now).get(type_))
        ]

    def _cut(self, found: Difference, subscription: Subscription) -> Difference:
        """What of it the client wants and has not; mostly all of it."""
        held = subscription.held
        if not held and (subscription.wildcard or found.names <= subscription.names):
            return found
        wanted = tuple(
            r for r in found.changed if subscription.wants(r.name) and held.get(r.name) != r.version
        )
        return Difference(wanted, found.removed, frozenset(r.name for r in wanted))

    def _awaited(self, hosts: Difference) -> Difference:
        """Without those whose route configuration the client has not: they would be lost now, and
        will follow it."""
        routes = {name for name, _ in self.forms}
        if self._responses.routes(hosts) <= routes:
            return hosts
        found = tuple(host for host in hosts.changed if host.name.partition("/")[0] in routes)
        return Difference(found, hosts.removed, frozenset(host.name for host in found))

    def _asked(
        self, type_: TypeUrl, subscription: Subscription, behind: set[str], parts: list[Difference]
    ) -> tuple[tuple[EnvoyResource, ...], tuple[str, ...]]:
        """What must be sent although it did not change, and names asked for that are nowhere."""
        names = subscription.fresh.union(n for n in behind if subscription.wants(n)).difference(
            *(p.names for p in parts)
        )
        found, unknown = [], []
        for name in sorted(names):
            resource = self.view.get(type_, name) or self._lookup(type_, name)
            if resource is not None:
                found.append(resource)
            elif name in subscription.fresh:
                unknown.append(name)
        return tuple(found), tuple(unknown)

    def _following(
        self, type_: TypeUrl, routes: set[str], parts: list[Difference]
    ) -> tuple[EnvoyResource, ...]:
        """The virtual hosts of route configurations that are not sent anyway."""
        there = [r for r in self.view.of(type_) if r.name.partition("/")[0] in routes]
        return tuple(r for r in there if not any(r.name in part.names for part in parts))

    def _removed(
        self, type_: TypeUrl, subscription: Subscription, differences: list[Difference]
    ) -> tuple[str, ...]:
        """What the client has and the view has not. Envoy itself drops endpoints and routes that
        nothing names."""
        if type_ in (TypeUrl.ENDPOINTS, TypeUrl.ROUTE):
            return ()
        names = {
            *subscription.held,
            *(name for difference in differences for name in difference.removed),
        }
        return tuple(
            sorted(n for n in names if subscription.wants(n) and self.view.get(type_, n) is None)
        )

    def _note(
        self,
        type_: TypeUrl,
        sent: list[tuple[EnvoyResource, ...]],
        removed: tuple[str, ...],
        first: bool,
    ) -> None:
        """What other types must send because of this one."""
        if type_ is TypeUrl.CLUSTER:
            self._behind |= {r.name for part in sent for r in part}
            self._gone |= set(removed)
        elif type_ is TypeUrl.ROUTE:
            new = self._has_routes((r.name, r.form) for part in sent for r in part)
            self._unsure |= new
            if TypeUrl.VIRTUAL_HOST in self.types and not first:
                self._followed |= new

    def _has_routes(self, found: Iterable[tuple[str, Form]]) -> set[str]:
        """Route configurations that the client has from now on; the names of those that it had not,
        or in another form."""
        new = frozenset(found) - self.forms
        names = {name for name, _ in new}
        if new:
            self.forms = self._responses.union(
                frozenset(kept for kept in self.forms if kept[0] not in names), new
            )
        return names

    def _has_no_routes(self, names: Collection[str]) -> None:
        if names:
            self.forms = frozenset(kept for kept in self.forms if kept[0] not in names)
            self._unsure.difference_update(names)

    def _nothing(self, type_: TypeUrl) -> list[Response]:
        """The answer to a first request for which there is nothing: Envoy waits for one."""
        if type_ is TypeUrl.VIRTUAL_HOST:
            routes = self.types[TypeUrl.ROUTE].names if TypeUrl.ROUTE in self.types else set()
            return [
                self._responses.response(
                    type_, (), tuple(f"{name}/none" for name in sorted(routes))
                )
            ]
        return [self._responses.response(type_, ())]
