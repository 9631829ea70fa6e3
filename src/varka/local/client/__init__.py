"""Sends real requests (HTTP/1.1, HTTP/2, gRPC, WebSocket, TCP, TLS) and says who answered, here or
inside a pod's network."""
