"""Clusters, load assignments and headless endpoints of scopes: all that follows from endpoints."""

from __future__ import annotations

from varka.base.memo import Memo
from varka.envoy.build import Build
from varka.envoy.clusters.outbound import outbound_layer
from varka.envoy.clusters.sni import sni_layers
from varka.envoy.clusters.static import static_layer
from varka.envoy.endpoints import assignment_layer
from varka.envoy.listeners.headless import HeadlessEndpoints, headless_endpoints
from varka.envoy.portions.finish import LayersByType
from varka.envoy.resource import Layers, TypeUrl
from varka.mesh.model import MergedGateway, Scope, ServiceGroup
from varka.mesh.snapshot import MeshSnapshot
from varka.proxy.node import Locality


class OutboundLayers:
    """What scopes get from one snapshot. Endpoints are in no argument of `of` and `headless`, so
    results are remembered here, for as long as the snapshot; the layers in them come from the memo,
    which outlives it."""

    def __init__(self, snapshot: MeshSnapshot) -> None:
        self._snapshot = snapshot
        self._asked = Memo()

    def of(self, build: Build, scope: Scope, locality: Locality) -> LayersByType:
        return self._asked(self._layers, build, scope.groups, locality)

    def sni(
        self, build: Build, gateway: MergedGateway, scope: Scope, locality: Locality
    ) -> tuple[Layers, Layers]:
        """Clusters and load assignments of AUTO_PASSTHROUGH servers."""
        return sni_layers(build, gateway, scope.groups, locality, self._snapshot.endpoints)

    def headless(self, build: Build, scope: Scope) -> HeadlessEndpoints:
        groups = dict.fromkeys(group for egress in scope.egress for group in egress.groups)
        return self._asked(headless_endpoints, build, tuple(groups), self._snapshot.endpoints)

    def _layers(
        self, build: Build, groups: tuple[ServiceGroup, ...], locality: Locality
    ) -> LayersByType:
        found = [(group, self._snapshot.endpoints_of(group)) for group in groups]
        clusters = (
            build.once(outbound_layer, group, locality, endpoints) for group, endpoints in found
        )
        assignments = (
            build.once(assignment_layer, group, locality, endpoints) for group, endpoints in found
        )
        return {
            TypeUrl.CLUSTER: (build.once(static_layer), *clusters),
            TypeUrl.ENDPOINTS: tuple(assignments),
            TypeUrl.EXTENSION: (),  # What EnvoyFilters add.
        }
