#!/usr/bin/env python3
"""Write `varka/resources/model/*.py` from a table of Istio's protobuf fields.

    tools/make_models.py FIELDS.json

The table holds names, numbers and types only (facts of Istio's API). What the API mirror lacks but
the CRDs have is added in EXTRA. Rules: a scalar has its proto3 default, a message, a wrapper or a
member of a oneof is None when absent, a repeated field is a tuple, an enum is a StrEnum whose first
member is the default.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

OUT = Path(__file__).resolve().parent.parent / "src/varka/resources/model"
PACKAGES = {
    "istio.type.v1beta1": "selectors",
    "istio.networking.v1alpha3": "networking",
    "istio.networking.v1beta1": "proxyconfig",
    "istio.security.v1beta1": "security",
    "istio.telemetry.v1alpha1": "telemetry",
    "istio.extensions.v1alpha1": "extensions",
    "istio.mesh.v1alpha1": "mesh",
}
SCALARS = {
    "string": ("str", '""'),
    "bool": ("bool", "False"),
    "bytes": ("bytes", 'b""'),
    "double": ("float", "0.0"),
    "float": ("float", "0.0"),
    **dict.fromkeys(
        ("int32", "int64", "uint32", "uint64", "sint32", "sint64", "fixed32", "fixed64"),
        ("int", "0"),
    ),
}
OPTIONAL = {
    "google.protobuf.Duration": "Duration",
    "google.protobuf.Timestamp": "str",
    "google.protobuf.BoolValue": "bool",
    "google.protobuf.StringValue": "str",
    "google.protobuf.BytesValue": "bytes",
    "google.protobuf.DoubleValue": "float",
    "google.protobuf.FloatValue": "float",
    **{f"google.protobuf.{t}Value": "int" for t in ("Int32", "Int64", "UInt32", "UInt64")},
    "google.protobuf.Struct": "Json",
    "google.protobuf.Any": "Json",
    "google.protobuf.Value": "object",
    "google.protobuf.ListValue": "tuple[object, ...]",
}
CLASHES = ("from", "global", "class", "in", "bytes", "object", *PACKAGES.values())
N = "istio.networking.v1alpha3."
_UTILIZATION = N + "LoadBalancerSettings.BackendUtilization"
EXTRA: dict[str, Any] = {
    N + "LoadBalancerSettings": [
        {"json": "backendUtilization", "name": "backend_utilization", "type": _UTILIZATION}
    ],
    N + "EnvoyFilter.ListenerMatch.FilterChainMatch": [
        {"json": "transportSocket", "name": "transport_socket", "type": "string"}
    ],
    N + "ServerTLSSettings": [
        {"json": "ecdhCurves", "name": "ecdh_curves", "type": "string", "repeated": True}
    ],
    "istio.security.v1beta1.JWTRule": [{"json": "presence", "name": "presence", "type": "string"}],
    "istio.mesh.v1alpha1.MeshConfig": [
        {
            "json": "defaultInboundHttpRetryPolicy",
            "name": "default_inbound_http_retry_policy",
            "type": N + "HTTPRetry",
        },
    ],
}
"""Message -> fields that the mirror's message lacks."""
EXTRA_MESSAGES: dict[str, Any] = {
    _UTILIZATION: {
        "fields": [
            {
                "json": "errorUtilizationPenaltyPercent",
                "name": "error_utilization_penalty_percent",
                "type": "google.protobuf.UInt32Value",
            },
            {
                "json": "metricNamesForComputingUtilization",
                "name": "metric_names_for_computing_utilization",
                "type": "string",
                "repeated": True,
            },
            {
                "json": "weightExpirationPeriod",
                "name": "weight_expiration_period",
                "type": "google.protobuf.Duration",
            },
            {
                "json": "weightStabilizationPeriod",
                "name": "weight_stabilization_period",
                "type": "google.protobuf.Duration",
            },
            {
                "json": "weightUpdatePeriod",
                "name": "weight_update_period",
                "type": "google.protobuf.Duration",
            },
        ]
    }
}


def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(x.title() for x in rest)


class Models:
    def __init__(self, types: dict[str, Any]) -> None:
        self.types = types
        self.names: dict[str, str] = {}
        for package in PACKAGES:
            tails = [k.removeprefix(package + ".") for k in types if self.package(k) == package]
            last = [t.rsplit(".", 1)[-1] for t in tails]
            for t in tails:
                short = t.rsplit(".", 1)[-1]
                self.names[f"{package}.{t}"] = (
                    short if last.count(short) == 1 or "." not in t else "".join(t.split(".")[-2:])
                )

    @staticmethod
    def package(full: str) -> str:
        return next((p for p in PACKAGES if full.startswith(p + ".")), "")

    def ref(self, full: str, here: str) -> str:
        package = self.package(full)
        if not package:
            return "Json"
        return self.names[full] if package == here else f"{PACKAGES[package]}.{self.names[full]}"

    def field(self, f: dict[str, Any], here: str) -> str:
        kind, default = self.kind(f, here)
        if f["json"] != camel(f["name"]):
            default = (
                f"field(name={json.dumps(f['json'])}, default={default})"
                if default != "field(default_factory=dict)"
                else f"field(name={json.dumps(f['json'])}, default_factory=dict)"
            )
        name = f["name"] + "_" if f["name"] in CLASHES else f["name"]
        if name != f["name"]:
            default = f"field(name={json.dumps(f['json'])}, default={default})"
        return f"    {name}: {kind} = {default}"

    def kind(self, f: dict[str, Any], here: str) -> tuple[str, str]:
        t = f["type"]
        if "map_entry" in self.types.get(t, {}):
            value = next(x["type"] for x in self.types[t]["fields"] if x["name"] == "value")
            return (
                f"Mapping[str, {self.one(value, here)[0].removesuffix(' | None')}]",
                "field(default_factory=dict)",
            )
        kind, default = self.one(t, here)
        if f.get("repeated"):
            return f"tuple[{kind.removesuffix(' | None')}, ...]", "()"
        if (f.get("oneof") or f.get("optional")) and default != "None":
            return f"{kind} | None", "None"
        return kind, default

    def one(self, t: str, here: str) -> tuple[str, str]:
        if t in SCALARS:
            return SCALARS[t]
        if t in OPTIONAL:
            return f"{OPTIONAL[t]} | None", "None"
        ref = self.ref(t, here)
        if "enum" in self.types.get(t, {}):
            return ref, f"{ref}.{next(k for k, v in self.types[t]['enum'].items() if v == 0)}"
        return f"{ref} | None", "None"

    def module(self, package: str) -> str:
        mine = {k: v for k, v in self.types.items() if self.package(k) == package}
        used = sorted(
            {
                PACKAGES[p]
                for v in mine.values()
                for f in v.get("fields", [])
                if (p := self.package(f["type"])) and p != package
            }
        )
        body: list[str] = []
        for full, v in mine.items():
            if "enum" in v:
                body += [
                    "",
                    "",
                    f"class {self.names[full]}(StrEnum):",
                    *(f'    {k} = "{k}"' for k in v["enum"]),
                ]
        for full, v in mine.items():
            if "enum" not in v and "map_entry" not in v:
                fields = [
                    self.field(f, package) for f in [*v.get("fields", []), *EXTRA.get(full, [])]
                ]
                body += [
                    "",
                    "",
                    f"class {self.names[full]}(Model, frozen=True, eq=False):",
                    f'    """{full}"""',
                    *(["", *fields] if fields else []),
                ]
        text = "\n".join(body)
        head = [
            f'"""Messages of `{package}`. Made by tools/make_models.py: change that, not this."""',
            "",
            "from __future__ import annotations",
            "",
        ]
        if "Mapping[" in text:
            head.append("from collections.abc import Mapping")
        if "StrEnum" in text:
            head.append("from enum import StrEnum")
        head.append("")
        if "field(" in text:
            head += ["from msgspec import field", ""]
        if "Duration" in text.replace("DurationSecs", ""):
            head.append("from varka.base.duration import Duration")
        if used:
            head.append(f"from varka.resources.model import {', '.join(used)}")
        head.append(
            f"from varka.resources.model.base import {'Json, ' if 'Json' in text else ''}Model"
        )
        return "\n".join(head) + "\n" + text.lstrip("\n").join(["\n\n", "\n"])


def main() -> None:
    types = json.loads(Path(sys.argv[1]).read_text())["types"]
    models = Models({**types, **EXTRA_MESSAGES})
    for package, name in PACKAGES.items():
        (OUT / f"{name}.py").write_text(models.module(package))


if __name__ == "__main__":
    main()
