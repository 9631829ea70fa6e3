"""WorkloadGroup."""

from __future__ import annotations

import re

from varka.resources.codes import Code
from varka.resources.model.networking import ReadinessProbe, WorkloadGroup
from varka.resources.resource import Resource
from varka.resources.validate import values
from varka.resources.validate.common import check_labels
from varka.resources.validate.cursor import Cursor

_HEADER = re.compile(r"[-A-Za-z0-9]+")


def validate(resource: Resource[WorkloadGroup], here: Cursor) -> None:
    group = resource.spec
    if group.template is None:
        here.error(Code.WG_TEMPLATE, "template is required")
    if group.metadata is not None:
        check_labels(group.metadata.labels, here.at("metadata", "labels"))
    if group.probe is not None:
        check_probe(group.probe, here.at("probe"))


def check_probe(probe: ReadinessProbe, here: Cursor) -> None:
    counts = {
        "periodSeconds": probe.period_seconds,
        "initialDelaySeconds": probe.initial_delay_seconds,
        "timeoutSeconds": probe.timeout_seconds,
        "successThreshold": probe.success_threshold,
        "failureThreshold": probe.failure_threshold,
    }
    for name, value in counts.items():
        if value < 0:
            here.at(name).error(Code.WG_PROBE, f"{name} can't be negative")
    if probe.http_get is not None:
        place = here.at("httpGet")
        place.at("port").check(Code.WG_PROBE, values.port(probe.http_get.port))
        if probe.http_get.scheme not in ("", "HTTP", "HTTPS"):
            place.at("scheme").error(
                Code.WG_PROBE, f"{probe.http_get.scheme!r} is neither HTTP nor HTTPS"
            )
        for spot, header in place.each("httpHeaders", probe.http_get.http_headers):
            if not _HEADER.fullmatch(header.name):
                spot.at("name").error(Code.WG_PROBE, f"{header.name!r} is no header name")
    elif probe.tcp_socket is not None:
        here.at("tcpSocket", "port").check(Code.WG_PROBE, values.port(probe.tcp_socket.port))
    elif probe.exec is not None:
        if not probe.exec.command:
            here.at("exec").error(Code.WG_PROBE, "command is required")
    elif probe.grpc is None:
        here.error(Code.WG_PROBE, "a probe needs httpGet, tcpSocket, exec or grpc")
