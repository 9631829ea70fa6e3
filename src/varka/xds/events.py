"""What happens on streams, as values: streams return answers, the hub puts events in its queue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from varka.envoy.resource import EnvoyResource
from varka.xds.responses import Response

if TYPE_CHECKING:
    from varka.xds.hub import Connection


@dataclass(frozen=True, slots=True)
class Accepted:
    """The client took all of a response."""

    response: Response


@dataclass(frozen=True, slots=True)
class Rejection:
    """A resource that the client does not accept: alone in its response, or named by the error."""

    resource: EnvoyResource
    error: str


Answer = Accepted | Rejection


@dataclass(frozen=True, slots=True)
class Connected:
    connection: Connection


@dataclass(frozen=True, slots=True)
class Disconnected:
    connection: Connection


@dataclass(frozen=True, slots=True)
class Answered:
    """A client answered a response. `number` is the publication that its view is of."""

    connection: Connection
    number: int
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class InSync:
    """A client has answered everything of the view that it got with publication `number`."""

    connection: Connection
    number: int


@dataclass(frozen=True, slots=True)
class Failed:
    """A bug of ours, while doing something."""

    error: Exception
    doing: str


Event = Connected | Disconnected | Answered | InSync | Failed


class EventQueue(Protocol):
    """Takes events; an `asyncio.Queue` without bound is one."""

    def put_nowait(self, item: Event, /) -> None: ...
