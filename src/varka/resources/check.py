"""One plain object to a typed resource: kind, metadata, schema, meaning, in this order."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from varka.base.names import ObjectKey
from varka.resources.codes import Code
from varka.resources.findings import Finding, Findings
from varka.resources.hints import with_hints
from varka.resources.kinds import INSTALL_GROUP, Kind, foreign, is_foreign, lookup, suggest_kind
from varka.resources.model.base import decode
from varka.resources.operator import MESH_CONFIG, check_mesh_config, check_operator
from varka.resources.resource import Resource
from varka.resources.schema import Check, even, spec_schema
from varka.resources.shape import Shape, message_fields, misspelt, near, quoted, shown
from varka.resources.validate import validate
from varka.resources.validate.cursor import Cursor
from varka.resources.validate.podannotations import check_pod_annotations
from varka.resources.yaml import Path

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_LABEL_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
_LOOSE_NAMES = frozenset({"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"})
"""Kinds whose names may hold `:` and more."""

_ROOT_FIELDS = ("apiVersion", "kind", "metadata", "spec", "status")
_WORKLOADS = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"})


def check_object(
    value: Any, namespace: str | None, tolerated: frozenset[Code] = frozenset()
) -> tuple[Resource[Any] | None, ObjectKey | None, Sequence[Finding]]:
    """The resource (None when it has errors), its key as far as it can be known, and all that was
    found. `tolerated` are codes of errors that are warnings."""
    resource, key, found = _checked(value, namespace, tolerated)
    if any(finding.instead for finding in found):
        found = with_hints(value, found, lambda other: _checked(other, namespace, tolerated)[2])
    return resource, key, found


def _checked(
    value: Any, namespace: str | None, tolerated: frozenset[Code]
) -> tuple[Resource[Any] | None, ObjectKey | None, Sequence[Finding]]:
    findings = Findings(tolerated=tolerated)
    if not isinstance(value, dict) or not ("apiVersion" in value or "kind" in value):
        findings.error(
            Code.NOT_AN_OBJECT,
            (),
            "a Kubernetes object was expected: a mapping with apiVersion, kind and metadata",
        )
        return None, None, findings.items
    kind = _kind(value, findings)
    metadata = _metadata(value, kind, findings)
    if kind is None:
        return None, _unknown_key(value), findings.items
    key = _key(kind, metadata, namespace)
    resource = None
    if not findings.failed:
        resource = _resource(kind, key, value, metadata, findings)
    return (None if findings.failed else resource), key, findings.items


def _kind(value: dict[str, Any], findings: Findings) -> Kind | None:
    for field in ("apiVersion", "kind"):
        if not isinstance(value.get(field), str) or not value[field]:
            findings.error(
                Code.NO_KIND,
                (field,),
                f"{field} is missing" if field not in value else f"{field} must be a string",
            )
    if findings.failed:
        return None
    api_version, name = value["apiVersion"], value["kind"]
    group, _, version = api_version.rpartition("/")
    kind = lookup(group, name)
    if kind is None:
        likely = suggest_kind(group, name)
        hint = f"did you mean {likely}?" if likely else ""
        if is_foreign(group):
            findings.info(
                Code.NOT_INTERPRETED,
                ("kind",),
                f"{name} of {api_version} is not known here and stays without effect",
            )
            return foreign(group, version, name)
        findings.error(
            Code.UNKNOWN_KIND, ("kind",), f"there is no kind {name!r} in {api_version}", hint
        )
        return None
    if version not in kind.versions:
        served = ", ".join(f"{group}/{v}" if group else v for v in kind.versions)
        findings.error(
            Code.UNKNOWN_VERSION,
            ("apiVersion",),
            f"{name} has no version {api_version}",
            f"served: {served}",
        )
    return kind


def _unknown_key(value: dict[str, Any]) -> ObjectKey | None:
    metadata = value.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(value.get("kind"), str):
        return None
    group = str(value.get("apiVersion", "")).rpartition("/")[0]
    return ObjectKey(
        group, value["kind"], str(metadata.get("namespace") or ""), str(metadata.get("name") or "")
    )


def _key(kind: Kind, metadata: dict[str, Any], namespace: str | None) -> ObjectKey:
    own = metadata.get("namespace")
    chosen = (own if isinstance(own, str) and own else namespace or "") if kind.namespaced else ""
    name = metadata.get("name") or metadata.get("generateName") or ""
    return ObjectKey(kind.group, kind.name, chosen, name if isinstance(name, str) else "")


def _metadata(value: dict[str, Any], kind: Kind | None, findings: Findings) -> dict[str, Any]:
    metadata = value.get("metadata")
    nameless = kind is not None and kind.group == INSTALL_GROUP
    if metadata is None and nameless:
        return {}
    if not isinstance(metadata, dict):
        what = "metadata is missing" if metadata is None else "metadata must be a mapping"
        findings.error(Code.BAD_METADATA, ("metadata",), what, "it needs at least a name")
        return {}
    name = metadata.get("name", metadata.get("generateName"))
    if nameless and name in (None, ""):
        pass
    elif not isinstance(name, str) or not name:
        _no_text(name, "name", findings)
    elif (kind is None or kind.name not in _LOOSE_NAMES) and not _NAME.fullmatch(
        name.removesuffix("-")
    ):
        hint = (
            "lower-case letters, digits, `-` and `.`, beginning and ending with a letter or digit"
        )
        findings.error(Code.BAD_NAME, ("metadata", "name"), f"{name!r} is no valid name", hint)
    _namespace(metadata.get("namespace"), findings)
    for field in ("labels", "annotations"):
        _strings(metadata.get(field), field, findings)
    return metadata


def _no_text(value: Any, field: str, findings: Findings) -> None:
    path = ("metadata", field)
    if value is None or value == "":
        findings.error(Code.BAD_NAME, path, f"metadata.{field} is missing")
        return
    code = Code.BAD_NAME if field == "name" else Code.BAD_METADATA
    message = f"metadata.{field} must be a string, not {shown(value)}"
    if isinstance(value, bool):
        words = "YAML reads yes, no, on and off as booleans"
        findings.error(code, path, f"{message}: {words}", "write it with quotes")
    else:
        findings.error(code, path, message, instead=quoted(value))


def _namespace(name: Any, findings: Findings) -> None:
    if name is None or name == "":
        return
    if not isinstance(name, str):
        _no_text(name, "namespace", findings)
    elif not _NAMESPACE.fullmatch(name):
        hint = "at most 63 lower-case letters, digits and `-`"
        path = ("metadata", "namespace")
        findings.error(Code.BAD_NAME, path, f"{name!r} is no valid namespace", hint)


def _strings(values: Any, field: str, findings: Findings) -> None:
    if values is None:
        return
    path = ("metadata", field)
    if not isinstance(values, dict):
        findings.error(Code.BAD_METADATA, path, f"metadata.{field} must be a mapping of strings")
        return
    for key, value in values.items():
        if value is not None and not isinstance(value, str):
            findings.error(
                Code.BAD_METADATA,
                (*path, key),
                f"values of {field} are strings, {shown(value)} is not",
                instead=quoted(value),
            )
        elif field == "labels" and value and not _is_label_value(value):
            hint = (
                "at most 63 letters, digits, `-`, `_`, `.`, beginning and ending with a letter or"
                " digit"
            )
            findings.error(
                Code.BAD_METADATA, (*path, key), f"{value!r} is no valid label value", hint
            )


@lru_cache(maxsize=4096)
def _is_label_value(text: str) -> bool:
    return len(text) <= 63 and _LABEL_VALUE.fullmatch(text) is not None


def _resource(
    kind: Kind, key: ObjectKey, value: dict[str, Any], metadata: dict[str, Any], findings: Findings
) -> Resource[Any] | None:
    spec = (
        _istio_spec(kind, value, findings)
        if kind.is_istio
        else _kubernetes_spec(kind, value, findings)
    )
    if findings.failed:
        return None
    created = metadata.get("creationTimestamp")
    resource = Resource(
        key=key,
        api_version=value["apiVersion"],
        spec=spec,
        labels=_present(metadata.get("labels")),
        annotations=_present(metadata.get("annotations")),
        created=created if isinstance(created, str) else "",
        raw=value if value.get("metadata") is not None else {**value, "metadata": {}},
    )
    if kind.is_istio:
        validate(resource, findings)
    elif kind.group == INSTALL_GROUP:
        check_operator(value, findings)
    elif key == MESH_CONFIG and "mesh" in spec.data:
        check_mesh_config(value, findings)
    elif (annotations := pod_annotations(kind.name, value)) is not None:
        path, values = annotations
        check_pod_annotations(values, Cursor(findings, path))
    return resource


def pod_annotations(kind: str, value: Mapping[str, Any]) -> tuple[Path, dict[str, Any]] | None:
    """The annotations that pods of this object get, and where they are."""
    path: Path = ("metadata", "annotations")
    if kind in _WORKLOADS:
        path = ("spec", "template", *path)
    elif kind != "Pod":
        return None
    found: Any = value
    for step in path:
        found = found.get(step) if isinstance(found, dict) else None
    return (path, found) if found and isinstance(found, dict) else None


def _present(values: Any) -> dict[str, str]:
    return {key: value or "" for key, value in values.items()} if values else {}


def _istio_spec(kind: Kind, value: dict[str, Any], findings: Findings) -> Any:
    schema, required = spec_schema(kind.group, kind.name)
    for name in value:
        if name not in _ROOT_FIELDS:
            hint = (
                "indent it below spec"
                if name in (schema.properties or ())
                else near(name, _ROOT_FIELDS)
            )
            findings.error(Code.UNKNOWN_FIELD, (name,), f"unknown field {name!r}", hint)
    spec = value.get("spec")
    if spec is None:
        if required:
            findings.error(Code.NO_SPEC, (), "spec is missing")
        spec = {}
    check = Check(findings)
    check.check(spec, schema, ("spec",))
    if findings.failed:
        return None
    return _decoded(even(spec, schema) if check.uneven else spec, kind, ("spec",), findings)


def _decoded(value: Any, kind: Kind, path: Path, findings: Findings) -> Any:
    model = kind.model_class()
    assert model is not None
    try:
        return decode(value, model)
    except (msgspec.ValidationError, ValueError) as error:
        findings.error(Code.NOT_DECODABLE, path, str(error))
        return None


def _kubernetes_spec(kind: Kind, value: dict[str, Any], findings: Findings) -> Any:
    """Almost every object is right, so the check that lists all mistakes runs only when decoding
    fails."""
    model = kind.model_class()
    if model is None:
        return value
    misspelt(value, model, (), findings)
    try:
        return msgspec.convert(value, model)
    except msgspec.ValidationError:
        fields = {name: item for name, item in value.items() if name in message_fields(model)}
        clean = Shape(findings, protobuf=False).read(fields, model, ())
        return None if findings.failed else _decoded(clean, kind, (), findings)
