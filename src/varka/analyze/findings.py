"""What is wrong with well-formed objects: seen only when they meet the proxies and each other."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from msgspec.structs import replace

from varka.analyze.no_effect import without_effect_of
from varka.analyze.selection import Labels, missed, starting
from varka.analyze.unused_patches import unused
from varka.base.diagnostic import Diagnostic, Severity
from varka.base.names import ObjectKey
from varka.base.settings import Settings
from varka.envoy.filters.values import check_values
from varka.envoy.resource import View
from varka.resources.findings import Findings, parsed_path, path_text
from varka.resources.resource import Resource
from varka.store.state import State

_ISTIO = "networking.istio.io"
_STANDARD = (("istio", "ingressgateway"), ("istio", "egressgateway"))
"""The labels of the gateways that every installation has."""


def findings(
    state: State,
    views: Iterable[View],
    problems: Iterable[Diagnostic],
    proxies: Iterable[Labels],
    settings: Settings,
    about: Collection[ObjectKey] | None = None,
) -> list[Diagnostic]:
    """What could not be made for a proxy, patches that change nothing or hold what Envoy does not
    know, Gateways that select nobody, fields that a setting switches off; with their fields'
    places.

    `problems` are those of the views; `proxies` are the labels of those connected; `about` are
    the objects that are asked for, all when it is None.
    """
    views, labels = tuple(views), list(proxies)

    def chosen(kind: str) -> list[Resource[Any]]:
        return [each for each in state.of(kind, _ISTIO) if about is None or each.key in about]

    problems = tuple(problems)
    found = [d for d in problems if about is None or d.object in about]
    if gateways := chosen("Gateway"):
        pods = (pod.labels for pod in state.of("Pod"))
        found += _unselected(gateways, [*labels, *pods, *starting(state)])
    if filters := chosen("EnvoyFilter"):
        found += _values(filters, {(d.object, d.path) for d in found})
        found += unused(filters, views, problems, labels, starting(state)) if views else ()
    if not settings.enable_tls_on_sidecar_ingress:
        found += _switched_off(chosen("Sidecar"))
    found += without_effect_of(state, about)
    return [placed(d, state) for d in dict.fromkeys(found)]


def placed(diagnostic: Diagnostic, state: State) -> Diagnostic:
    """With the place of its field, when it has none yet."""
    if diagnostic.origin or diagnostic.object is None:
        return diagnostic
    return replace(diagnostic, origin=state.origin(diagnostic.object, parsed_path(diagnostic.path)))


def _values(
    filters: Iterable[Resource[Any]], known: Collection[tuple[ObjectKey | None, str]]
) -> Iterator[Diagnostic]:
    """What Envoy can't read of the patches, or does not know, save where a problem says so."""
    for resource in filters:
        found = Findings()
        check_values(resource, found)
        for one in found.items:
            path = path_text(one.path)
            if one.severity is not Severity.ERROR or (resource.key, path) not in known:
                yield Diagnostic(
                    one.code, one.severity, one.message, None, resource.key, path, one.hint
                )


def _switched_off(sidecars: Iterable[Resource[Any]]) -> Iterator[Diagnostic]:
    for sidecar in sidecars:
        for index, listener in enumerate(sidecar.spec.ingress):
            if listener.tls is not None:
                message = (
                    "tls has no effect here: TLS of Sidecars is switched off, as it is in Istio"
                )
                hint = "start varka with ENABLE_TLS_ON_SIDECAR_INGRESS=true in its environment"
                yield Diagnostic(
                    "V7013",
                    Severity.WARNING,
                    message,
                    None,
                    sidecar.key,
                    f"spec.ingress[{index}].tls",
                    hint,
                )


def _unselected(gateways: Iterable[Resource[Any]], labels: list[Labels]) -> Iterator[Diagnostic]:
    """Istio's IST0101: connections to such a Gateway's ports are refused."""
    for gateway in gateways:
        if found := missed(gateway.spec.selector, labels, _STANDARD):
            message = (
                f"no pod has the labels {found.labels}: nobody listens on the ports of this Gateway"
            )
            yield Diagnostic(
                "V7011", Severity.WARNING, message, None, gateway.key, "spec.selector", found.hint
            )
