"""SDS secrets from Secrets and ConfigMaps."""

from __future__ import annotations

from pathlib import Path

import pytest
from envoy.extensions.transport_sockets.tls.v3 import secret_pb2
from tests.certificates import Pair, self_signed

from varka.base.memo import Memo
from varka.base.names import Namespace, ObjectKey
from varka.envoy.secrets import Find, parse, secret_layer
from varka.proxy.node import ProxyIdentity
from varka.resources.model.kubernetes import ConfigMap, Secret
from varka.resources.resource import Resource

NS = Namespace("gw")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    folder: Path = tmp_path_factory.mktemp("pair")
    made = self_signed(Pair(folder / "cert", folder / "key"), "/CN=x")
    return made.certificate.read_bytes(), made.key.read_bytes()


def store(*resources: Resource[Secret] | Resource[ConfigMap]) -> Find:
    return {r.key: r for r in resources}.get


def secret(name: str, namespace: str = NS, **data: bytes) -> Resource[Secret]:
    named = {key.replace("_", "."): value for key, value in data.items()}
    return Resource(ObjectKey("", "Secret", namespace, name), "v1", Secret(data=named))


def one(name: str, find: Find, granted: frozenset[str] = frozenset()) -> secret_pb2.Secret:
    layer, problems = secret_layer(Memo(), [name], ProxyIdentity(NS), find, granted)
    assert problems == ()
    return secret_pb2.Secret.FromString(layer.resources[name].body)


def code(name: str, find: Find) -> str:
    layer, problems = secret_layer(Memo(), [name], ProxyIdentity(NS), find)
    assert not layer.resources
    (problem,) = problems
    return problem.code


def test_both_forms_of_a_certificate_are_read(pair: tuple[bytes, bytes]) -> None:
    cert, key = pair
    for found in (
        secret("c", tls_crt=cert, tls_key=key, tls_ocsp_staple=b""),
        secret("c", cert=cert, key=key),
    ):
        message = one("kubernetes://c", store(found))
        assert message.name == "kubernetes://c"
        assert message.tls_certificate.certificate_chain.inline_bytes == cert
        assert message.tls_certificate.private_key.inline_bytes == key


def test_a_ca_is_in_its_own_secret_or_beside_the_certificate(pair: tuple[bytes, bytes]) -> None:
    cert, key = pair
    own, beside = (
        secret("c-cacert", ca_crt=cert, ca_crl=b"list"),
        secret("c", tls_crt=cert, tls_key=key, cacert=cert),
    )
    assert (
        one("kubernetes://c-cacert", store(own, beside)).validation_context.crl.inline_bytes
        == b"list"
    )
    assert (
        one("kubernetes://c-cacert", store(beside)).validation_context.trusted_ca.inline_bytes
        == cert
    )


def test_a_ca_may_come_from_any_configmap(pair: tuple[bytes, bytes]) -> None:
    config = Resource(
        ObjectKey("", "ConfigMap", "other", "roots"),
        "v1",
        ConfigMap(data={"ca.crt": pair[0].decode()}),
    )
    assert (
        one(
            "configmap://other/roots-cacert", store(config)
        ).validation_context.trusted_ca.inline_bytes
        == pair[0]
    )


def test_secrets_of_other_namespaces_need_a_grant(pair: tuple[bytes, bytes]) -> None:
    find = store(secret("c", "other", tls_crt=pair[0], tls_key=pair[1]))
    assert code("kubernetes://other/c", find) == "V6002"
    assert code("kubernetes-gateway://other/c", find) == "V6002"
    name = "kubernetes-gateway://other/c"
    assert (
        one(name, find, frozenset((name,))).tls_certificate.certificate_chain.inline_bytes
        == pair[0]
    )


def test_what_is_missing_or_broken_is_told(pair: tuple[bytes, bytes]) -> None:
    cert, key = pair
    assert code("what", store()) == "V6001"
    assert code("kubernetes://c", store()) == "V6003"
    assert code("kubernetes://c", store(secret("c", tls_crt=cert, tls_key=b""))) == "V6004"
    for bad in (
        b"junk",
        cert[:-60] + cert[-40:],
        b"-----BEGIN CERTIFICATE-----\naGk=\n-----END CERTIFICATE-----\n",
    ):
        assert code("kubernetes://c", store(secret("c", tls_crt=bad, tls_key=key))) == "V6005"
    for bad in (b"junk", cert, key[:60] + key[64:]):
        assert code("kubernetes://c", store(secret("c", tls_crt=cert, tls_key=bad))) == "V6005"


def test_an_unchanged_secret_is_made_once(pair: tuple[bytes, bytes]) -> None:
    memo, find = Memo(), store(secret("c", tls_crt=pair[0], tls_key=pair[1]))
    first, _ = secret_layer(memo, ["kubernetes://c"], ProxyIdentity(NS), find)
    assert secret_layer(memo, ["kubernetes://c"], ProxyIdentity(NS), find)[0] is first
    assert memo.made["varka.envoy.secrets.tls_secret"] == 1


def test_names_that_mean_no_object() -> None:
    assert [
        parse(n, NS) for n in ("x", "kubernetes://", "configmap://a", "invalid://", "default")
    ] == [None] * 5
