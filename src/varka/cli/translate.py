"""`varka translate`: what proxies get, computed offline."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from varka.cli.exits import FAILED, UNPARSABLE, USAGE, Failure

if TYPE_CHECKING:
    from varka.proxy.node import Proxy


@click.command()
@click.argument("files", nargs=-1, metavar="FILE|DIR...")
@click.option(
    "-f", "--filename", "more", multiple=True, metavar="FILE", help="The same as a positional FILE."
)
@click.option("--proxy", "pod", metavar="POD.NS", help="A Pod of the manifests.")
@click.option("--proxy-file", metavar="FILE", help="One proxy, as JSON or YAML.")
@click.option("--proxies-file", metavar="FILE", help="A list of proxies.")
@click.option(
    "--route",
    "routes",
    multiple=True,
    metavar="NAME",
    help="A route configuration besides those that listeners name.",
)
@click.option(
    "--mesh-config", metavar="FILE", help="A MeshConfig document, merged over the defaults."
)
@click.option("-o", "--output", type=click.Choice(["json"]), default="json", show_default=True)
def translate(
    files: tuple[str, ...],
    more: tuple[str, ...],
    pod: str | None,
    proxy_file: str | None,
    proxies_file: str | None,
    routes: tuple[str, ...],
    mesh_config: str | None,
    output: str,
) -> int:
    """Print the listeners, routes, clusters and endpoints that proxies get from these manifests."""
    if sum(x is not None for x in (pod, proxy_file, proxies_file)) != 1:
        raise click.UsageError("exactly one of --proxy, --proxy-file, --proxies-file is needed")
    import gc

    # Modules and what is compiled live until the end: there is no garbage to look for.
    gc.disable()
    from varka.base.settings import Settings
    from varka.cli.manifests import read_manifests, read_mesh_config
    from varka.envoy.compiler import Compiler

    state, code = read_manifests((*files, *more))
    compiler = Compiler(read_mesh_config(mesh_config, state), Settings.from_environment(os.environ))
    compiler.update(state)
    if proxies_file is not None:
        documents = _document(proxies_file)
        if not isinstance(documents, list):
            raise Failure(f"{proxies_file}: a list of proxies was expected", code=UNPARSABLE)
        found: Any = [_resources(compiler, _proxy(d, proxies_file), routes) for d in documents]
    elif proxy_file is not None:
        found = _resources(compiler, _proxy(_document(proxy_file), proxy_file), routes)
    else:
        found = _resources(compiler, _pod_proxy(state, pod or ""), routes)
    click.echo(json.dumps(found, indent=1))
    return code


def _document(name: str) -> Any:
    from varka.resources.yaml import parse_value

    try:
        return parse_value(Path(name).read_text())
    except (OSError, ValueError) as error:
        raise Failure(f"{name}: {error}", code=UNPARSABLE) from None


def _proxy(document: Any, name: str) -> Proxy:
    from varka.proxy.node import from_document

    try:
        return from_document(document)
    except (ValueError, AttributeError) as error:
        raise Failure(
            f"{name}: not a proxy: {error}", code=USAGE, hint="it needs at least type and namespace"
        ) from None


def _pod_proxy(state: Any, pod: str) -> Proxy:
    from difflib import get_close_matches

    from varka.proxy.from_pod import proxy_of_pod

    name, _, namespace = pod.partition(".")
    pods = {(p.name, p.namespace): p for p in state.of("Pod")}
    found = pods.get((name, namespace or "default"))
    if found is None:
        close = get_close_matches(pod, [f"{n}.{ns}" for n, ns in pods], n=1)
        raise Failure(
            f"no Pod {pod!r} in the manifests",
            code=FAILED,
            hint=f"did you mean {close[0]!r}?" if close else "",
        )
    return proxy_of_pod(found)


def _resources(compiler: Any, proxy: Proxy, routes: tuple[str, ...]) -> dict[str, Any]:
    from varka.envoy.dump import to_json
    from varka.envoy.resource import TypeUrl

    view = compiler.view(proxy)
    whole = [compiler.route(proxy, r.name) for r in view.of(TypeUrl.ROUTE)]
    asked = [
        compiler.route(proxy, name) for name in routes if view.get(TypeUrl.ROUTE, name) is None
    ]
    return {
        "listeners": [to_json(r) for r in view.of(TypeUrl.LISTENER)],
        "routes": [to_json(r) for r in (*whole, *asked)],
        "clusters": [to_json(r) for r in view.of(TypeUrl.CLUSTER)],
        "endpoints": [to_json(r) for r in view.of(TypeUrl.ENDPOINTS)],
    }
