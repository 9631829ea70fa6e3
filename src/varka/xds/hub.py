"""All connected proxies: who they are, which view each gets, whether they have it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from msgspec import Struct

from varka.envoy.resource import NO_FORMS, EnvoyResource, Forms, TypeUrl, View
from varka.proxy.node import Proxy
from varka.xds.delta import DeltaStream
from varka.xds.events import Answered, Connected, Disconnected, EventQueue, Failed, InSync
from varka.xds.responses import Response, Responses
from varka.xds.sotw import SotwStream

logger = logging.getLogger(__name__)


class Compiler(Protocol):
    """Gives views; `varka.envoy.compiler.Compiler` is the one."""

    def view(self, proxy: Proxy, forms: Forms = NO_FORMS) -> View: ...

    def route(self, proxy: Proxy, name: str) -> EnvoyResource: ...


class Connection(Struct, eq=False):
    """One stream of one proxy."""

    proxy: Proxy
    stream: DeltaStream | SotwStream
    number: int
    """The publication that the stream's view is of."""
    wake: Callable[[], None] = lambda: None
    """Called when the stream may have something to say."""


class Publication(Struct, frozen=True):
    """The newest views, given to all. `changed` got another view than before; where a bug of ours
    let no view be made, the proxies keep the one they have: `failures`, each sort once."""

    number: int
    changed: frozenset[Connection]
    failures: tuple[Failed, ...] = ()


class Hub:
    """Belongs to the event loop's thread. What clients do becomes an event in `events`."""

    def __init__(self, compiler: Compiler, events: EventQueue) -> None:
        self.compiler = compiler
        self._events = events
        self._number = 0
        self.responses = Responses()
        self.connections: set[Connection] = set()

    def connect(self, proxy: Proxy, *, delta: bool) -> Connection:
        """A new stream, with the view of its proxy. Whoever connects must disconnect."""

        def lookup(type_: TypeUrl, name: str) -> EnvoyResource | None:
            return self.compiler.route(proxy, name) if type_ is TypeUrl.ROUTE else None

        view = self.compiler.view(proxy)
        stream = (
            DeltaStream(self.responses, view, lookup)
            if delta
            else SotwStream(self.responses, view, lookup)
        )
        connection = Connection(proxy, stream, self._number)
        self.connections.add(connection)
        self._events.put_nowait(Connected(connection))
        return connection

    def request(self, connection: Connection, request: Any) -> None:
        """A client says something. What it brings along from an earlier stream keeps its form, in
        another view perhaps."""
        stream = connection.stream
        before = stream.forms
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug("%s: %s", connection.proxy.id, request)
        if answers := stream.request(request):
            self._events.put_nowait(Answered(connection, connection.number, answers))
        if stream.forms is not before:
            view = self.compiler.view(connection.proxy, stream.forms)
            if view is not stream.view:
                stream.update(view)
        if stream.in_sync():
            self._events.put_nowait(InSync(connection, connection.number))
        else:
            connection.wake()

    def next(self, connection: Connection) -> Response | None:
        """What to send now; None when there is nothing."""
        stream = connection.stream
        response = stream.next()
        if response is None and stream.in_sync():
            # A view in which nothing differs that the client asked for needs no answer.
            self._events.put_nowait(InSync(connection, connection.number))
        return response

    def disconnect(self, connection: Connection) -> None:
        self.connections.discard(connection)
        self._events.put_nowait(Disconnected(connection))

    def fail(self, error: Exception, doing: str) -> None:
        """A bug of ours ended a stream."""
        self._events.put_nowait(Failed(error, doing))

    def publish(self) -> Publication:
        """Give every proxy its newest view."""
        self.responses.turn()
        self._number += 1
        changed = set()
        errors: dict[str, Exception] = {}
        for connection in self.connections:
            try:
                view = self.compiler.view(connection.proxy, connection.stream.forms)
                if view is connection.stream.view:
                    continue
                connection.stream.update(view)
            except Exception as error:
                errors.setdefault(repr(error), error)
                continue
            connection.number = self._number
            changed.add(connection)
        for connection in changed:  # Who can't be sent anything any more leaves the connections.
            connection.wake()
        logger.debug("publication %d is new to %d proxies", self._number, len(changed))
        failures = (Failed(error, "making the view of a proxy") for error in errors.values())
        return Publication(self._number, frozenset(changed), tuple(failures))

    def views(self) -> Iterator[View]:
        """The distinct views in use."""
        yield from {id(c.stream.view): c.stream.view for c in self.connections}.values()
