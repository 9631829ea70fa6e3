"""Looks values up in a config dump, whose field names may be spelled as in protobuf
(`route_config`) or as in JSON (`routeConfig`)."""

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
        """The sections of a kind: the name of a message of `envoy.admin.v3`. Raises NoSection."""
        sections = [
            section
            for section in items(self.document, "configs")
            if section.get("@type") == SECTION + kind
        ]
        if not sections:
            raise NoSection(f"config dump has no configuration type {SECTION}{kind}")
        return sections

    def section(self, kind: str) -> Message:
        """The last section of a kind, which istioctl takes as well. Raises NoSection."""
        return self.sections(kind)[-1]


def at(message: Any, *path: str) -> Any:
    """The value at a path of field names; None where one is missing."""
    for name in path:
        if not isinstance(message, Mapping):
            return None
        message = message.get(name, message.get(_camel(name)))
    return message


def text(message: Any, *path: str) -> str:
    """The string at a path; empty where there is none."""
    value = at(message, *path)
    return value if isinstance(value, str) else ""


def items(message: Any, *path: str) -> list[Any]:
    """The list at a path; empty where there is none."""
    value = at(message, *path)
    return value if isinstance(value, list) else []


def number(message: Any, *path: str) -> int:
    """The number at a path, which JSON may hold as a string; 0 where there is none."""
    value = at(message, *path)
    return int(value) if isinstance(value, (int, str)) and str(value).isdecimal() else 0


def without_type(message: Message) -> dict[str, Any]:
    """The fields of a message in an Any, without the `@type` that names it."""
    return {name: value for name, value in message.items() if name != "@type"}


def resources(section: Message, lists: Mapping[str, tuple[str, ...]]) -> Iterator[dict[str, Any]]:
    """The resources of a section: for each of its lists, in order, what is at that path of every
    entry."""
    for name, path in lists.items():
        for entry in items(section, name):
            resource = at(entry, *path)
            if isinstance(resource, Mapping):
                yield without_type(resource)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
