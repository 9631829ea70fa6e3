"""EnvoyFilters: which patches a proxy gets, in which order."""

from __future__ import annotations

import re
from collections.abc import Iterator

from varka.base.names import Namespace
from varka.mesh.model import FilterPatch
from varka.proxy.node import Proxy, ProxyType
from varka.registry.selectors import selects
from varka.resources.model import networking, selectors
from varka.resources.resource import Resource

Filter = Resource[networking.EnvoyFilter]
_GATEWAY_NAME = "gateway.networking.k8s.io/gateway-name"
_LONGEST_VERSION_PATTERN = 1024


def patches_for(
    filters: tuple[Filter, ...], proxy: Proxy, root_namespace: Namespace
) -> tuple[FilterPatch, ...]:
    """Those of the root namespace and of the proxy's own that select it: by priority, the root
    namespace's first, oldest first. Patches whose `match.proxy` does not fit are left out."""
    chosen = [
        f
        for f in filters
        if f.namespace in (root_namespace, proxy.namespace) and _attaches(f, proxy)
    ]
    chosen.sort(
        key=lambda f: (
            f.spec.priority,
            f.namespace != root_namespace,
            f.created,
            f"{f.name}.{f.namespace}",
        )
    )
    return tuple(
        found for each in chosen for found in patches_of(each) if _fits(found.patch.match, proxy)
    )


def patches_of(resource: Filter) -> Iterator[FilterPatch]:
    for index, patch in enumerate(resource.spec.config_patches):
        if patch.patch is not None:
            yield FilterPatch(resource.key, index, patch, Namespace(resource.namespace))


def _attaches(resource: Filter, proxy: Proxy) -> bool:
    """Proxies of Gateway API Gateways are found by `targetRefs`, all others by labels only."""
    spec, gateway = resource.spec, proxy.labels.get(_GATEWAY_NAME)
    if not spec.targetRefs:
        by_labels = gateway is None or proxy.type is not ProxyType.WAYPOINT
        return by_labels and (
            spec.workload_selector is None or selects(spec.workload_selector.labels, proxy.labels)
        )
    if gateway is None or resource.namespace != proxy.namespace:
        return False
    return any(_is_gateway(ref, gateway, proxy) for ref in spec.targetRefs)


def _is_gateway(ref: selectors.PolicyTargetReference, name: str, proxy: Proxy) -> bool:
    same = ref.group == "gateway.networking.k8s.io" and ref.kind == "Gateway" and ref.name == name
    return same and ref.namespace in ("", proxy.namespace)


def _fits(match: networking.EnvoyConfigObjectMatch | None, proxy: Proxy) -> bool:
    wanted = match.proxy if match else None
    if wanted is None:
        return True
    if wanted.proxy_version and not _version_fits(
        wanted.proxy_version, proxy.text("ISTIO_VERSION")
    ):
        return False
    return all(proxy.metadata.get(name) == value for name, value in wanted.metadata.items())


def _version_fits(pattern: str, version: str) -> bool:
    """A pattern that can't be compiled fits nothing: better no patch than one for the wrong
    version."""
    if not version or len(pattern) > _LONGEST_VERSION_PATTERN:
        return False
    try:
        return re.search(pattern, version) is not None
    except re.error:
        return False
