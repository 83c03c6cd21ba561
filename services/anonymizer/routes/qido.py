"""QIDO-RS (PS3.18 10.6): what is in the share; Orthanc never sees a query."""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from anonymizer.addresses import DICOM_WEB
from anonymizer.context import ShareContext
from anonymizer.describing import (
    SERIES_TAGS,
    STUDY_TAGS,
    described_series,
    described_study,
)
from anonymizer.entries import InstanceEntry, SeriesEntry, StudyEntry
from anonymizer.examining import QIDO_TAGS, ImageFacts
from anonymizer.matching import Query, read_query
from anonymizer.negotiation import json_type
from anonymizer.route import RouteSpec
from anonymizer.streaming import whole
from orthanc_share.deidentification import placeholder
from orthanc_share.deidentification.dicom_json import Dataset, encode

MODALITY: Final = "00080060"

Counted = dict[str, tuple[str, Sequence[str | int]]]
"""Elements that are not in any dataset: tag to VR and values."""

_UIDS: Final = frozenset({"0020000D", "0020000E"})
_ALWAYS: Final = frozenset({"00080005", "00080056", "00081190"})
_STUDY_FIELDS: Final = frozenset(
    {*STUDY_TAGS, *_ALWAYS, "00080061", "00201206", "00201208"}
)
_SERIES_FIELDS: Final = frozenset({*SERIES_TAGS, *_ALWAYS, *_UIDS, "00201209"})
_INSTANCE_FIELDS: Final = frozenset({*QIDO_TAGS, *_ALWAYS, *_UIDS})


async def studies(context: ShareContext, request: Request) -> Response:
    """Answer with the studies of the share that fit."""
    query, media_type = read_query(request), json_type(request)
    snapshot = await context.index.load()
    found = [await shown_study(context, study) for study in snapshot.studies]
    return _answer(context, query, _STUDY_FIELDS, found, media_type)


async def series(context: ShareContext, request: Request) -> Response:
    """Answer with the series that fit, of one study or of all."""
    query, media_type = read_query(request), json_type(request)
    found = []
    for study in await _studies(context, request):
        for one in study.series:
            shown = await shown_series(context, one)
            if shown is not None:
                found.append(shown)
    return _answer(context, query, _SERIES_FIELDS, found, media_type)


async def instances(context: ShareContext, request: Request) -> Response:
    """Answer with the instances that fit, of one series, one study or all."""
    query, media_type = read_query(request), json_type(request)
    found = []
    for one in await _series(context, request):
        around = described_series(one, context.policy)
        # What Orthanc must be asked for is only asked of series that may fit.
        if query.matches(around, only=_UIDS):
            found += [shown async for shown in _shown_instances(context, one, around)]
    return _answer(context, query, _INSTANCE_FIELDS, found, media_type)


async def _studies(context: ShareContext, request: Request) -> Sequence[StudyEntry]:
    uid = request.path_params.get("study")
    if uid is not None:
        return [await context.index.study(uid)]
    return (await context.index.load()).studies


async def _series(context: ShareContext, request: Request) -> Sequence[SeriesEntry]:
    uid = request.path_params.get("series")
    if uid is not None:
        return [await context.index.series(request.path_params["study"], uid)]
    return [one for study in await _studies(context, request) for one in study.series]


async def shown_study(context: ShareContext, study: StudyEntry) -> Dataset:
    """Return a study with all that QIDO-RS can answer of it.

    Raises:
        UpstreamError: Orthanc does not answer, or not as it should.
    """
    shown = described_study(study, context.policy)
    parts = [await shown_series(context, one) for one in study.series]
    there = [part for part in parts if part is not None]
    modalities = sorted({value for part in there for value in _values(part, MODALITY)})
    return _with_counts(
        shown,
        {
            "00080056": ("CS", ["ONLINE"]),
            "00080061": ("CS", modalities),
            "00081190": ("UR", [context.addresses.study(study)]),
            "00201206": ("IS", [len(there)]),
            "00201208": ("IS", [sum(_values(part, "00201209")[0] for part in there)]),
        },
    )


async def shown_series(context: ShareContext, one: SeriesEntry) -> Dataset | None:
    """Return a series with all that QIDO-RS can answer of it; None: it is hidden.

    Raises:
        UpstreamError: Orthanc does not answer, or not as it should.
    """
    hides = context.hides_blocked
    visible = await context.images.visible(one, hides_blocked=hides)
    if not visible:
        return None
    shown = described_series(one, context.policy)
    own: Counted = {
        "00080056": ("CS", ["ONLINE"]),
        "00081190": ("UR", [context.addresses.series(one)]),
        "00201209": ("IS", [len(visible)]),
    }
    modality = "".join(_values(shown, MODALITY))
    stand_in = placeholder.modality(modality)
    if stand_in != modality and await _has_placeholders(context, one):
        own[MODALITY] = ("CS", [stand_in])
    return _with_counts(shown, own)


async def _has_placeholders(context: ShareContext, one: SeriesEntry) -> bool:
    return any(facts.is_blocked for facts in await context.images.of_series(one))


async def _shown_instances(
    context: ShareContext, one: SeriesEntry, around: Dataset
) -> AsyncIterator[Dataset]:
    known = await context.images.of_series(one)
    for entry, facts in zip(one.instances, known, strict=True):
        if not (context.hides_blocked and facts.is_blocked):
            yield _shown_instance(context, entry, facts, around)


def _shown_instance(
    context: ShareContext, entry: InstanceEntry, facts: ImageFacts, around: Dataset
) -> Dataset:
    return _with_counts(
        around | facts.shown,
        {
            "00080056": ("CS", ["ONLINE"]),
            "00081190": ("UR", [context.addresses.instance(entry)]),
        },
    )


def _with_counts(shown: Dataset, added: Counted) -> Dataset:
    elements = {
        tag: {"vr": vr, "Value": list(values)} for tag, (vr, values) in added.items()
    }
    return shown | elements


def _values(shown: Dataset, tag: str) -> list[Any]:
    values: list[Any] = shown.get(tag, {}).get("Value", [])
    return values


def _answer(
    context: ShareContext,
    query: Query,
    usual: Iterable[str],
    found: Iterable[Dataset],
    media_type: str,
) -> Response:
    matches = query.page([one for one in found if query.matches(one)])
    fields = {*usual, *query.fields}
    cut = [{tag: one[tag] for tag in sorted(fields & one.keys())} for one in matches]
    return whole(encode(cut), media_type, context.metrics)


_STUDIES = f"{DICOM_WEB}/studies"

ROUTES = (
    RouteSpec(("GET",), _STUDIES, studies),
    RouteSpec(("GET",), f"{DICOM_WEB}/series", series),
    RouteSpec(("GET",), f"{DICOM_WEB}/instances", instances),
    RouteSpec(("GET",), f"{_STUDIES}/{{study}}/series", series),
    RouteSpec(("GET",), f"{_STUDIES}/{{study}}/instances", instances),
    RouteSpec(("GET",), f"{_STUDIES}/{{study}}/series/{{series}}/instances", instances),
)
"""The routes of this module."""
