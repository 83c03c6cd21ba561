"""JSON from outside: read strictly, refused clearly."""

import json
import re
from typing import Any

import msgspec

from orthanc_share.domain.errors import OrthancShareError

JSON_LIMIT = 1 << 20
"""Longest JSON body, in bytes; the largest share needs a tenth of it."""

_COLONS = re.compile(rb'"[ \t\r\n]*:')
_decode = msgspec.json.Decoder().decode


class UnreadableBodyError(OrthancShareError):
    """The body is not one JSON value in UTF-8, or an object names a member twice."""

    code = "unreadable_body"


def parse_json(body: bytes) -> Any:
    """Return the JSON value in `body`.

    Raises:
        UnreadableBodyError: Not JSON (RFC 8259), not UTF-8, nested too deep, or with a
            member that occurs twice: two readers could then see two requests.
    """
    try:
        value = _decode(body)
        if not _has_no_twins(value, body):
            json.loads(body, object_pairs_hook=_refuse_twins)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        # Not chained: the parser's text may show a part of the body.
        raise UnreadableBodyError(_reason(error)) from None
    return value


def _has_no_twins(value: Any, body: bytes) -> bool:
    """Tell whether it is plain that no member occurs twice; if not, look closer.

    Each member takes a colon after a quotation mark. If there are no more of these than
    members were read, then none was written twice.
    """
    if isinstance(value, dict) and body.count(b":") == len(value):
        return True
    return len(_COLONS.findall(body)) == _members(value)


def _members(value: Any) -> int:
    if isinstance(value, dict):
        return len(value) + sum(map(_members, value.values()))
    return sum(map(_members, value)) if isinstance(value, list) else 0


def _refuse_twins(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise UnreadableBodyError("An object of the body names a member twice.")


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "The body is nested too deep."
    return "The body is not valid JSON in UTF-8."
