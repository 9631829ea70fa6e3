"""`headers` of VirtualService routes and destinations as Envoy's header mutations."""

from __future__ import annotations

from collections.abc import Mapping

from envoy.config.core.v3 import base_pb2
from envoy.config.route.v3 import route_components_pb2 as envoy
from msgspec import Struct

from varka.resources.model import networking

_OVERWRITE = base_pb2.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD
_APPEND = base_pb2.HeaderValueOption.APPEND_IF_EXISTS_OR_ADD


class Mutations(Struct, frozen=True):
    """What to change. Setting `host` or `:authority` is no header mutation in Envoy but a rewrite
    of the host."""

    request_add: tuple[base_pb2.HeaderValueOption, ...] = ()
    request_remove: tuple[str, ...] = ()
    response_add: tuple[base_pb2.HeaderValueOption, ...] = ()
    response_remove: tuple[str, ...] = ()
    authority: str = ""

    def apply(self, target: envoy.Route | envoy.WeightedCluster.ClusterWeight) -> None:
        """Append to what the target has."""
        target.request_headers_to_add.extend(self.request_add)
        target.request_headers_to_remove.extend(self.request_remove)
        target.response_headers_to_add.extend(self.response_add)
        target.response_headers_to_remove.extend(self.response_remove)


def mutations(headers: networking.Headers | None) -> Mutations:
    if headers is None:
        return Mutations()
    request = headers.request or networking.HeaderOperations()
    response = headers.response or networking.HeaderOperations()
    return Mutations(
        request_add=(*_options(request.set, _OVERWRITE), *_options(request.add, _APPEND)),
        request_remove=tuple(name for name in request.remove if not _is_internal(name)),
        response_add=(*_options(response.set, _OVERWRITE), *_options(response.add, _APPEND)),
        response_remove=tuple(name for name in response.remove if not _is_internal(name)),
        authority=_authority(request.set) or _authority(request.add),
    )


def _options(
    values: Mapping[str, str], action: base_pb2.HeaderValueOption.HeaderAppendAction.ValueType
) -> list[base_pb2.HeaderValueOption]:
    return [
        base_pb2.HeaderValueOption(
            header=base_pb2.HeaderValue(key=key, value=value), append_action=action
        )
        for key, value in sorted(values.items())
        if not _is_internal(key)
    ]


def _is_internal(name: str) -> bool:
    """Envoy refuses to change these."""
    return name.startswith(":") or name.lower() == "host"


def _authority(values: Mapping[str, str]) -> str:
    return next(
        (value for key, value in sorted(values.items()) if key.lower() in (":authority", "host")),
        "",
    )
