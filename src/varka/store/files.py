"""Manifests in watched files: what a saved, new, deleted or broken file means for the objects."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

from varka.base.diagnostic import Diagnostic, Origin, Severity
from varka.base.hashing import content_hash
from varka.base.names import ObjectKey
from varka.resources.codes import Code
from varka.resources.load import Part, load_text
from varka.resources.resource import Resource
from varka.store.source import SourceChange, Written
from varka.store.texts import SUFFIXES, expand, is_hidden, read
from varka.store.watch import Watcher

logger = logging.getLogger(__name__)


class Files:
    """The manifests below some paths, as a source of objects."""

    name = "file"

    def __init__(self, paths: Iterable[str], *, watch: bool = True) -> None:
        self.paths = tuple(paths)
        self._watch = watch
        self._names: dict[str, str] = {}
        """Resolved path -> the file as the user named it."""
        self._versions: dict[str, str] = {}
        """Content hash of each file."""
        self._objects: dict[str, dict[ObjectKey, Resource[Any]]] = {}
        """What each file gave last."""
        self._diagnostics: dict[str, tuple[Diagnostic, ...]] = {}
        """By file, of its newest content."""

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Of all files, as they are now."""
        return tuple(d for found in self._diagnostics.values() for d in found)

    def refresh(self, touched: Iterable[str] | None = None) -> SourceChange:
        """Read what may have changed: all files, or the ones at these (resolved) paths."""
        texts, unreadable = read(self._wanted(touched))
        present = set(self._names.values())
        put: list[Written] = []
        drop: list[ObjectKey] = []
        changed: list[str] = []
        for name, text in texts:
            version = content_hash(text.encode())
            if self._versions.get(name) == version:
                continue
            changed.append(name)
            logger.debug("%s has other content", name)
            self._versions[name] = version
            part = _load(name, text)
            put += part.objects
            drop += self._take(name, part)
        for name in [n for n in self._versions if n not in present]:
            changed.append(name)
            del self._versions[name]
            self._diagnostics.pop(name, None)
            drop += self._objects.pop(name, {})
        still = {key for objects in self._objects.values() for key in objects} if drop else set()
        found = [d for name in changed for d in self._diagnostics.get(name, ())]
        return SourceChange(
            tuple(put),
            tuple(k for k in drop if k not in still),
            files=tuple(changed),
            diagnostics=(*unreadable, *found),
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

    async def changes(self) -> AsyncIterator[SourceChange]:
        """All there is, then what is saved. Folders are watched with all below them; of a file its
        folder, since editors put a new file in its place. Raises OSError when the machine watches
        no more folders."""
        if not self._watch:
            yield self.refresh()
            return
        paths = [Path(path) for path in self.paths if path != "-"]
        folders = {path for path in paths if path.is_dir()}
        beside = {path.parent for path in paths if path.parent.is_dir()} - folders
        with Watcher(folders, beside) as watcher:
            yield self.refresh()
            async for touched in watcher.saved():
                change = self.refresh(touched)
                if change.files or change.diagnostics:
                    yield change

    def _take(self, name: str, part: Part) -> list[ObjectKey]:
        """Remember a file's objects; the keys it had and has no more. A broken object or document
        keeps what was there."""
        before = self._objects.get(name, {})
        now = {resource.key: resource for resource, _ in part.objects}
        self._diagnostics[name] = part.diagnostics
        errors = [d for d in part.diagnostics if d.severity is Severity.ERROR]
        unparsed = any(d.object is None for d in errors)
        broken = {d.object for d in errors}
        kept = {
            key: r for key, r in before.items() if key not in now and (unparsed or key in broken)
        }
        self._objects[name] = {**kept, **now}
        return [key for key in before if key not in self._objects[name]]


def _load(name: str, text: str) -> Part:
    """One file. A bug of ours in checking it is a diagnostic, and leaves what was there before."""
    try:
        return load_text(name, text)
    except Exception as error:
        logger.exception("%s can't be checked", name)
        message = f"can't be checked, by a bug of varka's: {type(error).__name__}: {error}"
        found = Diagnostic(Code.NOT_CHECKED, Severity.ERROR, message, Origin(name))
        return Part((), (found,))
