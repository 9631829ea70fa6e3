"""Finding things in a config dump, whose fields may be in protobuf's or in JSON's spelling."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

Message = Mapping[str, Any]

SECTION = "type.googleapis.com/envoy.admin.v3."


class NoSection(ValueError):
    """The dump does not hold what was asked for."""


class Dump:
    """A config dump, or the answer of Envoy's `/clusters?format=json`."""

    def __init__(self, document: Message) -> None:
        self.document = document

    @classmethod
    def parse(cls, text: str | bytes) -> Dump:
        """Raises ValueError when it is neither."""
        document = json.loads(text)
        if not isinstance(document, dict) or not (
            {"configs", "cluster_statuses", "clusterStatuses"} & document.keys()
        ):
            raise ValueError("not a config dump: it has neither configs nor cluster_statuses")
        return cls(document)

    def sections(self, kind: str) -> list[Message]:
        """Raises NoSection; `kind` is the name of an `envoy.admin.v3` message."""
        found = [
            section
            for section in items(self.document, "configs")
            if section.get("@type") == SECTION + kind
        ]
        if not found:
            raise NoSection(f"config dump has no configuration type {SECTION}{kind}")
        return found

    def section(self, kind: str) -> Message:
        """The last one, as istioctl takes it. Raises NoSection."""
        return self.sections(kind)[-1]


def at(message: Any, *path: str) -> Any:
    """The value at a path of field names; None where one is missing."""
    for name in path:
        if not isinstance(message, Mapping):
            return None
        message = message.get(name, message.get(_camel(name)))
    return message


def text(message: Any, *path: str) -> str:
    found = at(message, *path)
    return found if isinstance(found, str) else ""


def items(message: Any, *path: str) -> list[Any]:
    found = at(message, *path)
    return found if isinstance(found, list) else []


def number(message: Any, *path: str) -> int:
    found = at(message, *path)
    return int(found) if isinstance(found, (int, str)) and str(found).isdecimal() else 0


def without_type(message: Message) -> dict[str, Any]:
    """What an Any holds."""
    return {name: value for name, value in message.items() if name != "@type"}


def resources(section: Message, lists: Mapping[str, tuple[str, ...]]) -> Iterator[dict[str, Any]]:
    """The resources of a section: for each of its lists, in order, what is at that path of every
    entry."""
    for name, path in lists.items():
        for entry in items(section, name):
            found = at(entry, *path)
            if isinstance(found, Mapping):
                yield without_type(found)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
