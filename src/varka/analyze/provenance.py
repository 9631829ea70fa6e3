"""Which objects a resource that a proxy rejected was made from, down to the field where that is
known."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile

from varka.base.diagnostic import Origin
from varka.base.names import ObjectKey
from varka.envoy.resource import EnvoyResource
from varka.resources.yaml import Path
from varka.store.state import State


def made_from(resource: EnvoyResource, state: State) -> Iterator[tuple[ObjectKey, Origin | None]]:
    """The objects, likeliest first, with the place to look at: a route, a subset, a server, an
    EnvoyFilter's patch; what is around all of them when it is one of several."""
    fields = resource.planned.fields if resource.planned is not None else ()
    for key in resource.origins:
        paths: list[Path] = [
            (*patch.path, "patch", "value") for patch in resource.patches if patch.source == key
        ]
        paths = paths or [field.path for field in fields if field.key == key]
        yield key, state.origin(key, common(paths))


def common(paths: list[Path]) -> Path:
    """The innermost place that all paths go through."""
    return tuple(
        step
        for step, *_ in takewhile(lambda steps: len(set(steps)) == 1, zip(*paths, strict=False))
    )
