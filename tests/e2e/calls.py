"""A row's call as a request, and what its answers lack."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from varka.local.client.request import Protocol, Request, Tls

PROTOCOLS = {"http1": Protocol.HTTP11, "http2": Protocol.HTTP2, "grpc": Protocol.GRPC}


def request_of(call: Mapping[str, Any], files: Path) -> Request:
    """The request that a call describes, in the words of the flags of `varka request`.

    `tls` may hold `ca` and `client`, the names of certificates in the folder `files`; without `ca`
    any server is believed.
    """
    return Request(
        url=call["url"],
        method=call.get("method", ""),
        headers=tuple((name, str(value)) for name, value in (call.get("headers") or {}).items()),
        body=call.get("body", "").encode(),
        protocol=PROTOCOLS[call["protocol"]] if "protocol" in call else None,
        count=call.get("count", 1),
        concurrency=call.get("concurrency", 0),
        timeout=call.get("timeout", 5),
        tls=_tls(files, sni=call.get("sni", ""), **call.get("tls") or {}),
    )


def _tls(files: Path, ca: str = "", client: str = "", **offered: str) -> Tls:
    def pem(name: str) -> str:
        return (files / name).read_text()

    own = {"certificate": pem(f"{client}.pem"), "key": pem(f"{client}.key")} if client else {}
    return Tls(ca=pem(f"{ca}.pem") if ca else "", verify=bool(ca), **own, **offered)


def mismatches(answer: Mapping[str, Any], expect: Mapping[str, Any]) -> list[str]:
    """What the answers are not; [] when they are as expected."""
    return [wrong for key, wanted in expect.items() for wrong in CHECKS[key](answer, wanted)]


def lacks(found: Any, wanted: Any, path: str = "") -> list[str]:
    """Where a JSON value is not as wanted: mappings may hold more than wanted, null stands for a
    missing key; a mapping wanted of a list is wanted of any of its items."""
    if isinstance(wanted, Mapping) and isinstance(found, list):
        tried = [lacks(item, wanted, f"{path}[{at}]") for at, item in enumerate(found)]
        return min(tried, key=len, default=[f"{path}: [], want {wanted!r}"])
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        return [
            text
            for key, inner in wanted.items()
            for text in lacks(found.get(key), inner, f"{path}.{key}")
        ]
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        return [
            text
            for at, inner in enumerate(wanted)
            for text in lacks(found[at], inner, f"{path}[{at}]")
        ]
    return [] if found == wanted else [f"{path}: {found!r}, want {wanted!r}"]


def _each(
    read: Callable[[Mapping[str, Any]], Any],
) -> Callable[[Mapping[str, Any], Any], Iterator[str]]:
    def check(answer: Mapping[str, Any], wanted: Any) -> Iterator[str]:
        for got in {repr(read(r)) for r in answer["responses"]} - {repr(wanted)}:
            yield f"got {got}, want {wanted!r}"

    return check


def _echo(name: str) -> Callable[[Mapping[str, Any]], Any]:
    return lambda response: (response.get("echo") or {}).get(name)


def _headers(
    of: Callable[[Mapping[str, Any]], Mapping[str, Any]],
) -> Callable[[Mapping[str, Any], Any], Iterator[str]]:
    def check(answer: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[str]:
        for response in answer["responses"]:
            headers = {name.lower(): value for name, value in of(response).items()}
            for name, value in wanted.items():
                if headers.get(name) != value:
                    yield f"header {name}: got {headers.get(name)!r}, want {value!r}"

    return check


def _ranges(
    read: Callable[[Mapping[str, Any]], Mapping[str, int]],
) -> Callable[[Mapping[str, Any], Any], Iterator[str]]:
    def check(answer: Mapping[str, Any], wanted: Mapping[Any, list[int]]) -> Iterator[str]:
        got = read(answer["summary"])
        for name, (low, high) in wanted.items():
            if not low <= got.get(str(name), 0) <= high:
                yield f"{name}: got {got.get(str(name), 0)}, want {low} to {high} of {got}"
        for name in set(got) - set(map(str, wanted)):
            yield f"unexpected {name}: {got[name]}"

    return check


def _contains(answer: Mapping[str, Any], wanted: Mapping[str, str]) -> Iterator[str]:
    for name, part in wanted.items():
        if not all(part in str(r["headers"].get(name, "")) for r in answer["responses"]):
            yield f"header {name} has no {part!r}"


def _some_header(answer: Mapping[str, Any], wanted: Mapping[str, str]) -> Iterator[str]:
    for name, value in wanted.items():
        if not any(r["headers"].get(name) == value for r in answer["responses"]):
            yield f"no answer has {name}: {value}"


def _body_contains(answer: Mapping[str, Any], wanted: str) -> Iterator[str]:
    yield from (
        f"body {r['body']!r} has no {wanted!r}"
        for r in answer["responses"]
        if wanted not in r["body"]
    )


def _pods(answer: Mapping[str, Any], wanted: int) -> Iterator[str]:
    if len(answer["summary"]["by_pod"]) != wanted:
        yield f"pods that answered: {answer['summary']['by_pod']}, want {wanted}"


def _over(answer: Mapping[str, Any], wanted: float) -> Iterator[str]:
    yield from (
        f"took {r['duration_ms']} ms, want more"
        for r in answer["responses"]
        if r["duration_ms"] < wanted
    )


def _under(answer: Mapping[str, Any], wanted: float) -> Iterator[str]:
    yield from (
        f"took {r['duration_ms']} ms, want less"
        for r in answer["responses"]
        if r["duration_ms"] > wanted
    )


CHECKS: dict[str, Callable[[Mapping[str, Any], Any], Iterator[str]]] = {
    "status": _each(lambda r: r["status"]),
    "body": _each(lambda r: r["body"]),
    "body_contains": _body_contains,
    "error": _each(lambda r: r["error"] and str(r["error"])),
    "grpc_status": _each(lambda r: r.get("grpc_status")),
    "version": _each(_echo("version")),
    "pod": _each(_echo("pod")),
    "port": _each(_echo("port")),
    "path": _each(_echo("path")),
    "host": _each(_echo("host")),
    "peer": _each(_echo("peer")),
    "method": _each(_echo("method")),
    "echo_protocol": _each(_echo("protocol")),
    "echo_port": _each(_echo("port")),
    "headers": _headers(lambda r: r["headers"]),
    "request_headers": _headers(lambda r: (r.get("echo") or {}).get("headers") or {}),
    "header_contains": _contains,
    "some_header": _some_header,
    "versions": _ranges(lambda s: s["by_version"]),
    "by_pod": _ranges(lambda s: s["by_pod"]),
    "statuses": _ranges(lambda s: s["by_status"]),
    "one_pod": lambda answer, _: _pods(answer, 1),
    "pods": _pods,
    "over_ms": _over,
    "under_ms": _under,
}
