"""Envoy's messages from a proxy's view: pure functions of their arguments. No clock, no await,
nothing looked up on the side."""

from varka import protobuf

protobuf.install()
