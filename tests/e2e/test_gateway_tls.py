"""What rows can't say of TLS at gateways: certificates that change or are missing, and the
handshakes of mesh TLS."""

from __future__ import annotations

import base64
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
from testbed.live import eventually

from tests.certificates import Authority
from tests.e2e import outside
from tests.e2e.objects import Object, applied, istio
from tests.e2e.rowsmesh import RowsMesh
from varka.local.client.request import Request, Tls

pytestmark = pytest.mark.e2e
HOST = "secure.test"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("other-ca"), "another authority")


def gateway(tls: Object, protocol: str = "HTTPS", host: str = HOST) -> Object:
    server = {
        "port": {"number": 443, "name": "secure", "protocol": protocol},
        "hosts": [host],
        "tls": tls,
    }
    spec = {"selector": {"istio": "ingressgateway"}, "servers": [server]}
    return istio("Gateway", "secure", spec)


def routes(**spec: Any) -> Object:
    spec = {"hosts": [HOST], "gateways": ["secure"], **spec}
    return istio("VirtualService", "secure", spec)


TO_ECHO = routes(http=[{"route": [{"destination": {"host": "echo-v2"}}]}])


def secret(**files: Path) -> Object:
    data = {
        key.replace("_", "."): base64.b64encode(path.read_bytes()).decode()
        for key, path in files.items()
    }
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "credential", "namespace": "istio-system"},
        "data": data,
    }


def get(mesh: RowsMesh, authority: Authority, host: str = HOST) -> dict[str, Any]:
    """The one answer of a request that trusts the authority."""
    request = Request(f"https://{host}/", tls=Tls(authority.pem), timeout=5)
    answer: dict[str, Any] = mesh.send("gateway", request)["responses"][0]
    return answer


def test_simple_with_a_credential_and_its_next_certificate(
    rows_mesh: RowsMesh, authority: Authority, stranger: Authority
) -> None:
    first, second = authority.issue(HOST, "first"), stranger.issue(HOST, "second")
    with applied(
        rows_mesh,
        gateway({"mode": "SIMPLE", "credentialName": "credential"}),
        TO_ECHO,
        secret(tls_crt=first.certificate, tls_key=first.key),
    ):
        answer = get(rows_mesh, authority)
        assert (answer["status"], answer["echo"]["version"]) == (200, "v2")
        assert get(rows_mesh, stranger)["error"] == "tls"
        rows_mesh.live.apply([secret(tls_crt=second.certificate, tls_key=second.key)])
        eventually(lambda: get(rows_mesh, stranger)["status"] == 200)


def test_simple_with_files_that_change(
    rows_mesh: RowsMesh, authority: Authority, stranger: Authority
) -> None:
    pair = authority.issue(HOST, "served")
    tls = {
        "mode": "SIMPLE",
        "serverCertificate": str(pair.certificate),
        "privateKey": str(pair.key),
    }
    with applied(rows_mesh, gateway(tls), TO_ECHO):
        assert get(rows_mesh, authority)["status"] == 200
        renewed = stranger.issue(HOST)
        renewed.key.rename(pair.key)
        renewed.certificate.rename(pair.certificate)
        eventually(lambda: get(rows_mesh, stranger)["status"] == 200)


def test_a_missing_credential_leaves_the_other_hosts_alone(
    rows_mesh: RowsMesh, authority: Authority
) -> None:
    pair = authority.issue("sound.test")
    servers = gateway({"mode": "SIMPLE", "credentialName": "credential"}, host="sound.test")
    broken = gateway({"mode": "SIMPLE", "credentialName": "nowhere"}) | {
        "metadata": {"name": "broken"}
    }
    to_echo = routes(hosts=["sound.test"], http=TO_ECHO["spec"]["http"])
    with applied(
        rows_mesh, servers, broken, to_echo, secret(tls_crt=pair.certificate, tls_key=pair.key)
    ):
        assert get(rows_mesh, authority, host="sound.test")["status"] == 200
        assert get(rows_mesh, authority)["status"] == 0


def test_auto_passthrough_takes_the_cluster_from_the_server_name(
    rows_mesh: RowsMesh, authority: Authority
) -> None:
    passing = gateway({"mode": "AUTO_PASSTHROUGH"}, "TLS", "*.outside")
    with outside.server("one", authority.issue("one.outside")) as port:
        workload = outside.entry(
            "one", ["one.outside"], {"tls": (443, "TLS", port)}, location="MESH_INTERNAL"
        )
        workload["spec"]["endpoints"][0]["labels"] = {"security.istio.io/tlsMode": "istio"}
        with applied(rows_mesh, passing, workload):
            assert (
                _name_served(rows_mesh, authority, "outbound_.443_._.one.outside") == "one.outside"
            )
            assert _name_served(rows_mesh, authority, "outbound_.443_._.two.outside") == ""


def _name_served(mesh: RowsMesh, authority: Authority, sni: str) -> str:
    """Who answers a handshake as sidecars begin it for mutual TLS; empty when nobody does."""
    host, port = next(
        one["address"] for one in mesh.live.status["published"] if one["port"] == 443
    ).split(":")
    context = ssl.create_default_context(cadata=authority.pem)
    context.check_hostname = False
    context.set_alpn_protocols(["istio"])
    try:
        with (
            socket.create_connection((host, int(port)), timeout=5) as connection,
            context.wrap_socket(connection, server_hostname=sni) as secured,
        ):
            served: Any = secured.getpeercert()
            return str(served["subjectAltName"][0][1])
    except OSError:
        return ""
