"""The injection table of Istio's webhooks."""

from __future__ import annotations

import pytest

from varka.inject.decision import INJECT, Candidate, decide

ENABLED = {"istio-injection": "enabled"}
DISABLED = {"istio-injection": "disabled"}


def candidate(
    namespace: dict[str, str],
    labels: dict[str, str] | None = None,
    annotations: dict[str, str] | None = None,
    host: bool = False,
    name: str = "default",
) -> Candidate:
    return Candidate(name, namespace, labels or {}, annotations or {}, host)


@pytest.mark.parametrize(
    ("pod", "inject"),
    [
        (candidate(ENABLED), True),
        (candidate(ENABLED, {INJECT: "false"}), False),
        (candidate(ENABLED, annotations={INJECT: "false"}), False),
        (candidate(ENABLED, {INJECT: "true"}, {INJECT: "false"}), True),
        (candidate(ENABLED, host=True), False),
        (candidate(ENABLED, name="kube-system"), False),
        (candidate(DISABLED), False),
        (candidate(DISABLED, {INJECT: "true"}), False),
        (candidate({}), False),
        (candidate({}, {INJECT: "true"}), True),
        (candidate({}, annotations={INJECT: "true"}), False),
        (candidate({"istio.io/rev": "default"}), True),
        (candidate({"istio.io/rev": "canary"}), False),
        (candidate({"istio.io/rev": "canary", **ENABLED}), True),
        (candidate({}, {"istio.io/rev": "default"}), True),
        (candidate({"istio.io/rev": "canary"}, {INJECT: "true"}), False),
    ],
)
def test_table(pod: Candidate, inject: bool) -> None:
    assert decide(pod).inject is inject


def test_a_value_that_is_no_boolean_leaves_it_to_the_policy_and_warns() -> None:
    pod = candidate(ENABLED, {INJECT: "yes"})
    assert decide(pod).inject
    assert not decide(pod, enabled_by_default=False).inject
    assert "neither true nor false" in decide(pod).warnings[0]


def test_another_revision_has_its_own_webhooks() -> None:
    assert not decide(candidate(ENABLED), revision="canary").inject
    assert decide(candidate({"istio.io/rev": "canary"}), revision="canary").inject
