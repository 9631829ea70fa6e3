"""Who asks for a Secret that proxies can't be given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec.structs import replace

from varka.base.diagnostic import Diagnostic
from varka.base.names import ObjectKey
from varka.base.plain import some
from varka.resources.findings import path_text
from varka.resources.resource import Resource
from varka.resources.yaml import Path
from varka.store.state import State

_ASKING = (
    ("networking.istio.io", "Gateway"),
    ("networking.istio.io", "DestinationRule"),
    ("networking.k8s.io", "Ingress"),
)
_FIELDS = frozenset({"credentialName", "credentialNames", "caCertCredentialName", "secretName"})
_CA = "-cacert"


def name_users(problems: Iterable[Diagnostic], state: State) -> Iterator[Diagnostic]:
    """Problems of Secrets and ConfigMaps that are not there become problems of the fields that ask
    for them, of those that are there they say who asks; others stay as they are."""
    known: dict[ObjectKey, list[tuple[ObjectKey, Path]]] = {}
    for problem in problems:
        key = problem.object
        if key is None or key.kind not in ("Secret", "ConfigMap"):
            yield problem
            continue
        if key not in known:
            known[key] = list(_users(key.name, state))
        if not known[key]:
            yield problem
        elif key in state.resources:
            users = some(list(dict.fromkeys(str(user) for user, _ in known[key])))
            yield replace(problem, message=f"{problem.message} (asked for by {users})")
        else:
            for user, path in known[key]:
                yield replace(problem, object=user, path=path_text(path))


def _users(name: str, state: State) -> Iterator[tuple[ObjectKey, Path]]:
    for group, kind in _ASKING:
        for resource in state.of(kind, group):
            yield from ((resource.key, path) for path in _fields(resource, name))


def _fields(resource: Resource[Any], name: str) -> Iterator[Path]:
    """The fields of an object that name a Secret: `name`, `namespace/name`,
    `configmap://namespace/name`."""
    todo: list[tuple[Path, Any]] = [(("spec",), resource.raw.get("spec"))]
    while todo:
        path, value = todo.pop(0)
        if isinstance(value, dict):
            todo += [((*path, field), inner) for field, inner in value.items()]
        elif isinstance(value, list):
            todo += [((*path, index), inner) for index, inner in enumerate(value)]
        elif _FIELDS.isdisjoint(map(str, path)) or not isinstance(value, str):
            continue
        elif value.rpartition("/")[2].removesuffix(_CA) == name.removesuffix(_CA):
            yield path
