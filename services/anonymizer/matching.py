"""QIDO-RS queries (PS3.18 8.3.4), applied to what is shown, never to the original.

A filter that reached Orthanc would answer, letter by letter, what a name is.
"""

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from starlette.requests import Request

from anonymizer.access import TOKEN_NAME
from orthanc_share.deidentification.actions import DeidentificationError
from orthanc_share.deidentification.dicom_json import Dataset
from orthanc_share.deidentification.dictionary import tag_of
from orthanc_share.deidentification.json_values import texts_of
from orthanc_share.web.problems import RequestError

FILTERS_MAX: Final = 50
"""Most filters of a query."""

FILTER_LENGTH_MAX: Final = 8192
"""Longest value of a filter, in characters; a list of UIDs may be long."""

_CONTROLS: Final = frozenset({"accept", "fuzzymatching", "charset", TOKEN_NAME})
_TAG: Final = re.compile(r"[0-9A-Fa-f]{8}")
_DIGITS: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_RANGES: Final = frozenset({"DA", "TM", "DT"})


class UnreadableQueryError(RequestError):
    """A query that is not understood; nothing of it is repeated."""

    code = "unreadable_query"

    def __init__(self) -> None:
        super().__init__(HTTPStatus.BAD_REQUEST, "The query is not understood.")


@dataclass(frozen=True, slots=True)
class Query:
    """A query, read.

    Args:
        filters: Tag (`GGGGEEEE`) to value.
        fields: Tags that are wanted besides the usual ones.
        offset: How many matches are passed over.
        limit: Most matches in the answer; None: all.
    """

    filters: Mapping[str, str]
    fields: frozenset[str]
    offset: int = 0
    limit: int | None = None

    def page(self, matches: Sequence[Dataset]) -> Sequence[Dataset]:
        """Return the part of all matches that is answered."""
        end = None if self.limit is None else self.offset + self.limit
        return matches[self.offset : end]

    def matches(self, shown: Dataset, only: Container[str] | None = None) -> bool:
        """Tell whether what is shown of something fits the filters.

        Args:
            shown: What is shown of it.
            only: Tags of the filters that are looked at; None: all.
        """
        return all(
            _fits(shown.get(tag), value)
            for tag, value in self.filters.items()
            if only is None or tag in only
        )


def read_query(request: Request) -> Query:
    """Return the query of a request.

    Raises:
        UnreadableQueryError: Something in it is not understood.
    """
    filters: dict[str, str] = {}
    fields: set[str] = set()
    numbers: dict[str, int] = {}
    for name, value in request.query_params.multi_items():
        if name in {"limit", "offset"} and name not in numbers:
            numbers[name] = _number(value)
        elif name == "includefield":
            fields |= _fields(value)
        elif name not in _CONTROLS:
            tag = _tag(name)
            if tag is None or tag in filters or len(value) > FILTER_LENGTH_MAX:
                raise UnreadableQueryError
            filters[tag] = value
    if len(filters) > FILTERS_MAX:
        raise UnreadableQueryError
    return Query(
        filters, frozenset(fields), numbers.get("offset", 0), numbers.get("limit")
    )


def _number(text: str) -> int:
    if not _DIGITS.fullmatch(text):
        raise UnreadableQueryError
    return int(text)


def _fields(text: str) -> set[str]:
    # Names that nobody knows, and "all", ask for nothing that there is.
    return {tag for tag in map(_tag, text.split(",")) if tag is not None}


def _tag(name: str) -> str | None:
    if _TAG.fullmatch(name):
        return name.upper()
    known = tag_of(name)
    return None if known is None else f"{known:08X}"


def _fits(element: Mapping[str, Any] | None, wanted: str) -> bool:
    """Tell whether an element fits a filter (PS3.4 C.2.2.2)."""
    if wanted in {"", "*"}:
        return True
    if element is None:
        return False
    try:
        values = texts_of(dict(element))
    except DeidentificationError:
        return False
    if element["vr"] in _RANGES:
        return any(_is_within(value, wanted) for value in values)
    return any(_is_one_of(element["vr"], value, wanted) for value in values)


def _is_within(value: str, wanted: str) -> bool:
    first, dash, last = wanted.partition("-")
    if not dash:
        return value == wanted
    # Both are written from the largest unit to the smallest.
    return bool(value) and value >= first and (not last or value[: len(last)] <= last)


def _is_one_of(vr: str, value: str, wanted: str) -> bool:
    choices: Iterable[str] = re.split(r"[,\\]", wanted) if vr == "UI" else [wanted]
    return any(_is_like(value, choice) for choice in choices)


def _is_like(value: str, wanted: str) -> bool:
    """Compare without regard to case; `*` stands for anything, `?` for one character.

    Each `*` takes as little as it can, so that time only grows with both lengths.
    """
    value, wanted = value.casefold(), wanted.casefold()
    head, *others = wanted.split("*")
    if not _is_alike(value[: len(head)], head):
        return False
    if not others:
        return len(value) == len(head)
    at, tail = len(head), others.pop()
    for part in others:
        found = next(
            (
                start
                for start in range(at, len(value) - len(part) + 1)
                if _is_alike(value[start : start + len(part)], part)
            ),
            None,
        )
        if found is None:
            return False
        at = found + len(part)
    rest = value[at:]
    return len(rest) >= len(tail) and _is_alike(rest[len(rest) - len(tail) :], tail)


def _is_alike(value: str, wanted: str) -> bool:
    if len(value) != len(wanted):
        return False
    return all(mark in {"?", one} for one, mark in zip(value, wanted, strict=True))
