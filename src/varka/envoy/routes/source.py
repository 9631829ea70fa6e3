"""Conditions of a rule that the client decides, not the request: evaluated while routes are
made."""

from __future__ import annotations

from msgspec import Struct

from varka.envoy.routes.match import Semantics, semantics_of
from varka.mesh.model import MergedVirtualService
from varka.resources.model import networking

MESH = "mesh"
"""The gateway name that means all sidecars."""


class Source(Struct, frozen=True):
    """Who asks."""

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


class Interest(Struct, frozen=True):
    """The namespaces and labels that rules ask clients for. Clients that differ in others share
    routes."""

    namespaces: frozenset[str]
    labels: frozenset[tuple[str, str]]

    def narrow(self, source: Source) -> Source:
        namespace = source.namespace if source.namespace in self.namespaces else ""
        return Source(source.gateway, namespace, source.labels & self.labels)


def interest_of(*rules: MergedVirtualService) -> Interest:
    requests = [request for rule in rules for route in rule.spec.http for request in route.match]
    asked = {request.source_namespace for request in requests if request.source_namespace}
    own = {str(rule.namespace) for rule in rules if _is_for_neighbours(rule)}
    return Interest(
        namespaces=frozenset(asked | own),
        labels=frozenset(pair for request in requests for pair in request.source_labels.items()),
    )


def _is_for_neighbours(rule: MergedVirtualService) -> bool:
    """A route of the Gateway API for other namespaces' services is followed by clients of its own
    namespace only."""
    if semantics_of(rule) is not Semantics.GATEWAY:
        return False
    return not all(f".{rule.namespace}." in host for host in rule.spec.hosts)
