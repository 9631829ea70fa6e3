"""HTTP routes of a VirtualService."""

from __future__ import annotations

from varka.resources.codes import Code
from varka.resources.model import networking as n
from varka.resources.validate import values
from varka.resources.validate.cursor import Cursor
from varka.resources.validate.destination import check_destination, check_weights
from varka.resources.validate.headers import check_headers, header_name, is_authority
from varka.resources.validate.match import check_http_match
from varka.resources.validate.re2 import regex
from varka.resources.validate.retry import check_retry

_CORS_METHODS = (
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "CONNECT",
    "OPTIONS",
    "TRACE",
    "*",
)
_GRPC = frozenset(
    (
        *(
            "OK",
            "CANCELLED",
            "UNKNOWN",
            "INVALID_ARGUMENT",
            "DEADLINE_EXCEEDED",
            "NOT_FOUND",
            "ALREADY_EXISTS",
        ),
        *(
            "PERMISSION_DENIED",
            "RESOURCE_EXHAUSTED",
            "FAILED_PRECONDITION",
            "ABORTED",
            "OUT_OF_RANGE",
        ),
        *("UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"),
    )
)
_MEGABYTE = 1024 * 1024


def check_http_route(route: n.HTTPRoute, here: Cursor, *, delegate: bool, converted: bool) -> None:
    """One item of `http`; `delegate`: its VirtualService has no hosts, `converted`: it comes from
    the Gateway API."""
    _check_action(route, here, delegate)
    for place, match in here.each("match", route.match):
        check_http_match(match, place)
    check_headers(route.headers, here.at("headers"))
    _check_cors(route.cors_policy, here.at("corsPolicy"))
    _check_fault(route.fault, here.at("fault"))
    _check_mirrors(route, here)
    _check_redirect(route, here.at("redirect"))
    _check_direct_response(route.direct_response, here.at("directResponse"))
    check_retry(route.retries, here.at("retries"))
    _check_rewrite(route.rewrite, here.at("rewrite"))
    _check_authority(route, here)
    check_weights(route.route, here, converted=converted)
    here.at("timeout").check(Code.VS_TIMEOUT, values.duration(route.timeout))


def _check_action(route: n.HTTPRoute, here: Cursor, delegate: bool) -> None:
    if route.delegate is not None and not delegate:
        for name, value in (("redirect", route.redirect), ("route", route.route)):
            if value:
                here.at(name).error(Code.VS_DELEGATE, f"a route that delegates can't have {name}")
        return
    if route.delegate is not None:
        here.at("delegate").error(Code.VS_DELEGATE, "a delegate can't delegate further")
    given = {"redirect": route.redirect, "directResponse": route.direct_response}
    chosen = [name for name, value in given.items() if value is not None]
    others = {"route": route.route, "fault": route.fault, "rewrite": route.rewrite}
    for name in chosen:
        for other in (name_ for name_, value in others.items() if value):
            here.at(other).error(Code.VS_ROUTE, f"{other} can't be combined with {name}")
    if len(chosen) == 2:
        here.at("redirect").error(Code.VS_ROUTE, "redirect can't be combined with directResponse")
    if not chosen and not route.route:
        here.error(Code.VS_ROUTE, "route, redirect or directResponse is required")
    if route.mirror is not None and route.mirrors:
        here.at("mirror").error(Code.VS_MIRROR, "mirror can't be combined with mirrors")


def _check_authority(route: n.HTTPRoute, here: Cursor) -> None:
    request = route.headers.request if route.headers is not None else None
    changes = (
        [name for name in (*request.set, *request.add) if is_authority(name)]
        if request is not None
        else []
    )
    rewritten = route.rewrite is not None and route.rewrite.authority
    if len(changes) + bool(rewritten) > 1:
        here.error(
            Code.VS_HEADERS,
            "the authority can be set only once: by rewrite.authority or by one header",
        )


def _check_cors(policy: n.CorsPolicy | None, here: Cursor) -> None:
    if policy is None:
        return
    for place, origin in here.each("allowOrigins", policy.allow_origins):
        if not (origin.exact or origin.prefix or origin.regex):
            place.error(Code.VS_CORS, "an origin needs exact, prefix or regex")
        elif origin.regex:
            place.check(Code.VS_CORS, regex(origin.regex))
    for place, method in here.each("allowMethods", policy.allow_methods):
        if method not in _CORS_METHODS:
            place.error(Code.VS_CORS, f"{method!r} is no HTTP method")
    for field, names in (
        ("allowHeaders", policy.allow_headers),
        ("exposeHeaders", policy.expose_headers),
    ):
        for place, name in here.each(field, names):
            place.check(Code.VS_CORS, "" if name == "*" else header_name(name))
    if policy.max_age is not None:
        here.at("maxAge").check(Code.VS_CORS, values.duration(policy.max_age))
        if policy.max_age % 10**9:
            here.at("maxAge").error(Code.VS_CORS, "maxAge is counted in whole seconds")


def _check_fault(fault: n.HTTPFaultInjection | None, here: Cursor) -> None:
    if fault is None:
        return
    if fault.abort is None and fault.delay is None:
        here.error(Code.VS_FAULT, "a fault needs abort or delay")
    if (abort := fault.abort) is not None:
        _check_abort(abort, here.at("abort"))
    if (delay := fault.delay) is not None:
        place = here.at("delay")
        _check_percentage(delay.percentage, place, "delay" if not delay.percent else "")
        place.at("fixedDelay").check(Code.VS_FAULT, values.duration(delay.fixed_delay))
        if delay.exponential_delay is not None:
            place.at("exponentialDelay").error(
                Code.VS_FAULT, "exponentialDelay is not supported", "use fixedDelay"
            )


def _check_abort(abort: n.Abort, here: Cursor) -> None:
    _check_percentage(abort.percentage, here, "abort")
    if abort.grpc_status is not None:
        if abort.grpc_status not in _GRPC:
            here.at("grpcStatus").error(
                Code.VS_FAULT, f"{abort.grpc_status!r} is no gRPC status", "such as NOT_FOUND"
            )
    elif abort.http2_error is not None:
        here.at("http2Error").error(Code.VS_FAULT, "http2Error is not supported", "use httpStatus")
    elif abort.http_status is not None:
        here.at("httpStatus").check(Code.VS_FAULT, _status(abort.http_status))
    else:
        here.warning(Code.VS_FAULT, "abort has no effect without httpStatus or grpcStatus")


def _check_percentage(percentage: n.Percent | None, here: Cursor, what: str) -> None:
    if percentage is not None:
        here.at("percentage").check(Code.VS_FAULT, values.fraction(percentage.value))
    elif what:
        here.info(Code.VS_FAULT, f"without percentage every request gets the {what}")


def _status(status: int) -> str:
    return "" if 200 <= status <= 600 else f"HTTP status {status} is not in 200..599"


def _check_mirrors(route: n.HTTPRoute, here: Cursor) -> None:
    if route.mirror_percent is not None:
        place = here.at("mirrorPercent")
        place.warning(Code.VS_MIRROR, "mirrorPercent is deprecated", "use mirrorPercentage")
        if route.mirror_percent > 100:
            place.error(Code.VS_MIRROR, f"{route.mirror_percent} is more than 100")
    _check_mirror_share(route.mirror_percentage, here.at("mirrorPercentage"))
    check_destination(route.mirror, here.at("mirror"))
    for place, mirror in here.each("mirrors", route.mirrors):
        if mirror.destination is None:
            place.error(Code.VS_MIRROR, "destination is required")
            continue
        check_destination(mirror.destination, place.at("destination"))
        _check_mirror_share(mirror.percentage, place.at("percentage"))


def _check_mirror_share(share: n.Percent | None, here: Cursor) -> None:
    if share is not None and not 0 <= share.value <= 100:
        here.error(Code.VS_MIRROR, f"{share.value:g} is not in 0..100")


def _check_redirect(route: n.HTTPRoute, here: Cursor) -> None:
    redirect = route.redirect
    if redirect is None:
        return
    if redirect.uri and redirect.prefix_rewrite:
        here.error(Code.VS_REDIRECT, "only one of uri and prefixRewrite can be set")
    if redirect.prefix_rewrite and any(
        match.uri is not None and match.uri.prefix is None for match in route.match
    ):
        here.at("prefixRewrite").error(
            Code.VS_REDIRECT, "prefixRewrite needs matches by uri.prefix"
        )
    goals = (redirect.uri, redirect.prefix_rewrite, redirect.authority, redirect.scheme)
    if not any(goals) and redirect.port is None and redirect.derive_port is None:
        here.error(
            Code.VS_REDIRECT, "a redirect needs uri, prefixRewrite, authority, scheme or port"
        )
    if redirect.redirect_code and not 300 <= redirect.redirect_code <= 399:
        here.at("redirectCode").error(
            Code.VS_REDIRECT, f"{redirect.redirect_code} is no redirect: 3xx is needed"
        )
    if redirect.scheme not in ("", "http", "https"):
        here.at("scheme").error(Code.VS_REDIRECT, f"{redirect.scheme!r} is neither http nor https")
    if redirect.port:
        here.at("port").check(Code.VS_REDIRECT, values.port(redirect.port))


def _check_direct_response(response: n.HTTPDirectResponse | None, here: Cursor) -> None:
    if response is None:
        return
    here.at("status").check(Code.VS_DIRECT_RESPONSE, _status(response.status))
    if (body := response.body) is not None:
        size = (
            len((body.string or "").encode())
            if body.string is not None
            else len(body.bytes_ or b"")
        )
        if size > _MEGABYTE:
            here.at("body").error(
                Code.VS_DIRECT_RESPONSE, "a direct response can't be larger than 1 MB"
            )
        elif size > _MEGABYTE / 10.24:
            here.at("body").warning(
                Code.VS_DIRECT_RESPONSE,
                "a direct response above 100 kB slows the control plane down",
            )


def _check_rewrite(rewrite: n.HTTPRewrite | None, here: Cursor) -> None:
    if rewrite is None:
        return
    pattern = rewrite.uri_regex_rewrite
    if rewrite.uri and pattern is not None:
        here.error(Code.VS_REWRITE, "only one of uri and uriRegexRewrite can be set")
    if not rewrite.uri and pattern is None and not rewrite.authority:
        here.error(Code.VS_REWRITE, "a rewrite needs uri, uriRegexRewrite or authority")
    if pattern is not None:
        place = here.at("uriRegexRewrite")
        if not pattern.match or not pattern.rewrite:
            place.error(Code.VS_REWRITE, "uriRegexRewrite needs both match and rewrite")
        else:
            place.at("match").check(Code.VS_REWRITE, regex(pattern.match))
