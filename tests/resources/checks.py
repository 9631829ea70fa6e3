"""What tests of checks share."""

from varka.resources.kinds import find
from varka.resources.load import load


def found(
    kind: str, spec: str, *, name: str = "x", metadata: str = ""
) -> set[tuple[str, str, str]]:
    """(severity, code, path) of everything said about an object of an Istio kind."""
    known = find(kind)
    assert known is not None
    text = (
        f"{{apiVersion: {known.api_version}, kind: {kind}, metadata: {{name: {name}{metadata}}},"
        f" spec: {spec}}}"
    )
    return {(str(d.severity), str(d.code), d.path) for d in load([("f", text)]).diagnostics}
