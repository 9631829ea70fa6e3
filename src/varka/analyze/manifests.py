"""What is wrong with manifests before they meet a mesh: what an API server and Istio's webhook
would say to each, and objects that are defined twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

from varka.base.diagnostic import Diagnostic, Origin, Severity
from varka.base.names import ObjectKey
from varka.mesh.unread import not_enforced
from varka.resources.codes import Code
from varka.resources.findings import Finding, Findings
from varka.resources.load import diagnostic, load_text, replaced
from varka.resources.place import Place
from varka.resources.resource import Resource
from varka.store.forks import in_forks

_SHARE = 400_000
"""Characters: to check so many takes several times as long as a fork of this process."""

Text = tuple[str, str]
"""The name of a file and what it holds."""


class Checked(NamedTuple):
    """Manifests together."""

    good: int
    """Objects without errors."""
    unplaced: int
    """Objects that name no namespace although they need one."""
    diagnostics: Sequence[Diagnostic]


_Object = tuple[tuple[str, str, str, str], Place | tuple[int, int], bool, bool]
"""What the other files have to know of an object: its key, its place (line and column where that is
known already), whether it names no namespace, whether it is good. All of them go from process to
process, and plain tuples are cheapest."""


class _File(NamedTuple):
    """One file by itself."""

    name: str
    objects: Sequence[_Object]
    diagnostics: Sequence[Diagnostic]


def check_manifests(texts: Sequence[Text], namespace: str) -> Checked:
    """Objects without a namespace are checked as objects of `namespace`. Many files are shared out
    to all processors."""
    work = partial(_check_file, namespace=namespace)
    return _together(in_forks(work, texts, lambda text: len(text[1]), _SHARE))


def _check_file(file: Text, namespace: str) -> _File:
    name, text = file
    part = load_text(name, text, namespace=namespace)
    objects: list[_Object] = []
    diagnostics = list(part.diagnostics)
    for resource, place in part.objects:
        good = True
        if resource.key.kind == "EnvoyFilter":
            findings = _patch_findings(resource)
            diagnostics += [diagnostic(found, resource.key, place) for found in findings.items]
            good = not findings.failed
        if message := not_enforced(resource.key):
            note = Finding(Code.NOT_ENFORCED, Severity.INFO, ("kind",), message)
            diagnostics.append(diagnostic(note, resource.key, place))
        unplaced = bool(resource.namespace) and not (resource.raw.get("metadata") or {}).get(
            "namespace"
        )
        objects.append((resource.key[:], _where(place), unplaced, good))
    return _File(name, objects, diagnostics)


def _patch_findings(resource: Resource[Any]) -> Findings:
    """The values of an EnvoyFilter are Envoy's messages."""
    from varka.envoy.filters.values import check_values

    findings = Findings()
    check_values(resource, findings)
    return findings


def _where(place: Place) -> Place | tuple[int, int]:
    """Items of lists are only looked for when somebody asks."""
    if place.prefix or place.document is None:
        return place
    mark = place.document.mark
    return mark.line, mark.column


def _together(files: Iterable[_File]) -> Checked:
    """Of two objects with one key the later one counts."""
    objects: dict[tuple[str, str, str, str], tuple[str, _Object]] = {}
    diagnostics: list[Diagnostic] = []
    for file in files:
        diagnostics += file.diagnostics
        for item in file.objects:
            key = item[0]
            if key in objects:
                old, new = _origin(*objects[key]), _origin(file.name, item)
                diagnostics.append(replaced(ObjectKey(*key), old, new))
            objects[key] = file.name, item
    last = [item for _, item in objects.values()]
    good, unplaced = sum(item[3] for item in last), sum(item[2] for item in last)
    return Checked(good, unplaced, diagnostics)


def _origin(file: str, item: _Object) -> Origin:
    place = item[1]
    return place.origin() if isinstance(place, Place) else Origin(file, *place)
