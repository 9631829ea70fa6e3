"""Header blocks: HPACK (RFC 7541) and what makes a request one of gRPC's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hpack import Decoder
from hpack.exceptions import HPACKError
from msgspec import Struct, field

from varka.xds.transport import frames
from varka.xds.transport.frames import ConnectionFault, ErrorCode, StreamFault
from varka.xds.transport.limits import Limits
from varka.xds.transport.status import timeout_of

Pairs = Iterable[tuple[bytes, bytes]]
GRPC = b"application/grpc"
_PSEUDO = frozenset((b":method", b":scheme", b":path", b":authority"))
_REQUIRED = (b":method", b":scheme", b":path")
_HOP_BY_HOP = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade")
)
_FIRST_BLOCKS = 100


class RequestHead(Struct, frozen=True):
    """The headers of a request. `metadata` has those that are no pseudo headers, by lower-case
    name; of equal names the last."""

    method: bytes
    path: str
    authority: str
    metadata: Mapping[bytes, bytes] = field(default_factory=dict)
    timeout: float | None = None
    """Seconds of `grpc-timeout`."""
    content_length: int | None = None

    @property
    def is_grpc(self) -> bool:
        content_type = self.metadata.get(b"content-type", b"")
        return self.method == b"POST" and content_type.startswith(GRPC)


class HeaderBlock:
    """A header block while its frames come."""

    __slots__ = ("data", "ends", "stream")

    def __init__(self, stream: int, flags: int) -> None:
        self.stream = stream
        self.ends = bool(flags & frames.END_STREAM)
        """The client sends nothing behind it."""
        self.data = bytearray()

    def add(self, fragment: bytes, limit: int) -> None:
        """Raises ConnectionFault when it gets too large."""
        self.data += fragment
        if len(self.data) > limit:
            raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "the headers are too large")


def headers_payload(stream: int, flags: int, payload: bytes) -> bytes:
    """The fragment in a HEADERS frame, without padding and priority. Raises ConnectionFault."""
    payload = frames.unpadded(flags, payload)
    if not flags & frames.PRIORITIZED:
        return payload
    if len(payload) < 5:
        raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "priority")
    if int.from_bytes(payload[:4], "big") & frames.MAX_WINDOW == stream:
        raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "the stream depends on itself")
    return payload[5:]


class FirstBlocks:
    """Heads of first requests by their bytes. The first block of a connection depends on nothing
    else, and equal proxies send equal ones, so it is decoded once for all of them."""

    def __init__(self) -> None:
        self._heads: dict[bytes, RequestHead] = {}

    def get(self, block: bytes) -> RequestHead | None:
        return self._heads.get(block)

    def put(self, block: bytes, head: RequestHead) -> None:
        if len(self._heads) >= _FIRST_BLOCKS:
            self._heads.clear()
        self._heads[block] = head


class HeaderDecoder:
    """HPACK state of one connection. It is made for the second block only: most connections have
    one stream."""

    __slots__ = ("_decoder", "_first", "_firsts", "_limit")

    def __init__(self, limits: Limits, firsts: FirstBlocks) -> None:
        self._limit, self._firsts = limits.header_list, firsts
        self._decoder: Decoder | None = None
        self._first: bytes | None = None

    def request(self, block: bytes, stream: int) -> RequestHead:
        """The head of a new stream's request. Raises StreamFault, ConnectionFault."""
        if self._first is not None:
            return request_head(self._decoded(block), stream)
        self._first = block
        head = self._firsts.get(block)
        if head is None:
            head = request_head(_decode(Decoder(self._limit), block), stream)
            self._firsts.put(block, head)
        return head

    def trailers(self, block: bytes, stream: int) -> None:
        """Nothing of them is wanted. Raises StreamFault, ConnectionFault."""
        for name, _ in self._decoded(block):
            if name[:1] == b":":
                raise StreamFault(ErrorCode.PROTOCOL_ERROR, "pseudo header in trailers", stream)

    def _decoded(self, block: bytes) -> list[tuple[bytes, bytes]]:
        """A block after the first one, which may have left entries in the table."""
        if self._decoder is None:
            self._decoder = Decoder(self._limit)
            if self._first is not None:
                _decode(self._decoder, self._first)
        return _decode(self._decoder, block)


def _decode(decoder: Decoder, block: bytes) -> list[tuple[bytes, bytes]]:
    try:
        return [(bytes(pair[0]), bytes(pair[1])) for pair in decoder.decode(block, raw=True)]
    except (HPACKError, ValueError, IndexError) as error:
        raise ConnectionFault(ErrorCode.COMPRESSION_ERROR, "header block") from error


def request_head(pairs: Pairs, stream: int) -> RequestHead:
    """Checked as RFC 9113, section 8 asks. Raises StreamFault."""
    pseudo: dict[bytes, bytes] = {}
    metadata: dict[bytes, bytes] = {}
    for name, value in pairs:
        if name[:1] == b":":
            if metadata or name in pseudo or name not in _PSEUDO:
                raise StreamFault(ErrorCode.PROTOCOL_ERROR, "pseudo header", stream)
            pseudo[name] = value
        elif (
            name != name.lower() or name in _HOP_BY_HOP or (name == b"te" and value != b"trailers")
        ):
            raise StreamFault(ErrorCode.PROTOCOL_ERROR, "header", stream)
        else:
            metadata[name] = value
    if not all(pseudo.get(name) for name in _REQUIRED):
        raise StreamFault(ErrorCode.PROTOCOL_ERROR, "a pseudo header is missing", stream)
    length = metadata.get(b"content-length")
    if length is not None and not length.isdigit():
        raise StreamFault(ErrorCode.PROTOCOL_ERROR, "content-length", stream)
    return RequestHead(
        method=pseudo[b":method"],
        path=pseudo[b":path"].decode("latin-1"),
        authority=pseudo.get(b":authority", b"").decode("latin-1"),
        metadata=metadata,
        timeout=timeout_of(metadata.get(b"grpc-timeout", b"")),
        content_length=None if length is None else int(length),
    )


def literal(name: bytes, value: bytes) -> bytes:
    """A response header that needs no table: literal, without indexing and Huffman (RFC 7541,
    section 6.2.2)."""
    return b"\0" + _text(name) + _text(value)


def _text(value: bytes) -> bytes:
    if len(value) < 127:
        return bytes((len(value),)) + value
    rest, prefix = len(value) - 127, bytearray(b"\x7f")
    while rest > 127:
        prefix.append(rest & 127 | 128)
        rest >>= 7
    prefix.append(rest)
    return bytes(prefix) + value


RESPONSE_HEAD = b"\x88" + literal(b"content-type", GRPC)
"""`:status: 200` of the static table, and the content type."""
NO_GRPC = literal(b":status", b"415") + literal(b"content-type", b"text/plain")
"""The answer to what is no gRPC."""
