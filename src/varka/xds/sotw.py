"""One state-of-the-world stream as a state machine: what stock tools and old proxies speak.

Each response holds everything of a type that the client asked for; it is sent again only when that
changed.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from varka.base.hashing import content_hash
from varka.envoy.resource import NO_FORMS, EnvoyResource, Forms, TypeUrl, View
from varka.xds.delta import ORDER, Lookup
from varka.xds.events import Accepted, Answer, Rejection
from varka.xds.messages import SotwRequest, sotw_response
from varka.xds.responses import Response, Responses
from varka.xds.transport.message import Message

_WHOLE = (TypeUrl.CLUSTER, TypeUrl.LISTENER)


class Watch(Struct):
    """A type on one stream."""

    names: tuple[str, ...] = ()
    version: str = ""
    """The version of the newest response, accepted or not."""
    nonce: str = ""
    asked: bool = True
    """The client asked for other names, or for the first time: it must be answered."""
    answered: bool = False
    """The client accepted or rejected the newest response."""
    error: str = ""


class SotwStream:
    """`request` and `update` are its inputs; `next` gives what to send now, None when the client
    has everything."""

    def __init__(
        self, responses: Responses, view: View, lookup: Lookup = lambda _type, _name: None
    ) -> None:
        self._responses, self._lookup = responses, lookup
        self._sent = 0
        self._served: dict[TypeUrl, View] = {}
        self.view = view
        self.types: dict[TypeUrl, Watch] = {}
        self.forms: Forms = NO_FORMS
        """Nothing keeps a form here: all route configurations are sent whole."""
        self._newest: dict[TypeUrl, Response] = {}

    def update(self, view: View) -> None:
        self.view = view

    def request(self, request: SotwRequest) -> tuple[Answer, ...]:
        """Take a request: what it says of the newest response. A nonce that is not the newest is of
        a response that was overtaken: ignored."""
        if request.type not in TypeUrl._value2member_map_:
            return ()
        type_ = TypeUrl(request.type)
        watch = self.types.get(type_)
        if watch is None:
            self.types[type_] = Watch(request.names)
            return ()
        if request.nonce and request.nonce != watch.nonce:
            return ()
        watch.error = request.error
        watch.answered = True
        if request.names != watch.names:
            watch.asked = watch.asked or not set(request.names) <= set(watch.names)
            watch.names = request.names
        if request.error:
            return tuple(self._refused(type_, watch))
        newest = self._newest.get(type_)
        return (Accepted(newest),) if newest and request.nonce else ()

    def overdue(self) -> None:
        """Nothing is held back here."""

    def in_sync(self) -> bool:
        return all(
            self._served.get(t) is self.view and not w.asked and w.answered
            for t, w in self.types.items()
        )

    def refused(self) -> Iterator[Rejection]:
        """What the client rejected and still goes without."""
        for type_, watch in self.types.items():
            yield from self._refused(type_, watch)

    def _refused(self, type_: TypeUrl, watch: Watch) -> Iterator[Rejection]:
        newest = self._newest.get(type_)
        if watch.error and newest is not None:
            yield from (
                Rejection(resource, watch.error) for resource in _named(newest, watch.error)
            )

    def next(self) -> Response | None:
        for type_ in ORDER:
            watch = self.types.get(type_)
            if watch is None or (self._served.get(type_) is self.view and not watch.asked):
                continue
            self._served[type_] = self.view
            resources = self._resources(type_, watch)
            version = content_hash("".join(f"{r.name}={r.version};" for r in resources).encode())
            if version == watch.version and not watch.asked:
                continue
            self._sent += 1
            watch.version, watch.nonce, watch.asked, watch.answered = (
                version,
                str(self._sent),
                False,
                False,
            )
            message = Message(sotw_response(type_, watch.nonce, version, resources))
            response = self._newest[type_] = Response(
                type_, watch.nonce, tuple(resources), (), message
            )
            self._responses.count(response)
            return response
        return None

    def _resources(self, type_: TypeUrl, watch: Watch) -> list[EnvoyResource]:
        if type_ in _WHOLE and not watch.names:
            return list(self.view.of(type_))
        # Virtual hosts that travel alone exist in delta only: a route configuration made for them
        # is asked for whole.
        whole = type_ is TypeUrl.ROUTE and any(self.view.layers(TypeUrl.VIRTUAL_HOST))
        found = (
            (None if whole else self.view.get(type_, name)) or self._lookup(type_, name)
            for name in watch.names
        )
        return [r for r in found if r is not None]


def _named(response: Response, error: str) -> tuple[EnvoyResource, ...]:
    """Resources that an error names; all when it names none."""
    return tuple(r for r in response.resources if r.name in error) or response.resources
