"""Responses as values that streams share: the difference of two views, encoded once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import TypeVar

from msgspec import Struct

from varka.base.memo import Memo
from varka.envoy.resource import EnvoyResource, Layers, Portion, TypeUrl
from varka.mesh.model import PatchContent
from varka.xds.messages import delta_response
from varka.xds.transport.message import Message

T = TypeVar("T")

_BUDGET = 16 << 20
"""Bytes of encoded responses kept for further streams."""


class Response(Struct, frozen=True, eq=False):
    """One message for any number of streams; equal nonces on different streams do no harm."""

    type: TypeUrl
    nonce: str
    resources: tuple[EnvoyResource, ...]
    removed: tuple[str, ...]
    message: Message
    patches: frozenset[PatchContent] = frozenset()
    """The EnvoyFilter patches that its resources were made with."""


class Difference(Struct, frozen=True, eq=False):
    """What a client needs to get from some layers of one type to others."""

    changed: tuple[EnvoyResource, ...]
    removed: tuple[str, ...]
    names: frozenset[str]
    """The names of `changed`."""


Differences = Mapping[TypeUrl, Difference]
"""The types in which two portions differ."""
_NONE: Differences = {}


class Responses:
    """What all streams of a server share. `encoded` counts resources put into new responses,
    `sent` and `sent_bytes` what went out, by type."""

    def __init__(self) -> None:
        self._memo = Memo()
        self._responses: OrderedDict[
            tuple[TypeUrl, tuple[EnvoyResource, ...], tuple[str, ...]], Response
        ] = OrderedDict()
        self._bytes = 0
        self._nonce = 0
        self.encoded: dict[TypeUrl, int] = {}
        self.sent: dict[TypeUrl, int] = {}
        self.sent_bytes: dict[TypeUrl, int] = {}

    def turn(self) -> None:
        """New views are there: differences that nobody asked for since the last turn are
        dropped."""
        self._memo.turn()

    def differences(self, old: Portion, new: Portion) -> Differences:
        """What a client that has `old` lacks of `new`; computed once for each pair."""
        return _NONE if old is new else self._memo.nested(_differences, old, new)

    def union(self, known: frozenset[T], more: frozenset[T]) -> frozenset[T]:
        """Both sets as one. Streams that come to the same set by the same steps share it."""
        return self._memo(frozenset[T].union, known, more) if known else more

    def routes(self, hosts: Difference) -> frozenset[str]:
        """The names of the route configurations that virtual hosts belong to."""
        return self._memo(_routes, hosts)

    def count(self, response: Response) -> None:
        """Note that a stream sends this."""
        self.sent[response.type] = self.sent.get(response.type, 0) + len(response.resources)
        self.sent_bytes[response.type] = (
            self.sent_bytes.get(response.type, 0) + response.message.size
        )

    def response(
        self, type_: TypeUrl, resources: tuple[EnvoyResource, ...], removed: tuple[str, ...] = ()
    ) -> Response:
        """The response with these, encoded once for all streams."""
        key = (type_, resources, removed)
        known = self._responses.get(key)
        if known is not None:
            self._responses.move_to_end(key)
            return known
        self._nonce += 1
        nonce = f"{self._nonce:x}"
        patches = frozenset(patch.content for resource in resources for patch in resource.patches)
        made = Response(
            type_,
            nonce,
            resources,
            removed,
            Message(delta_response(type_, nonce, resources, removed)),
            patches,
        )
        self.encoded[type_] = self.encoded.get(type_, 0) + len(resources)
        self._responses[key] = made
        self._bytes += made.message.size
        while self._bytes > _BUDGET and len(self._responses) > 1:
            _, dropped = self._responses.popitem(last=False)
            self._bytes -= dropped.message.size
        return made


def _routes(hosts: Difference) -> frozenset[str]:
    return frozenset(name.partition("/")[0] for name in hosts.names)


def _differences(memo: Memo, old: Portion, new: Portion) -> Differences:
    pairs = {
        t: (old.layers.get(t, ()), new.layers.get(t, ()))
        for t in old.layers.keys() | new.layers.keys()
    }
    differences = {
        t: memo(_difference, before, after)
        for t, (before, after) in pairs.items()
        if before != after
    }
    return {type_: each for type_, each in differences.items() if each.changed or each.removed}


def _difference(old: Layers, new: Layers) -> Difference:
    """Layers that both have are passed over; equal versions are not changes."""
    before, after = set(old), set(new)
    had = {
        name: r.version
        for layer in old
        if layer not in after
        for name, r in layer.resources.items()
    }
    changed, kept = [], set()
    for layer in new:
        if layer in before:
            continue
        for name, resource in layer.resources.items():
            kept.add(name)
            if had.get(name) != resource.version:
                changed.append(resource)
    return Difference(
        tuple(changed), tuple(sorted(had.keys() - kept)), frozenset(r.name for r in changed)
    )
