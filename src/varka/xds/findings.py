"""What is wrong with well-formed objects: seen only when they meet the proxies and each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches

from varka.base.diagnostic import Diagnostic, Severity
from varka.base.names import ObjectKey
from varka.envoy.resource import TypeUrl, View
from varka.registry.selectors import selects
from varka.store.state import State

_ISTIO = "networking.istio.io"
_STANDARD = (("istio", "ingressgateway"), ("istio", "egressgateway"))
"""The labels of the gateways that every installation has."""

Labels = Mapping[str, str]


def findings(
    state: State, views: Iterable[View], proxies: Iterable[Labels], unused: Iterable[tuple[ObjectKey, int]]
) -> list[Diagnostic]:
    """What could not be made for a proxy, patches that change nothing, Gateways that select nobody; with their objects' places.

    `proxies` are the labels of those connected, `unused` are EnvoyFilter patches by their index.
    """
    views = tuple(views)
    labels = [*proxies, *(pod.labels for pod in state.of("Pod"))]
    found = [d for view in views for d in view.diagnostics]
    found += [*_unselected(state, labels), *_unused(state, views, unused)]
    return [replace(d, origin=d.origin or (state.origins.get(d.object) if d.object else None)) for d in dict.fromkeys(found)]


def _unselected(state: State, labels: list[Labels]) -> Iterator[Diagnostic]:
    """Istio's IST0101: connections to such a Gateway's ports are refused."""
    for gateway in state.of("Gateway", _ISTIO):
        selector = gateway.spec.selector
        if not selector or any(selects(selector, one) for one in labels):
            continue
        shown = ", ".join(f"{name}={value}" for name, value in sorted(selector.items()))
        known = sorted({f"{k}={v}" for one in labels for k, v in one.items()} | {f"{k}={v}" for k, v in _STANDARD})
        near = get_close_matches(shown, known, 1)
        yield Diagnostic(
            "V7011",
            Severity.WARNING,
            f"no pod has the labels {shown}: nobody listens on the ports of this Gateway",
            object=gateway.key,
            path="spec.selector",
            hint=f"did you mean {near[0]}?" if near else "",
        )


def _unused(state: State, views: tuple[View, ...], unused: Iterable[tuple[ObjectKey, int]]) -> Iterator[Diagnostic]:
    for key, index in unused:
        match = state.resources[key].spec.config_patches[index].match
        wanted = match.cluster.name if match and match.cluster else ""
        near = get_close_matches(wanted, {c.name for view in views for c in view.of(TypeUrl.CLUSTER)}, 1) if wanted else []
        yield Diagnostic(
            "V7002",
            Severity.WARNING,
            "this patch matches nothing that a connected proxy has",
            object=key,
            path=f"spec.configPatches[{index}]",
            hint=f"did you mean {near[0]!r}?" if near else "varka proxy-config shows the names there are",
        )
