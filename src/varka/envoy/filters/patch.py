"""One EnvoyFilter patch, ready to apply."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.core.v3 import extension_pb2
from envoy.config.listener.v3 import listener_components_pb2, listener_pb2
from envoy.config.route.v3 import route_components_pb2, route_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2 as hcm_pb2,
)
from msgspec import Struct

from varka.envoy.filters.json import Unreadable, read_json
from varka.mesh.model import FilterPatch
from varka.resources.model.networking import (
    ApplyTo,
    ClusterMatch,
    ListenerMatch,
    Operation,
    PatchContext,
    RouteConfigurationMatch,
)

_MESSAGES: dict[ApplyTo, Any] = {
    ApplyTo.LISTENER: listener_pb2.Listener,
    ApplyTo.LISTENER_FILTER: listener_components_pb2.ListenerFilter,
    ApplyTo.FILTER_CHAIN: listener_components_pb2.FilterChain,
    ApplyTo.NETWORK_FILTER: listener_components_pb2.Filter,
    ApplyTo.HTTP_FILTER: hcm_pb2.HttpFilter,
    ApplyTo.ROUTE_CONFIGURATION: route_pb2.RouteConfiguration,
    ApplyTo.VIRTUAL_HOST: route_components_pb2.VirtualHost,
    ApplyTo.HTTP_ROUTE: route_components_pb2.Route,
    ApplyTo.CLUSTER: cluster_pb2.Cluster,
    ApplyTo.EXTENSION_CONFIG: extension_pb2.TypedExtensionConfig,
}
_ORDERED = (
    ApplyTo.LISTENER_FILTER,
    ApplyTo.NETWORK_FILTER,
    ApplyTo.HTTP_FILTER,
    ApplyTo.HTTP_ROUTE,
)
_INSERTS = (Operation.INSERT_AFTER, Operation.INSERT_BEFORE, Operation.INSERT_FIRST)
MERGES = (Operation.MERGE, Operation.MERGE_AND_REPLACE_LIST)


class Patch(Struct, frozen=True, eq=False):
    """`value` is a decoded message of the type that `apply_to` asks for; never changed, only copied
    from."""

    source: FilterPatch
    apply_to: ApplyTo
    operation: Operation
    context: PatchContext
    value: Any
    listener: ListenerMatch | None
    route_configuration: RouteConfigurationMatch | None
    cluster: ClusterMatch | None

    def in_context(self, context: PatchContext) -> bool:
        return self.context in (PatchContext.ANY, context)

    def adds_in(self, context: PatchContext) -> bool:
        """Whole listeners and clusters added without a context go to outbound and gateways only,
        once per proxy; extension configurations to all who ask for them."""
        if self.apply_to is ApplyTo.EXTENSION_CONFIG:
            return True
        if self.context is PatchContext.ANY:
            return context is not PatchContext.SIDECAR_INBOUND
        return self.context is context


def compiled(source: FilterPatch) -> Patch | Unreadable:
    """The patch, or why its value is no valid message of the type it is for."""
    spec = source.patch
    if spec.patch is None or spec.apply_to not in _MESSAGES:
        return Unreadable("no patch")
    operation = spec.patch.operation
    if operation in _INSERTS and spec.apply_to not in _ORDERED:
        operation = Operation.ADD
    try:
        value = read_json(spec.patch.value or {}, _MESSAGES[spec.apply_to]())
    except Unreadable as error:
        return error
    match = spec.match
    return Patch(
        source,
        spec.apply_to,
        operation,
        match.context if match else PatchContext.ANY,
        value,
        match.listener if match else None,
        match.route_configuration if match else None,
        match.cluster if match else None,
    )


class Run:
    """Patches being applied to one resource; notes which of them found something to change."""

    def __init__(self, patches: tuple[Patch, ...], context: PatchContext) -> None:
        self._patches = [p for p in patches if p.in_context(context)]
        self.context = context
        self.hits: set[FilterPatch] = set()
        self.refused: dict[FilterPatch, str] = {}
        """Patches that don't fit what they match, and why."""

    def of(
        self, apply_to: ApplyTo, accepts: Callable[[Patch], bool] = lambda _: True
    ) -> list[Patch]:
        """The patches for one kind of object, in order."""
        return [p for p in self._patches if p.apply_to is apply_to and accepts(p)]

    def hit(self, patch: Patch) -> None:
        self.hits.add(patch.source)

    def refuse(self, patch: Patch, reason: str) -> None:
        self.refused[patch.source] = reason


def edit_list(
    run: Run,
    items: Any,
    patch: Patch,
    matches: Callable[[Any], bool] | None,
    *,
    first_needs_match: bool = False,
) -> None:
    """ADD, INSERT_*, REPLACE and REMOVE on a repeated message field, in place.

    `matches` tells the element a patch is relative to; None when it names none, which makes an
    insertion go to the end (AFTER) or the front (BEFORE), and REPLACE and REMOVE do nothing.
    """
    found = next((i for i, item in enumerate(items) if matches(item)), None) if matches else None
    operation, relative = patch.operation, matches is not None
    if operation is Operation.REMOVE:
        kept = [item for item in items if not (matches and matches(item))]
        if len(kept) != len(items):
            _assign(items, kept)
            run.hit(patch)
        return
    if operation is Operation.REPLACE:
        if found is not None:
            items[found].CopyFrom(patch.value)
            run.hit(patch)
        return
    at: int | None = None
    if operation is Operation.ADD or (operation is Operation.INSERT_AFTER and not relative):
        at = len(items)
    elif operation is Operation.INSERT_FIRST:
        at = 0 if not (first_needs_match and relative) or found is not None else None
    elif operation is Operation.INSERT_BEFORE:
        at = found if relative else 0
    elif operation is Operation.INSERT_AFTER and found is not None:
        at = found + 1
    if at is not None:
        items.insert(at, patch.value)
        run.hit(patch)


def _assign(items: Any, kept: list[Any]) -> None:
    copies = [type(item)() for item in kept]
    for copy, item in zip(copies, kept, strict=True):
        copy.CopyFrom(item)
    del items[:]
    items.extend(copies)
