"""ProxyConfig."""

from __future__ import annotations

from varka.resources.codes import Code
from varka.resources.model.proxyconfig import ProxyConfig
from varka.resources.resource import Resource
from varka.resources.validate.common import check_selector
from varka.resources.validate.cursor import Cursor


def validate(resource: Resource[ProxyConfig], here: Cursor) -> None:
    check_selector(resource.spec.selector, here.at("selector"))
    if (resource.spec.concurrency or 0) < 0:
        here.at("concurrency").error(
            Code.PC_CONCURRENCY, "concurrency can't be negative", "0 is one thread per core"
        )
