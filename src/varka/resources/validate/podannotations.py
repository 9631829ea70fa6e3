"""Istio's annotations on pods, and on the templates of workloads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from varka.resources.codes import Code
from varka.resources.shape import Shape
from varka.resources.validate.cursor import Cursor
from varka.resources.yaml import parse_value

PROXY_CONFIG = "proxy.istio.io/config"
"""Holds a ProxyConfig in YAML."""
_IMAGE = "sidecar.istio.io/proxyImage"
_MEMORY = ("sidecar.istio.io/proxyMemory", "sidecar.istio.io/proxyMemoryLimit")
_QUANTITY = re.compile(r"(\d+\.?\d*|\.\d+)(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][+-]?\d+)?")
_POWERS = {"": 0, "m": -1, "k": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}
_LEAST = 16 * 1024 * 1024


def check_pod_annotations(annotations: Mapping[str, Any], here: Cursor) -> None:
    """What would keep a pod from starting, or is silently ignored; `here` is the place of the
    annotations."""
    config = annotations.get(PROXY_CONFIG)
    if isinstance(config, str):
        _check_config(config, here.at(PROXY_CONFIG))
    image = annotations.get(_IMAGE)
    if isinstance(image, str) and image and "/" not in image:
        place = here.at(_IMAGE)
        place.warning(
            Code.BAD_ANNOTATION,
            f"{image!r} is ignored: only a name with a registry is used",
            f"docker.io/{image}",
        )
    for name in _MEMORY:
        size = _bytes(annotations.get(name))
        if size is not None and size < _LEAST:
            value = annotations[name]
            here.at(name).warning(
                Code.BAD_ANNOTATION,
                f"{value} is {size:g} bytes: no proxy runs with that",
                f"{value}Gi?",
            )


def _check_config(text: str, here: Cursor) -> None:
    from varka.resources.model.mesh import ProxyConfig

    try:
        value = parse_value(text)
    except ValueError as error:
        here.error(Code.BAD_ANNOTATION, f"no YAML: {error}")
        return
    inner = Cursor(type(here.findings)())
    Shape(inner.findings).read({} if value is None else value, ProxyConfig, ())
    for found in inner.findings.items:
        where = f"{'.'.join(str(step) for step in found.path)}: " if found.path else ""
        report = here.error if inner.findings.failed else here.warning
        report(Code.BAD_ANNOTATION, f"{where}{found.message}", found.hint)


def _bytes(value: Any) -> float | None:
    """A Kubernetes quantity in bytes; None when it is none."""
    match = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    number, unit = float(match[1]), match[2] or ""
    if unit.endswith("i"):
        return float(number * 1024 ** _POWERS[unit[:-1].replace("K", "k")])
    if unit in _POWERS:
        return float(number * 1000.0 ** _POWERS[unit])
    return float(match[1] + unit)
