"""The ProxyConfig that a workload's proxy starts with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from varka.base.names import Namespace
from varka.registry.selectors import selects
from varka.resources.meshconfig import merge_proxy_config
from varka.resources.model import mesh, proxyconfig
from varka.resources.resource import Resource

ProxyConfig = Resource[proxyconfig.ProxyConfig]


def effective_proxy_config(
    base: mesh.ProxyConfig,
    configs: tuple[ProxyConfig, ...],
    root_namespace: Namespace,
    namespace: Namespace,
    labels: Mapping[str, str],
    annotation: Mapping[str, Any] | None = None,
) -> mesh.ProxyConfig:
    """`meshConfig.defaultConfig` with what is more specific over it: the ProxyConfig of the root
    namespace, of the workload's namespace, the annotation `proxy.istio.io/config` (as plain values;
    left out when it has errors), the ProxyConfig that selects the workload. Of several at one level
    the oldest counts; environment variables add up."""
    own = [c for c in configs if c.namespace == namespace]
    layers = (
        _plain(_for_all(c for c in configs if c.namespace == root_namespace)),
        _plain(_for_all(own)),
        annotation or {},
        _plain(next((c for c in own if _selects(c, labels)), None)),
    )
    for layer in layers:
        base, _ = merge_proxy_config(base, layer)
    return base


def _for_all(configs: Iterable[ProxyConfig]) -> ProxyConfig | None:
    return next((c for c in configs if c.spec.selector is None), None)


def _selects(config: ProxyConfig, labels: Mapping[str, str]) -> bool:
    wanted = config.spec.selector.match_labels if config.spec.selector else {}
    return bool(wanted) and selects(wanted, labels)


def _plain(config: ProxyConfig | None) -> dict[str, Any]:
    """A ProxyConfig resource in the words of `meshConfig.defaultConfig`."""
    if config is None:
        return {}
    spec, plain = config.spec, dict[str, Any]()
    if spec.concurrency is not None:
        plain["concurrency"] = spec.concurrency
    if spec.environment_variables:
        plain["proxyMetadata"] = dict(spec.environment_variables)
    if spec.image is not None:
        plain["image"] = {"imageType": spec.image.image_type}
    return plain
