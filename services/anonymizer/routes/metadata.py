"""WADO-RS metadata (PS3.18 10.4.1.1.2): DICOM JSON of studies, series, instances."""

from collections.abc import AsyncGenerator, Sequence

from starlette.requests import Request
from starlette.responses import Response

from anonymizer.addresses import DICOM_WEB
from anonymizer.context import ShareContext
from anonymizer.entries import InstanceEntry, SeriesEntry
from anonymizer.examining import Examined
from anonymizer.negotiation import json_type
from anonymizer.off_loop import off_loop
from anonymizer.orthanc import NotFoundError
from anonymizer.route import RouteSpec
from anonymizer.streaming import streamed
from orthanc_share.deidentification.dicom_json import encode


async def of_study(context: ShareContext, request: Request) -> Response:
    """Answer with the metadata of all series of a study."""
    study = await context.index.study(request.path_params["study"])
    return await _answer(context, request, study.series)


async def of_series(context: ShareContext, request: Request) -> Response:
    """Answer with the metadata of a series."""
    names = request.path_params
    series = await context.index.series(names["study"], names["series"])
    return await _answer(context, request, [series])


async def of_instance(context: ShareContext, request: Request) -> Response:
    """Answer with the metadata of an instance."""
    names = request.path_params
    instance = await context.index.instance(
        names["study"], names["series"], names["instance"]
    )
    if context.hides_blocked and (await context.images.of(instance)).is_blocked:
        raise NotFoundError
    return await _answer(context, request, [instance])


async def _answer(
    context: ShareContext,
    request: Request,
    entries: Sequence[SeriesEntry | InstanceEntry],
) -> Response:
    media_type = json_type(request)
    return await streamed(_array(context, entries), media_type, context.metrics)


async def _array(
    context: ShareContext, entries: Sequence[SeriesEntry | InstanceEntry]
) -> AsyncGenerator[bytes, None]:
    """Yield a JSON array whose elements are made batch by batch."""
    mark = b"["
    for entry in entries:
        async for batch in context.images.examined(entry):
            shown = [one for one in batch if not _is_hidden(context, one)]
            if shown:
                # A batch is an array by itself: its brackets become commas.
                yield mark + (await off_loop(_document, shown))[1:-1]
                mark = b","
    yield b"]" if mark == b"," else b"[]"


def _document(batch: Sequence[Examined]) -> bytes:
    return encode([one.metadata for one in batch])


def _is_hidden(context: ShareContext, one: Examined) -> bool:
    return context.hides_blocked and one.facts.is_blocked


_STUDY = f"{DICOM_WEB}/studies/{{study}}"

ROUTES = (
    RouteSpec(("GET",), f"{_STUDY}/metadata", of_study),
    RouteSpec(("GET",), f"{_STUDY}/series/{{series}}/metadata", of_series),
    RouteSpec(
        ("GET",),
        f"{_STUDY}/series/{{series}}/instances/{{instance}}/metadata",
        of_instance,
    ),
)
"""The routes of this module."""
