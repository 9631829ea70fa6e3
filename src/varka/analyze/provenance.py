"""Which objects a resource that a proxy rejected was made from, down to the patch where that is
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
    """The objects, likeliest first, with the place to look at: an EnvoyFilter's patch, the list
    when it is one of several."""
    for key in resource.origins:
        patches = [
            (*patch.path, "patch", "value") for patch in resource.patches if patch.source == key
        ]
        yield key, state.origin(key, common(patches))


def common(paths: list[Path]) -> Path:
    """The innermost place that all paths go through."""
    return tuple(
        step
        for step, *_ in takewhile(lambda steps: len(set(steps)) == 1, zip(*paths, strict=False))
    )
