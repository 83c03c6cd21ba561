"""The hash over an event and all before it, and the form it is taken over."""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

START = bytes(32)
"""The hash before the first event."""

COVERED = (
    "seq",
    "at",
    "kind",
    "share_id",
    "actor",
    "address",
    "user_agent",
    "studies",
    "reason",
    "details",
)
"""Columns that the hash covers, in order: all but itself."""

Linker = Callable[[bytes, Mapping[str, Any]], bytes]
"""Returns the hash of a row from the hash before it and the row."""


def linker(key: bytes | None) -> Linker:
    """Return the function that hashes rows.

    Args:
        key: Secret that makes it HMAC-SHA256: who can write to the database but lacks
            the key cannot forge the chain. None: SHA-256, which shows changes only to
            who has noted an earlier hash, or if the forger did not follow them up.
    """

    def link(previous: bytes, row: Mapping[str, Any]) -> bytes:
        message = previous + canonical(row)
        if key is None:
            return hashlib.sha256(message).digest()
        return hmac.digest(key, message, "sha256")

    return link


def canonical(row: Mapping[str, Any]) -> bytes:
    """Return the covered columns of `row` as JSON in ASCII, in their order."""
    return dump([row[name] for name in COVERED]).encode("ascii")


def dump(value: Mapping[str, Any] | Sequence[Any]) -> str:
    """Return `value` as JSON in one form: ASCII, sorted, without spaces."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True)


def study_names(key: bytes | None) -> Callable[[str], tuple[str, ...]]:
    """Return the function that gives the names under which a study may be kept.

    Args:
        key: Studies are kept as HMAC-SHA256 under it, in hex; None: as they are.

    Returns:
        From a StudyInstanceUID the names, the one that is used now first; the plain
        one is there too, for events from before hashing was switched on.
    """

    def names(study: str) -> tuple[str, ...]:
        if key is None:
            return (study,)
        return hmac.digest(key, study.encode(), "sha256").hex(), study

    return names
