"""WADO-RS rendered resources and thumbnails (PS3.18 10.4.1.1.3, 10.4.1.1.5)."""

from dataclasses import replace
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from anonymizer.addresses import DICOM_WEB
from anonymizer.context import ShareContext
from anonymizer.entries import InstanceEntry, SeriesEntry, StudyEntry
from anonymizer.negotiation import image_type
from anonymizer.orthanc import NotFoundError
from anonymizer.pictures import Rendering, rendered
from anonymizer.route import RouteSpec
from anonymizer.streaming import whole

THUMBNAIL: Final = (128, 128)
"""Width and height of a thumbnail whose size was not asked for, in pixels."""


async def picture(context: ShareContext, request: Request) -> Response:
    """Answer with a picture of what the path names."""
    return await _answer(context, request, _rendering(request))


async def thumbnail(context: ShareContext, request: Request) -> Response:
    """Answer with a small picture of what the path names."""
    asked = _rendering(request)
    if asked.viewport is None:
        asked = replace(asked, viewport=THUMBNAIL)
    return await _answer(context, request, asked)


async def _answer(
    context: ShareContext, request: Request, rendering: Rendering
) -> Response:
    kind = image_type(request)
    entry = await _pictured(context, request)
    frame = int(request.path_params.get("frame", "1"))
    body = await rendered(context, entry, kind, rendering, frame)
    return whole(body, kind, context.metrics)


def _rendering(request: Request) -> Rendering:
    query = request.query_params
    return Rendering.read(
        query.get("viewport", ""), query.get("window", ""), query.get("quality", "")
    )


async def _pictured(context: ShareContext, request: Request) -> InstanceEntry:
    """Return the instance that stands for what the path names."""
    names = request.path_params
    if "instance" in names:
        return await context.index.instance(
            names["study"], names["series"], names["instance"]
        )
    if "series" in names:
        series = await context.index.series(names["study"], names["series"])
        found = await middle_of_series(context, series)
    else:
        study = await context.index.study(names["study"])
        found = await _middle_of_study(context, study)
    if found is None:
        raise NotFoundError
    return found


async def middle_of_series(
    context: ShareContext, series: SeriesEntry
) -> InstanceEntry | None:
    """Return the image that shows best what a series is of; None: it has none.

    Raises:
        UpstreamError: Orthanc does not answer, or not as it should.
    """
    hides = context.hides_blocked
    visible = await context.images.visible(series, hides_blocked=hides)
    return visible[len(visible) // 2] if visible else None


async def _middle_of_study(
    context: ShareContext, study: StudyEntry
) -> InstanceEntry | None:
    stand_in: InstanceEntry | None = None
    for series in study.series:
        found = await middle_of_series(context, series)
        if found is None:
            continue
        if not (await context.images.of(found)).is_blocked:
            return found
        stand_in = stand_in or found
    return stand_in


_STUDY = f"{DICOM_WEB}/studies/{{study}}"
_SERIES = f"{_STUDY}/series/{{series}}"
_INSTANCE = f"{_SERIES}/instances/{{instance}}"
_FRAME = f"{_INSTANCE}/frames/{{frame}}"

ROUTES = tuple(
    RouteSpec(("GET",), f"{place}/{last}", handler)
    for place in (_STUDY, _SERIES, _INSTANCE, _FRAME)
    for last, handler in (("rendered", picture), ("thumbnail", thumbnail))
)
"""The routes of this module."""
