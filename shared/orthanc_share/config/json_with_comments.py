"""JSON as people write it into files: with comments and trailing commas."""

import json
from typing import Any

import json5

DOCUMENT_MAX_BYTES = 1_048_576
"""Largest document; a thousand roles of twenty permissions fit."""

COMMENTED_MAX_BYTES = 131_072
"""Largest one with comments: their reader takes about a second for so much."""


def parse(text: bytes) -> Any:
    """Return the value in a document.

    Raises:
        ValueError: It is too large, not UTF-8, no JSON, or names a member twice.
    """
    if len(text) > DOCUMENT_MAX_BYTES:
        raise ValueError(f"is larger than {DOCUMENT_MAX_BYTES} bytes")
    try:
        decoded = text.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8") from None
    try:
        return json.loads(decoded, object_pairs_hook=unique_members)
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    except json.JSONDecodeError as error:
        return _parse_commented(decoded, error)


def is_plain(text: bytes) -> bool:
    """Whether a document is JSON without comments or other conveniences."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _parse_commented(text: str, plain: json.JSONDecodeError) -> Any:
    """Read with the slower parser what the plain one refused."""
    if len(text) > COMMENTED_MAX_BYTES:
        raise ValueError(f"is no JSON: line {plain.lineno}, column {plain.colno}")
    try:
        return json5.loads(text, allow_duplicate_keys=False)
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"is no JSON: {error}") from None


class MemberTwiceError(ValueError):
    """A JSON object names a member twice: which one counts?"""


def unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of members that all have names of their own.

    Raises:
        MemberTwiceError: They have not.
    """
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MemberTwiceError("names a member twice")
    return members
