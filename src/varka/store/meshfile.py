"""The watched file of `--mesh-config`, as the ConfigMap that an installation would make of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec

from varka.base.diagnostic import Diagnostic, Severity
from varka.resources.check import check_object
from varka.resources.meshconfig import load_mesh_config, unwrapped, wrapper
from varka.resources.operator import MESH_CONFIG
from varka.resources.place import Place
from varka.resources.resource import Resource
from varka.resources.yaml import Document, documents
from varka.store.files import DEBOUNCE_MS, FileChange
from varka.store.texts import read


class MeshConfigFile:
    """`diagnostics` are of its newest content."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.diagnostics: tuple[Diagnostic, ...] = ()

    def refresh(self) -> FileChange:
        """Read it. With errors in it there is nothing to put: what it said before stays."""
        texts, unreadable = read([str(self.path)])
        put: tuple[tuple[Resource[Any], Place], ...] = ()
        told = list(unreadable)
        for name, text in texts:
            told += load_mesh_config(text, name)[1]
            found, _ = documents(text)
            if found and not any(d.severity is Severity.ERROR for d in told):
                put = (_as_config_map(wrapper(found), name),)
        self.diagnostics = tuple(told)
        return FileChange((str(self.path),), put, (), self.diagnostics)

    async def changes(self) -> AsyncIterator[FileChange]:
        """Each time it is saved. Its folder is watched, since editors put a new file in its
        place."""
        from watchfiles import awatch

        async for batch in awatch(
            self.path.parent,
            debounce=DEBOUNCE_MS,
            step=DEBOUNCE_MS,
            rust_timeout=60_000,
            recursive=False,
        ):
            if any(Path(path).name == self.path.name for _, path in batch):
                yield self.refresh()


def _as_config_map(document: Document, file: str) -> tuple[Resource[Any], Place]:
    given, prefix = unwrapped(document.value)
    metadata = {"name": MESH_CONFIG.name, "namespace": MESH_CONFIG.namespace}
    data = {"mesh": msgspec.json.encode(given).decode()}
    resource, _, _ = check_object(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}, None
    )
    assert resource is not None, "load_mesh_config found no error"
    return resource, Place(file, document, prefix, within=("data", "mesh"))
