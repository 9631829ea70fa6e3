"""Manifests in watched files: what a saved, new, deleted or broken file means for the objects."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from varka.base.diagnostic import Diagnostic, Severity
from varka.base.hashing import content_hash
from varka.base.names import ObjectKey
from varka.resources.load import Part, load_text
from varka.resources.place import Place
from varka.resources.resource import Resource
from varka.store.texts import SUFFIXES, expand, is_hidden, read

DEBOUNCE_MS = 10
"""An editor's write and rename, or a checkout of many files, is one change."""


@dataclass(frozen=True, slots=True)
class FileChange:
    """What reading files again brought. Objects of a file with errors that were good before stay as
    they were."""

    files: tuple[str, ...]
    put: tuple[tuple[Resource[Any], Place], ...]
    drop: tuple[ObjectKey, ...]
    diagnostics: tuple[Diagnostic, ...]


class Files:
    """The manifests below some paths and the objects each gave last."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.paths = tuple(paths)
        self._names: dict[str, str] = {}
        """Resolved path -> the file as the user named it."""
        self._versions: dict[str, str] = {}
        """Content hash of each file."""
        self._objects: dict[str, dict[ObjectKey, Resource[Any]]] = {}
        self.diagnostics: dict[str, tuple[Diagnostic, ...]] = {}
        """By file, of its newest content."""

    def refresh(self, touched: Iterable[str] | None = None) -> FileChange:
        """Read what may have changed: all files, or the ones at these (resolved) paths."""
        texts, unreadable = read(self._wanted(touched))
        present = set(self._names.values())
        put: list[tuple[Resource[Any], Place]] = []
        drop: list[ObjectKey] = []
        changed: list[str] = []
        for name, text in texts:
            version = content_hash(text.encode())
            if self._versions.get(name) == version:
                continue
            changed.append(name)
            self._versions[name] = version
            part = load_text(name, text)
            put += part.objects
            drop += self._take(name, part)
        for name in [n for n in self._versions if n not in present]:
            changed.append(name)
            del self._versions[name]
            self.diagnostics.pop(name, None)
            drop += self._objects.pop(name, {})
        still = {key for objects in self._objects.values() for key in objects} if drop else set()
        told = [d for name in changed for d in self.diagnostics.get(name, ())]
        return FileChange(
            tuple(changed),
            tuple(put),
            tuple(k for k in drop if k not in still),
            (*unreadable, *told),
        )

    def _wanted(self, touched: Iterable[str] | None) -> list[str]:
        """The files to read; the folders are looked through only where the paths do not tell
        all."""
        paths = [] if touched is None else list(touched)
        if touched is None or not all(self._follow(path) for path in paths):
            self._names = {
                str(Path(name).resolve()) if name != "-" else name: name
                for name in expand(self.paths)
            }
            return list(self._names.values())
        return [self._names[path] for path in paths if path in self._names]

    def _follow(self, path: str) -> bool:
        """Note what became of a path; False when only a look through the folders can tell."""
        file = Path(path)
        if path not in self._names and file.suffix not in SUFFIXES:
            return not file.is_dir() and not any(
                known.startswith(path + os.sep) for known in self._names
            )
        if not file.is_file():
            self._names.pop(path, None)
            return not file.exists()
        if path not in self._names and (name := self._name(file)):
            self._names[path] = name
        return path in self._names

    def _name(self, file: Path) -> str | None:
        """What `expand` would call a file in a folder of ours; None for one that is none of ours,
        or only by a link."""
        for given in self.paths:
            root = Path(given).resolve()
            if given != "-" and root.is_dir() and file.is_relative_to(root):
                below = file.relative_to(root)
                return None if is_hidden(below) else str(Path(given) / below)
        return None

    async def changes(self) -> AsyncIterator[FileChange]:
        """Watch, and read what was saved. Folders are watched with all below them; of a file its
        folder, since editors put a new file in its place."""
        paths = [Path(path) for path in self.paths if path != "-"]
        folders = {path for path in paths if path.is_dir()}
        beside = {path.parent for path in paths if not path.is_dir()} - folders
        touched: asyncio.Queue[set[str]] = asyncio.Queue()
        groups = [
            (roots, recursive) for roots, recursive in ((folders, True), (beside, False)) if roots
        ]
        watching = [
            asyncio.create_task(_watch(roots, recursive, touched)) for roots, recursive in groups
        ]
        try:
            while watching:
                change = self.refresh(await touched.get())
                if change.files or change.diagnostics:
                    yield change
        finally:
            for task in watching:
                task.cancel()

    def _take(self, name: str, part: Part) -> list[ObjectKey]:
        """Remember a file's objects; the keys it had and has no more. A broken object or document
        keeps what was there."""
        before = self._objects.get(name, {})
        now = {resource.key: resource for resource, _ in part.objects}
        self.diagnostics[name] = part.diagnostics
        errors = [d for d in part.diagnostics if d.severity is Severity.ERROR]
        unparsed = any(d.object is None for d in errors)
        broken = {d.object for d in errors}
        kept = {
            key: r for key, r in before.items() if key not in now and (unparsed or key in broken)
        }
        self._objects[name] = {**kept, **now}
        return [key for key in before if key not in self._objects[name]]


async def _watch(roots: set[Path], recursive: bool, touched: asyncio.Queue[set[str]]) -> None:
    from watchfiles import awatch

    async for batch in awatch(
        *roots,
        debounce=DEBOUNCE_MS,
        step=DEBOUNCE_MS,
        rust_timeout=60_000,
        recursive=recursive,
        ignore_permission_denied=True,
    ):
        await touched.put({str(Path(path).resolve()) for _, path in batch})
