"""What a proxy was told of itself (`ProxyConfig`), as far as its Envoy configuration follows from it."""

from __future__ import annotations

import json

from varka.proxy.traits import Traits
from varka.resources.model.base import decode
from varka.resources.model.mesh import MeshConfig, ProxyHeaders


def proxy_headers(traits: Traits, config: MeshConfig) -> ProxyHeaders:
    """`proxyHeaders`: the proxy's own, else those of the mesh's `defaultConfig`."""
    own = json.loads(traits.proxy_config).get("proxyHeaders") if traits.proxy_config else None
    if own:
        return decode(own, ProxyHeaders)
    default = config.default_config.proxy_headers if config.default_config else None
    return default or ProxyHeaders()
