"""Conversations on one state-of-the-world stream."""

from varka.envoy.resource import EnvoyResource, Layer, Portion, TypeUrl, View
from varka.xds.events import Accepted, Answer, Rejection
from varka.xds.messages import SotwRequest
from varka.xds.responses import Response, Responses
from varka.xds.sotw import SotwStream

CDS, EDS, RDS = TypeUrl.CLUSTER, TypeUrl.ENDPOINTS, TypeUrl.ROUTE


def view(**versions: str) -> View:
    """Clusters and endpoints of these names and versions."""
    found = {
        type_: (
            Layer.of(EnvoyResource(type_, n, f"{n}@{v}".encode(), v) for n, v in versions.items()),
        )
        for type_ in (CDS, EDS)
    }
    return View(Portion(found))


def drain(stream: SotwStream) -> list[Response]:
    found = []
    while (response := stream.next()) is not None:
        found.append(response)
    return found


def told(responses: list[Response]) -> list[tuple[str, list[str]]]:
    return [(r.type.name, [x.name for x in r.resources]) for r in responses]


def accept(
    stream: SotwStream, response: Response, names: tuple[str, ...] = (), error: str = ""
) -> tuple[Answer, ...]:
    return stream.request(SotwRequest(response.type, names, nonce=response.nonce, error=error))


def test_everything_is_sent_and_again_when_it_changed() -> None:
    stream = SotwStream(Responses(), view(a="1", b="1"))
    stream.request(SotwRequest(CDS))
    (first,) = drain(stream)
    assert told([first]) == [("CLUSTER", ["a", "b"])]
    assert not stream.in_sync()
    accept(stream, first)
    assert stream.in_sync()
    stream.update(view(a="1", b="1"))
    assert drain(stream) == []
    assert stream.in_sync()
    stream.update(view(a="2", b="1"))
    assert told(drain(stream)) == [("CLUSTER", ["a", "b"])]


def test_further_names_are_answered_and_fewer_are_not() -> None:
    stream = SotwStream(Responses(), view(a="1", b="1"))
    stream.request(SotwRequest(EDS, ("a",)))
    (first,) = drain(stream)
    accept(stream, first, ("a", "b"))
    (second,) = drain(stream)
    assert told([second]) == [("ENDPOINTS", ["a", "b"])]
    accept(stream, second, ("b",))
    assert drain(stream) == []


def test_an_old_nonce_is_ignored() -> None:
    stream = SotwStream(Responses(), view(a="1"))
    stream.request(SotwRequest(CDS))
    (first,) = drain(stream)
    stream.update(view(a="2"))
    (second,) = drain(stream)
    assert accept(stream, first, error="late") == ()
    assert accept(stream, second) == (Accepted(second),)
    assert stream.in_sync()


def test_a_rejection_names_its_resource_and_is_not_sent_again() -> None:
    stream = SotwStream(Responses(), view(good="1", bad="1"))
    stream.request(SotwRequest(CDS))
    (first,) = drain(stream)
    answers = accept(stream, first, error="Error adding cluster bad: no such type")
    assert [r.resource.name for r in answers if isinstance(r, Rejection)] == ["bad"]
    assert drain(stream) == []


def test_an_unknown_route_name_is_looked_up() -> None:
    empty = EnvoyResource(RDS, "99", b"", "e")
    stream = SotwStream(
        Responses(), View(), lambda type_, name: empty if (type_, name) == (RDS, "99") else None
    )
    stream.request(SotwRequest(RDS, ("99",)))
    assert told(drain(stream)) == [("ROUTE", ["99"])]
