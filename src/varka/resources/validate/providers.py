"""`MeshConfig.extensionProviders`. Istio only logs what is wrong with them, so these are
warnings."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from varka.base.digits import number
from varka.base.ip import is_ip
from varka.resources.codes import Code
from varka.resources.model.mesh import ExtensionProvider
from varka.resources.validate import values
from varka.resources.validate.cursor import Cursor
from varka.resources.validate.hosts import sidecar_host

_CODE = Code.MC_PROVIDER
_STATUSES = frozenset(
    (
        *(
            100,
            *range(200, 209),
            226,
            *range(300, 306),
            307,
            308,
            *range(400, 418),
            *range(421, 425),
            426,
            428,
            429,
            431,
        ),
        *(*range(500, 509), 510, 511),
    )
)
"""Those that Envoy has a name for (envoy.type.v3.StatusCode)."""
_WITHOUT_SERVICE = ("prometheus", "stackdriver", "envoy_file_access_log", "sds")


def check_providers(providers: Sequence[ExtensionProvider], here: Cursor) -> None:
    seen: set[str] = set()
    for place, provider in here.each("extensionProviders", providers):
        if not provider.name:
            place.warning(_CODE, "a provider needs a name")
        elif provider.name in seen:
            place.at("name").warning(_CODE, f"there are two providers named {provider.name!r}")
        seen.add(provider.name)
        fields = msgspec.structs.fields(provider)
        kinds = [
            field
            for field in fields
            if field.name != "name" and getattr(provider, field.name) is not None
        ]
        if not kinds:
            place.warning(
                _CODE, f"provider {provider.name!r} has no settings of a kind that is supported"
            )
        for field in kinds:
            if field.name not in _WITHOUT_SERVICE:
                _check_service(getattr(provider, field.name), place.at(field.encode_name))


def _check_service(settings: msgspec.Struct, here: Cursor) -> None:
    """What all kinds of remote providers share, and the fields that only some of them have."""
    if wrong := _service(getattr(settings, "service", "")):
        here.at("service").warning(_CODE, wrong)
    if wrong := values.port(getattr(settings, "port", 0)):
        here.at("port").warning(_CODE, wrong)
    if getattr(settings, "access_token", None) == "":
        here.at("accessToken").warning(_CODE, "accessToken is required")
    status = getattr(settings, "status_on_error", "")
    if status and number(status) not in _STATUSES:
        here.at("statusOnError").warning(_CODE, f"{status!r} is no HTTP status")
    prefix = getattr(settings, "path_prefix", "")
    if prefix and not prefix.startswith("/"):
        here.at("pathPrefix").warning(_CODE, f"{prefix!r} must begin with /")
    if getattr(settings, "grpc", None) is not None and getattr(settings, "http", None) is not None:
        here.warning(_CODE, "only one of grpc and http can be set")


def _service(name: str) -> str:
    """A domain name, an IP address, or `namespace/domain`."""
    if not name:
        return "service is required"
    if "/" in name:
        return next(iter(sidecar_host(name)), "")
    return "" if is_ip(name) else values.fqdn(name)
