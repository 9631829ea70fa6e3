"""The schema check: every mistake of an object against its CustomResourceDefinition, not only the
first."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from msgspec import Struct, field

from varka.resources.cel import RULES, Rule, is_duration
from varka.resources.codes import Code
from varka.resources.findings import Findings
from varka.resources.kinds import istio_crds
from varka.resources.shape import near, quoted, shown
from varka.resources.yaml import Path

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}
_WORDS = {
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
}
_LIMITS = (
    ("minLength", "at least {} characters are needed"),
    ("maxLength", "at most {} characters are allowed"),
    ("minItems", "at least {} items are needed"),
    ("maxItems", "at most {} items are allowed"),
    ("minProperties", "at least {} entries are needed"),
    ("maxProperties", "at most {} entries are allowed"),
)


class Schema(Struct, frozen=True):
    """One node of a structural schema; empty fields constrain nothing."""

    type: str
    properties: Mapping[str, Schema] | None
    items: Schema | None
    additional: Schema | None
    required: tuple[str, ...]
    enum: frozenset[str]
    pattern: re.Pattern[str] | None
    bounds: tuple[float | None, float | None]
    limits: tuple[tuple[bool, int, str], ...]
    """(is a minimum, size, message)."""
    exclusive: tuple[tuple[str, ...], ...]
    """Of each group of fields at most one may be set."""
    rules: tuple[tuple[Rule, str], ...]
    int_or_string: bool
    nullable: bool
    open: bool
    """Fields that no property names are kept and not looked at."""


def compile_schema(raw: Mapping[str, Any]) -> Schema:
    """A schema in the short form of `data/istio-crds.json`."""
    properties = raw.get("properties")
    items, additional = raw.get("items"), raw.get("additionalProperties")
    limits = tuple(
        (key.startswith("min"), raw[key], text.format(raw[key]))
        for key, text in _LIMITS
        if key in raw
    )
    return Schema(
        type=raw.get("type", ""),
        properties={name: compile_schema(inner) for name, inner in properties.items()}
        if properties is not None
        else None,
        items=compile_schema(items) if items else None,
        additional=compile_schema(additional) if additional else None,
        required=tuple(raw.get("required", ())),
        enum=frozenset(raw.get("enum", ())),
        pattern=re.compile(raw["pattern"]) if "pattern" in raw else None,
        bounds=(raw.get("minimum"), raw.get("maximum")),
        limits=limits,
        exclusive=tuple(tuple(group) for group in raw.get("exclusive", ())),
        rules=tuple((RULES[rule], message) for rule, message in raw.get("rules", ())),
        int_or_string=raw.get("intOrString", False),
        nullable=raw.get("nullable", False),
        open=raw.get("preserve", False) or (properties is None and not additional),
    )


@cache
def spec_schema(group: str, kind: str) -> tuple[Schema, bool]:
    """The schema of an Istio kind's `spec`, and whether a spec is required. Raises KeyError for
    other kinds."""
    for crd in istio_crds():
        if (crd["group"], crd["kind"]) == (group, kind):
            return compile_schema(crd["spec"]), "spec" in crd["required"]
    raise KeyError(kind)


class Check(Struct):
    """Walks a value along a schema."""

    findings: Findings
    uneven: bool = field(default=False)
    """There are nulls or snake-case spellings that `even` has to take out before the value is
    decoded."""

    def check(self, value: Any, schema: Schema, path: Path) -> None:
        if not self._type(value, schema, path):
            return
        before = len(self.findings.items)
        if isinstance(value, dict):
            self._mapping(value, schema, path)
        elif isinstance(value, list):
            if schema.items is not None:
                for index, item in enumerate(value):
                    self.check(item, schema.items, (*path, index))
        else:
            self._scalar(value, schema, path)
        if schema.limits:
            self._limits(value, schema, path)
        if schema.rules and not self.findings.failed_since(before):
            self._rules(value, schema, path)

    def _type(self, value: Any, schema: Schema, path: Path) -> bool:
        if schema.int_or_string:
            if isinstance(value, int | str) and not isinstance(value, bool):
                return True
            self._wrong(path, "an integer or a string", value)
            return False
        wanted = schema.type
        if not wanted:
            return True
        if isinstance(value, _TYPES[wanted]) and (
            wanted == "boolean" or not isinstance(value, bool)
        ):
            return True
        if value is None and schema.nullable:
            self.uneven = True
            return False
        instead = _texts(value, schema) if wanted == "string" else ""
        self._wrong(path, _WORDS[wanted], value, instead)
        return False

    def _wrong(self, path: Path, wanted: str, value: Any, instead: str = "") -> None:
        message = f"{wanted} was expected, not {shown(value)}"
        self.findings.error(Code.WRONG_TYPE, path, message, instead=instead)

    def _mapping(self, value: dict[str, Any], schema: Schema, path: Path) -> None:
        properties = schema.properties or {}
        for name, item in value.items():
            inner = properties.get(name) or schema.additional
            if inner is None:
                if not schema.open:
                    hint = near(name, properties)
                    self.findings.error(
                        Code.UNKNOWN_FIELD, (*path, name), f"unknown field {name!r}", hint
                    )
            elif item is None:
                self.uneven = True
                if schema.additional is inner and not inner.nullable:
                    self.check(item, inner, (*path, name))
            else:
                if "_" in name and name in properties:
                    self.uneven = True
                self.check(item, inner, (*path, name))
        for name in schema.required:
            if value.get(name) is None:
                self.findings.error(Code.MISSING_FIELD, path, f"{name} is required")
        for group in schema.exclusive:
            given = [name for name in group if value.get(name) is not None]
            if len(given) > 1:
                self.findings.error(
                    Code.EXCLUSIVE_FIELDS,
                    (*path, given[1]),
                    f"only one of {', '.join(given)} can be set",
                )

    def _scalar(self, value: Any, schema: Schema, path: Path) -> None:
        if schema.enum and value not in schema.enum:
            allowed = sorted(schema.enum)
            hint = near(str(value), allowed) or f"one of {', '.join(allowed)}"
            self.findings.error(Code.NOT_ONE_OF, path, f"{value!r} is not allowed here", hint)
        if (
            schema.pattern is not None
            and isinstance(value, str)
            and not schema.pattern.search(value)
        ):
            self.findings.error(
                Code.BAD_PATTERN, path, f"{value!r} does not match {schema.pattern.pattern}"
            )
        low, high = schema.bounds
        if isinstance(value, int | float) and (
            (low is not None and value < low) or (high is not None and value > high)
        ):
            wanted = (
                f"at least {low:g}"
                if high is None
                else f"at most {high:g}"
                if low is None
                else f"from {low:g} to {high:g}"
            )
            self.findings.error(Code.OUT_OF_RANGE, path, f"{value} is out of range: {wanted}")

    def _limits(self, value: Any, schema: Schema, path: Path) -> None:
        if isinstance(value, str | list | dict):
            for minimum, size, message in schema.limits:
                if (len(value) < size) if minimum else (len(value) > size):
                    self.findings.error(Code.OUT_OF_RANGE, path, message)

    def _rules(self, value: Any, schema: Schema, path: Path) -> None:
        for rule, message in schema.rules:
            if not rule(value):
                self.findings.error(Code.RULE_BROKEN, path, message)


def _texts(value: Any, schema: Schema) -> str:
    """What may have been meant by a value that is no text: where durations stand, a number of
    seconds."""
    timed = any(rule is is_duration for rule, _ in schema.rules)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return f"{value}s" if timed and number else quoted(value)


def even(value: Any, schema: Schema) -> Any:
    """A valid value without the nulls of its fields and with one spelling of each field."""
    if isinstance(value, list) and schema.items is not None:
        return [even(item, schema.items) for item in value]
    if not isinstance(value, dict) or (schema.properties is None and schema.additional is None):
        return value
    result = {}
    for name, item in value.items():
        inner = (schema.properties or {}).get(name) or schema.additional
        if item is not None and inner is not None:
            head, *rest = name.split("_") if schema.properties else [name]
            result[head + "".join(part.title() for part in rest)] = even(item, inner)
        elif item is not None:
            result[name] = item
    return result
