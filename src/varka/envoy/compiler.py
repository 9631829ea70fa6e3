"""From a mesh snapshot to the views of proxies.

A view is made of portions (`envoy.portions`). The portion that equal proxies share is compiled once
for a snapshot, and from the memo while nothing in it changed (see `base.memo`).
"""

from __future__ import annotations

from collections.abc import Iterable

from varka.base.memo import Memo
from varka.base.settings import Settings
from varka.envoy.filters.apply import Rejected
from varka.envoy.portions.finish import LayersByType, finished
from varka.envoy.portions.gateway import gateway_portion
from varka.envoy.portions.outbound import OutboundLayers
from varka.envoy.portions.secrets import secrets_portion
from varka.envoy.portions.sidecar import (
    rules_for_own_services,
    sidecar_portion,
    workload_portion,
)
from varka.envoy.resource import (
    NO_FORMS,
    NOTHING,
    EnvoyResource,
    Form,
    Forms,
    Layer,
    Portion,
    TypeUrl,
    View,
)
from varka.envoy.routes.gateway import gateway_route
from varka.envoy.routes.sidecar import sidecar_route
from varka.envoy.viewkey import Refused, TelemetryInputs, ViewKey, view_key_of
from varka.mesh.model import Inbound, PatchContent
from varka.mesh.proxycontext import ProxyContext
from varka.mesh.snapshot import MeshSnapshot, take
from varka.mesh.telemetry import names_services
from varka.proxy.node import Proxy, ProxyType
from varka.resources.model.mesh import MeshConfig
from varka.store.state import State


class Compiler:
    """Compiles views for proxies; holds the memo and the newest snapshot. Belongs to one thread."""

    def __init__(self, config: MeshConfig, settings: Settings) -> None:
        self.memo = Memo()
        self.config = config
        self._settings = settings
        self._snapshot = take(State(), config, self.memo, settings)
        self._telemetry = self._telemetry_inputs(self._snapshot, config)
        self._refused: Refused = frozenset()
        self._accepted: frozenset[PatchContent] = frozenset()
        """Patches that some proxy has: where one of several is to blame, it is none of these."""
        self._begin()

    def _begin(self) -> None:
        """Forget what was made of another snapshot; the memo keeps what stays the same."""
        self._outbound = OutboundLayers(self._snapshot)
        self._portions: dict[tuple[ViewKey, Forms], Portion] = {}
        self._secrets = Memo()

    @property
    def snapshot(self) -> MeshSnapshot:
        return self._snapshot

    def update(self, state: State, config: MeshConfig | None = None) -> None:
        """Move on to a new state (and mesh configuration). When that raises, nothing has
        changed."""
        config = config or self.config
        self.memo.turn()
        snapshot = take(state, config, self.memo, self._settings)
        telemetry = self._telemetry_inputs(snapshot, config)
        known = self._refused or self._accepted
        written = frozenset(p.content for p in snapshot.patches()) if known else frozenset()
        refused = frozenset(one for one in self._refused if one[0] in written)
        self.config, self._snapshot, self._telemetry = config, snapshot, telemetry
        self._refused, self._accepted = refused, self._accepted & written
        self._begin()

    def accept(self, patches: frozenset[PatchContent]) -> None:
        """A proxy took resources with these patches: until they change, none is to blame."""
        self._accepted |= patches

    def refuse(self, rejected: Iterable[Rejected]) -> bool:
        """Set patches aside that a proxy did not accept and none has accepted before, until they
        change; False when there is none, or they are already."""
        known = self._accepted.union(content for content, _ in self._refused)
        new = frozenset(
            (one.patch.content, one.reason) for one in rejected if one.patch.content not in known
        )
        self._refused |= new
        return bool(new)

    def view(self, proxy: Proxy, forms: Forms = NO_FORMS) -> View:
        """What this proxy gets: the same object for equal proxies, and over updates while nothing
        in it changed. Route configurations that it has keep their form."""
        key, context = self._key(proxy)
        shared = self._shared(key, forms)
        own = NOTHING if key.gateway else self._workload(key, context.inbound)
        names = shared.secrets | own.secrets
        find = self._snapshot.find
        secrets = (
            self._secrets(secrets_portion, self.memo, names, proxy.identity, find)
            if names
            else NOTHING
        )
        return self.memo(View, shared, own, secrets)

    def route(self, proxy: Proxy, name: str) -> EnvoyResource:
        """A route configuration by name, also one that no listener names; whole, whatever its
        size."""
        key, _ = self._key(proxy)
        build, scope, namespace = key.profile.build.base, key.scope, key.namespace
        if key.gateway is not None:
            found = build.once(gateway_route, key.gateway, scope, namespace, name)
        else:
            found = build.once(sidecar_route, scope, namespace, name, Form.WHOLE).route
        layers: LayersByType = {TypeUrl.ROUTE: (self.memo(Layer.of, (found,)),)}
        patched = finished(key.profile, layers, key.gateway).layers
        return patched[TypeUrl.ROUTE][0].resources[name]

    def _key(self, proxy: Proxy) -> tuple[ViewKey, ProxyContext]:
        snapshot = self._snapshot
        context = snapshot.proxy_context(proxy)
        gateway = snapshot.gateway(proxy) if proxy.type is ProxyType.ROUTER else None
        scope = snapshot.scope_of(proxy, context)
        key = self.memo.nested(
            view_key_of, self._telemetry, self._refused, proxy, context, scope, gateway
        )
        return key, context

    def _shared(self, key: ViewKey, forms: Forms) -> Portion:
        """Mostly route configurations have the form that they would get now."""
        usual = self._portion(key, NO_FORMS)
        return usual if self.memo(keeps, usual, forms) else self._portion(key, forms)

    def _portion(self, key: ViewKey, forms: Forms) -> Portion:
        found = self._portions.get((key, forms))
        if found is None:
            found = self._portions[key, forms] = (
                gateway_portion(key, key.gateway, self._outbound)
                if key.gateway
                else sidecar_portion(key, forms, self._outbound)
            )
        return found

    def _workload(self, key: ViewKey, inbound: Inbound) -> Portion:
        rules = rules_for_own_services(inbound, key.scope)
        return self.memo(workload_portion, key.profile, inbound, rules, self._settings)

    def _telemetry_inputs(self, snapshot: MeshSnapshot, config: MeshConfig) -> TelemetryInputs:
        objects = snapshot.telemetries()
        services = snapshot.services() if names_services(objects, config) else ()
        return self.memo(TelemetryInputs, objects, services, config, snapshot.root_namespace)


def keeps(portion: Portion, forms: Forms) -> bool:
    """Whether route configurations have these forms in it."""
    known = dict(forms)
    routes = (
        r for layer in portion.layers.get(TypeUrl.ROUTE, ()) for r in layer.resources.values()
    )
    return all(known.get(route.name, route.form) is route.form for route in routes)
