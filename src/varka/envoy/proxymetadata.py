"""What a proxy was told of itself (`ProxyConfig`), as far as its Envoy configuration follows from
it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from varka.base.duration import Duration
from varka.envoy.build import Build
from varka.resources.meshconfig import merge_proxy_config
from varka.resources.model.mesh import ProxyConfig, ProxyHeaders


def proxy_config(build: Build) -> ProxyConfig:
    """The proxy's own over the mesh's `defaultConfig`."""
    return _merged(build.traits.proxy_config, build.config.default_config or ProxyConfig())


def proxy_headers(build: Build) -> ProxyHeaders:
    return proxy_config(build).proxy_headers or ProxyHeaders()


@lru_cache(maxsize=256)
def _merged(own: str, base: ProxyConfig) -> ProxyConfig:
    """What a proxy sent that is no ProxyConfig, or has numbers that Envoy can't hold, is as if it
    had sent nothing."""
    if not own:
        return base
    merged, _ = merge_proxy_config(base, json.loads(own))
    return merged if _in_range(merged) else base


def _in_range(value: Any) -> bool:
    """Whether all numbers are finite, and all integers ones that 32 bits without a sign hold."""
    if isinstance(value, msgspec.Struct):
        return all(_in_range(getattr(value, name)) for name in value.__struct_fields__)
    if isinstance(value, Mapping):
        return all(map(_in_range, value.values()))
    if isinstance(value, tuple):
        return all(map(_in_range, value))
    if isinstance(value, int) and not isinstance(value, Duration):
        return 0 <= value < 1 << 32
    return not isinstance(value, float) or math.isfinite(value)
