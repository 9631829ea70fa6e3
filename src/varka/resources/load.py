"""Texts to typed resources and everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from varka.base.diagnostic import Diagnostic, Origin, Severity
from varka.base.names import ObjectKey
from varka.resources.check import check_object
from varka.resources.codes import Code
from varka.resources.findings import Finding, path_text
from varka.resources.place import Place
from varka.resources.resource import Resource
from varka.resources.yaml import Document, documents


class Part(Struct, frozen=True, eq=False):
    """One text, read. A pure function of name and text: who remembers it by them keeps the identity
    of its objects."""

    objects: tuple[tuple[Resource[Any], Place], ...]
    diagnostics: tuple[Diagnostic, ...]


class Loaded(Struct, frozen=True, eq=False):
    """All good objects of some texts; those with errors are only in `diagnostics`."""

    resources: tuple[Resource[Any], ...]
    places: Mapping[ObjectKey, Place]
    diagnostics: tuple[Diagnostic, ...]


PRUNED = frozenset({Code.UNKNOWN_FIELD})
"""To be tolerated: what an API server leaves out with a warning, unless it is asked to be strict,
as kubectl asks it."""


def load(
    texts: Iterable[tuple[str, str]],
    *,
    namespace: str | None = "default",
    tolerated: frozenset[Code] = frozenset(),
) -> Loaded:
    """Read (file name, text) pairs. Namespaced objects without a namespace get `namespace`; None
    leaves it empty. `tolerated` are codes of errors that are warnings."""
    return combine(
        load_text(name, text, namespace=namespace, tolerated=tolerated) for name, text in texts
    )


def load_text(
    name: str,
    text: str,
    *,
    namespace: str | None = "default",
    tolerated: frozenset[Code] = frozenset(),
) -> Part:
    """Read one text: every document that can be read, every reason why others can't."""
    found, problems = documents(text)
    objects: list[tuple[Resource[Any], Place]] = []
    diagnostics = [
        Diagnostic(Code.SYNTAX, Severity.ERROR, p.message, Origin(name, p.mark.line, p.mark.column))
        for p in problems
    ]
    for document in found:
        for value, place in _unfold(document, name):
            resource, key, findings = check_object(value, namespace, tolerated)
            diagnostics += [diagnostic(finding, key, place) for finding in findings]
            if resource is not None:
                objects.append((resource, place))
    return Part(tuple(objects), tuple(diagnostics))


def combine(parts: Iterable[Part]) -> Loaded:
    """The objects of all parts; of two with one key the later one wins, and that is said."""
    resources: dict[ObjectKey, Resource[Any]] = {}
    places: dict[ObjectKey, Place] = {}
    diagnostics: list[Diagnostic] = []
    for part in parts:
        diagnostics += part.diagnostics
        for resource, place in part.objects:
            key = resource.key
            if key in resources:
                diagnostics.append(replaced(key, places[key].origin(), place.origin()))
            resources[key] = resource
            places[key] = place
    return Loaded(tuple(resources.values()), places, tuple(diagnostics))


def replaced(key: ObjectKey, old: Origin, new: Origin) -> Diagnostic:
    """Of two objects with one key. Twice in one file is hardly meant; two files may be
    alternatives."""
    severity = Severity.WARNING if old.file == new.file else Severity.INFO
    message = f"{key} was already defined at {old}; this one replaces it"
    hint = "remove one of the two, or give it another name"
    return Diagnostic(Code.DUPLICATE_OBJECT, severity, message, new, key, "metadata.name", hint)


def _unfold(document: Document, file: str) -> Iterator[tuple[Any, Place]]:
    """The objects of a document: itself, or the items of a `List`, `VirtualServiceList`, ..."""
    value = document.value
    kind = value.get("kind") if isinstance(value, dict) else None
    if (
        isinstance(kind, str)
        and kind.endswith("List")
        and isinstance(value.get("items"), list | None)
        and "items" in value
    ):
        for index, item in enumerate(value["items"] or ()):
            yield item, Place(file, document, ("items", index))
    else:
        yield value, Place(file, document)


def diagnostic(finding: Finding, key: ObjectKey | None, place: Place) -> Diagnostic:
    """What a check found, with its place."""
    origin = place.origin(finding.path)
    return Diagnostic(
        finding.code,
        finding.severity,
        finding.message,
        origin,
        key,
        path_text(finding.path),
        finding.hint,
    )
