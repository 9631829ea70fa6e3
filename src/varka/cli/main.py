"""`varka`: finds the verb's module when it is asked for, and maps failures to exit codes."""

from __future__ import annotations

import gc
import importlib
import os
import sys
import traceback
from typing import NoReturn

import click

from varka import __version__
from varka.cli.exits import BUG, USAGE, Failure

VERBS: dict[str, tuple[str, str]] = {
    "up": ("varka.cli.up:up", "Run manifests on this machine: pods, sidecars, gateways."),
    "down": ("varka.cli.down:down", "Stop a mesh; nothing is left."),
    "apply": ("varka.cli.apply:apply", "Add or change objects in the running mesh."),
    "delete": ("varka.cli.delete:delete", "Remove objects from the running mesh."),
    "get": ("varka.cli.get:get", "Show objects of the running mesh."),
    "ps": ("varka.cli.ps:ps", "Which proxies are connected and in sync."),
    "proxy-config": (
        "varka.cli.proxy_config:proxy_config",
        "What a proxy's Envoy has: clusters, listeners, routes, ...",
    ),
    "exec": ("varka.cli.exec:exec_", "Run a command inside a pod's network."),
    "logs": ("varka.cli.logs:logs", "Output of a workload or its proxy."),
    "events": ("varka.cli.events:events", "What happened in a running mesh."),
    "request": ("varka.cli.request:request", "Send real requests and say who answered."),
    "serve": ("varka.cli.serve:serve", "The control plane alone, for any Envoy."),
    "validate": ("varka.cli.validate:validate", "Check manifests; every mistake with its place."),
    "translate": ("varka.cli.translate:translate", "What proxies get, computed offline."),
}
ALIASES = {"proxy-status": "ps", "pc": "proxy-config", "v": "validate"}


class Verbs(click.Group):
    """Loads a verb's module only when that verb runs: the others cost nothing."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        name = ALIASES.get(cmd_name, cmd_name)
        if name not in VERBS:
            return None
        module, _, attribute = VERBS[name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from difflib import get_close_matches

        if args and args[0] not in VERBS and args[0] not in ALIASES and not args[0].startswith("-"):
            close = get_close_matches(args[0], [*VERBS, *ALIASES], n=1)
            raise click.UsageError(
                f"no verb {args[0]!r}" + (f"; did you mean {close[0]!r}?" if close else "")
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl([(name, text) for name, (_, text) in VERBS.items()])


@click.group(
    cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="varka")
def cli() -> None:
    """An Istio-compatible service mesh on one machine: the same manifests, the same Envoy, no
    cluster."""


def main() -> NoReturn:
    """Run the command line and leave with the code that `cli.exits` names; a traceback never
    reaches a user."""
    # What imports and parsers make stays: looking for garbage in it is a fifth of a start.
    gc.set_threshold(50_000, 20, 50)
    try:
        code = cli.main(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.UsageError as error:
        error.show()
        sys.exit(USAGE)
    except click.Abort:
        sys.exit(130)
    except Failure as failure:
        failure.show()
        sys.exit(failure.code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        sys.exit(_report_bug(error))


def _report_bug(error: Exception) -> int:
    """Write the traceback to a file of the user's and say where it is."""
    import tempfile

    with tempfile.NamedTemporaryFile(
        "w", prefix="varka-bug-", suffix=".txt", delete=False
    ) as report:
        report.write(f"varka {__version__} {sys.argv[1:]!r}\n")
        traceback.print_exception(error, file=report)
    click.echo(
        f"varka: a bug of ours: {type(error).__name__}: {error}\nPlease report it with the file"
        f" {report.name}",
        err=True,
    )
    return BUG


if __name__ == "__main__":
    main()
