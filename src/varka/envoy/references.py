"""Which secrets resources ask for."""

from __future__ import annotations

from collections.abc import Iterator

from envoy.extensions.transport_sockets.tls.v3 import secret_pb2
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message

from varka.envoy.messagetypes import load_type, unpacked
from varka.envoy.resource import Layer

SERVED = ("kubernetes://", "kubernetes-gateway://", "configmap://", "file-cert:", "file-root:")
"""What names of secrets that a control plane serves begin with."""


def served_secrets(layer: Layer) -> frozenset[str]:
    """The secrets that the resources of a layer (clusters, listeners) need from the control
    plane."""
    return frozenset(
        name
        for resource in layer.resources.values()
        for name in resource.secrets
        if name.startswith(SERVED)
    )


def named_secrets(message: Message) -> frozenset[str]:
    """All secrets that a message names, at whatever depth: for what a patch has put there."""
    return frozenset(_walk(message))


def _walk(message: Message) -> Iterator[str]:
    if isinstance(message, secret_pb2.SdsSecretConfig):
        yield message.name
        return
    if isinstance(message, AnyMessage):
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
