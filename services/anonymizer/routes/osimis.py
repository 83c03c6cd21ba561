"""Routes of the Osimis Web Viewer, made here: its plugin is not asked for anything.

The viewer is told of one quality only, the lossless one: a PNG in a container of its
own, which says what it holds. Who asks for another quality gets the same. The viewer's
other routes write; they do not exist.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from anonymizer.context import ShareContext
from anonymizer.entries import InstanceEntry, SeriesEntry
from anonymizer.examining import Examined, ImageFacts
from anonymizer.looking import looked_at
from anonymizer.masking import of_masked_image
from anonymizer.orthanc import NotFoundError, media_type
from anonymizer.orthanc_documents import named
from anonymizer.orthanc_ids import instance_of, series_of, study_of
from anonymizer.osimis_images import PNG, broken, clean_png, klv, png_of
from anonymizer.pictures import stand_in
from anonymizer.route import RouteSpec
from anonymizer.routes.orthanc_rest import described, json_answer
from anonymizer.streaming import whole
from orthanc_share.deidentification.actions import DeidentificationError
from orthanc_share.deidentification.gate import Verdict
from orthanc_share.deidentification.masked_image import MaskedImage
from orthanc_share.deidentification.rendering import picture

QUALITIES: Final = ("lossless",)
"""What the viewer is told of; it calls the route of this one `high-quality`."""

_QUALITIES_ASKED: Final = ("low", "medium", "high", "pixeldata")

PICTURE_MAX: Final = 268_435_456
"""Longest PNG of Orthanc, in bytes."""

TAGS: Final = (
    *("00100010", "00100020", "00100030", "00100040", "00120062"),
    *("00080020", "00080021", "00080030", "00080031", "00081030", "0008103E"),
    *("00080060", "00082144", "00181164", "00185101", "00180050"),
    *("00200011", "00200013", "00200020", "00200032", "00200037", "00200052"),
    *("00200062", "00201041", "00280004", "00280010", "00280011", "00280030"),
    *("00280101", "00280102", "00280103", "00281050", "00281051", "00281052"),
    "00281053",
)
"""The tags that the viewer knows. Source: its `InstanceRepository`, `TagsSubset`."""

_OCTETS: Final = "application/octet-stream"
_UNCOMPRESSED: Final = "1.2.840.10008.1.2.1"
_VERSION: Final = 2  # of the viewer's document about an instance
_SAMPLES, _SIGNED, _ALLOCATED = 0x00280002, 0x00280103, 0x00280100
_PALETTE: Final = "PALETTE COLOR"
_GET: Final = ("GET",)


async def study(context: ShareContext, request: Request) -> Response:
    """Answer with a study as Orthanc tells it, its series in order."""
    found = await study_of(context, request.path_params["id"])
    return json_answer(context, await described(context, found))


async def annotations(context: ShareContext, request: Request) -> Response:
    """Answer that there are none: they are texts of people who know the patient."""
    await study_of(context, request.path_params["id"])
    return json_answer(context, {})


async def series(context: ShareContext, request: Request) -> Response:
    """Answer with a series and the tags of all its instances."""
    found = await series_of(context, request.path_params["id"])
    shown = await _shown(context, found)
    told = {one.entry.id: _told(one) for one in shown}
    order = [one for one in found.instances if one.id in told]
    frames = {one.entry.id: one.facts.frames for one in shown}
    return json_answer(
        context,
        {
            "id": found.id,
            "contentType": "image",
            "availableQualities": QUALITIES,
            "instances": [[one.id, 0, frames[one.id]] for one in order],
            "instancesInfos": told,
            "middleInstanceInfos": told[order[len(order) // 2].id] if order else {},
            "study": await described(context, found.study),
        },
    )


async def _shown(context: ShareContext, found: SeriesEntry) -> list[Examined]:
    return [
        one
        async for batch in context.images.examined(found)
        for one in batch
        if not (context.hides_blocked and one.facts.is_blocked)
    ]


def _told(one: Examined) -> Mapping[str, Any]:
    return {
        "SeriesId": one.entry.series.id,
        "TagsSubset": named(one.metadata, TAGS),
        "TransferSyntax": _UNCOMPRESSED,
        "Version": _VERSION,
    }


async def image(context: ShareContext, request: Request) -> Response:
    """Answer with a frame, counted from 0."""
    found = await instance_of(context, request.path_params["id"])
    index = int(request.path_params["index"])
    facts = await looked_at(context, found)
    if index >= facts.frames:
        raise NotFoundError
    made = await _png(context, found, facts, index)
    return whole(klv(made), _OCTETS, context.metrics)


async def _png(
    context: ShareContext, found: InstanceEntry, facts: ImageFacts, index: int
) -> bytes:
    if facts.is_blocked:
        context.metrics.replaced(facts.reason)
        return await asyncio.to_thread(_stand_in, facts)
    if facts.is_masked and facts.verdict is not None:
        return await _masked(context, found, facts.verdict, index)
    made = await _asked(context, found, facts, index)
    context.metrics.allowed()
    return made


async def _masked(
    context: ShareContext, found: InstanceEntry, verdict: Verdict, index: int
) -> bytes:
    def make(masked: MaskedImage) -> bytes:
        return _drawn(masked, index + 1)

    try:
        return await of_masked_image(context, found, verdict, make)
    except DeidentificationError:
        # All routes show the same from now on.
        facts = context.images.block(found, "mask-impossible")
        return await asyncio.to_thread(_stand_in, facts)


async def _asked(
    context: ShareContext, found: InstanceEntry, facts: ImageFacts, index: int
) -> bytes:
    """Return the picture that Orthanc makes of a frame, or nothing."""
    kind = _kind(facts)
    path = f"instances/{found.real_id}/frames/{index}/{kind}"
    async with context.orthanc.stream(path, PNG) as answer:
        if media_type(answer.content_type) != PNG:
            raise broken()
        png = await answer.read(PICTURE_MAX)
    return await asyncio.to_thread(clean_png, png)


def _kind(facts: ImageFacts) -> str:
    """Return Orthanc's word for a picture with all bits of the pixels."""
    texts = {tag: "".join(values) for tag, values in facts.layout.items()}
    is_colour = texts.get(_SAMPLES, "1") not in {"", "1"}
    if is_colour or texts.get(0x00280004) == _PALETTE:
        return "preview"
    if texts.get(_SIGNED) == "1":
        return "image-int16"
    return "image-uint8" if texts.get(_ALLOCATED) == "8" else "image-uint16"


def _stand_in(facts: ImageFacts) -> bytes:
    return clean_png(stand_in(facts, PNG))


def _drawn(masked: MaskedImage, number: int) -> bytes:
    """Return a frame with blanked regions."""
    if masked.photometric == _PALETTE:
        return clean_png(picture(masked, PNG, number=number))
    return png_of(masked.frame(number), masked.layout)


ROUTES: Final = (
    RouteSpec(_GET, "/osimis-viewer/studies/{id}", study),
    RouteSpec(_GET, "/osimis-viewer/studies/{id}/annotations", annotations),
    RouteSpec(_GET, "/osimis-viewer/series/{id}", series),
    *(
        RouteSpec(_GET, f"/osimis-viewer/images/{{id}}/{{index}}/{one}-quality", image)
        for one in _QUALITIES_ASKED
    ),
)
"""All of them."""
