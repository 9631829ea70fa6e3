"""Objects as the API shows, applies and deletes them: the answers that `kubectl` users expect."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

import msgspec

from varka.base.diagnostic import Diagnostic, Severity
from varka.base.names import ObjectKey
from varka.base.plain import plain_diagnostic, plain_key
from varka.controlplane.conditions import plain_condition
from varka.controlplane.control_plane import APPLY, RUNTIME, ControlPlane
from varka.controlplane.pushes import SHORT, Outcome
from varka.controlplane.quarantine import Quarantine
from varka.envoy.portions.finish import SET_ASIDE
from varka.resources.check import check_object
from varka.resources.codes import GENERAL, Code
from varka.resources.load import Loaded, load
from varka.resources.place import Place
from varka.resources.resource import Resource
from varka.store.source import SourceChange
from varka.store.store import Change

logger = logging.getLogger(__name__)
Plain = dict[str, Any]
RUNTIME_PLACE = Place("runtime")


class Unparsable(Exception):
    """A text is not YAML or not made of objects: nothing of the request was applied."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        super().__init__("a text can't be parsed")
        self.diagnostics = tuple(diagnostics)


def select(
    plane: ControlPlane, kinds: Iterable[str], namespace: str | None, name: str | None
) -> list[Plain]:
    """Objects of some kinds (all when none is given), in the order of their names."""
    wanted, state, owner = set(kinds), plane.store.state, plane.store.owner
    keys = sorted(
        key
        for key in state.resources
        if (not wanted or key.kind in wanted or f"{key.kind}.{key.group}" in wanted)
        and namespace in (None, key.namespace)
        and name in (None, key.name)
    )
    return [
        {"object": _shown(plane, key), "source": owner(key), "origin": str(state.origin(key) or "")}
        for key in keys
    ]


async def apply(
    plane: ControlPlane,
    texts: Iterable[tuple[str, str]],
    *,
    namespace: str = "default",
    atomic: bool = False,
    wait: float | None = None,
) -> Plain:
    """Put the good objects of some texts (with `atomic`: all or none) and wait up to `wait` seconds
    for every proxy. Raises Unparsable."""
    loaded = load(texts, namespace=namespace)
    broken = [d for d in loaded.diagnostics if d.severity is Severity.ERROR]
    if any(d.code == Code.SYNTAX for d in broken):
        raise Unparsable(broken)
    refused = _refused(broken)
    if refused and atomic:
        return _answer(plane, Loaded((), {}, ()), None, refused, None)
    put = tuple((r, loaded.places[r.key]) for r in loaded.resources)
    taken = await plane.bring(APPLY, SourceChange(put))
    change = taken.change
    outcome = await _awaited(taken.outcome, wait) if taken.outcome else None
    return _answer(plane, loaded, change, refused, outcome) | (
        {"timed_out": True} if change and wait and not outcome else {}
    )


class Name(msgspec.Struct, frozen=True):
    """An object as users name it; without a group any will do."""

    kind: str
    name: str
    namespace: str = ""
    group: str | None = None

    def means(self, key: ObjectKey) -> bool:
        same = (key.kind, key.namespace, key.name) == (self.kind, self.namespace, self.name)
        return same and self.group in (None, key.group)

    def plain(self) -> Plain:
        shown = {"kind": self.kind, "namespace": self.namespace, "name": self.name}
        return shown if self.group is None else {"group": self.group, **shown}


async def delete(plane: ControlPlane, names: Iterable[Name]) -> Plain:
    """Remove objects, whoever wrote them. A file brings its object back when it is saved again."""
    deleted: list[ObjectKey] = []
    missing: list[Plain] = []
    for wanted in names:
        keys = [key for key in plane.store.state.resources if wanted.means(key)]
        deleted += keys
        missing += [] if keys else [wanted.plain()]
    await plane.delete(deleted)
    return {"deleted": [plain_key(key) for key in deleted], "missing": missing}


async def report(plane: ControlPlane, manifests: Iterable[Any]) -> Plain:
    """Make these all that the runtime has."""
    put, diagnostics = [], []
    for manifest in manifests:
        resource, found = _checked(manifest)
        diagnostics += found
        if resource is not None:
            put.append((resource, RUNTIME_PLACE))
    change = (await plane.bring(RUNTIME, SourceChange(tuple(put), whole=True))).change
    problems = [plain_diagnostic(d) for d in diagnostics if d.severity is Severity.ERROR]
    return {
        "number": plane.store.state.number,
        "changed": len(change.keys),
        "diagnostics": problems,
    }


def _checked(manifest: Any) -> tuple[Resource[Any] | None, list[Diagnostic]]:
    """One object of the runtime's. A bug of ours in checking it leaves out this one only."""
    origin = RUNTIME_PLACE.origin()
    try:
        resource, key, findings = check_object(manifest, "default")
    except Exception as error:
        logger.exception("an object of the runtime can't be checked")
        message = f"can't be checked, by a bug of varka's: {type(error).__name__}: {error}"
        return None, [Diagnostic(Code.NOT_CHECKED, Severity.ERROR, message, origin)]
    return resource, [
        Diagnostic(f.code, f.severity, f.message, origin, key, hint=f.hint) for f in findings
    ]


def _shown(plane: ControlPlane, key: ObjectKey) -> Plain:
    resource = plane.store.state.resources[key]
    shown = plane.store.document(key)
    metadata = shown["metadata"]
    if key.namespace:
        metadata["namespace"] = key.namespace
    if resource.created:
        metadata["creationTimestamp"] = resource.created
    shown = shown | {"metadata": metadata}
    if ours := _conditions(plane, key):
        status = shown.get("status") or {}
        shown["status"] = {**status, "conditions": [*(status.get("conditions") or ()), *ours]}
    return shown


async def _awaited(push: asyncio.Future[Outcome], wait: float | None) -> Outcome | None:
    """The outcome; None when nobody waits for it or not everybody answered in time."""
    if not wait:
        return None
    try:
        return await asyncio.wait_for(asyncio.shield(push), wait)
    except TimeoutError:
        return None


def _refused(broken: Iterable[Diagnostic]) -> list[Plain]:
    by_object: dict[ObjectKey | None, list[Plain]] = {}
    for diagnostic in broken:
        by_object.setdefault(diagnostic.object, []).append(plain_diagnostic(diagnostic))
    unknown = {"kind": None, "namespace": None, "name": None}
    return [
        {**(plain_key(key) if key else unknown), "diagnostics": diagnostics}
        for key, diagnostics in by_object.items()
    ]


def _answer(
    plane: ControlPlane,
    loaded: Loaded,
    change: Change | None,
    refused: list[Plain],
    outcome: Outcome | None,
) -> Plain:
    keys = dict.fromkeys(resource.key for resource in loaded.resources)
    quarantine = Quarantine(plane.store.state, keys)
    rejected = quarantine.reject(outcome.rejections if outcome else ())
    warnings = (d for d in loaded.diagnostics if d.severity is Severity.WARNING)
    diagnostics = [d for d in warnings if d.code not in GENERAL]
    if outcome or not change:
        quarantine.set_aside(plane.hub)
        findings = outcome.findings if outcome else plane.findings(keys)
        diagnostics += [d for d in findings if d.object in keys and d.code != SET_ASIDE]
    return {
        "applied": [_applied(plane, key, change) for key in keys],
        "refused": refused,
        "quarantined": quarantine.to_documents(),
        "diagnostics": [plain_diagnostic(d) for d in diagnostics],
        "proxies": {
            "updated": outcome.updated if outcome else 0,
            "acked": outcome.acked if outcome else 0,
            "rejected": rejected,
        },
        "bytes_sent": outcome.bytes_sent if outcome else dict.fromkeys(SHORT.values(), 0),
        "took_ms": outcome.took_ms if outcome else 0.0,
    } | ({"failed": list(outcome.failures)} if outcome and outcome.failures else {})


def _applied(plane: ControlPlane, key: ObjectKey, change: Change | None) -> Plain:
    """`conditions` are there when not all of it is in force."""
    shown = plain_key(key) | {"action": _action(key, change)}
    conditions = _conditions(plane, key)
    return shown | ({"conditions": conditions} if conditions else {})


def _conditions(plane: ControlPlane, key: ObjectKey) -> list[Plain]:
    return [plain_condition(condition) for condition in plane.conditions.of(key)]


def _action(key: ObjectKey, change: Change | None) -> str:
    if change and key in change.created:
        return "created"
    return "configured" if change and key in change.configured else "unchanged"
