"""Generated meshes through the same functions as real ones: manifests, store, compiler, views."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from varka.base.diagnostic import Severity
from varka.base.names import ObjectKey
from varka.base.settings import Settings
from varka.envoy.compiler import Compiler
from varka.envoy.resource import EnvoyResource, TypeUrl, View
from varka.proxy.node import Proxy, from_document
from varka.resources.load import load_text
from varka.resources.meshconfig import default_mesh_config
from varka.store.source import Written
from varka.store.store import Store

Content = dict[tuple[TypeUrl, str], bytes]


def proxies() -> list[Proxy]:
    """Sidecars in several namespaces, capture modes and address families; routers."""
    return [
        proxy("a", ["10.1.0.1"], {"app": "x", "version": "v1"}),
        proxy("b", ["10.1.0.2"], {"app": "y"}, metadata={"INTERCEPTION_MODE": "NONE"}),
        proxy("a", ["2001:db8::1"], {"app": "y"}),
        proxy(
            "b", ["10.1.0.3", "2001:db8::2"], {}, metadata={"DNS_CAPTURE": "true"}, locality="r1/z1"
        ),
        proxy("istio-system", ["10.1.0.4"], {"app": "x"}, type="router"),
        proxy("a", ["10.1.0.1"], {"app": "y"}, type="router"),
    ]


def proxy(namespace: str, addresses: list[str], labels: dict[str, str], **rest: Any) -> Proxy:
    return from_document(
        {"namespace": namespace, "ip_addresses": addresses, "labels": labels, **rest}
    )


def accepted(objects: Iterable[dict[str, Any]]) -> list[Written]:
    """What `load` takes of these, in their order."""
    return [written for value in objects for written in _load(json.dumps(value))]


@cache
def _load(text: str) -> tuple[Written, ...]:
    part = load_text("mesh.yaml", text)
    if any(d.severity is Severity.ERROR for d in part.diagnostics):
        return ()
    return tuple(part.objects)


def compiler() -> Compiler:
    return Compiler(default_mesh_config(), Settings())


def compiled(objects: Iterable[Written]) -> Compiler:
    """From nothing, in one change."""
    store, found = Store(), compiler()
    found.update(store.write("test", objects).state)
    return found


def resources(view: View) -> Iterator[EnvoyResource]:
    for type_ in TypeUrl:
        yield from view.of(type_)


def content(view: View) -> Content:
    return {(r.type, r.name): r.body for r in resources(view)}


def different(one: Content, other: Content) -> list[tuple[str, str]]:
    """Type and name of what is not the same in both; for a readable failure."""
    return sorted(
        (type_.name, name)
        for type_, name in one.keys() | other.keys()
        if one.get((type_, name)) != other.get((type_, name))
    )


@dataclass(frozen=True, slots=True)
class Step:
    """One change set."""

    put: tuple[Written, ...]
    drop: tuple[ObjectKey, ...] = ()


def steps_of(
    mesh: Iterable[dict[str, Any]], drawn: Iterable[Iterable[dict[str, Any] | int]]
) -> Iterator[Step]:
    """The mesh, then each drawn step: an object is put, a number drops the object that is at this
    place by then."""
    put = tuple(accepted(mesh))
    present = {resource.key: None for resource, _ in put}
    yield Step(put)
    for step in drawn:
        put = tuple(accepted(value for value in step if not isinstance(value, int)))
        keys = list(present)
        drop = tuple(
            dict.fromkeys(keys[at % len(keys)] for at in step if isinstance(at, int) and keys)
        )
        drop = tuple(key for key in drop if key not in {resource.key for resource, _ in put})
        for key in drop:
            del present[key]
        present.update((resource.key, None) for resource, _ in put)
        yield Step(put, drop)
