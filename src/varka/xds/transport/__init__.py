"""HTTP/2 for gRPC: the server side of streaming and unary methods over TCP, Unix sockets and TLS.

Knows nothing of xDS. Bytes go one way in (`connection` parses frames, `stream` puts messages
together, a `service.Handler` gets them) and one way out (`Stream.send`, windows, the socket).
"""
