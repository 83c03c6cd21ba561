"""Orthanc's own routes, as far as viewers read them.

The answers are made here; of Orthanc's nothing but what the index and the metadata
told is in them. Everything else of its interface does not exist.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from anonymizer.context import ShareContext
from anonymizer.entries import AnyEntry, SeriesEntry, StudyEntry
from anonymizer.finding import located, located_patients, matching, question
from anonymizer.orthanc_documents import (
    Document,
    instance_document,
    patient_document,
    series_document,
    study_document,
)
from anonymizer.orthanc_ids import (
    instance_of,
    patient_of,
    series_of,
    shown_instances,
    shown_series,
    study_of,
)
from anonymizer.route import RouteSpec
from anonymizer.streaming import whole

API_VERSION: Final = 13
"""What `/system` tells: from 13 on viewers download archives with a plain GET."""

JSON: Final = "application/json"

GET: Final = ("GET",)
POST: Final = ("POST",)


def json_answer(context: ShareContext, document: Any) -> Response:
    """Return a JSON document of ours."""
    return whole(msgspec.json.encode(document), JSON, context.metrics)


async def described(context: ShareContext, entry: AnyEntry) -> Document:
    """Return what Orthanc would tell of a study, series or instance."""
    if isinstance(entry, StudyEntry):
        shown = await shown_series(context, entry)
        return study_document(entry, shown, context.policy)
    if isinstance(entry, SeriesEntry):
        instances = await shown_instances(context, entry)
        return series_document(entry, instances, context.policy)
    return instance_document(entry, context.policy)


async def system(context: ShareContext, _request: Request) -> Response:
    """Answer `/system`: the version of the interface, nothing of the site."""
    return json_answer(context, {"ApiVersion": API_VERSION})


async def _patient(context: ShareContext, orthanc_id: str) -> Document:
    studies = await patient_of(context, orthanc_id)
    return patient_document(studies, context.policy)


async def _study(context: ShareContext, orthanc_id: str) -> Document:
    return await described(context, await study_of(context, orthanc_id))


async def _series(context: ShareContext, orthanc_id: str) -> Document:
    return await described(context, await series_of(context, orthanc_id))


async def _instance(context: ShareContext, orthanc_id: str) -> Document:
    return await described(context, await instance_of(context, orthanc_id))


async def _series_of_study(context: ShareContext, orthanc_id: str) -> list[Document]:
    study = await study_of(context, orthanc_id)
    return [
        await described(context, series)
        for series in await shown_series(context, study)
    ]


async def _instances_of_study(context: ShareContext, orthanc_id: str) -> list[Document]:
    study = await study_of(context, orthanc_id)
    return [
        instance_document(instance, context.policy)
        for series in study.series
        for instance in await shown_instances(context, series)
    ]


async def _instances_of_series(
    context: ShareContext, orthanc_id: str
) -> list[Document]:
    series = await series_of(context, orthanc_id)
    return [
        instance_document(instance, context.policy)
        for instance in await shown_instances(context, series)
    ]


async def _study_of_series(context: ShareContext, orthanc_id: str) -> Document:
    return await described(context, (await series_of(context, orthanc_id)).study)


async def _study_of_instance(context: ShareContext, orthanc_id: str) -> Document:
    instance = await instance_of(context, orthanc_id)
    return await described(context, instance.series.study)


async def _series_of_instance(context: ShareContext, orthanc_id: str) -> Document:
    instance = await instance_of(context, orthanc_id)
    return await described(context, instance.series)


async def lookup(context: ShareContext, request: Request) -> Response:
    """Answer `POST /tools/lookup`, whose body is an identifier."""
    text = (await request.body()).decode("ascii", "replace").strip()
    snapshot = await context.index.load()
    if text == context.policy.patient_id:
        return json_answer(context, located_patients(snapshot))
    entry = snapshot.entry_of_uid(text)
    if entry is None or not await _is_shown(context, entry):
        return json_answer(context, [])
    return json_answer(context, [located(entry)])


async def find(context: ShareContext, request: Request) -> Response:
    """Answer `POST /tools/find`."""
    asked = question(await request.body())
    snapshot = await context.index.load()
    found = matching(asked, snapshot, context.policy)
    shown = asked.page([one for one in found if await _is_shown(context, one)])
    if asked.level == "Patient":
        ids = [one.patient_id for one in shown if isinstance(one, StudyEntry)]
        documents = [await _patient(context, one) for one in ids]
    else:
        ids = [one.id for one in shown]
        wanted = shown if asked.expand else ()
        documents = [await described(context, one) for one in wanted]
    return json_answer(context, documents if asked.expand else ids)


async def _is_shown(context: ShareContext, entry: AnyEntry) -> bool:
    if not context.hides_blocked or isinstance(entry, StudyEntry):
        return True
    if isinstance(entry, SeriesEntry):
        return bool(await shown_instances(context, entry))
    return not (await context.images.of(entry)).is_blocked


def _document(
    template: str, made: Callable[[ShareContext, str], Awaitable[Any]]
) -> RouteSpec:
    """Return the route of a JSON document about what `{id}` names."""

    async def handler(context: ShareContext, request: Request) -> Response:
        return json_answer(context, await made(context, request.path_params["id"]))

    return RouteSpec(GET, template, handler)


ROUTES: Final = (
    RouteSpec(GET, "/system", system),
    _document("/patients/{id}", _patient),
    _document("/studies/{id}", _study),
    _document("/studies/{id}/series", _series_of_study),
    _document("/studies/{id}/instances", _instances_of_study),
    _document("/series/{id}", _series),
    _document("/series/{id}/study", _study_of_series),
    _document("/series/{id}/instances", _instances_of_series),
    _document("/instances/{id}", _instance),
    _document("/instances/{id}/study", _study_of_instance),
    _document("/instances/{id}/series", _series_of_instance),
    RouteSpec(POST, "/tools/lookup", lookup),
    RouteSpec(POST, "/tools/find", find),
)
"""All of them."""
