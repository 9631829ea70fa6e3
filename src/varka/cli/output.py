"""Diagnostics for people and for programs: the same shape in every verb."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import click

from varka.base.diagnostic import Diagnostic, Severity
from varka.base.plain import plain_diagnostic

_COLORS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "blue"}


Plain = Mapping[str, Any]
"""A diagnostic as `-o json` shows it, and as other processes send it."""


def in_order(diagnostics: Iterable[Plain]) -> list[Plain]:
    """By file, line and column."""

    def place(one: Plain) -> tuple[str, int, int, str]:
        return one.get("file", ""), one.get("line", 0), one.get("column", 0), one["code"]

    return sorted(diagnostics, key=place)


def as_line(diagnostic: Diagnostic | Plain) -> str:
    """`file:line:col: error V0012 VirtualService ns/name: message (hint)`."""
    one = _plain(diagnostic)
    where = f"{one['file']}:{one['line']}:{one['column']}: " if one.get("line") else ""
    where = where or (f"{one['file']}: " if one.get("file") else "")
    path = f"{one['path']}: " if one.get("path") else ""
    hint = f" ({one['hint']})" if one.get("hint") else ""
    severity = click.style(one["severity"], fg=_COLORS[Severity(one["severity"])], bold=True)
    return f"{where}{severity} {one['code']}{_object(one)}: {path}{one['message']}{hint}"


def _object(diagnostic: Plain) -> str:
    key = diagnostic.get("object")
    if not key:
        return ""
    namespace = f"{key['namespace']}/" if key["namespace"] else ""
    return f" {key['kind']} {namespace}{key['name']}"


def _plain(diagnostic: Diagnostic | Plain) -> Plain:
    return plain_diagnostic(diagnostic) if isinstance(diagnostic, Diagnostic) else diagnostic


def print_diagnostics(diagnostics: Iterable[Diagnostic | Plain], *, err: bool = True) -> None:
    """Lines for people, in the order of the files."""
    for one in in_order(map(_plain, diagnostics)):
        click.echo(as_line(one), err=err)


def print_json_diagnostics(diagnostics: Iterable[Diagnostic]) -> None:
    print_json({"diagnostics": in_order(map(_plain, diagnostics))})


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=1, ensure_ascii=False))


def summary(diagnostics: Iterable[Diagnostic], objects: int) -> str:
    """`3 objects: 1 error, 2 warnings`."""
    counted = list(diagnostics)
    counts = [(severity, sum(d.severity is severity for d in counted)) for severity in Severity]
    words = [
        f"{count} {severity}{'s' if count > 1 and severity is not Severity.INFO else ''}"
        for severity, count in counts
        if count
    ]
    return (
        f"{objects} object{'' if objects == 1 else 's'}:"
        f" {', '.join(words) or 'nothing to complain about'}"
    )
