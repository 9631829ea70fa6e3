"""Conditions of a match that the client decides, not the request: evaluated while routes are made."""

from __future__ import annotations

from dataclasses import dataclass

from varka.base.names import Namespace
from varka.envoy.routes.match import Semantics, semantics_of
from varka.mesh.model import MergedVirtualService
from varka.proxy.traits import Traits
from varka.resources.model import networking

MESH = "mesh"
"""The gateway name that means all sidecars."""


@dataclass(frozen=True, slots=True)
class Source:
    """Who asks, as far as a rule's conditions look at it."""

    gateway: str = MESH
    """`namespace/name` of the Gateway, or `mesh`."""
    namespace: str = ""
    labels: frozenset[tuple[str, str]] = frozenset()

    def meets(self, request: networking.HTTPMatchRequest) -> bool:
        """`gateways`, when given, decides alone; else `sourceLabels` and `sourceNamespace` do."""
        if request.gateways:
            return self.gateway in request.gateways
        if any(pair not in self.labels for pair in request.source_labels.items()):
            return False
        return request.source_namespace in ("", self.namespace)


def source_for(rule: MergedVirtualService, gateway: str, namespace: Namespace, traits: Traits) -> Source:
    """Only what the rule asks about: all clients that it cannot tell apart share its routes."""
    return Source(
        gateway=gateway,
        namespace=namespace if _has_condition(rule) else "",
        labels=frozenset(pair for pair in traits.labels if pair[0] in rule.label_keys),
    )


def ask_namespace(rules: tuple[MergedVirtualService, ...]) -> bool:
    """Whether some rule looks at the client's namespace: by a condition, or because it is a route of the Gateway API for
    other namespaces' services, which only clients of its own follow."""
    return any(_is_for_neighbours(rule) or _has_condition(rule) for rule in rules)


def _has_condition(rule: MergedVirtualService) -> bool:
    return any(request.source_namespace for route in rule.spec.http for request in route.match)


def _is_for_neighbours(rule: MergedVirtualService) -> bool:
    if semantics_of(rule) is not Semantics.GATEWAY:
        return False
    return not all(f".{rule.namespace}." in host for host in rule.spec.hosts)
