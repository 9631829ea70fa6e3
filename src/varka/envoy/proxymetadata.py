"""What a proxy was told of itself (`ProxyConfig`), as far as its Envoy configuration follows from
it."""

from __future__ import annotations

import json
from functools import lru_cache

from varka.proxy.traits import Traits
from varka.resources.meshconfig import merge_proxy_config
from varka.resources.model.mesh import MeshConfig, ProxyConfig, ProxyHeaders


def proxy_config(traits: Traits, config: MeshConfig) -> ProxyConfig:
    """The proxy's own over the mesh's `defaultConfig`."""
    return _merged(traits.proxy_config, config.default_config or ProxyConfig())


def proxy_headers(traits: Traits, config: MeshConfig) -> ProxyHeaders:
    return proxy_config(traits, config).proxy_headers or ProxyHeaders()


@lru_cache(maxsize=256)
def _merged(own: str, base: ProxyConfig) -> ProxyConfig:
    return merge_proxy_config(base, json.loads(own))[0] if own else base
