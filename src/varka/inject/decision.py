"""Does a pod get a sidecar? Istio's webhook selectors and `injectRequired` (pkg/kube/inject), with
the reason for the answer."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

INJECT = "sidecar.istio.io/inject"
NAMESPACE_LABEL = "istio-injection"
REVISION = "istio.io/rev"
TEMPLATES = "inject.istio.io/templates"
IGNORED_NAMESPACES = frozenset(
    {"kube-system", "kube-public", "kube-node-lease", "local-path-storage"}
)


class Decision(Struct, frozen=True):
    """`reason` completes the sentence "a sidecar (or none), because ..."; `warnings` are for the
    user."""

    inject: bool
    reason: str
    warnings: tuple[str, ...] = ()


class Candidate(Struct, frozen=True):
    """A pod about to be made: its own labels and annotations, the labels of its namespace."""

    namespace: str
    namespace_labels: Mapping[str, str]
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    host_network: bool = False


def decide(
    pod: Candidate, *, revision: str = "default", enabled_by_default: bool = True
) -> Decision:
    """Inject or not. `revision` is ours; `enabled_by_default` is the injector's policy, for what
    pod and namespace leave open."""
    if pod.host_network:
        return Decision(False, "the pod uses the network of its host")
    if pod.namespace in IGNORED_NAMESPACES:
        return Decision(False, f"pods of namespace {pod.namespace} are never injected")
    refusal = _no_webhook(pod, revision)
    if refusal:
        return Decision(False, refusal)
    return _required(pod, enabled_by_default)


def _no_webhook(pod: Candidate, revision: str) -> str:
    """Why no webhook of `revision` is called for this pod; "" when one is."""
    namespace, wanted = pod.namespace_labels, pod.labels.get(INJECT, "")
    if wanted == "false":
        return f"the pod's label {INJECT} is false"
    if NAMESPACE_LABEL in namespace:
        value = namespace[NAMESPACE_LABEL]
        if value == "enabled" and revision == "default":
            return ""
        return f"the label {NAMESPACE_LABEL} of namespace {pod.namespace} is {value}"
    if REVISION in namespace:
        value = namespace[REVISION]
        return "" if value == revision else f"namespace {pod.namespace} asks for revision {value}"
    if REVISION in pod.labels:
        value = pod.labels[REVISION]
        return "" if value == revision else f"the pod asks for revision {value}"
    if wanted == "true" and revision == "default":
        return ""
    return f"namespace {pod.namespace} has no label {NAMESPACE_LABEL} and the pod no label {INJECT}"


def _required(pod: Candidate, enabled_by_default: bool) -> Decision:
    place = "label" if INJECT in pod.labels else "annotation"
    value = pod.labels.get(INJECT, pod.annotations.get(INJECT, ""))
    if value == "true":
        return Decision(True, f"the pod's {place} {INJECT} is true")
    if value == "false":
        return Decision(False, f"the pod's {place} {INJECT} is false")
    why = f"the injector's policy is {'enabled' if enabled_by_default else 'disabled'}"
    if value:
        warning = f"{place} {INJECT}: {value!r} is neither true nor false; the policy decides"
        return Decision(enabled_by_default, why, (warning,))
    if enabled_by_default:
        why = (
            f"namespace {pod.namespace} is injected"
            if not pod.labels.get(REVISION)
            else "the pod's revision is ours"
        )
    return Decision(enabled_by_default, why)
