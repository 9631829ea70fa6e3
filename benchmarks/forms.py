"""A route configuration whole and by virtual host, at several sizes, in a real Envoy: what its
first delivery and each changed weight cost. `VHDS_FROM` in `varka.envoy.routes.sidecar` follows
from these figures."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

from testbed.sandbox import Plain, Sandbox, sandbox

from benchmarks.manifests import subsets, weights
from varka.envoy.resource import Form, TypeUrl

SIZES = (64, 128, 256, 512, 1024, 2048)
CHANGES = 30
_ROUTES = (TypeUrl.ROUTE, TypeUrl.VIRTUAL_HOST)


def measure(sizes: Sequence[int] = SIZES) -> list[dict[str, Any]]:
    """One row a size and form. CPU and times are as noisy as the machine, bytes are exact."""
    return [asyncio.run(_row(size, form)) for size in sizes for form in Form]


async def _row(size: int, form: Form) -> dict[str, Any]:
    threshold = 0 if form is Form.BY_VIRTUAL_HOST else size + 1
    with (
        patch("varka.envoy.routes.sidecar.VHDS_FROM", threshold),
        tempfile.TemporaryDirectory(prefix="vkb") as folder,
    ):
        async with sandbox(
            Path(folder), [*map(_service, range(size)), subsets("s0", {"v1": "v1", "v2": "v2"})]
        ) as box:
            first = _sent(box)
            heap = await box.stat("server.memory_allocated")
            envoy, server, took = box.cpu(), time.process_time(), []
            for number in range(CHANGES):
                outcome = await box.apply(weights("s0", {"v1": number, "v2": 100 - number}))
                took.append(outcome.took_ms)
            return {
                "services": size,
                "form": form.name.lower(),
                "first_bytes": first,
                "bytes_per_change": (_sent(box) - first) // CHANGES,
                "envoy_cpu_ms_per_change": round((box.cpu() - envoy) / CHANGES * 1000, 1),
                "server_cpu_ms_per_change": round(
                    (time.process_time() - server) / CHANGES * 1000, 1
                ),
                "acked_ms": round(statistics.median(took), 1),
                "envoy_heap_mb": round(heap / 1e6, 1),
            }


def _sent(box: Sandbox) -> int:
    return sum(box.plane.hub.responses.sent_bytes.get(type_, 0) for type_ in _ROUTES)


def _service(number: int) -> Plain:
    spec = {
        "clusterIP": f"10.0.{number // 250}.{number % 250 + 1}",
        "ports": [{"name": "http", "port": 80}],
    }
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": f"s{number}"}, "spec": spec}
