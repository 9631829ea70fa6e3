"""Which proxies get the same: a view is made once for a key, and which key a proxy has is looked
up."""

from __future__ import annotations

from msgspec import Struct

from varka.base.memo import Memo
from varka.base.names import Hostname, Namespace
from varka.envoy.build import Build, ListenerBuild
from varka.envoy.filters.apply import Rejected
from varka.mesh.model import FilterPatch, MergedGateway, PatchContent, Scope
from varka.mesh.proxycontext import ProxyContext
from varka.mesh.telemetry import Object, Telemetry, reachable, resolve
from varka.proxy.node import Locality, Proxy
from varka.proxy.traits import traits_of
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

    build: ListenerBuild
    locality: Locality
    """Empty unless some rule that the proxy sees balances by locality."""
    patches: tuple[FilterPatch, ...]
    refused: tuple[Rejected, ...] = ()
    """Patches for it that some proxy did not accept."""


class ViewKey(Struct, frozen=True, eq=False):
    """Proxies that share all but their inbound sides."""

    scope: Scope
    namespace: Namespace
    gateway: MergedGateway | None
    profile: ProxyProfile


def view_key_of(
    memo: Memo,
    inputs: TelemetryInputs,
    refused: Refused,
    proxy: Proxy,
    context: ProxyContext,
    scope: Scope,
    gateway: MergedGateway | None,
) -> ViewKey:
    """`refused` are patches that no proxy is to get."""
    unseen = frozenset(
        host for host in memo(telemetry_of, inputs, proxy).hosts if scope.find(host) is None
    )
    profile = memo.nested(
        profile_of,
        inputs,
        refused,
        proxy,
        context,
        unseen,
        scope.needs_locality,
        scope.label_keys,
    )
    return memo(ViewKey, scope, context.namespace, gateway, profile)


def profile_of(
    memo: Memo,
    inputs: TelemetryInputs,
    refused: Refused,
    proxy: Proxy,
    context: ProxyContext,
    unseen: frozenset[Hostname],
    needs_locality: bool,
    label_keys: frozenset[str],
) -> ProxyProfile:
    """The same object for proxies that are equal in it."""
    base = Build.of(memo, traits_of(proxy, label_keys), inputs.config)
    telemetry = reachable(memo(telemetry_of, inputs, proxy), unseen)
    locality = context.locality if needs_locality else Locality()
    reasons = dict(refused)
    left_out = tuple(
        Rejected(patch, reasons[patch.content])
        for patch in (context.patches if reasons else ())
        if patch.content in reasons
    )
    without = {one.patch for one in left_out}
    patches = tuple(patch for patch in context.patches if patch not in without)
    build = ListenerBuild.reporting(base, telemetry)
    return memo(ProxyProfile, build, locality, patches, left_out)


def telemetry_of(inputs: TelemetryInputs, proxy: Proxy) -> Telemetry:
    return resolve(inputs.objects, inputs.services, inputs.config, inputs.root_namespace, proxy)
