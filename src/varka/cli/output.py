"""Diagnostics for people and for programs: the same shape in every verb."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import click

from varka.base.diagnostic import Diagnostic, Severity

_COLORS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "blue"}


def in_order(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """By file, line and column."""

    def place(diagnostic: Diagnostic) -> tuple[str, int, int, str]:
        origin = diagnostic.origin
        return (
            (origin.file, origin.line, origin.column, diagnostic.code)
            if origin
            else ("", 0, 0, diagnostic.code)
        )

    return sorted(diagnostics, key=place)


def as_line(diagnostic: Diagnostic) -> str:
    """`file:line:col: error V0012 VirtualService ns/name: message (hint)`."""
    where = f"{diagnostic.origin}: " if diagnostic.origin else ""
    what = f" {diagnostic.object}" if diagnostic.object else ""
    path = f"{diagnostic.path}: " if diagnostic.path else ""
    hint = f" ({diagnostic.hint})" if diagnostic.hint else ""
    severity = click.style(diagnostic.severity, fg=_COLORS[diagnostic.severity], bold=True)
    return f"{where}{severity} {diagnostic.code}{what}: {path}{diagnostic.message}{hint}"


def plain_line(diagnostic: Mapping[str, Any]) -> str:
    """The same of a diagnostic that another process tells as JSON."""
    hint = f" ({diagnostic['hint']})" if diagnostic.get("hint") else ""
    where = (
        f"{diagnostic['file']}:{diagnostic['line']}:{diagnostic['column']}: "
        if diagnostic.get("file")
        else ""
    )
    path = f"{diagnostic['path']}: " if diagnostic.get("path") else ""
    return (
        f"{where}{diagnostic['severity']} {diagnostic['code']}: {path}{diagnostic['message']}{hint}"
    )


def print_diagnostics(diagnostics: Iterable[Diagnostic], *, err: bool = True) -> None:
    """Lines for people, in the order of the files."""
    for diagnostic in in_order(diagnostics):
        click.echo(as_line(diagnostic), err=err)


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=1, ensure_ascii=False))


def summary(diagnostics: Iterable[Diagnostic], objects: int) -> str:
    """`3 objects: 1 error, 2 warnings`."""
    found = list(diagnostics)
    counts = [(severity, sum(d.severity is severity for d in found)) for severity in Severity]
    words = [
        f"{count} {severity}{'s' if count > 1 and severity is not Severity.INFO else ''}"
        for severity, count in counts
        if count
    ]
    return (
        f"{objects} object{'' if objects == 1 else 's'}:"
        f" {', '.join(words) or 'nothing to complain about'}"
    )
