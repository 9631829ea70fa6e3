"""Which objects are not in force as they are written, for `varka apply` and `varka get`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from varka.base.diagnostic import Diagnostic, Severity
from varka.base.names import ObjectKey
from varka.controlplane.quarantine import REJECTED
from varka.envoy.portions.finish import SET_ASIDE
from varka.store.source import Condition
from varka.store.state import State

PROGRAMMED = "Programmed"
"""The condition's type: all that an object says is in the proxies that it is for."""
WHOLLY, PARTLY = "SetAside", "PartlySetAside"
"""Reasons: none of an EnvoyFilter's patches is applied, or not all of them are."""
_REASONS = {REJECTED: "Rejected"}
_OTHER = "NotServed"


class Conditions:
    """The sink of a control plane whose objects nobody else keeps."""

    def __init__(self) -> None:
        self._known: Mapping[ObjectKey, tuple[Condition, ...]] = {}

    def report(self, conditions: Mapping[ObjectKey, tuple[Condition, ...]]) -> None:
        self._known = conditions

    def of(self, key: ObjectKey) -> tuple[Condition, ...]:
        return self._known.get(key, ())


def conditions(
    problems: Iterable[Diagnostic], state: State
) -> dict[ObjectKey, tuple[Condition, ...]]:
    """The condition of each object of which something could not be made, or was rejected."""
    by_object: dict[ObjectKey, list[Diagnostic]] = {}
    for problem in problems:
        if problem.object in state.resources and problem.severity is Severity.ERROR:
            by_object.setdefault(problem.object, []).append(problem)  # type: ignore[arg-type]
    return {key: (_condition(key, found, state),) for key, found in by_object.items()}


def plain_condition(condition: Condition) -> dict[str, Any]:
    """As Kubernetes shows it."""
    return {
        "type": condition.type,
        "status": str(condition.status),
        "reason": condition.reason,
        "message": condition.message,
    }


def _condition(key: ObjectKey, problems: list[Diagnostic], state: State) -> Condition:
    aside = {problem.path for problem in problems if problem.code == SET_ASIDE}
    reason = _REASONS.get(problems[0].code, _OTHER)
    if aside:
        patches = state.resources[key].spec.config_patches
        reason = WHOLLY if len(aside) == len(patches) else PARTLY
    return Condition(PROGRAMMED, False, reason, problems[0].message)
