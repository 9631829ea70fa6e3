"""Checks that several kinds share: metadata, selectors, visibility."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from varka.resources.codes import Code
from varka.resources.model.networking import WorkloadSelector as NetworkingSelector
from varka.resources.model.selectors import PolicyTargetReference, WorkloadSelector
from varka.resources.resource import Resource
from varka.resources.validate import values
from varka.resources.validate.cursor import Cursor

_DRY_RUN = "istio.io/dry-run"
_RESERVED = ("internal.istio.io/parents", "internal.istio.io/parent-namespace")
_ALWAYS_REJECT = "internal.istio.io/webhook-always-reject"
_TRUTHS = ("1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False")
_TARGETS = {
    ("", "Service"),
    ("core", "Service"),
    ("networking.istio.io", "ServiceEntry"),
    ("gateway.networking.k8s.io", "Gateway"),
    ("gateway.networking.k8s.io", "GatewayClass"),
}


def check_annotations(resource: Resource[Any], here: Cursor) -> None:
    """Annotations that the webhook itself looks at."""
    for name in (*_RESERVED, _ALWAYS_REJECT):
        if name in resource.annotations:
            here.at("metadata", "annotations", name).error(
                Code.BAD_ANNOTATION, f"{name} is reserved for Istio itself"
            )
    if _DRY_RUN not in resource.annotations:
        return
    place = here.at("metadata", "annotations", _DRY_RUN)
    if resource.key.kind != "AuthorizationPolicy":
        place.error(
            Code.BAD_ANNOTATION, f"{_DRY_RUN} works for AuthorizationPolicy only", "remove it"
        )
    elif resource.spec.action not in ("ALLOW", "DENY"):
        place.error(
            Code.BAD_ANNOTATION,
            f"{_DRY_RUN} works with the actions ALLOW and DENY, not {resource.spec.action}",
        )
    elif resource.annotations[_DRY_RUN] not in _TRUTHS:
        place.error(
            Code.BAD_ANNOTATION, f"{resource.annotations[_DRY_RUN]!r} is neither true nor false"
        )


def check_selector(selector: WorkloadSelector | NetworkingSelector | None, here: Cursor) -> None:
    """A workload selector: no wildcards; without labels it selects everything, which is hardly
    meant."""
    if selector is None:
        return
    wanted = selector.match_labels if isinstance(selector, WorkloadSelector) else selector.labels
    for name, value in wanted.items():
        if not name:
            here.error(Code.BAD_SELECTOR, f"a label without a name (={value})")
        if "*" in name or "*" in value:
            here.error(
                Code.BAD_SELECTOR, f"wildcards are not supported in a selector: {name}={value}"
            )
    if not wanted:
        here.warning(
            Code.BAD_SELECTOR, "a selector without labels selects all workloads of the namespace"
        )


def check_scope(
    selector: WorkloadSelector | None,
    target: PolicyTargetReference | None,
    targets: Sequence[PolicyTargetReference],
    here: Cursor,
) -> None:
    """`selector`, `targetRef` and `targetRefs` of policies: one of them, and a target that Istio
    knows."""
    if sum((selector is not None, target is not None, bool(targets))) > 1:
        here.error(Code.BAD_TARGET_REF, "only one of selector, targetRef and targetRefs can be set")
    check_selector(selector, here.at("selector"))
    if target is not None:
        _check_target(target, here.at("targetRef"))
    for place, item in here.each("targetRefs", targets):
        _check_target(item, place)


def _check_target(target: PolicyTargetReference, here: Cursor) -> None:
    if not target.name:
        here.error(Code.BAD_TARGET_REF, "a target needs a name")
    if target.namespace:
        here.at("namespace").error(
            Code.BAD_TARGET_REF, "targets in other namespaces are not supported"
        )
    if (target.group, target.kind) not in _TARGETS:
        known = ", ".join(sorted({kind for _, kind in _TARGETS}))
        here.error(
            Code.BAD_TARGET_REF,
            f"{target.group or 'core'}/{target.kind} can't be a target",
            f"one of {known}",
        )


def check_labels(labels: Mapping[str, str], here: Cursor) -> None:
    for wrong in values.labels(dict(labels)):
        here.error(Code.BAD_LABELS, wrong)


def check_export_to(
    export_to: Sequence[str],
    namespace: str,
    here: Cursor,
    *,
    allow_none: bool = False,
    own_only: bool = False,
) -> None:
    """`exportTo`: `.`, `*`, namespaces; `~` for ServiceEntries; `own_only` for DestinationRules
    with a workload selector."""
    seen: set[str] = set()
    for place, entry in here.each("exportTo", export_to):
        key = namespace if entry == "." else entry
        if key in seen:
            place.error(Code.BAD_EXPORT_TO, f"{entry!r} is there twice")
        elif entry == "~" and not allow_none:
            place.error(Code.BAD_EXPORT_TO, "~ (no one) is for ServiceEntries only")
        elif key not in ("*", "~", ".") and not values.is_dns_label(key) and entry != ".":
            place.error(Code.BAD_EXPORT_TO, f"{entry!r} is neither `.`, `*` nor a namespace")
        seen.add(key)
    here = here.at("exportTo")
    if own_only and seen and seen != {namespace}:
        here.error(
            Code.BAD_EXPORT_TO,
            "a DestinationRule with a workloadSelector can be exported to its own namespace only",
        )
    for alone, what in (("*", "everyone"), ("~", "no one")):
        if alone in seen and len(export_to) > 1:
            here.error(Code.BAD_EXPORT_TO, f"{alone} ({what}) can't be combined with others")
