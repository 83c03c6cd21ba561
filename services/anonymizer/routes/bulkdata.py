"""WADO-RS bulk data (PS3.18 10.4.1.1.4): only what the metadata of the share name."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from anonymizer.addresses import DICOM_WEB
from anonymizer.context import ShareContext
from anonymizer.entries import InstanceEntry
from anonymizer.examining import PIXEL_DATA
from anonymizer.frame_source import frames_of, shown_facts
from anonymizer.images import dicom_web_path
from anonymizer.multipart import MultipartWriter, parts
from anonymizer.negotiation import OCTETS, form
from anonymizer.orthanc import SERVER, NotFoundError, media_type
from anonymizer.route import RouteSpec
from anonymizer.routes.frames import joined
from anonymizer.streaming import streamed
from orthanc_share.deidentification.actions import DeidentificationError
from orthanc_share.deidentification.dictionary import vr
from orthanc_share.deidentification.json_tables import served_table_fits
from orthanc_share.domain.errors import UpstreamError
from orthanc_share.domain.octets import Octets
from orthanc_share.upstream.bulk import BulkAnswer

BULK_MAX: Final = 67_108_864
"""Longest binary element besides Pixel Data, in bytes."""

TAG_DIGITS: Final = 8
"""Hexadecimal digits of a tag."""

_UNITS: Final = {"OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}


async def bulk(context: ShareContext, request: Request) -> Response:
    """Answer with a binary element of an instance."""
    names = request.path_params
    entry = await context.index.instance(
        names["study"], names["series"], names["instance"]
    )
    path = names["tag_path"].upper()
    facts = await shown_facts(context, entry)
    if path not in facts.served:
        raise NotFoundError
    wanted = form(request, OCTETS, single=True)
    if path == PIXEL_DATA:
        # Uncompressed if possible: then frames one behind the other are the element.
        source = frames_of(context, entry, range(1, facts.frames + 1), None)
        pieces = joined(source)
    else:
        pieces = _element(context, entry, path)
    if not wanted.is_multipart:
        return await streamed(pieces, OCTETS, context.metrics)
    writer = MultipartWriter(OCTETS)
    body = _in_one_part(pieces, writer)
    return await streamed(body, writer.content_type, context.metrics)


async def _in_one_part(
    pieces: AsyncGenerator[Octets, None], writer: MultipartWriter
) -> AsyncGenerator[Octets, None]:
    async with aclosing(pieces):
        head = writer.head(OCTETS)
        async for piece in pieces:
            yield head + piece
            head = b""
    # An element may be empty.
    yield head + writer.end()


async def _element(
    context: ShareContext, entry: InstanceEntry, path: str
) -> AsyncGenerator[Octets, None]:
    """Yield a binary element, all of which has been looked at.

    Raises:
        DeidentificationError: It is longer than it may be.
        UpstreamError: Orthanc does not answer, or not as it should.
    """
    tag = int(path[-TAG_DIGITS:], 16)
    limit = _length_max(context, tag)
    asked = f"{dicom_web_path(entry)}/bulk/{path.lower()}"
    accept = f'multipart/related; type="{OCTETS}"'
    async with context.orthanc.stream(asked, accept) as answer:
        data = await _read(answer, limit)
    if len(data) % min(_UNITS.get(one, 1) for one in vr(tag).split(" or ")):
        raise DeidentificationError("A binary element does not fit its VR.")
    dataset = await context.images.original(entry)
    if not await asyncio.to_thread(served_table_fits, dataset, path, data):
        raise NotFoundError  # what is said to be a table, and is none, may be a text
    yield data


def _length_max(context: ShareContext, tag: int) -> int:
    """Return the longest value that the policy lets pass, whatever VR it has."""
    limits = [context.policy.length_max(tag, one) for one in vr(tag).split(" or ")]
    return min(BULK_MAX, *limits)


async def _read(answer: BulkAnswer, limit: int) -> bytes:
    """Return the element, which Orthanc sends in a part or by itself."""
    if media_type(answer.content_type) == OCTETS:
        return await answer.read(limit)
    found: list[bytes] = []
    async with aclosing(parts(answer)) as several:
        async for part in several:
            if media_type(part.content_type) != OCTETS:
                raise UpstreamError(f"{SERVER} answered with another media type.")
            found.append(await part.read(limit))
    if len(found) != 1:
        raise UpstreamError(f"{SERVER} answered with another number of parts.")
    return found[0]


ROUTES = (
    RouteSpec(
        ("GET",),
        f"{DICOM_WEB}/studies/{{study}}/series/{{series}}/instances/{{instance}}"
        "/bulk/{tag_path}",
        bulk,
    ),
)
"""The routes of this module."""
