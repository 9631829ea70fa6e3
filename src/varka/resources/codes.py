"""Codes of everything `varka validate` can say. Stable: a code is never given a second meaning."""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """V00: documents and metadata; V01: schema; then a hundred per kind."""

    UNREADABLE_FILE = "V0001"
    SYNTAX = "V0002"
    NOT_AN_OBJECT = "V0003"
    NO_KIND = "V0004"
    UNKNOWN_KIND = "V0005"
    UNKNOWN_VERSION = "V0006"
    BAD_NAME = "V0007"
    BAD_METADATA = "V0008"
    DUPLICATE_OBJECT = "V0009"
    NOT_INTERPRETED = "V0010"
    NO_NAMESPACE = "V0011"

    WRONG_TYPE = "V0101"
    UNKNOWN_FIELD = "V0102"
    MISSING_FIELD = "V0103"
    NOT_ONE_OF = "V0104"
    BAD_PATTERN = "V0105"
    OUT_OF_RANGE = "V0106"
    EXCLUSIVE_FIELDS = "V0107"
    RULE_BROKEN = "V0108"
    NOT_DECODABLE = "V0109"
    NO_SPEC = "V0110"
