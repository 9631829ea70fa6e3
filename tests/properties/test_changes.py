"""A mesh is the sum of its objects: neither their order nor how they came matters."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.properties.objects import Plain, edits, meshes
from tests.properties.world import (
    accepted,
    compiled,
    compiler,
    content,
    different,
    proxies,
    steps_of,
)

from varka.store.store import Store


@settings(max_examples=40, deadline=None, derandomize=True)
@given(meshes(), st.randoms(use_true_random=False))
def test_the_order_of_objects_does_not_matter(mesh: list[Plain], random: Random) -> None:
    """Those of equal age are taken by name and namespace."""
    shuffled = list(mesh)
    random.shuffle(shuffled)
    one, other = compiled(accepted(mesh)), compiled(accepted(shuffled))
    for proxy in proxies():
        assert not different(content(one.view(proxy)), content(other.view(proxy)))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(meshes(), edits())
def test_changes_end_where_compiling_from_scratch_does(
    mesh: list[Plain], steps: Sequence[Sequence[Plain | int]]
) -> None:
    store, incremental, everyone = Store(), compiler(), proxies()
    for change in steps_of(mesh, steps):
        incremental.update(store.write("test", change.put, change.drop).state)
        fresh = compiled((r, store.state.places[key]) for key, r in store.state.resources.items())
        for proxy in everyone:
            assert not different(content(incremental.view(proxy)), content(fresh.view(proxy)))
