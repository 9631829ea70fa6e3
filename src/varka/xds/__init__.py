"""Delivery: delta and state-of-the-world state machines without IO, push scheduling, the server.
Builds no resource."""

from varka import protobuf

protobuf.install()
