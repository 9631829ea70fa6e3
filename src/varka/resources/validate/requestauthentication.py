"""RequestAuthentication."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlsplit

from varka.resources.codes import Code
from varka.resources.model.security import JWTRule, RequestAuthentication
from varka.resources.resource import Resource
from varka.resources.validate import values
from varka.resources.validate.common import check_scope
from varka.resources.validate.cursor import Cursor

_HEADER = re.compile(r"[-_A-Za-z0-9]+")


def validate(resource: Resource[RequestAuthentication], here: Cursor) -> None:
    policy = resource.spec
    check_scope(policy.selector, policy.targetRef, policy.targetRefs, here)
    for place, rule in here.each("jwtRules", policy.jwt_rules):
        _check_rule(rule, place)


def _check_rule(rule: JWTRule, here: Cursor) -> None:
    if not rule.issuer and not rule.jwks_uri:
        here.error(Code.RA_JWT, "issuer or jwksUri is required")
    if rule.jwks_uri:
        here.at("jwksUri").check(Code.RA_JWT, _uri(rule.jwks_uri))
    if rule.jwks:
        _check_keys(rule.jwks, here.at("jwks"))
    lists = {
        "audiences": rule.audiences,
        "fromParams": rule.from_params,
        "fromCookies": rule.from_cookies,
    }
    for field, items in lists.items():
        for place, item in here.each(field, items):
            if not item:
                place.error(Code.RA_JWT, "an empty text is not allowed here")
    for place, header in here.each("fromHeaders", rule.from_headers):
        if not header.name:
            place.error(Code.RA_JWT, "a header needs a name")
    for place, output in here.each("outputClaimToHeaders", rule.output_claim_to_headers):
        if not output.claim or not output.header:
            place.error(Code.RA_JWT, "claim and header are required")
        elif not _HEADER.fullmatch(output.header):
            place.at("header").error(Code.RA_JWT, f"{output.header!r} is no header name")
    here.at("timeout").check(Code.RA_JWT, values.duration(rule.timeout))


def _uri(text: str) -> str:
    try:
        parts = urlsplit(text)
        fine = parts.scheme in ("http", "https") and (parts.port is None or parts.port >= 0)
    except ValueError:
        fine = False
    return "" if fine else f"{text!r} is no http or https URL"


def _check_keys(text: str, here: Cursor) -> None:
    """A JSON Web Key (set), RFC 7517."""
    try:
        value: Any = json.loads(text)
    except ValueError as error:
        here.error(Code.RA_JWT, f"no JSON: {error}")
        return
    keys = value.get("keys", [value]) if isinstance(value, dict) else None
    if not isinstance(keys, list) or not all(
        isinstance(key, dict) and isinstance(key.get("kty"), str) for key in keys
    ):
        here.error(Code.RA_JWT, "this is no JSON Web Key Set", '{"keys": [{"kty": ...}]}')
        return
    for index, key in enumerate(keys):
        if "d" in key or key["kty"] == "oct":
            here.warning(
                Code.RA_PRIVATE_KEY,
                f"key {index} holds private material, public keys are enough to check tokens",
            )
