"""`varka proxy-config`: what a proxy's Envoy has, in istioctl's tables or as Envoy's own dump."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from varka.cli.exits import UNPARSABLE, Failure
from varka.cli.tables import render
from varka.configdump import bootstrap as bootstraps
from varka.configdump import clusters, endpoints, listeners, routes, secrets
from varka.configdump.reader import Dump, NoSection

if TYPE_CHECKING:
    from varka.cli.live import LivePod

F = TypeVar("F", bound=Callable[..., Any])

ALIASES = {
    "all": ("a",),
    "bootstrap": ("b",),
    "clusters": ("cluster", "c"),
    "ecds": ("ec",),
    "endpoints": ("endpoint", "ep"),
    "eds": (),
    "listeners": ("listener", "l"),
    "log": ("o",),
    "routes": ("route", "r"),
    "secrets": ("secret", "s"),
}
_FULL = {alias: name for name, aliases in ALIASES.items() for alias in aliases}

EDS_PATH = "config_dump?include_eds=true"
PATHS = {
    "clusters": "config_dump?mask=dynamic_active_clusters,dynamic_warming_clusters,static_clusters",
    "listeners": "config_dump?mask=dynamic_listeners,static_listeners",
    "routes": "config_dump?mask=dynamic_route_configs,static_route_configs",
    "secrets": "config_dump?mask=dynamic_active_secrets,dynamic_warming_secrets",
    "bootstrap": "config_dump?mask=bootstrap",
    "endpoints": "clusters?format=json",
}


class Types(click.Group):
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return super().get_command(ctx, _FULL.get(cmd_name, cmd_name))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from difflib import get_close_matches

        known = [*self.commands, *_FULL]
        if args and args[0] not in known and not args[0].startswith("-"):
            close = get_close_matches(args[0], known, n=1)
            raise click.UsageError(
                f"no type {args[0]!r}" + (f"; did you mean {close[0]!r}?" if close else ""), ctx
            )
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except NoSection as error:
            raise Failure(str(error)) from None


@click.group(cls=Types)
@click.option("--name", "mesh", metavar="NAME", help="The mesh, when several run.")
@click.option(
    "-n",
    "--namespace",
    default="default",
    metavar="NS",
    help="The pod's namespace, where its name has none.",
)
@click.pass_context
def proxy_config(ctx: click.Context, mesh: str | None, namespace: str) -> None:
    """Show what a proxy's Envoy has: TYPE POD, or TYPE --file CONFIG_DUMP."""
    ctx.obj = (mesh, namespace)


def _set_namespace(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    if value:
        ctx.obj = (ctx.obj[0], value)


def namespace_option(command: F) -> F:
    """As istioctl's, `-n` may also stand behind the type."""
    return click.option(
        "-n", "--namespace", metavar="NS", expose_value=False, callback=_set_namespace
    )(command)


def source(default_output: str = "short") -> Callable[[F], F]:
    """The options that say where a dump comes from and how it is shown."""

    def decorate(command: F) -> F:
        kinds = click.Choice(["short", "json", "yaml"])
        command = click.option(
            "-o", "--output", type=kinds, default=default_output, show_default=True
        )(command)
        command = click.option(
            "-f", "--file", metavar="FILE", help="A config dump instead of a pod; - is stdin."
        )(command)
        command = namespace_option(click.argument("pod", required=False)(command))
        return cast(F, click.pass_obj(command))

    return decorate


def verbosity(command: F) -> F:
    return click.option("--verbose/--no-verbose", default=True, show_default=True)(command)


@proxy_config.command(name="clusters")
@source()
@click.option("--fqdn", default="", help="Part of the host's name.")
@click.option("--port", default=0)
@click.option("--subset", default="")
@click.option("--direction", default="", help="inbound or outbound.")
def clusters_(obj: Any, pod: str | None, file: str | None, output: str, **chosen: Any) -> None:
    """Clusters. Also: cluster, c."""
    selected = clusters.select(_dump(obj, pod, file, "clusters"), clusters.ClusterFilter(**chosen))
    _show(output, selected, lambda: render(clusters.rows(selected)))


@proxy_config.command(name="listeners")
@source()
@click.option("--address", default="")
@click.option("--port", default=0)
@click.option("--type", "type", default="", help="HTTP, TCP or HTTP+TCP.")
@verbosity
def listeners_(
    obj: Any, pod: str | None, file: str | None, output: str, verbose: bool, **chosen: Any
) -> None:
    """Listeners. Also: listener, l."""
    selected = listeners.select(
        _dump(obj, pod, file, "listeners"), listeners.ListenerFilter(**chosen)
    )
    _show(output, selected, lambda: render(listeners.rows(selected, verbose=verbose), 1))


@proxy_config.command(name="routes")
@source()
@click.option("--name", "name", default="", help="The route configuration's name.")
@verbosity
def routes_(
    obj: Any, pod: str | None, file: str | None, output: str, verbose: bool, name: str
) -> None:
    """Routes. Also: route, r."""
    selected = routes.select(_dump(obj, pod, file, "routes"), name)
    _show(output, selected, lambda: render(routes.rows(selected, verbose=verbose)))


def endpoint_filters(command: F) -> F:
    for name in ("--status", "--cluster", "--address"):
        command = click.option(name, default="")(command)
    return click.option("--port", default=0)(command)


@proxy_config.command(name="endpoints")
@source()
@endpoint_filters
def endpoints_(obj: Any, pod: str | None, file: str | None, output: str, **chosen: Any) -> None:
    """Endpoints with their health. Also: endpoint, ep."""
    _show_endpoints(_dump(obj, pod, file, "endpoints"), endpoints.EndpointFilter(**chosen), output)


@proxy_config.command(name="eds", hidden=True)
@source()
@endpoint_filters
def eds(obj: Any, pod: str | None, file: str | None, output: str, **chosen: Any) -> None:
    """Endpoints as they were sent, with localities."""
    _show_endpoints(_dump(obj, pod, file, "eds"), endpoints.EndpointFilter(**chosen), output)


def _show_endpoints(dump: Dump, chosen: endpoints.EndpointFilter, output: str) -> None:
    if endpoints.from_clusters(dump):
        selected = endpoints.select_hosts(dump, chosen)
        _show(output, selected, lambda: render(endpoints.host_rows(selected, chosen)))
    else:
        selected = endpoints.select(dump, chosen)
        _show(output, selected, lambda: render(endpoints.rows(selected)))


@proxy_config.command(name="secrets")
@source()
def secrets_(obj: Any, pod: str | None, file: str | None, output: str) -> None:
    """Certificates; keys are never shown. Also: secret, s."""
    dump = _dump(obj, pod, file, "secrets")
    _show(output, secrets.secrets(dump), lambda: _secret_table(dump))


@proxy_config.command()
@source("json")
def bootstrap(obj: Any, pod: str | None, file: str | None, output: str) -> None:
    """The configuration Envoy started with; `-o short`: its versions. Also: b."""
    dump = _dump(obj, pod, file, "bootstrap")
    _show(output, bootstraps.bootstrap(dump), lambda: render(bootstraps.version_rows(dump), 1))


@proxy_config.command()
@source()
def ecds(obj: Any, pod: str | None, file: str | None, output: str) -> None:
    """Extension configurations. Also: ec."""
    dump = _dump(obj, pod, file, "ecds")
    _show(output, bootstraps.extensions(dump), lambda: render(bootstraps.extension_rows(dump)))


@proxy_config.command(name="all")
@source()
@click.option("--with-headers", is_flag=True, help="A title above each table.")
@click.option("--fqdn", default="")
@click.option("--port", default=0)
@click.option("--subset", default="")
@click.option("--direction", default="")
@click.option("--address", default="")
@click.option("--type", "type", default="")
@click.option("--name", "name", default="")
@verbosity
def everything(
    obj: Any,
    pod: str | None,
    file: str | None,
    output: str,
    with_headers: bool,
    fqdn: str,
    port: int,
    subset: str,
    direction: str,
    address: str,
    type: str,
    name: str,
    verbose: bool,
) -> None:
    """Everything. Also: a."""
    dump = _dump(obj, pod, file, "all")

    def tables() -> str:
        some_clusters = clusters.select(dump, clusters.ClusterFilter(fqdn, port, subset, direction))
        some_listeners = listeners.select(dump, listeners.ListenerFilter(address, port, type))
        some_endpoints = endpoints.select(dump, endpoints.EndpointFilter(address, port))
        sections = {
            "BOOTSTRAP": render(bootstraps.version_rows(dump), 1),
            "CLUSTER": render(clusters.rows(some_clusters, named=True)),
            "LISTENER": render(listeners.rows(some_listeners, verbose=verbose, named=True), 1),
            "ROUTE": render(routes.rows(routes.select(dump, name), verbose=verbose, named=True)),
            "SECRET": _secret_table(dump, named=True),
            "ENDPOINTS": render(endpoints.rows(some_endpoints, named=True)),
        }
        titles = {
            title: f"------ {title} INFO ------\n\n" if with_headers else "" for title in sections
        }
        return "\n".join(titles[title] + table for title, table in sections.items())

    _show(output, dump.document, tables)


@proxy_config.command()
@click.argument("pod")
@click.option(
    "--level",
    default="",
    metavar="[LOGGER:]LEVEL,...",
    help="trace, debug, info, warning, error, critical or off.",
)
@click.option("-r", "--reset", is_flag=True, help="Every logger back to warning.")
@namespace_option
@click.pass_obj
def log(obj: Any, pod: str, level: str, reset: bool) -> None:
    """Levels of Envoy's loggers, or change them. Also: o."""
    if reset and level:
        raise click.UsageError("--level cannot be combined with --reset")
    wanted = _levels("warning" if reset else level)
    target = _find(obj, pod)
    answers = [_admin(target, f"logging?{query}", "POST") for query in wanted] or [
        _admin(target, "logging", "POST")
    ]
    if answers[-1].startswith("usage"):
        raise Failure(
            f"unrecognized logger name in {level!r}",
            hint=f"varka proxy-config log {pod} lists them",
        )
    click.echo(f"{target.name}:\n{answers[-1]}", nl=False)


LEVELS = {"trace", "debug", "info", "warning", "error", "critical", "off"}


def _levels(given: str) -> list[str]:
    """Queries for Envoy's /logging: the one for every logger first."""
    queries = []
    for part in filter(None, given.split(",")):
        logger, _, level = part.rpartition("::")[2].replace("=", ":").rpartition(":")
        level = "warning" if level == "warn" else level
        if level not in LEVELS:
            raise Failure(
                f"unrecognized logging level: {level}", hint=f"one of {', '.join(sorted(LEVELS))}"
            )
        queries.append(f"{logger or 'level'}={level}")
    return sorted(queries, key=lambda query: not query.startswith("level="))


def _secret_table(dump: Dump, *, named: bool = False) -> str:
    selected = secrets.secret_items(dump)
    if not selected:
        return "No active or warming secrets found.\n"
    return render(secrets.rows(selected, datetime.now(UTC), named=named))


def _show(output: str, document: Any, table: Callable[[], str]) -> None:
    if output == "json":
        click.echo(json.dumps(document, indent=4))
    elif output == "yaml":
        import yaml

        click.echo(yaml.safe_dump(document, sort_keys=True, allow_unicode=True), nl=False)
    else:
        click.echo(table(), nl=False)


def _dump(obj: Any, pod: str | None, file: str | None, kind: str) -> Dump:
    if (pod is None) == (file is None):
        raise click.UsageError(f"{kind} needs either a POD or --file FILE")
    try:
        if file is None:
            return Dump.parse(_admin(_find(obj, pod or ""), PATHS.get(kind, EDS_PATH)))
        return Dump.parse(sys.stdin.read() if file == "-" else Path(file).read_bytes())
    except OSError as error:
        raise Failure(f"{file}: {error.strerror}", code=UNPARSABLE) from None
    except ValueError as error:
        raise Failure(
            f"{file or pod}: {error}",
            code=UNPARSABLE,
            hint="a dump is what Envoy's /config_dump answers",
        ) from None


def _find(obj: Any, pod: str) -> LivePod:
    from varka.cli.live import find_pod

    mesh, namespace = obj
    return find_pod(mesh, pod, namespace)


def _admin(pod: LivePod, path: str, method: str = "GET") -> str:
    from varka.cli.live import envoy_admin

    return envoy_admin(pod, path, method)
