"""Kubernetes label selectors."""

from __future__ import annotations

from collections.abc import Mapping

from varka.resources.model.mesh import LabelSelector, LabelSelectorRequirement


def selects(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Every label of the selector is there with the same value; an empty selector selects all."""
    return all(labels.get(name) == value for name, value in selector.items())


def matches(selector: LabelSelector, labels: Mapping[str, str]) -> bool:
    """`matchLabels` and every `matchExpressions` entry hold."""
    return selects(selector.matchLabels, labels) and all(
        _holds(e, labels) for e in selector.matchExpressions
    )


def _holds(requirement: LabelSelectorRequirement, labels: Mapping[str, str]) -> bool:
    match requirement.operator:
        case "In":
            return labels.get(requirement.key) in requirement.values
        case "NotIn":
            return labels.get(requirement.key) not in requirement.values
        case "Exists":
            return requirement.key in labels
        case "DoesNotExist":
            return requirement.key not in labels
    return False
