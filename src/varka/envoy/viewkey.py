"""Which proxies get the same: a view is made once for an audience, and its members are looked
up."""

from __future__ import annotations

from msgspec import Struct

from varka.base.memo import Memo
from varka.base.names import Hostname, Namespace
from varka.envoy.filters.apply import Rejected
from varka.mesh.model import FilterPatch, MergedGateway, PatchContent, Scope
from varka.mesh.proxycontext import ProxyContext
from varka.mesh.telemetry import Object, Telemetry, reachable, resolve
from varka.proxy.node import Locality, Proxy
from varka.proxy.traits import Traits, traits_of
from varka.registry.service import Service
from varka.resources.model.mesh import MeshConfig

Refused = frozenset[tuple[PatchContent, str]]
"""Patches that a proxy did not accept, and what it said."""


class TelemetryInputs(Struct, frozen=True, eq=False):
    """What telemetry is made of."""

    objects: tuple[Object, ...]
    services: tuple[Service, ...]
    """Empty where no provider asks for them."""
    config: MeshConfig
    root_namespace: Namespace


class ProxyProfile(Struct, frozen=True, eq=False):
    """What a proxy's configuration depends on besides the services it sees. Equal proxies have the
    same one."""

    traits: Traits
    locality: Locality
    """Empty unless some rule that the proxy sees balances by locality."""
    telemetry: Telemetry
    patches: tuple[FilterPatch, ...]
    aside: tuple[Rejected, ...] = ()
    """Patches for it that some proxy did not accept."""


class ViewKey(Struct, frozen=True, eq=False):
    """Proxies that share all but their inbound sides."""

    scope: Scope
    namespace: Namespace
    gateway: MergedGateway | None
    character: ProxyProfile


def view_key_of(
    memo: Memo,
    tellers: TelemetryInputs,
    refused: Refused,
    proxy: Proxy,
    standing: ProxyContext,
    scope: Scope,
    gateway: MergedGateway | None,
) -> ViewKey:
    """`refused` are patches that no proxy is to get."""
    unseen = frozenset(
        host for host in memo(told, tellers, proxy).hosts if scope.find(host) is None
    )
    character = memo(
        profile_of,
        memo,
        tellers,
        refused,
        proxy,
        standing,
        unseen,
        scope.needs_locality,
        scope.label_keys,
    )
    return memo(ViewKey, scope, standing.namespace, gateway, character)


def profile_of(
    memo: Memo,
    tellers: TelemetryInputs,
    refused: Refused,
    proxy: Proxy,
    standing: ProxyContext,
    unseen: frozenset[Hostname],
    needs_locality: bool,
    label_keys: frozenset[str],
) -> ProxyProfile:
    """The same object for proxies that are equal in it."""
    traits = traits_of(proxy, label_keys)
    locality = standing.locality if needs_locality else Locality()
    telemetry = reachable(memo(told, tellers, proxy), unseen)
    reasons = dict(refused)
    aside = (
        tuple(Rejected(p, reasons[p.content]) for p in standing.patches if p.content in reasons)
        if reasons
        else ()
    )
    left_out = {one.patch for one in aside}
    patches = tuple(patch for patch in standing.patches if patch not in left_out)
    return memo(ProxyProfile, traits, locality, telemetry, patches, aside)


def told(tellers: TelemetryInputs, proxy: Proxy) -> Telemetry:
    return resolve(tellers.objects, tellers.services, tellers.config, tellers.root_namespace, proxy)
