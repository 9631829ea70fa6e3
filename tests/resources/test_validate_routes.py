"""VirtualService, DestinationRule, Gateway, Sidecar, ServiceEntry: what Istio's webhook says, with
the field it is about."""

from string import Template

import pytest
from tests.resources import checks

E, W, I = "error", "warning", "info"  # noqa: E741
PARTS = {
    "R": "route: [{destination: {host: a}}]",
    "HTTP": "port: {number: 80, name: h, protocol: HTTP}",
    "HTTPS": "port: {number: 443, name: h, protocol: HTTPS}",
    "PORT": "ports: [{number: 80, name: http, protocol: HTTP}]",
}


def found(kind: str, spec: str, *, name: str = "x") -> set[tuple[str, str, str]]:
    return checks.found(kind, Template(spec).substitute(PARTS), name=name)


def test_good_objects_are_silent() -> None:
    assert found("VirtualService", "{hosts: [a], http: [{$R}]}") == set()
    assert (
        found("DestinationRule", "{host: a, subsets: [{name: v1, labels: {version: v1}}]}") == set()
    )
    assert (
        found(
            "Gateway", "{servers: [{$HTTPS, hosts: [a.b], tls: {mode: SIMPLE, credentialName: c}}]}"
        )
        == set()
    )
    assert found("Sidecar", "{egress: [{hosts: ['./*', 'istio-system/*']}]}") == set()
    assert (
        found(
            "ServiceEntry",
            "{hosts: [a.b], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}",
        )
        == set()
    )


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("{hosts: ['*'], http: [{$R}]}", {(E, "V0201", "spec.hosts[0]")}),
        ("{hosts: ['*'], gateways: [g], http: [{$R}]}", set()),
        ("{hosts: [a.b, '*.b'], http: [{$R}]}", {(E, "V0201", "spec.hosts[1]")}),
        ("{hosts: [a]}", {(E, "V0204", "spec")}),
        (
            "{hosts: [a], gateways: [g.ns.svc.cluster.local], http: [{$R}]}",
            {(W, "V0202", "spec.gateways[0]")},
        ),
        ("{hosts: [a], gateways: [n_s/g], http: [{$R}]}", {(E, "V0202", "spec.gateways[0]")}),
        ("{http: [{$R}]}", {(I, "V0223", "spec")}),
        ("{gateways: [g], http: [{$R}]}", {(E, "V0203", "spec.gateways"), (I, "V0223", "spec")}),
        ("{hosts: [a], http: [{delegate: {name: b}, $R}]}", {(E, "V0203", "spec.http[0].route")}),
        ("{hosts: [a], http: [{redirect: {uri: /x}, $R}]}", {(E, "V0204", "spec.http[0].route")}),
        ("{hosts: [a], http: [{}]}", {(E, "V0204", "spec.http[0]")}),
        (
            "{hosts: [a], http: [{route: [{destination: {host: b}}, {destination: {host: c}}]}]}",
            {(E, "V0208", "spec.http[0].route")},
        ),
        (
            (
                "{hosts: [a], http: [{route: [{destination: {host: b}, weight: 1}, {destination:"
                " {host: b}, weight: 1}]}]}"
            ),
            {(I, "V0222", "spec.http[0].route[1]")},
        ),
        (
            "{hosts: [a], http: [{route: [{destination: {host: '*'}}]}]}",
            {(E, "V0207", "spec.http[0].route[0].destination.host")},
        ),
        (
            "{hosts: [a], http: [{match: [{headers: {uri: {prefix: /a}}}], $R}]}",
            {(I, "V0221", "spec.http[0].match[0].headers.uri")},
        ),
        (
            "{hosts: [a], http: [{match: [{headers: {x: {regex: 'a++'}}}], $R}]}",
            {(E, "V0205", "spec.http[0].match[0].headers.x.regex")},
        ),
        (
            "{hosts: [a], http: [{match: [{method: {prefix: ''}}], $R}]}",
            {(E, "V0205", "spec.http[0].match[0].method")},
        ),
        (
            (
                "{hosts: [a], http: [{match: [{headers: {'@request.auth.claims.a': {exact: b}}}],"
                " $R}]}"
            ),
            {(E, "V0205", 'spec.http[0].match[0].headers["@request.auth.claims.a"]')},
        ),
        (
            "{hosts: [a], http: [{headers: {response: {set: {host: x}}}, $R}]}",
            {(E, "V0206", "spec.http[0].headers.response.set.host")},
        ),
        (
            "{hosts: [a], http: [{headers: {request: {set: {a: '50%'}, add: {b: '50%'}}}, $R}]}",
            {
                (E, "V0206", "spec.http[0].headers.request.set.a"),
                (E, "V0206", "spec.http[0].headers.request.add.b"),
            },
        ),
        (
            "{hosts: [a], http: [{fault: {abort: {httpStatus: 199, percentage: {value: 1}}}, $R}]}",
            {(E, "V0212", "spec.http[0].fault.abort.httpStatus")},
        ),
        (
            "{hosts: [a], http: [{fault: {delay: {fixedDelay: 1s}}, $R}]}",
            {(I, "V0212", "spec.http[0].fault.delay")},
        ),
        (
            "{hosts: [a], http: [{retries: {attempts: 1, retryOn: 'x,503'}, $R}]}",
            {(E, "V0213", "spec.http[0].retries.retryOn")},
        ),
        (
            "{hosts: [a], http: [{retries: {attempts: 0, perTryTimeout: 1s}, $R}]}",
            {(E, "V0213", "spec.http[0].retries")},
        ),
        (
            "{hosts: [a], http: [{corsPolicy: {allowMethods: [get]}, $R}]}",
            {(E, "V0214", "spec.http[0].corsPolicy.allowMethods[0]")},
        ),
        (
            "{hosts: [a], http: [{redirect: {redirectCode: 200, uri: /}}]}",
            {(E, "V0209", "spec.http[0].redirect.redirectCode")},
        ),
        ("{hosts: [a], http: [{rewrite: {}, $R}]}", {(E, "V0210", "spec.http[0].rewrite")}),
        (
            "{hosts: [a], http: [{directResponse: {status: 99}}]}",
            {(E, "V0211", "spec.http[0].directResponse.status")},
        ),
        ("{hosts: [a], tcp: [{}]}", {(E, "V0218", "spec.tcp[0]")}),
        (
            "{hosts: [a.b], tls: [{match: [{sniHosts: [c.d]}], $R}]}",
            {(E, "V0217", "spec.tls[0].match[0].sniHosts[0]")},
        ),
        ("{hosts: [a], http: [{$R}, {$R}]}", {(W, "V0219", "spec.http[1]")}),
        (
            (
                "{hosts: [a], http: [{match: [{uri: {prefix: /a}}], $R}, {match: [{uri: {prefix:"
                " /a/b}}], $R}]}"
            ),
            {(W, "V0220", "spec.http[1].match[0]")},
        ),
        (
            (
                "{hosts: [a], http: [{match: [{uri: {exact: /a}}], $R}, {match: [{name: x, uri:"
                " {exact: /a}}], $R}]}"
            ),
            {(W, "V0220", "spec.http[1].match[0]"), (W, "V0219", "spec.http[1]")},
        ),
        (
            "{hosts: [a], exportTo: ['.', default], http: [{$R}]}",
            {(E, "V0123", "spec.exportTo[1]")},
        ),
        ("{hosts: [a], exportTo: ['*', b], http: [{$R}]}", {(E, "V0123", "spec.exportTo")}),
        ("{hosts: [a], exportTo: ['~'], http: [{$R}]}", {(E, "V0123", "spec.exportTo[0]")}),
    ],
)
def test_virtual_service(spec: str, expected: set[tuple[str, str, str]]) -> None:
    assert found("VirtualService", spec) == expected


T = "spec.trafficPolicy"


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("{host: 'a b'}", {(E, "V0301", "spec.host")}),
        ("{host: a, subsets: [{name: v}, {name: v}]}", {(E, "V0302", "spec.subsets[1].name")}),
        ("{host: a, subsets: [{name: v.1}]}", {(E, "V0302", "spec.subsets[0].name")}),
        (
            "{host: a, subsets: [{name: v, labels: {'a/': b}}]}",
            {(E, "V0124", "spec.subsets[0].labels")},
        ),
        ("{host: a, trafficPolicy: {}}", {(E, "V0303", T)}),
        ("{host: a, trafficPolicy: {connectionPool: {}}}", {(E, "V0305", f"{T}.connectionPool")}),
        (
            "{host: a, trafficPolicy: {outlierDetection: {maxEjectionPercent: 101}}}",
            {(E, "V0304", f"{T}.outlierDetection.maxEjectionPercent")},
        ),
        (
            "{host: a, trafficPolicy: {outlierDetection: {consecutiveErrors: 1}}}",
            {(W, "V0304", f"{T}.outlierDetection.consecutiveErrors")},
        ),
        (
            (
                "{host: a, trafficPolicy: {loadBalancer: {consistentHash: {useSourceIp: true,"
                " maglev: {tableSize: 4}}}}}"
            ),
            {(E, "V0306", f"{T}.loadBalancer.consistentHash.maglev.tableSize")},
        ),
        (
            (
                "{host: a, trafficPolicy: {loadBalancer: {localityLbSetting: {distribute: [{from:"
                " a/*, to: {b: 90}}]}}}}"
            ),
            {(E, "V0307", f"{T}.loadBalancer.localityLbSetting.distribute[0].to")},
        ),
        (
            (
                "{host: a, trafficPolicy: {loadBalancer: {localityLbSetting: {failover: [{from: a,"
                " to: b}]}}}}"
            ),
            {(W, "V0307", f"{T}.loadBalancer.localityLbSetting")},
        ),
        (
            "{host: a, trafficPolicy: {tls: {mode: MUTUAL, privateKey: k}}}",
            {(E, "V0308", f"{T}.tls")},
        ),
        (
            "{host: a, trafficPolicy: {tls: {mode: SIMPLE, credentialName: c, caCertificates: f}}}",
            {(E, "V0308", f"{T}.tls.credentialName")},
        ),
        (
            "{host: a, trafficPolicy: {tunnel: {protocol: GET, targetHost: a, targetPort: 1}}}",
            {(E, "V0309", f"{T}.tunnel.protocol")},
        ),
        (
            "{host: a, workloadSelector: {matchLabels: {a: b}}, exportTo: ['*']}",
            {(E, "V0123", "spec.exportTo")},
        ),
        ("{host: a, workloadSelector: {matchLabels: {a: b}}, exportTo: ['.']}", set()),
    ],
)
def test_destination_rule(spec: str, expected: set[tuple[str, str, str]]) -> None:
    assert found("DestinationRule", spec) == expected


P = "spec.servers[0]"


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        ("{$HTTP, hosts: [short]}", {(E, "V0403", f"{P}.hosts[0]")}),
        ("{$HTTP, hosts: ['ns/*', 1.2.3.4]}", set()),
        ("{$HTTP, hosts: ['*a.b']}", {(E, "V0403", f"{P}.hosts[0]")}),
        (
            "{port: {number: 80, name: h, protocol: FOO}, hosts: [a.b]}",
            {(E, "V0404", f"{P}.port.protocol")},
        ),
        ("{$HTTPS, hosts: [a.b]}", {(E, "V0406", P)}),
        (
            "{$HTTP, hosts: [a.b], tls: {mode: SIMPLE, credentialName: c}}",
            {(E, "V0406", f"{P}.tls")},
        ),
        ("{$HTTP, hosts: [a.b], tls: {httpsRedirect: true}}", set()),
        ("{$HTTPS, hosts: [a.b], tls: {mode: SIMPLE, privateKey: k}}", {(E, "V0406", f"{P}.tls")}),
        ("{$HTTPS, hosts: [a.b], tls: {privateKey: k}}", {(W, "V0406", f"{P}.tls.privateKey")}),
        ("{$HTTP, hosts: [a.b], bind: 1.2.3}", {(E, "V0405", f"{P}.bind")}),
        (
            "{$HTTPS, hosts: [a.b], tls: {cipherSuites: [x]}}",
            {(W, "V0406", f"{P}.tls.cipherSuites[0]")},
        ),
        (
            "{$HTTPS, hosts: [a.b], tls: {ecdhCurves: [P-256, x]}}",
            {(W, "V0406", f"{P}.tls.ecdhCurves[1]")},
        ),
    ],
)
def test_gateway(server: str, expected: set[tuple[str, str, str]]) -> None:
    assert found("Gateway", f"{{servers: [{server}]}}") == expected


def test_gateway_names_have_no_dots() -> None:
    assert found("Gateway", "{servers: [{$HTTP, hosts: [a.b]}]}", name="a.b") == {
        (E, "V0401", "metadata.name")
    }


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("{}", {(E, "V0601", "spec")}),
        ("{egress: [{hosts: [a.b]}]}", {(E, "V0607", "spec.egress[0].hosts[0]")}),
        ("{egress: [{hosts: ['*/*', 'a/*']}]}", {(W, "V0607", "spec.egress[0].hosts")}),
        ("{egress: [{hosts: ['*/*']}, {hosts: ['*/*']}]}", {(E, "V0606", "spec.egress[0]")}),
        (
            "{workloadSelector: {}, egress: [{hosts: ['*/*']}]}",
            {(W, "V0121", "spec.workloadSelector")},
        ),
        (
            (
                "{ingress: [{port: {number: 1, protocol: TCP, name: a}, defaultEndpoint:"
                " '1.2.3.4:5'}]}"
            ),
            {(E, "V0604", "spec.ingress[0].defaultEndpoint")},
        ),
        ("{ingress: [{port: {number: 1, protocol: TCP, name: a}, defaultEndpoint: ':5'}]}", set()),
        (
            (
                "{outboundTrafficPolicy: {mode: REGISTRY_ONLY, egressProxy: {host: a.b, port:"
                " {number: 1}}}}"
            ),
            {(E, "V0608", "spec.outboundTrafficPolicy.egressProxy")},
        ),
    ],
)
def test_sidecar(spec: str, expected: set[tuple[str, str, str]]) -> None:
    assert found("Sidecar", spec) == expected


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("{hosts: ['*a.b'], $PORT, resolution: NONE}", {(W, "V0501", "spec.hosts[0]")}),
        ("{hosts: ['*.b'], $PORT, resolution: DNS}", {(E, "V0505", "spec.hosts[0]")}),
        (
            "{hosts: [a.b], addresses: [x], $PORT, resolution: STATIC}",
            {(E, "V0502", "spec.addresses[0]")},
        ),
        (
            "{hosts: [a.b], $PORT, resolution: STATIC, endpoints: [{address: c.d}]}",
            {(E, "V0511", "spec.endpoints[0].address")},
        ),
        (
            "{hosts: [a.b], $PORT, resolution: DNS, endpoints: [{address: c.d, ports: {x: 1}}]}",
            {(E, "V0512", "spec.endpoints[0].ports.x")},
        ),
        (
            "{hosts: [a.b, c.d], ports: [{number: 1, name: t, protocol: TCP}], resolution: STATIC}",
            {(E, "V0503", "spec.ports[0]")},
        ),
        (
            "{hosts: [a.b], ports: [{number: 1, name: t, protocol: TCP}]}",
            {(W, "V0503", "spec.ports[0]")},
        ),
        ("{hosts: [a.b], exportTo: ['~'], $PORT, resolution: DNS}", set()),
        ("{hosts: [a.b], $PORT, resolution: DYNAMIC_DNS}", {(E, "V0505", "spec.hosts[0]")}),
    ],
)
def test_service_entry(spec: str, expected: set[tuple[str, str, str]]) -> None:
    assert found("ServiceEntry", spec) == expected
