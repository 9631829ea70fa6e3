"""What a URL means."""

import pytest

from varka.local.client.request import Protocol, Request, Target


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("http://reviews:9080/a", "reviews", 9080, "/a"),
        ("reviews", "reviews", 80, "/"),
        ("https://reviews", "reviews", 443, "/"),
        ("http://reviews?x=1", "reviews", 80, "/?x=1"),
        ("http://[::1]:80/", "::1", 80, "/"),
        ("http://reviews/../a b%zz", "reviews", 80, "/../a b%zz"),
        ("grpc://reviews:90", "reviews", 90, "/varka.echo.v1.Echo/Echo"),
        ("tcp://db:3306", "db", 3306, "/"),
    ],
)
def test_a_url_taken_apart(url: str, host: str, port: int, path: str) -> None:
    target = Target.parse(url)
    assert (target.host, target.port, target.path) == (host, port, path)


@pytest.mark.parametrize(
    "url", ["ftp://a/", "tcp://db", "http:///a", "http://a:x/", "http://a:70000/"]
)
def test_no_url(url: str) -> None:
    with pytest.raises(ValueError):
        Target.parse(url)


def test_the_scheme_chooses_the_protocol() -> None:
    asked = {
        url: Request(url).chosen_protocol(Target.parse(url))
        for url in ("http://a/", "grpc://a", "ws://a", "tls://a:1")
    }
    assert list(asked.values()) == [
        Protocol.HTTP11,
        Protocol.GRPC,
        Protocol.WEBSOCKET,
        Protocol.TCP,
    ]
    assert (
        Request("http://a/", protocol=Protocol.HTTP2).chosen_protocol(Target.parse("http://a/"))
        == Protocol.HTTP2
    )
