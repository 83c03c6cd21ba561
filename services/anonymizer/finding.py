"""`/tools/find` and `/tools/lookup`, answered from the index: Orthanc is not asked.

Filters see what the visitor sees. What was removed can therefore not be guessed letter
by letter.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from http import HTTPStatus
from typing import Annotated, Final

import msgspec

from anonymizer.describing import (
    described_series,
    described_study,
)
from anonymizer.entries import (
    AnyEntry,
    InstanceEntry,
    SeriesEntry,
    Snapshot,
    StudyEntry,
)
from anonymizer.orthanc_documents import named
from orthanc_share.deidentification.dictionary import ENTRIES
from orthanc_share.deidentification.policy import SharePolicy
from orthanc_share.web.problems import RequestError

FILTERS_MAX: Final = 32
"""Most filters of one question."""

PATTERN_MAX: Final = 256
"""Longest filter, in characters."""

_KINDS: Final[Mapping[str, str]] = {
    "Study": "studies",
    "Series": "series",
    "Instance": "instances",
}
_CLASSES: Final = {
    "Study": StudyEntry,
    "Series": SeriesEntry,
    "Instance": InstanceEntry,
}
_TAG: Final = re.compile(r"([0-9A-Fa-f]{4}),?([0-9A-Fa-f]{4})", re.ASCII)


class UnreadableQuestionError(RequestError):
    """A question to `/tools/find` that is none."""

    code = "unreadable_question"

    def __init__(self) -> None:
        super().__init__(HTTPStatus.BAD_REQUEST, "The question cannot be read.")


class Question(msgspec.Struct, frozen=True):
    """A question to `/tools/find`, with the members that count here.

    Args:
        level: `Patient`, `Study`, `Series` or `Instance`.
        query: Keyword or tag to pattern.
        expand: Whether whole documents are wanted, and not only ids.
        case_sensitive: Whether case counts.
        limit: Most answers; 0: all.
        since: How many answers are passed over.
    """

    level: str = msgspec.field(name="Level")
    query: dict[str, str] = msgspec.field(name="Query")
    expand: bool = msgspec.field(name="Expand", default=False)
    case_sensitive: bool = msgspec.field(name="CaseSensitive", default=True)
    limit: Annotated[int, msgspec.Meta(ge=0)] = msgspec.field(name="Limit", default=0)
    since: Annotated[int, msgspec.Meta(ge=0)] = msgspec.field(name="Since", default=0)

    def page(self, found: Sequence[AnyEntry]) -> Sequence[AnyEntry]:
        """Return the part of all that was found that is answered."""
        last = self.since + self.limit if self.limit else None
        return found[self.since : last]


def question(body: bytes) -> Question:
    """Return what a body asks.

    Raises:
        UnreadableQuestionError: It is no JSON, or not of this form.
    """
    try:
        asked = msgspec.json.decode(body, type=Question)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UnreadableQuestionError from None
    too_long = any(len(pattern) > PATTERN_MAX for pattern in asked.query.values())
    if asked.level not in {"Patient", *_KINDS} or too_long:
        raise UnreadableQuestionError
    if len(asked.query) > FILTERS_MAX:
        raise UnreadableQuestionError
    return asked


def located(entry: AnyEntry) -> dict[str, str]:
    """Return what `/tools/lookup` tells of a study, series or instance."""
    kind = next(kind for kind, one in _CLASSES.items() if isinstance(entry, one))
    return {"ID": entry.id, "Path": f"/{_KINDS[kind]}/{entry.id}", "Type": kind}


def located_patients(snapshot: Snapshot) -> list[dict[str, str]]:
    """Return what `/tools/lookup` tells of all patients of a share."""
    ids = dict.fromkeys(study.patient_id for study in snapshot.studies)
    return [{"ID": one, "Path": f"/patients/{one}", "Type": "Patient"} for one in ids]


def matching(
    asked: Question, snapshot: Snapshot, policy: SharePolicy
) -> list[AnyEntry]:
    """Return what a question finds, all of it, in the order of the share.

    Args:
        asked: The question; at the level `Patient`, studies stand for their patients.
        snapshot: What the share holds.
        policy: Of the share.
    """
    filters = [
        _filter(name, pattern, case_sensitive=asked.case_sensitive)
        for name, pattern in asked.query.items()
    ]
    describe = _describer(policy)
    return [
        entry
        for entry in _candidates(asked.level, snapshot)
        if all(matches(describe(entry)) for matches in filters)
    ]


def _candidates(level: str, snapshot: Snapshot) -> Iterable[AnyEntry]:
    if level == "Instance":
        return snapshot.instances
    if level == "Series":
        return (one for study in snapshot.studies for one in study.series)
    if level == "Study":
        return snapshot.studies
    return {study.patient_id: study for study in reversed(snapshot.studies)}.values()


def _describer(policy: SharePolicy) -> Callable[[AnyEntry], Mapping[str, str]]:
    """Return a function that tells the tags of an entry as they are shown."""

    @cache
    def series(entry: SeriesEntry) -> Mapping[str, str]:
        dataset = described_series(entry, policy)
        return named(dataset, dataset)

    def describe(entry: AnyEntry) -> Mapping[str, str]:
        if isinstance(entry, StudyEntry):
            dataset = described_study(entry, policy)
            return named(dataset, dataset)
        if isinstance(entry, SeriesEntry):
            return series(entry)
        return {**series(entry.series), "SOPInstanceUID": entry.uid}

    return describe


def _filter(
    name: str, pattern: str, *, case_sensitive: bool
) -> Callable[[Mapping[str, str]], bool]:
    """Return the test of one filter; what is not shown fits only what fits nothing."""
    keyword = _keyword(name)
    fold = str if case_sensitive else str.casefold
    patterns = [fold(one) for one in pattern.split("\\")]

    def matches(shown: Mapping[str, str]) -> bool:
        value = fold(shown.get(keyword, ""))
        return not pattern or any(fits(one, value) for one in patterns)

    return matches


def _keyword(name: str) -> str:
    found = _TAG.fullmatch(name)
    if found is None:
        return name
    entry = ENTRIES.get(int(found[1] + found[2], 16))
    return name if entry is None else entry.keyword


def fits(pattern: str, text: str) -> bool:
    """Tell whether a text fits a pattern with `*` and `?` (PS3.4 C.2.2.2.4).

    Its time grows with the product of both lengths at most, whatever the pattern.
    """
    at = place = 0
    star, mark = -1, 0
    while place < len(text):
        wanted = pattern[at : at + 1]
        if wanted == "*":
            star, mark = at, place
            at += 1
        elif wanted in {"?", text[place]}:
            at, place = at + 1, place + 1
        elif star >= 0:
            mark += 1
            at, place = star + 1, mark
        else:
            return False
    return not pattern[at:].strip("*")
