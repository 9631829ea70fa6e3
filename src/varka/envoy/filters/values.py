"""Whether the values of an EnvoyFilter are messages of Envoy's: what an admission webhook would say
about them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from varka.base.names import Namespace
from varka.envoy.filters.json import Unreadable, read_json
from varka.envoy.filters.patch import Patch, compiled
from varka.mesh.model import FilterPatch
from varka.resources.codes import Code
from varka.resources.findings import Findings
from varka.resources.model.networking import ApplyTo, EnvoyFilter, PatchContext
from varka.resources.resource import Resource


def check_values(resource: Resource[EnvoyFilter], findings: Findings) -> None:
    """An error for each value that Envoy can't read, a warning for fields it does not know and
    filters without configuration."""
    for index, patch in enumerate(resource.spec.config_patches):
        waypoint = patch.match is not None and patch.match.context == PatchContext.WAYPOINT
        if (
            patch.patch is None
            or patch.patch.value is None
            or patch.apply_to == ApplyTo.BOOTSTRAP
            or waypoint
        ):
            continue
        path = ("spec", "configPatches", index, "patch", "value")
        found = compiled(FilterPatch(resource.key, index, patch, Namespace(resource.namespace)))
        if not isinstance(found, Patch):
            findings.error(Code.EF_VALUE, (*path, *found.path), str(found))
            continue
        try:
            read_json(patch.patch.value, type(found.value)(), strict=True)
        except Unreadable as error:
            findings.warning(Code.EF_VALUE, (*path, *error.path), str(error))
        for name in _bare_filters(found.value):
            findings.warning(
                Code.EF_VALUE,
                path,
                f"filter {name!r} has no typed_config: Envoy refuses bare names",
            )


def _bare_filters(message: Any) -> Iterator[str]:
    """Names of extensions inside a message whose `typed_config` is not set."""
    names = message.DESCRIPTOR.fields_by_name
    if "typed_config" in names and "name" in names:
        discovered = "config_discovery" in names and message.HasField("config_discovery")
        if not message.HasField("typed_config") and not discovered:
            yield message.name
    for field, value in message.ListFields():
        if field.type == field.TYPE_MESSAGE and not field.is_repeated:
            yield from _bare_filters(value)
