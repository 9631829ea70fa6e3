"""Whatever stands in a manifest, the mistake is told and the rest works: objects changed at any
place, from reading to what proxies get."""

from __future__ import annotations

import copy
import json
import os
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.properties.extremes import EXAMPLES, ODD
from tests.properties.objects import Plain, meshes
from tests.properties.world import proxies, resources

from varka.analyze.findings import findings
from varka.base.settings import Settings
from varka.controlplane.nametable import name_table
from varka.envoy.compiler import Compiler
from varka.local.apiserver.admission import Options
from varka.local.apiserver.apiserver import ApiServer
from varka.mesh.config import mesh_config_of
from varka.resources.load import load
from varka.resources.meshconfig import default_mesh_config
from varka.store.store import Store

EXAMPLE_COUNT = int(os.environ.get("VARKA_FUZZ", "500"))
"""`make fuzz` asks for more."""
Place = tuple[Any, Any]


def places(value: Any) -> Iterator[Place]:
    """(container, key) of everything inside a value."""
    items: Any = ()
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    for key, item in items:
        yield value, key
        yield from places(item)


def mutate(value: Plain, draw: random.Random) -> None:
    """Drop, double, replace, wrap or rename something somewhere in an object."""
    found = list(places(value))
    if not found:
        return
    container, key = draw.choice(found)
    match draw.randrange(6):
        case 0:
            del container[key]
        case 1 if isinstance(container, list):
            container.insert(key, copy.deepcopy(container[key]))
        case 1 | 2:
            container[key] = [copy.deepcopy(container[key])]
        case 3 if isinstance(container, dict):
            container[draw.choice(ODD_KEYS)] = container.pop(key)
        case _:
            container[key] = copy.deepcopy(draw.choice(ODD))


ODD_KEYS = ("", "spec", "x" * 300, "name", "null", "a/b", "ä", "0")


def check(text: str) -> None:
    """Read, store, admit, compile for all sorts of proxies, look for what is wrong."""
    loaded = load([("mesh.yaml", text)])
    store, compiler = Store(), Compiler(default_mesh_config(), Settings())
    store.write("file", ((r, loaded.places[r.key]) for r in loaded.resources))
    for admit in (lambda _: None, ApiServer(None, Options())):
        admit(store)
        state = store.state
        compiler.update(state, mesh_config_of(state) or default_mesh_config())
        views = [compiler.view(proxy) for proxy in proxies()]
        assert all(r.body for view in views for r in resources(view))
        name_table(compiler.snapshot.services())
        problems = [d for view in views for d in view.diagnostics]
        findings(state, views, problems, [proxy.labels for proxy in proxies()], Settings())


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda value: str(value["kind"]))
def test_examples_are_accepted(example: Plain) -> None:
    """Else their mutations would try nothing."""
    assert len(load([("x.yaml", json.dumps(example))]).resources) == 1


@settings(
    max_examples=EXAMPLE_COUNT,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    mesh=st.one_of(meshes(1, 4), st.lists(st.sampled_from(EXAMPLES), min_size=1, max_size=4)),
    seed=st.integers(0, 2**32),
    times=st.integers(1, 4),
)
def test_no_object_breaks_anything(mesh: list[Plain], seed: int, times: int) -> None:
    objects, draw = copy.deepcopy(mesh), random.Random(seed)
    for _ in range(times):
        mutate(draw.choice(objects), draw)
    check("\n---\n".join(json.dumps(value) for value in objects))
