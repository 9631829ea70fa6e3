"""What happens on streams, as values: streams return answers, the hub puts events in its queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from varka.envoy.resource import EnvoyResource
from varka.xds.responses import Response

if TYPE_CHECKING:
    from varka.xds.hub import Connection


class Accepted(Struct, frozen=True):
    """The client took all of a response."""

    response: Response


class Rejection(Struct, frozen=True):
    """A resource that the client does not accept: alone in its response, or named by the error."""

    resource: EnvoyResource
    error: str


Answer = Accepted | Rejection


class Connected(Struct, frozen=True):
    connection: Connection


class Disconnected(Struct, frozen=True):
    connection: Connection


class Answered(Struct, frozen=True):
    """A client answered a response. `number` is the publication that its view is of."""

    connection: Connection
    number: int
    answers: tuple[Answer, ...]


class InSync(Struct, frozen=True):
    """A client has answered everything of the view that it got with publication `number`."""

    connection: Connection
    number: int


class Failed(Struct, frozen=True):
    """A bug of ours, while doing something."""

    error: Exception
    doing: str


Event = Connected | Disconnected | Answered | InSync | Failed


class EventQueue(Protocol):
    """Takes events; an `asyncio.Queue` without bound is one."""

    def put_nowait(self, item: Event, /) -> None: ...
