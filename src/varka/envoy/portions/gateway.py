"""The portion of gateways: all that those share to which the same Gateways apply."""

from __future__ import annotations

from varka.envoy.listeners.gateway import gateway_layers
from varka.envoy.portions.finish import finished
from varka.envoy.portions.outbound import OutboundLayers
from varka.envoy.resource import Layer, Portion, TypeUrl
from varka.envoy.routes.gateway import gateway_route
from varka.envoy.viewkey import ViewKey
from varka.mesh.model import MergedGateway


def gateway_portion(key: ViewKey, gateway: MergedGateway, outbound: OutboundLayers) -> Portion:
    scope, build, locality = key.scope, key.profile.build, key.profile.locality
    base = build.base
    listeners = gateway_layers(build, gateway, scope)
    routes = tuple(
        base.once(gateway_route, gateway, scope, key.namespace, name)
        for name in sorted(listeners.routes)
    )
    clusters, assignments = outbound.sni(base, gateway, scope, locality)
    layers = outbound.of(base, scope, locality)
    return finished(
        key.profile,
        layers
        | {
            TypeUrl.CLUSTER: layers[TypeUrl.CLUSTER] + clusters,
            TypeUrl.ENDPOINTS: layers[TypeUrl.ENDPOINTS] + assignments,
            TypeUrl.LISTENER: listeners.layers,
            TypeUrl.ROUTE: (base.memo(Layer.of, routes),),
        },
        gateway,
    )
