"""The portions of sidecars: what all of a scope share, and the inbound side of each workload."""

from __future__ import annotations

from varka.base.names import Namespace
from varka.base.settings import Settings
from varka.envoy.clusters.inbound import inbound_layer as inbound_clusters
from varka.envoy.listeners.inbound import inbound_layer as inbound_listeners
from varka.envoy.listeners.outbound import outbound_layers
from varka.envoy.portions.finish import finished
from varka.envoy.portions.outbound import OutboundLayers
from varka.envoy.resource import Forms, Layer, Portion, TypeUrl
from varka.envoy.routes.sidecar import sidecar_route
from varka.envoy.viewkey import ProxyProfile, ViewKey
from varka.mesh.model import Inbound, MergedRule, Scope
from varka.registry.service import Service

Rules = tuple[tuple[Service, MergedRule], ...]


def sidecar_portion(key: ViewKey, forms: Forms, outbound: OutboundLayers) -> Portion:
    """What a sidecar shares with all others of its scope."""
    scope, build = key.scope, key.profile.build
    base = build.base
    client = key.namespace if scope.asks_namespace else Namespace("")
    listeners = build.once(outbound_layers, scope, client, outbound.headless(base, scope))
    known = dict(forms)
    routes = [
        base.once(sidecar_route, scope, key.namespace, name, known.get(name))
        for name in sorted(listeners.routes)
    ]
    layers = {
        **outbound.of(base, scope, key.profile.locality),
        TypeUrl.LISTENER: listeners.layers,
        TypeUrl.ROUTE: (base.memo(Layer.of, tuple(part.route for part in routes)),),
        TypeUrl.VIRTUAL_HOST: tuple(layer for part in routes for layer in part.virtual_hosts),
    }
    return finished(key.profile, layers)


def rules_for_own_services(inbound: Inbound, scope: Scope) -> Rules:
    """All that an inbound side depends on of the workload's scope."""
    targets = (
        *inbound.targets,
        *(entry.target for entry in inbound.ingress or () if entry.target),
    )
    services = dict.fromkeys(target.service for target in targets)
    return tuple(
        (service, entry.inbound_rule)
        for service in services
        if (entry := scope.find(service.hostname)) and entry.inbound_rule
    )


def workload_portion(
    profile: ProxyProfile, inbound: Inbound, rules: Rules, settings: Settings
) -> Portion:
    """The inbound side of a sidecar."""
    build = profile.build
    layers = {
        TypeUrl.CLUSTER: (inbound_clusters(build.base, inbound, dict(rules)),),
        TypeUrl.LISTENER: inbound_listeners(build, inbound, settings).layers,
    }
    return finished(profile, layers, inbound=True)
