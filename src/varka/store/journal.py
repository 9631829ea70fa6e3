"""Objects that stand in no manifest, kept where they outlive the process that got them."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import msgspec

from varka.base.diagnostic import Diagnostic
from varka.base.names import ObjectKey
from varka.resources.check import check_object
from varka.resources.place import Place
from varka.store.source import SourceChange, Written

logger = logging.getLogger(__name__)


class Journal:
    """What `apply` brought, as a source: a line for each object that was put or dropped, the newest
    last. A line that was not finished was not written."""

    name = "apply"
    diagnostics: tuple[Diagnostic, ...] = ()

    def __init__(self, file: Path) -> None:
        self._file = file
        self._held: set[ObjectKey] = set()

    def read(self) -> list[Written]:
        """The objects it holds, oldest first; their places are files without lines. Raises
        OSError."""
        text = self._file.read_bytes()
        whole = text[: text.rfind(b"\n") + 1]
        if len(whole) < len(text):
            os.truncate(self._file, len(whole))
        held: dict[ObjectKey, Written] = {}
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                key, written = _entry(line)
            except Exception:
                logger.exception("line %d of %s can't be read and is left out", number, self._file)
                continue
            held.pop(key, None)
            if written is not None:
                held[key] = written
        self._held = set(held)
        return list(held.values())

    async def changes(self) -> AsyncIterator[SourceChange]:
        """What outlived the process before; after that it is written only. Raises OSError."""
        yield SourceChange(tuple(self.read()))

    def note(self, entries: Iterable[tuple[ObjectKey, Written | None]]) -> None:
        """Hold these objects, let go of those that are None. Raises OSError."""
        lines = b"".join(self._line(key, written) for key, written in entries)
        if lines:
            with self._file.open("ab", buffering=0) as file:
                file.write(lines)

    def _line(self, key: ObjectKey, written: Written | None) -> bytes:
        if written is not None:
            self._held.add(key)
            resource, place = written
            return (
                msgspec.json.encode({"key": key, "file": place.file, "object": resource.raw})
                + b"\n"
            )
        if key not in self._held:
            return b""
        self._held.discard(key)
        return msgspec.json.encode({"key": key}) + b"\n"


def _entry(line: bytes) -> tuple[ObjectKey, Written | None]:
    """An object, or the key of one that was dropped or is not accepted any more."""
    entry = msgspec.json.decode(line)
    key = ObjectKey(*entry["key"])
    resource = check_object(entry["object"], key.namespace)[0] if "object" in entry else None
    return key, (resource, Place(entry["file"])) if resource is not None else None
