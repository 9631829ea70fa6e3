"""All connected proxies: who they are, which view each gets, whether they have it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from varka.envoy.resource import NO_FORMS, EnvoyResource, Forms, TypeUrl, View
from varka.proxy.node import Proxy
from varka.xds.delta import DeltaStream, Rejection
from varka.xds.responses import Responses
from varka.xds.sotw import SotwStream


class Compiler(Protocol):
    """Gives views; `varka.envoy.compiler.Compiler` is the one."""

    def view(self, proxy: Proxy, forms: Forms = NO_FORMS) -> View: ...

    def route(self, proxy: Proxy, name: str) -> EnvoyResource: ...


@dataclass(eq=False, slots=True)
class Connection:
    """One stream of one proxy."""

    proxy: Proxy
    stream: DeltaStream | SotwStream
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the stream may have something to say."""
    closing: bool = False

    def close(self) -> None:
        self.closing = True
        self.wake.set()


class Hub:
    """Belongs to the event loop's thread."""

    def __init__(
        self, compiler: Compiler, failed: Callable[[Exception], None] = lambda _error: None
    ) -> None:
        self.compiler = compiler
        self._failed = failed
        self.responses = Responses()
        self.connections: set[Connection] = set()

    def connect(self, proxy: Proxy, *, delta: bool) -> Connection:
        """A new stream, with the view of its proxy."""

        def lookup(type_: TypeUrl, name: str) -> EnvoyResource | None:
            return self.compiler.route(proxy, name) if type_ is TypeUrl.ROUTE else None

        view = self.compiler.view(proxy)
        stream = (
            DeltaStream(self.responses, view, lookup)
            if delta
            else SotwStream(self.responses, view, lookup)
        )
        connection = Connection(proxy, stream)
        self.connections.add(connection)
        return connection

    def request(self, connection: Connection, request: Any) -> None:
        """A client says something. What it brings along from an earlier stream keeps its form, in
        another view perhaps."""
        stream = connection.stream
        before = stream.forms
        stream.request(request)
        if stream.forms is not before:
            view = self.compiler.view(connection.proxy, stream.forms)
            if view is not stream.view:
                stream.update(view)

    def disconnect(self, connection: Connection) -> None:
        self.connections.discard(connection)

    def publish(self) -> set[Connection]:
        """Give every proxy its newest view; those that get another one than before. Where a bug of
        ours lets no view be made, the proxy keeps the one it has."""
        self.responses.turn()
        changed = set()
        errors: dict[str, Exception] = {}
        for connection in self.connections:
            try:
                view = self.compiler.view(connection.proxy, connection.stream.forms)
            except Exception as error:
                errors.setdefault(repr(error), error)
                continue
            if view is not connection.stream.view:
                connection.stream.update(view)
                connection.wake.set()
                changed.add(connection)
        for failure in errors.values():
            self._failed(failure)
        return changed

    def views(self) -> Iterator[View]:
        """The distinct views in use."""
        yield from {id(c.stream.view): c.stream.view for c in self.connections}.values()

    def rejections(self) -> Iterator[tuple[Proxy, Rejection]]:
        """What proxies rejected since the last call."""
        for connection in self.connections:
            found, connection.stream.rejections = connection.stream.rejections, []
            yield from ((connection.proxy, rejection) for rejection in found)
