"""Layers after EnvoyFilters, and what of the configuration could not be served."""

from __future__ import annotations

from varka.base.diagnostic import Diagnostic, Severity
from varka.envoy.filters.apply import Ports, Rejected, patch_layers
from varka.envoy.references import served_secrets
from varka.envoy.resource import Layer, Layers, Portion, TypeUrl
from varka.envoy.viewkey import ProxyProfile
from varka.mesh.model import Conflict, FilterPatch, MergedGateway
from varka.resources.findings import path_text

LayersByType = dict[TypeUrl, Layers]

SET_ASIDE = "V7001"
"""Code of a patch that is not applied."""
HOLDERS = (TypeUrl.CLUSTER, TypeUrl.LISTENER)
"""Types whose resources name secrets."""


def finished(
    profile: ProxyProfile,
    layers: LayersByType,
    gateway: MergedGateway | None = None,
    *,
    inbound: bool = False,
) -> Portion:
    """The portion of these layers, patched. What filters add to the outbound side replaces what has
    the same name there."""
    memo = profile.build.memo
    hits: set[FilterPatch] = set()
    problems = [not_served(conflict) for conflict in gateway.conflicts] if gateway else []
    problems += [set_aside(rejected) for rejected in profile.refused]
    if profile.patches:
        ports = server_ports(gateway) if gateway else ()
        for type_, found in layers.items():
            *done, more = patch_layers(
                memo, type_, found, profile.patches, gateway is not None, ports
            )
            kept = tuple(memo(without, p.layer, more.layer) for p in done)
            layers = layers | {type_: kept if inbound else (*kept, more.layer)}
            for patched in (*done, more):
                hits |= patched.hits
                problems += [set_aside(rejected) for rejected in patched.rejected]
    names = (memo(served_secrets, layer) for type_ in HOLDERS for layer in layers.get(type_, ()))
    secrets = frozenset[str]().union(*names)
    return memo(
        portion, tuple(layers.items()), secrets, tuple(dict.fromkeys(problems)), frozenset(hits)
    )


def portion(
    layers: tuple[tuple[TypeUrl, Layers], ...],
    secrets: frozenset[str],
    diagnostics: tuple[Diagnostic, ...] = (),
    hits: frozenset[FilterPatch] = frozenset(),
) -> Portion:
    return Portion(dict(layers), secrets, diagnostics, hits)


def server_ports(gateway: MergedGateway) -> Ports:
    """Bound port -> the `servers[].port.number`s it stands for: what
    `routeConfiguration.match.portNumber` means."""
    return tuple(
        (p.number, frozenset(s.server.port.number for s in p.servers if s.server.port))
        for p in gateway.ports
    )


def without(layer: Layer, other: Layer) -> Layer:
    """The layer without names that the other has; itself when there are none."""
    if layer.resources.keys().isdisjoint(other.resources):
        return layer
    return Layer({name: r for name, r in layer.resources.items() if name not in other.resources})


def not_served(conflict: Conflict) -> Diagnostic:
    """Istio's IST0145."""
    winner = conflict.winner
    message = (
        f"this server is not served: {conflict.reason}, of Gateway {winner.namespace}/{winner.name}"
    )
    hint = "give it other hosts, or another port or address"
    return Diagnostic("V7012", Severity.ERROR, message, None, conflict.gateway, conflict.path, hint)


def set_aside(rejected: Rejected) -> Diagnostic:
    message = f"this patch is not applied: {rejected.reason}"
    path = path_text((*rejected.patch.path, "patch", "value"))
    hint = "Envoy would refuse the whole resource; mend the value"
    return Diagnostic(SET_ASIDE, Severity.ERROR, message, None, rejected.patch.source, path, hint)
