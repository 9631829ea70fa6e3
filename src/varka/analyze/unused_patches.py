"""EnvoyFilter patches that change nothing in any proxy, and the names they may have meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any

from varka.analyze.selection import Labels, missed
from varka.base.diagnostic import Diagnostic, Severity
from varka.envoy.filters.matchable import Names, names_in
from varka.envoy.resource import View
from varka.registry.selectors import selects
from varka.resources.findings import path_text
from varka.resources.model.networking import ApplyTo, EnvoyFilter
from varka.resources.resource import Resource

CODE = "V7002"
_ALIKE = 0.6
"""How like a name must be to be suggested: `foo-cluster` is to suggest `foo-service`."""


def unused(
    filters: Iterable[Resource[EnvoyFilter]],
    views: tuple[View, ...],
    problems: Iterable[Diagnostic],
    proxies: Iterable[Labels],
    awaited: Iterable[Labels],
) -> Iterator[Diagnostic]:
    """A warning for each patch that found nothing in these views, or for the selector that selects
    none of the `proxies`. Not told: patches that are set aside, which are among the `problems`
    already, and selectors that select pods which are `awaited`."""
    labels, to_come = list(proxies), list(awaited)
    hits = {(patch.source, patch.index) for view in views for patch in view.hits}
    aside = {(found.object, found.path) for found in problems}
    known: Names = {}
    for each in filters:
        selector = each.spec.workload_selector.labels if each.spec.workload_selector else {}
        if selector and any(selects(selector, one) for one in to_come):
            continue
        if nobody := missed(selector, labels):
            message = f"no connected proxy has the labels {nobody.labels}: nothing is patched"
            yield Diagnostic(
                CODE,
                Severity.WARNING,
                message,
                None,
                each.key,
                "spec.workloadSelector",
                nobody.hint,
            )
            continue
        for index, patch in enumerate(each.spec.config_patches):
            value = path_text(("spec", "configPatches", index, "patch", "value"))
            if (
                patch.apply_to is ApplyTo.BOOTSTRAP
                or (each.key, index) in hits
                or (each.key, value) in aside
            ):
                continue
            known = known or names_in(
                {id(r): r for view in views for r in view.resources()}.values()
            )
            yield _diagnostic(each, index, known)


def _diagnostic(resource: Resource[EnvoyFilter], index: int, known: Names) -> Diagnostic:
    field, wanted = _unknown(resource, index, known)
    path = path_text(
        ("spec", "configPatches", index, *(("match", *field.split(".")) if field else ()))
    )
    if not field:
        message = "this patch matches nothing that a connected proxy has"
        return Diagnostic(
            CODE,
            Severity.WARNING,
            message,
            None,
            resource.key,
            path,
            "varka proxy-config shows what there is",
        )
    message = f"this patch matches nothing: no connected proxy has {wanted!r}"
    meant = nearest(wanted, known.get(field, ()))
    hint = f"did you mean {meant!r}?" if meant else "varka proxy-config shows the names there are"
    return Diagnostic(CODE, Severity.WARNING, message, None, resource.key, path, hint)


def _unknown(resource: Resource[EnvoyFilter], index: int, known: Names) -> tuple[str, str]:
    """The first field of a match with a name that nothing has, and the name; empty when all names
    are known."""
    match = resource.raw["spec"]["configPatches"][index].get("match")
    written = ((field, _written(match, field)) for field in known)
    return next(
        ((field, name) for field, name in written if name and name not in known[field]), ("", "")
    )


def _written(match: Any, field: str) -> str:
    for step in field.split("."):
        match = match.get(step) if isinstance(match, dict) else None
    return match if isinstance(match, str) else ""


def nearest(wanted: str, known: Iterable[str]) -> str:
    """The name most like the wanted one. Names of clusters and virtual hosts are found by their
    host, short or long, too."""
    short = {part: name for name in sorted(known, reverse=True) for part in _spellings(name)}
    close = get_close_matches(wanted, short, 1, _ALIKE)
    return short[close[0]] if close else ""


def _spellings(name: str) -> tuple[str, ...]:
    host = name.rpartition("|")[2].partition(":")[0]
    return (
        (name, host, host.partition(".")[0])
        if "." in host and not name.startswith("envoy.")
        else (name,)
    )
