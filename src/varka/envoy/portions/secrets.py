"""The portion of secrets: what the control plane answers to the names in the other portions."""

from __future__ import annotations

from varka.base.diagnostic import Diagnostic
from varka.base.memo import Memo
from varka.envoy.listeners.tls import file_secret
from varka.envoy.resource import Layer, Layers, Portion, TypeUrl, encode
from varka.envoy.secrets import Find, secret_layer
from varka.proxy.node import ProxyIdentity


def secrets_portion(
    memo: Memo, names: frozenset[str], identity: ProxyIdentity, find: Find
) -> Portion:
    """With the reasons why some are missing."""
    files = memo(file_layer, names)
    made, problems = secret_layer(memo, names - files.resources.keys(), identity, find)
    return memo(_portion, (files, made), problems)


def file_layer(names: frozenset[str]) -> Layer:
    """Secrets that are files at the proxy, which reads and watches them itself."""
    found = ((name, file_secret(name)) for name in sorted(names))
    return Layer.of(
        encode(TypeUrl.SECRET, name, message) for name, message in found if message is not None
    )


def _portion(layers: Layers, problems: tuple[Diagnostic, ...]) -> Portion:
    return Portion({TypeUrl.SECRET: layers}, diagnostics=problems)
