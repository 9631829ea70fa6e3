"""Where an object stands, down to its fields."""

from __future__ import annotations

import msgspec

from varka.base.diagnostic import Origin
from varka.resources.yaml import Document, Path


class Place(msgspec.Struct, frozen=True):
    """An object inside a file, or where else it comes from; positions of its fields are found when
    they are asked for."""

    file: str
    document: Document | None = None
    """None for what stands in no file: it has no lines."""
    prefix: Path = ()
    """The way from the document's root to the object: `("items", 3)` inside a List."""

    within: Path = ()
    """The way from the object to what the document holds of it, where it was made of a part."""

    def origin(self, path: Path = ()) -> Origin:
        """Of a field, by its path inside the object; of its nearest parent when it isn't
        written."""
        if self.document is None:
            return Origin(self.file)
        below = path[len(self.within) :] if path[: len(self.within)] == self.within else ()
        if not below and not self.prefix:
            mark = self.document.mark
        else:
            mark = self.document.find((*self.prefix, *below))
        return Origin(self.file, mark.line, mark.column)
