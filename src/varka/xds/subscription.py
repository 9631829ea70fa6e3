"""One type on one delta stream: what the client asked for, what it was sent, what it said of it."""

from __future__ import annotations

from msgspec import Struct, field

from varka.envoy.resource import TypeUrl, View
from varka.xds.messages import DeltaRequest
from varka.xds.responses import Difference, Response, Responses

WILDCARDS = (TypeUrl.CLUSTER, TypeUrl.LISTENER, TypeUrl.VIRTUAL_HOST)
"""Types of which a client may ask for all there is."""


class Subscription(Struct):
    """Belongs to one stream."""

    wildcard: bool
    names: frozenset[str] = frozenset()
    served: View | None = None
    """The view up to which the client was sent everything; None before the first response."""
    held: dict[str, str] = field(default_factory=dict)
    """Name -> version of what the client brought from an earlier stream, until it is compared."""
    requested: frozenset[str] = frozenset()
    """Names that must be answered, whatever was sent before."""
    outstanding: dict[str, Response] = field(default_factory=dict)
    """Nonce -> a response that was sent and neither accepted nor rejected."""
    errors: dict[str, str] = field(default_factory=dict)
    """Resource that the client rejected -> why, until it accepts another version."""
    resumed: bool = False
    """The client came back with resources: silence tells it that nothing changed."""

    @classmethod
    def begin(cls, type_: TypeUrl, request: DeltaRequest) -> Subscription:
        """From the first request of its type: one without names asks for all there is."""
        named = any(name != "*" for name in request.subscribe)
        wildcard = type_ in WILDCARDS and ("*" in request.subscribe or not named)
        held = dict(request.versions)
        return cls(wildcard, held=held, resumed=bool(held))

    def wants(self, name: str) -> bool:
        return self.wildcard or name in self.names

    def change(self, request: DeltaRequest, responses: Responses) -> None:
        """Subscribe and unsubscribe. Streams that ask for the same share one set of names."""
        wanted, unwanted = frozenset(request.subscribe), frozenset(request.unsubscribe)
        if "*" in wanted:
            self.wildcard, wanted = True, wanted - {"*"}
        if wanted:
            self.names = responses.union(self.names, wanted)
            self.requested |= wanted.difference(request.versions) if request.versions else wanted
        if unwanted:
            self.wildcard = self.wildcard and "*" not in unwanted
            self.names -= unwanted
            self.requested -= unwanted

    def cut(self, difference: Difference) -> Difference:
        """The part that the client wants and does not hold; mostly that is all of it."""
        held = self.held
        if not held and (self.wildcard or difference.names <= self.names):
            return difference
        wanted = tuple(
            r for r in difference.changed if self.wants(r.name) and held.get(r.name) != r.version
        )
        return Difference(wanted, difference.removed, frozenset(r.name for r in wanted))

    def serve(self, view: View) -> None:
        """The client is sent everything up to this view."""
        self.served, self.held, self.requested = view, {}, frozenset()
