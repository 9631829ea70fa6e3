"""Exit codes, a public interface, and the one exception that carries them."""

from __future__ import annotations

import click

OK = 0
FAILED = 1
"""The thing asked for is false or failed."""
USAGE = 64
UNPARSABLE = 65
NO_MESH = 69
BUG = 70
NOT_PERMITTED = 77
FINDINGS = 79


class Failure(Exception):
    """Ends a verb: `message` for people on stderr (what, where, why), `hint` the next step."""

    def __init__(self, message: str, *, code: int = FAILED, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.code, self.hint = message, code, hint

    def show(self) -> None:
        click.echo(f"varka: {self.message}", err=True)
        if self.hint:
            click.echo(f"       {self.hint}", err=True)
