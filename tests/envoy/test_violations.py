"""Envoy's validation rules, read from its descriptors."""

from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.route.v3 import route_pb2
from envoy.extensions.filters.http.fault.v3 import fault_pb2

from varka.envoy.violations import violations
from varka.envoy.wkt import pack


def test_a_message_that_keeps_the_rules_has_no_violation() -> None:
    message = route_pb2.RouteConfiguration(name="80")
    route = message.virtual_hosts.add(name="a", domains=["a"]).routes.add()
    route.match.prefix = "/"
    route.route.cluster = "c"
    assert violations(message) == []


def test_every_broken_rule_is_told_with_its_path() -> None:
    message = route_pb2.RouteConfiguration()
    message.virtual_hosts.add().routes.add()
    assert violations(message) == [
        "virtual_hosts[0].name: at least 1 characters needed",
        "virtual_hosts[0].domains: at least 1 needed",
        "virtual_hosts[0].routes[0].action: one of its members is required",
        "virtual_hosts[0].routes[0].match: required",
    ]


def test_durations_and_wrappers_have_bounds() -> None:
    message = cluster_pb2.Cluster(name="c")
    message.connect_timeout.seconds = -1
    message.outlier_detection.max_ejection_percent.value = 120
    told = violations(message)
    assert "connect_timeout: must be greater than 0s" in told
    assert "outlier_detection.max_ejection_percent: must be at most 100" in told


def test_rules_hold_inside_any() -> None:
    message = route_pb2.RouteConfiguration(name="80")
    host = message.virtual_hosts.add(name="a", domains=["a"])
    fault = fault_pb2.HTTPFault()
    fault.abort.http_status = 700
    host.typed_per_filter_config["fault"].CopyFrom(pack(fault))
    assert violations(message) == [
        "virtual_hosts[0].typed_per_filter_config['fault'].abort.http_status: must be less than 600"
    ]
