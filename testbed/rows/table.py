"""The rows of `tests/e2e/rows/*.yaml`, read and spelled out.

A row has `name`, `objects`, `calls`, and `covers`: the fields without which it fails. Where the
answers do not show a field, `sent` counts the requests that a proxy sent somewhere, `programs` are
run in a pod (`run: [PROGRAM, ARGUMENT...]`) and must print what `has` says, and `config` looks at
what Envoy got (`config:FIELD` in `covers`). With `settle` the next row waits until the proxies have
forgotten the objects: what they remember of this row would change it.

A row with `mesh` has the ConfigMap `istio` with these fields of MeshConfig, besides its objects.

`log` looks at what containers wrote since the row began: `{from: POD, container: NAME, has:
[TEXT...], lacks: [TEXT...]}`; by default the proxy of the client. All of `has` must come within a
few seconds, in whatever lines. What is not in `lacks` by then does not come any more: lines arrive
in order, so a row says with `has` how long to wait.

A row with `diagnostics` is about fields that have no effect: loading its objects says so, with this
code and path (`diagnostic:FIELD` in `covers`). It needs no mesh.

Some rows stand for others: those with a `policy` or `pool` (policies.py), those with `hits`
(patches.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from testbed.rows import patches, policies

FOLDER = Path(__file__).parents[2] / "tests" / "e2e" / "rows"

Row = dict[str, Any]

_SPELLERS: dict[str, Callable[[Row], Iterable[Row]]] = {
    "policy": policies.spelled_out,
    "pool": policies.pools,
    "hits": patches.spelled_out,
}
"""Key of a row that stands for others -> what makes those."""


def rows() -> Iterator[tuple[str, Row]]:
    """Every row with the name of its test."""
    for file in sorted(FOLDER.glob("*.yaml")):
        for row in yaml.safe_load(file.read_text()):
            for one in _spelled_out(row):
                yield f"{file.stem}: {one['name']}", _with_mesh(one)


def _spelled_out(row: Row) -> Iterable[Row]:
    return next((spell(row) for key, spell in _SPELLERS.items() if key in row), [row])


def _with_mesh(row: Row) -> Row:
    if "mesh" not in row:
        return row
    data = {"mesh": yaml.safe_dump(row["mesh"])}
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "istio", "namespace": "istio-system"},
        "data": data,
    }
    return {**row, "objects": [config, *(row.get("objects") or [])]}
