"""What the properties found, as plain cases."""

from __future__ import annotations

from tests.properties.world import accepted, compiled, proxy

from varka.envoy.dump import message_of
from varka.envoy.resource import TypeUrl


def test_servers_of_one_address_written_in_two_ways_share_a_filter_chain() -> None:
    """Envoy refuses a listener with two filter chains that match the same."""
    servers = [
        {"port": {"number": 80, "name": "one", "protocol": "HTTP"}, "hosts": ["*"]},
        {
            "port": {"number": 80, "name": "two", "protocol": "HTTP"},
            "hosts": ["*"],
            "bind": "0.0.0.0",
        },
    ]
    gateway = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "Gateway",
        "metadata": {"name": "x", "namespace": "a"},
        "spec": {"selector": {"app": "x"}, "servers": servers},
    }
    view = compiled(accepted([gateway])).view(proxy("a", ["10.1.0.1"], {"app": "x"}, type="router"))
    (listener,) = view.of(TypeUrl.LISTENER)
    assert len(message_of(listener).filter_chains) == 1
