"""Selectors that nobody has the labels for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import NamedTuple

from varka.registry.selectors import selects
from varka.store.state import State

Labels = Mapping[str, str]
_WORKLOADS = (
    *(("apps", kind) for kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")),
    ("batch", "Job"),
)


class Missed(NamedTuple):
    """A selector that selects nobody, as text, with a hint where some label is alike."""

    labels: str
    hint: str


def starting(state: State) -> Iterator[Labels]:
    """The labels of pods that are not ready, and of those that a workload is about to get: until
    they are there, nobody can say that a selector selects nobody."""
    ready = []
    for pod in state.of("Pod"):
        conditions = pod.spec.status.conditions
        if all(c.status == "True" for c in conditions if c.type == "Ready"):
            ready.append(pod.labels)
        else:
            yield pod.labels
    for group, kind in _WORKLOADS:
        for workload in state.of(kind, group):
            labels = workload.spec.spec.template.metadata.labels
            if workload.spec.spec.replicas != 0 and not any(selects(labels, one) for one in ready):
                yield labels


def missed(
    selector: Labels, labels: Iterable[Labels], also: Iterable[tuple[str, str]] = ()
) -> Missed | None:
    """None when somebody has these labels, or none are asked for. `also` are labels that may be
    meant besides."""
    known = list(labels)
    if not selector or any(selects(selector, one) for one in known):
        return None
    shown = ", ".join(f"{name}={value}" for name, value in sorted(selector.items()))
    there = sorted(
        {f"{k}={v}" for one in known for k, v in one.items()} | {f"{k}={v}" for k, v in also}
    )
    near = get_close_matches(shown, there, 1)
    return Missed(shown, f"did you mean {near[0]}?" if near else "")
