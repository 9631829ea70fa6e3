"""Which secrets encoded resources ask for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from varka.base.memo import Memo
from varka.envoy.dump import message_of
from varka.envoy.messagetypes import load_type, unpacked
from varka.envoy.resource import Layer

_SDS = "envoy.extensions.transport_sockets.tls.v3.SdsSecretConfig"
_ANY = "google.protobuf.Any"
_MARKS = (b"kubernetes://", b"kubernetes-gateway://", b"configmap://", b"file-cert:", b"file-root:")
"""What names of secrets that a control plane serves begin with; most resources hold none and are
not decoded."""


def secret_names(memo: Memo, layer: Layer) -> frozenset[str]:
    """Names of the SDS secrets that the resources of a layer (clusters, listeners) need from the
    control plane."""
    return memo(_of_layer, layer)


def _of_layer(layer: Layer) -> frozenset[str]:
    return frozenset(
        name
        for resource in layer.resources.values()
        if any(mark in resource.body for mark in _MARKS)
        for name in _walk(message_of(resource))
        if name.encode().startswith(_MARKS)
    )


def _walk(message: Any) -> Iterator[str]:
    kind = message.DESCRIPTOR.full_name
    if kind == _SDS:
        yield message.name
        return
    if kind == _ANY:
        if message.type_url and load_type(message.type_url.rpartition("/")[2]):
            yield from _walk(unpacked(message))
        return
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            values = (
                value.values()
                if field.message_type.fields_by_name["value"].message_type is not None
                else ()
            )
        else:
            values = value if field.is_repeated else (value,)
        for inner in values:
            yield from _walk(inner)
