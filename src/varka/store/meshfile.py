"""The watched file of `--mesh-config`, as the ConfigMap that an installation would make of it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from varka.base.diagnostic import Diagnostic, Origin, Severity
from varka.resources.check import check_object
from varka.resources.codes import Code
from varka.resources.meshconfig import load_mesh_config, unwrapped, wrapper
from varka.resources.operator import MESH_CONFIG
from varka.resources.place import Place
from varka.resources.yaml import Document, documents
from varka.store.source import SourceChange, Written
from varka.store.texts import read
from varka.store.watch import Watcher

logger = logging.getLogger(__name__)


class MeshConfigFile:
    """A source of one object."""

    name = "mesh-config"

    def __init__(self, path: Path, *, watch: bool = True) -> None:
        self.path = path
        self._watch = watch
        self.diagnostics: tuple[Diagnostic, ...] = ()

    def refresh(self) -> SourceChange:
        """Read it. With errors in it there is nothing to put: what it said before stays."""
        texts, found = read([str(self.path)])
        put: tuple[Written, ...] = ()
        for name, text in texts:
            try:
                put, diagnostics = _read(name, text)
            except Exception as error:
                logger.exception("%s can't be checked", name)
                message = f"can't be checked, by a bug of varka's: {type(error).__name__}: {error}"
                bug = Diagnostic(Code.NOT_CHECKED, Severity.ERROR, message, Origin(name))
                diagnostics = (bug,)
            found += diagnostics
        self.diagnostics = tuple(found)
        return SourceChange(put, files=(str(self.path),), diagnostics=self.diagnostics)

    async def changes(self) -> AsyncIterator[SourceChange]:
        """What it says, then each time it is saved. Its folder is watched, since editors put a new
        file in its place."""
        if not self._watch:
            yield self.refresh()
            return
        with Watcher((), [self.path.parent]) as watcher:
            yield self.refresh()
            async for touched in watcher.saved():
                if any(Path(path).name == self.path.name for path in touched):
                    yield self.refresh()


def _read(name: str, text: str) -> tuple[tuple[Written, ...], tuple[Diagnostic, ...]]:
    diagnostics = tuple(load_mesh_config(text, name)[1])
    found, _ = documents(text)
    good = found and not any(d.severity is Severity.ERROR for d in diagnostics)
    return ((_as_config_map(wrapper(found), name),) if good else ()), diagnostics


def _as_config_map(document: Document, file: str) -> Written:
    given, prefix = unwrapped(document.value)
    metadata = {"name": MESH_CONFIG.name, "namespace": MESH_CONFIG.namespace}
    data = {"mesh": msgspec.json.encode(given).decode()}
    resource, _, _ = check_object(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}, None
    )
    assert resource is not None, "load_mesh_config found no error"
    return resource, Place(file, document, prefix, within=("data", "mesh"))
