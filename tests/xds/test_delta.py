"""Conversations on one delta stream: requests and views in, responses out."""

from varka.envoy.resource import EnvoyResource, Form, Layer, Portion, TypeUrl, View
from varka.xds.delta import DeltaStream
from varka.xds.events import Answer, Rejection
from varka.xds.messages import DeltaRequest
from varka.xds.responses import Response, Responses

CDS, EDS, LDS, RDS, VHDS = (
    TypeUrl.CLUSTER,
    TypeUrl.ENDPOINTS,
    TypeUrl.LISTENER,
    TypeUrl.ROUTE,
    TypeUrl.VIRTUAL_HOST,
)
Told = tuple[str, list[str], list[str]]


def resource(type_: TypeUrl, name: str, version: str = "1") -> EnvoyResource:
    return EnvoyResource(type_, name, f"{name}@{version}".encode(), version)


def view(
    own: dict[TypeUrl, list[EnvoyResource]] | None = None, **resources: dict[str, str]
) -> View:
    """`view(CLUSTER={"a": "1"})`: one layer a type, name -> version."""
    shared = {}
    for name, found in resources.items():
        type_ = TypeUrl[name]
        shared[type_] = (Layer.of(resource(type_, n, v) for n, v in found.items()),)
    return View(Portion(shared), Portion({t: (Layer.of(r),) for t, r in (own or {}).items()}))


def drain(stream: DeltaStream, *, ack: bool = True) -> list[Told]:
    """Everything the stream says now, each response accepted."""
    told: list[Told] = []
    while (response := stream.next()) is not None:
        told.append(
            (
                response.type.name,
                [f"{r.name}@{r.version}" for r in response.resources],
                list(response.removed),
            )
        )
        if ack:
            accept(stream, response)
    return told


def accept(stream: DeltaStream, response: Response) -> None:
    stream.request(DeltaRequest(response.type, nonce=response.nonce))


def reject(stream: DeltaStream, response: Response, error: str) -> tuple[Answer, ...]:
    return stream.request(DeltaRequest(response.type, nonce=response.nonce, error=error))


def connected(first: View) -> DeltaStream:
    """A stream that asked for everything in `first`, as Envoy does, and accepted it."""
    stream = DeltaStream(Responses(), first)
    for type_ in (CDS, EDS, LDS, RDS, VHDS):
        names = tuple(r.name for r in first.of(type_)) if type_ in (EDS, RDS) else ()
        if type_ in (CDS, LDS) or names or (type_ is VHDS and any(first.of(VHDS))):
            stream.request(DeltaRequest(type_, subscribe=names))
            drain(stream)
    return stream


FULL = view(
    CLUSTER={"a": "1", "b": "1"},
    ENDPOINTS={"a": "1", "b": "1"},
    LISTENER={"l": "1"},
    ROUTE={"80": "1"},
)


def test_each_type_is_answered_when_it_is_asked_for() -> None:
    stream = DeltaStream(Responses(), FULL)
    assert drain(stream) == []
    stream.request(DeltaRequest(CDS))
    assert drain(stream) == [("CLUSTER", ["a@1", "b@1"], [])]
    stream.request(DeltaRequest(EDS, subscribe=("a",)))
    assert drain(stream) == [("ENDPOINTS", ["a@1"], [])]
    stream.request(DeltaRequest(EDS, subscribe=("b",)))
    assert drain(stream) == [("ENDPOINTS", ["b@1"], [])]
    assert stream.in_sync()


def test_a_wildcard_with_nothing_to_give_is_answered_once() -> None:
    stream = DeltaStream(Responses(), View())
    stream.request(DeltaRequest(LDS))
    assert drain(stream) == [("LISTENER", [], [])]
    assert drain(stream) == []


def test_a_name_that_is_nowhere_is_answered() -> None:
    stream = DeltaStream(Responses(), FULL)
    stream.request(DeltaRequest(EDS, subscribe=("a", "nowhere")))
    assert drain(stream) == [("ENDPOINTS", ["a@1"], ["nowhere"])]
    empty = resource(RDS, "99", "e")
    stream = DeltaStream(
        Responses(), FULL, lambda type_, name: empty if (type_, name) == (RDS, "99") else None
    )
    stream.request(DeltaRequest(RDS, subscribe=("99",)))
    assert drain(stream) == [("ROUTE", ["99@e"], [])]


def test_only_what_changed_is_sent_in_order_and_removals_of_clusters_last() -> None:
    stream = connected(FULL)
    stream.update(
        view(
            CLUSTER={"b": "1", "c": "1"},
            ENDPOINTS={"b": "2", "c": "1"},
            LISTENER={"l": "1"},
            ROUTE={"80": "2"},
        )
    )
    assert drain(stream) == [
        ("CLUSTER", ["c@1"], []),
        ("ENDPOINTS", ["b@2"], []),
        ("ROUTE", ["80@2"], []),
        ("CLUSTER", [], ["a"]),
    ]
    assert stream.in_sync()


def test_an_equal_view_sends_nothing() -> None:
    stream = connected(FULL)
    again = view(
        CLUSTER={"a": "1", "b": "1"},
        ENDPOINTS={"a": "1", "b": "1"},
        LISTENER={"l": "1"},
        ROUTE={"80": "1"},
    )
    stream.update(again)
    assert drain(stream) == []
    assert stream.in_sync()


def test_the_endpoints_of_a_changed_cluster_follow_it_unchanged() -> None:
    stream = connected(FULL)
    stream.update(
        view(
            CLUSTER={"a": "2", "b": "1"},
            ENDPOINTS={"a": "1", "b": "1"},
            LISTENER={"l": "1"},
            ROUTE={"80": "1"},
        )
    )
    assert drain(stream) == [("CLUSTER", ["a@2"], []), ("ENDPOINTS", ["a@1"], [])]


def test_a_slow_stream_skips_to_the_newest_view() -> None:
    stream = connected(FULL)
    for version in ("2", "3", "4"):
        stream.update(
            view(
                CLUSTER={"a": "1", "b": "1"},
                ENDPOINTS={"a": version, "b": "1"},
                LISTENER={"l": "1"},
                ROUTE={"80": "1"},
            )
        )
    assert drain(stream) == [("ENDPOINTS", ["a@4"], [])]


def test_a_reconnect_gets_what_it_lacks_and_nothing_else() -> None:
    stream = DeltaStream(Responses(), FULL)
    stream.request(DeltaRequest(CDS, versions={"a": "1", "b": "0", "old": "1"}))
    assert drain(stream) == [("CLUSTER", ["b@1"], []), ("CLUSTER", [], ["old"])]
    stream.request(DeltaRequest(EDS, subscribe=("a", "b"), versions={"a": "1", "b": "1"}))
    assert drain(stream) == [("ENDPOINTS", ["b@1"], [])]
    stream.request(DeltaRequest(LDS, versions={"l": "1"}))
    stream.request(DeltaRequest(RDS, subscribe=("80",), versions={"80": "1"}))
    assert drain(stream) == []
    assert stream.in_sync()


def test_a_rejected_response_is_split_until_the_bad_one_is_alone() -> None:
    stream = DeltaStream(Responses(), view(LISTENER={"a": "1", "bad": "1", "c": "1"}))
    stream.request(DeltaRequest(LDS))
    accepted: set[str] = set()
    answers: list[Answer] = []
    for _ in range(10):
        response = stream.next()
        if response is None:
            break
        names = {r.name for r in response.resources}
        if "bad" in names:
            answers += reject(stream, response, "no such filter")
        else:
            accepted |= names
            accept(stream, response)
    assert accepted == {"a", "c"}
    bad = stream.view.get(LDS, "bad")
    assert bad is not None
    assert answers == [Rejection(bad, "no such filter")]
    assert stream.types[LDS].errors == {"bad": "no such filter"}
    assert stream.next() is None


def test_a_mended_resource_clears_its_error() -> None:
    stream = DeltaStream(Responses(), view(LISTENER={"bad": "1"}))
    stream.request(DeltaRequest(LDS))
    response = stream.next()
    assert response is not None
    reject(stream, response, "no")
    stream.update(view(LISTENER={"bad": "2"}))
    assert drain(stream) == [("LISTENER", ["bad@2"], [])]
    assert stream.types[LDS].errors == {}


VHOSTS = view(LISTENER={"l": "1"}, ROUTE={"80": "1"}, VIRTUAL_HOST={"80/a": "1", "80/b": "1"})


def test_virtual_hosts_travel_alone() -> None:
    stream = connected(VHOSTS)
    stream.update(
        view(LISTENER={"l": "1"}, ROUTE={"80": "1"}, VIRTUAL_HOST={"80/a": "2", "80/c": "1"})
    )
    assert drain(stream) == [("VIRTUAL_HOST", ["80/a@2", "80/c@1"], ["80/b"])]


def test_a_further_route_configuration_is_followed_by_its_virtual_hosts() -> None:
    stream = connected(VHOSTS)
    hosts = {"80/a": "1", "80/b": "1", "90/x": "1"}
    stream.update(view(LISTENER={"l": "2"}, ROUTE={"80": "1", "90": "1"}, VIRTUAL_HOST=hosts))
    drain(stream)
    stream.request(DeltaRequest(RDS, subscribe=("90",)))
    assert drain(stream) == [("ROUTE", ["90@1"], []), ("VIRTUAL_HOST", ["90/x@1"], [])]


def test_virtual_hosts_wait_for_their_route_configuration() -> None:
    stream = connected(VHOSTS)
    hosts = {"80/a": "2", "80/b": "1", "90/x": "1", "90/y": "1"}
    stream.update(view(LISTENER={"l": "1"}, ROUTE={"80": "1", "90": "1"}, VIRTUAL_HOST=hosts))
    assert drain(stream) == [("VIRTUAL_HOST", ["80/a@2"], [])]
    stream.request(DeltaRequest(RDS, subscribe=("90",)))
    assert drain(stream) == [("ROUTE", ["90@1"], []), ("VIRTUAL_HOST", ["90/x@1", "90/y@1"], [])]


def test_virtual_hosts_follow_again_when_their_route_configuration_was_rejected() -> None:
    stream = connected(VHOSTS)
    hosts = {"80/a": "1", "80/b": "1", "90/x": "1"}
    stream.update(view(LISTENER={"l": "1"}, ROUTE={"80": "1", "90": "1"}, VIRTUAL_HOST=hosts))
    stream.request(DeltaRequest(RDS, subscribe=("90",)))
    response = stream.next()
    assert response is not None
    reject(stream, response, "no")
    drain(stream)
    stream.update(view(LISTENER={"l": "1"}, ROUTE={"80": "1", "90": "2"}, VIRTUAL_HOST=hosts))
    assert drain(stream) == [("ROUTE", ["90@2"], []), ("VIRTUAL_HOST", ["90/x@1"], [])]


def test_a_stream_knows_the_form_of_what_its_client_has() -> None:
    stream = DeltaStream(Responses(), view(ROUTE={"80": "1+vhds", "90": "1"}))
    stream.request(DeltaRequest(RDS, subscribe=("80", "90", "70"), versions={"70": "0+vhds"}))
    assert stream.forms == {("70", Form.BY_VIRTUAL_HOST)}
    drain(stream)
    assert stream.forms == {
        ("70", Form.BY_VIRTUAL_HOST),
        ("80", Form.BY_VIRTUAL_HOST),
        ("90", Form.WHOLE),
    }
    stream.request(DeltaRequest(RDS, unsubscribe=("70", "80")))
    assert stream.forms == {("90", Form.WHOLE)}


def test_no_virtual_hosts_is_said_with_a_removal() -> None:
    stream = connected(view(LISTENER={"l": "1"}, ROUTE={"80": "1"}))
    stream.request(DeltaRequest(VHDS))
    assert drain(stream) == [("VIRTUAL_HOST", [], ["80/none"])]


def test_streams_share_encoded_responses() -> None:
    responses = Responses()
    for name in ("one", "two", "three"):
        own = {CDS: [resource(CDS, f"inbound|{name}")]}
        stream = DeltaStream(responses, View(FULL.shared, view(own).own))
        stream.request(DeltaRequest(CDS))
        assert [told[1] for told in drain(stream)] == [["a@1", "b@1"], [f"inbound|{name}@1"]]
    assert responses.encoded == {CDS: 2 + 3}


def test_a_route_waits_until_its_new_cluster_is_accepted_and_its_old_one_until_the_route_is() -> (
    None
):
    stream = connected(FULL)
    new = view(
        CLUSTER={"b": "1", "c": "1"},
        ENDPOINTS={"b": "1", "c": "1"},
        LISTENER={"l": "1"},
        ROUTE={"80": "2"},
    )
    stream.update(new)
    cluster = stream.next()
    assert cluster is not None
    assert [r.name for r in cluster.resources] == ["c"]
    assert stream.next() is None
    stream.request(DeltaRequest(EDS, subscribe=("c",)))
    endpoints = stream.next()
    assert endpoints is not None
    accept(stream, endpoints)
    assert stream.next() is None
    accept(stream, cluster)
    route = stream.next()
    assert route is not None
    assert (route.type, stream.next()) == (RDS, None)
    accept(stream, route)
    assert drain(stream) == [("CLUSTER", [], ["a"])]


def test_a_client_that_never_answers_gets_everything_when_it_is_overdue() -> None:
    stream = connected(FULL)
    stream.update(
        view(
            CLUSTER={"b": "1", "c": "1"},
            ENDPOINTS={"b": "1"},
            LISTENER={"l": "1"},
            ROUTE={"80": "2"},
        )
    )
    assert [told[0] for told in drain(stream, ack=False)] == ["CLUSTER"]
    stream.overdue()
    assert [told[0] for told in drain(stream, ack=False)] == ["ROUTE", "CLUSTER"]
    assert not stream.in_sync()


def test_virtual_hosts_that_a_client_still_has_do_not_follow_their_changed_routes() -> None:
    stream = DeltaStream(Responses(), VHOSTS)
    stream.request(DeltaRequest(RDS, subscribe=("80",), versions={"80": "1"}))
    stream.request(
        DeltaRequest(VHDS, subscribe=("*",), versions={"80/a": "1", "80/b": "1", "80/c": "1"})
    )
    assert drain(stream) == [("VIRTUAL_HOST", [], ["80/c"])]
    stream.update(
        view(LISTENER={"l": "1"}, ROUTE={"80": "2"}, VIRTUAL_HOST={"80/a": "1", "80/b": "1"})
    )
    assert drain(stream) == [("ROUTE", ["80@2"], [])]


def test_what_is_sent_is_counted() -> None:
    responses = Responses()
    for _ in range(2):
        stream = DeltaStream(responses, FULL)
        stream.request(DeltaRequest(CDS))
        drain(stream)
    assert (responses.encoded, responses.sent) == ({CDS: 2}, {CDS: 4})
    assert responses.sent_bytes[CDS] > 0
