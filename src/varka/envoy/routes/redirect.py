"""`redirect` and `directResponse`: routes that Envoy answers itself."""

from __future__ import annotations

from envoy.config.core.v3 import base_pb2
from envoy.config.route.v3 import route_components_pb2 as envoy

from varka.resources.model import networking

_Redirect = envoy.RedirectAction
_CODES = {
    0: _Redirect.MOVED_PERMANENTLY,
    301: _Redirect.MOVED_PERMANENTLY,
    302: _Redirect.FOUND,
    303: _Redirect.SEE_OTHER,
    307: _Redirect.TEMPORARY_REDIRECT,
    308: _Redirect.PERMANENT_REDIRECT,
}
_DEFAULT_PORTS = {"http": 80, "https": 443}


def redirect(rule: networking.HTTPRedirect, port: int, *, tls: bool) -> envoy.RedirectAction | None:
    """None for a `redirectCode` that Envoy does not know. `port` and `tls` are those of the
    listener."""
    if rule.redirect_code not in _CODES:
        return None
    action = _Redirect(
        host_redirect=rule.authority,
        port_redirect=_port(rule, port, tls),
        response_code=_CODES[rule.redirect_code],
    )
    if rule.prefix_rewrite:
        action.prefix_rewrite = rule.prefix_rewrite
    elif rule.uri:
        action.path_redirect = rule.uri
    if rule.scheme:
        action.scheme_redirect = rule.scheme
    return action


def _port(rule: networking.HTTPRedirect, port: int, tls: bool) -> int:
    """0 leaves the port out, also where it is the scheme's own."""
    chosen = rule.port or 0
    if rule.derive_port is networking.RedirectPortSelection.FROM_REQUEST_PORT:
        # Envoy cannot take it from the request, but the routes of a listener only see requests to
        # its port.
        chosen = port
    scheme = rule.scheme or ("https" if tls else "http")
    return 0 if chosen == _DEFAULT_PORTS.get(scheme) else chosen


def direct_response(rule: networking.HTTPDirectResponse) -> envoy.DirectResponseAction:
    action = envoy.DirectResponseAction(status=rule.status)
    if rule.body is not None and rule.body.string is not None:
        action.body.CopyFrom(base_pb2.DataSource(inline_string=rule.body.string))
    elif rule.body is not None and rule.body.bytes_ is not None:
        action.body.CopyFrom(base_pb2.DataSource(inline_bytes=rule.body.bytes_))
    return action
