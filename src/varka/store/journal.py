"""Objects that stand in no file, kept where they outlive the process that was told of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from varka.base.names import ObjectKey
from varka.resources.check import check_object
from varka.resources.place import Place
from varka.store.store import Written


class Journal:
    """A line for each object that was put or dropped, the newest last. A line that was not finished
    was not written."""

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
        found: dict[ObjectKey, Written] = {}
        for line in whole.splitlines():
            entry = msgspec.json.decode(line)
            key = ObjectKey(*entry["key"])
            found.pop(key, None)
            resource = (
                check_object(entry["object"], key.namespace)[0] if "object" in entry else None
            )
            if resource is not None:
                found[key] = (resource, Place(entry["file"]))
        self._held = set(found)
        return list(found.values())

    def note(
        self, keys: Iterable[ObjectKey], written: Callable[[ObjectKey], Written | None]
    ) -> None:
        """Hold those of these objects that `written` gives, let go of the others. Raises
        OSError."""
        lines = b"".join(self._line(key, written(key)) for key in keys)
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
