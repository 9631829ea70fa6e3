"""WasmPlugin and TrafficExtension."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from varka.resources.codes import Code
from varka.resources.model.extensions import (
    EnvValueSource,
    TrafficExtension,
    VmConfig,
    WasmConfig,
    WasmPlugin,
)
from varka.resources.resource import Resource
from varka.resources.validate import values
from varka.resources.validate.common import check_scope
from varka.resources.validate.cursor import Cursor

_SCHEMES = ("", "file", "http", "https", "oci")
_SHA256 = re.compile(r"[a-f0-9]{64}")


def validate(resource: Resource[WasmPlugin | TrafficExtension], here: Cursor) -> None:
    plugin = resource.spec
    if isinstance(plugin, WasmPlugin):
        check_scope(plugin.selector, plugin.targetRef, plugin.targetRefs, here)
        _check_module(plugin, here)
    else:
        check_scope(plugin.selector, None, plugin.targetRefs, here)
        _check_code(plugin, here)
    ports = [traffic.ports for traffic in plugin.match]
    for index, matched in enumerate(ports):
        for spot, port in here.at("match", index).each("ports", matched):
            spot.at("number").check(Code.WP_MATCH, values.port(port.number))


def _check_code(extension: TrafficExtension, here: Cursor) -> None:
    if (extension.wasm is None) == (extension.lua is None):
        here.error(Code.TE_CODE, "exactly one of wasm and lua is needed")
    if extension.wasm is not None:
        _check_module(extension.wasm, here.at("wasm"))
    if extension.lua is not None:
        size = len(extension.lua.inline_code.encode())
        if not 0 < size <= 65536:
            here.at("lua", "inlineCode").error(
                Code.TE_CODE, "inlineCode is empty" if not size else "inlineCode exceeds 64 KiB"
            )


def _check_module(module: WasmPlugin | WasmConfig, here: Cursor) -> None:
    here.at("url").check(Code.WP_URL, _url(module.url))
    if module.sha256 and not _SHA256.fullmatch(module.sha256):
        here.at("sha256").error(
            Code.WP_PLUGIN, "sha256 must be 64 hexadecimal digits in lower case"
        )
    if len(module.image_pull_secret) > 253:
        here.at("imagePullSecret").error(
            Code.WP_PLUGIN, "imagePullSecret is longer than 253 characters"
        )
    if len(module.plugin_name) > 256:
        here.at("pluginName").error(Code.WP_PLUGIN, "pluginName is longer than 256 characters")
    if module.vm_config is not None:
        _check_environment(module.vm_config, here.at("vmConfig"))


def _url(text: str) -> str:
    if not text:
        return "url is required"
    try:
        parts = urlsplit(text if text.startswith("/") or "://" in text else f"http://{text}")
        fine = parts.port is None or parts.port >= 0
    except ValueError:
        fine = False
    if not fine or re.search(r"[\s\x00-\x1f\x7f]|%(?![0-9a-fA-F]{2})", text):
        return f"{text!r} is no URL"
    return (
        ""
        if parts.scheme in _SCHEMES
        else f"{parts.scheme}:// is not supported: use oci, https, http or file"
    )


def _check_environment(config: VmConfig, here: Cursor) -> None:
    seen: set[str] = set()
    for place, variable in here.each("env", config.env):
        if not 0 < len(variable.name) <= 256:
            place.at("name").error(Code.WP_ENV, "a variable needs a name of at most 256 characters")
        if variable.name in seen:
            place.at("name").error(Code.WP_ENV, f"variable {variable.name!r} is there twice")
        seen.add(variable.name)
        if variable.value_from != EnvValueSource.INLINE and variable.value:
            place.at("value").error(Code.WP_ENV, "value needs valueFrom: INLINE")
