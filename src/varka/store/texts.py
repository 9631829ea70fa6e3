"""Manifest files: which ones a path means, and their text."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from varka.base.diagnostic import Diagnostic, Origin, Severity
from varka.resources.codes import Code

SUFFIXES = (".yaml", ".yml", ".json")


def expand(paths: Iterable[str]) -> Iterator[str]:
    """Files as they are, directories as the manifests in and below them, sorted; hidden ones are
    left out."""
    for path in paths:
        if path != "-" and Path(path).is_dir():
            yield from sorted(name.removeprefix("./") for name in _below(str(Path(path))))
        else:
            yield path


def _below(folder: str) -> Iterator[str]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _below(entry.path)
        elif entry.name.endswith(SUFFIXES) and entry.is_file():
            yield entry.path


def is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def read(paths: Iterable[str]) -> tuple[list[tuple[str, str]], list[Diagnostic]]:
    """(name, text) of every file that can be read, `-` being standard input; a diagnostic for each
    that can't."""
    texts: list[tuple[str, str]] = []
    diagnostics: list[Diagnostic] = []
    for name in dict.fromkeys(expand(paths)):
        try:
            data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
            texts.append((name, data.decode().removeprefix("\ufeff")))
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            diagnostics.append(
                Diagnostic(
                    Code.UNREADABLE_FILE, Severity.ERROR, f"can't be read: {why}", Origin(name)
                )
            )
    return texts, diagnostics
