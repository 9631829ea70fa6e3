"""`varka request` as users type it."""

import asyncio
import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from varka.cli.request import request


def run(*arguments: str) -> Result:
    return CliRunner().invoke(request, arguments, standalone_mode=False)


def against(echo: Any, *arguments: str) -> Result:
    """Run the verb in a thread while a stand-in answers; PORT in an argument is its port."""

    async def test() -> Result:
        async with echo("http") as (port,):
            return await asyncio.to_thread(
                run, *(argument.replace("PORT", str(port)) for argument in arguments)
            )

    return asyncio.run(test())


def test_json_has_the_promised_keys(echo: Any) -> None:
    result = against(
        echo, "http://127.0.0.1:PORT/reviews/1", "-H", "Host: reviews:9080", "-o", "json"
    )
    document = json.loads(result.stdout)
    assert result.return_value == 0
    (response,) = document["responses"]
    assert list(response) == [
        "status",
        "protocol",
        "headers",
        "body",
        "echo",
        "duration_ms",
        "error",
    ]
    assert response["echo"]["host"] == "reviews:9080"
    assert set(response["echo"]) == {
        *(
            "pod",
            "namespace",
            "version",
            "service_account",
            "ip",
            "port",
            "method",
            "path",
            "host",
            "protocol",
            "headers",
        ),
        *("peer", "calls"),
    }
    assert list(document["summary"]) == ["count", "by_status", "by_pod", "by_version", "errors"]


@pytest.mark.parametrize(("status", "code"), [("503", 0), ("200", 1)])
def test_expect_decides_the_exit_code(echo: Any, status: str, code: int) -> None:
    assert (
        against(echo, "http://127.0.0.1:PORT/?status=503", "--expect", status).return_value == code
    )
    assert against(echo, "http://127.0.0.1:PORT/?status=503").return_value == 0


def test_many_are_summed_up(echo: Any) -> None:
    result = against(echo, "http://127.0.0.1:PORT/", "--count", "20")
    assert ["version", "v2", "20", "100%"] in [line.split() for line in result.stdout.splitlines()]


def test_no_answer_is_exit_code_1(closed_port: int) -> None:
    result = run(f"http://127.0.0.1:{closed_port}/")
    assert (result.return_value, result.stdout) == (1, "")
    assert "nobody listens" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("ftp://a/",),
        ("http://a/", "-H", "novalue"),
        ("http://a/", "--resolve", "a:80"),
        ("http://a/", "--tls-ca", "/nowhere.pem"),
        ("https://a/", "--tls-version", "1.9"),
    ],
)
def test_wrong_usage_says_what(arguments: tuple[str, ...]) -> None:
    error = run(*arguments).exception
    assert type(error).__name__ == "UsageError"
    assert arguments[-1] in str(error)
