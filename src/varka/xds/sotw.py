"""One state-of-the-world stream as a state machine: what stock tools and old proxies speak.

Each response holds everything of a type that the client asked for; it is sent again only when that changed.
"""

from __future__ import annotations

from dataclasses import dataclass

from varka.base.hashing import content_hash
from varka.envoy.resource import EnvoyResource, TypeUrl, View
from varka.xds.delta import ORDER, Lookup
from varka.xds.messages import SotwRequest, sotw_response

_WHOLE = (TypeUrl.CLUSTER, TypeUrl.LISTENER)


@dataclass(slots=True)
class Watch:
    """A type on one stream."""

    names: tuple[str, ...] = ()
    version: str = ""
    """Of the newest response, accepted or not."""
    nonce: str = ""
    asked: bool = True
    """The client asked for other names, or for the first time: it must be answered."""
    error: str = ""


@dataclass(frozen=True, slots=True)
class SotwResponse:
    type: TypeUrl
    body: bytes
    resources: int


class SotwStream:
    """`request` and `update` are its inputs; `next` gives what to send now, None when the client has everything."""

    def __init__(self, view: View, lookup: Lookup = lambda _type, _name: None) -> None:
        self._lookup = lookup
        self._sent = 0
        self._served: dict[TypeUrl, View] = {}
        self.view = view
        self.types: dict[TypeUrl, Watch] = {}
        self.sent_bytes: dict[TypeUrl, int] = {}

    def update(self, view: View) -> None:
        self.view = view

    def request(self, request: SotwRequest) -> None:
        """Take a request. A nonce that is not the newest is of a response that was overtaken: ignored."""
        if request.type not in TypeUrl._value2member_map_:
            return
        type_ = TypeUrl(request.type)
        watch = self.types.get(type_)
        if watch is None:
            self.types[type_] = Watch(request.names)
            return
        if request.nonce and request.nonce != watch.nonce:
            return
        watch.error = request.error
        if request.names != watch.names:
            watch.asked = watch.asked or not set(request.names) <= set(watch.names)
            watch.names = request.names

    def settled(self) -> bool:
        return all(self._served.get(t) is self.view and not w.asked for t, w in self.types.items())

    def next(self) -> SotwResponse | None:
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
            watch.version, watch.nonce, watch.asked = version, str(self._sent), False
            body = sotw_response(type_, watch.nonce, version, resources)
            self.sent_bytes[type_] = self.sent_bytes.get(type_, 0) + len(body)
            return SotwResponse(type_, body, len(resources))
        return None

    def _resources(self, type_: TypeUrl, watch: Watch) -> list[EnvoyResource]:
        if type_ in _WHOLE and not watch.names:
            return list(self.view.of(type_))
        found = (self.view.get(type_, name) or self._lookup(type_, name) for name in watch.names)
        return [r for r in found if r is not None]
