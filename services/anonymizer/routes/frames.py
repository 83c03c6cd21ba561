"""WADO-RS frames (PS3.18 10.4.1.1.6)."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.requests import Request
from starlette.responses import Response

from anonymizer.addresses import DICOM_WEB
from anonymizer.context import ShareContext
from anonymizer.frame_source import FramePiece, frames_of
from anonymizer.multipart import MultipartWriter
from anonymizer.negotiation import OCTETS, form
from anonymizer.route import RouteSpec
from anonymizer.routes.retrieving import check_syntax
from anonymizer.streaming import streamed
from orthanc_share.domain.octets import Octets


async def frames(context: ShareContext, request: Request) -> Response:
    """Answer with frames, in parts or, if there is only one, by itself."""
    names = request.path_params
    entry = await context.index.instance(
        names["study"], names["series"], names["instance"]
    )
    numbers = [int(number) for number in names["frames"].split(",")]
    wanted = form(request, OCTETS, single=len(numbers) == 1)
    check_syntax(wanted.transfer_syntax)
    source = frames_of(context, entry, numbers, wanted.transfer_syntax)
    if not wanted.is_multipart:
        return await streamed(joined(source), OCTETS, context.metrics)
    writer = MultipartWriter(OCTETS)
    body = _parts(source, writer)
    return await streamed(body, writer.content_type, context.metrics)


async def _parts(
    source: AsyncGenerator[FramePiece, None], writer: MultipartWriter
) -> AsyncGenerator[Octets, None]:
    async with aclosing(source):
        async for piece in source:
            if piece.begins is not None:
                yield writer.head(f"{OCTETS}; transfer-syntax={piece.begins}")
            yield piece.data
    yield writer.end()


async def joined(
    source: AsyncGenerator[FramePiece, None],
) -> AsyncGenerator[Octets, None]:
    """Yield frames one behind the other."""
    async with aclosing(source):
        async for piece in source:
            yield piece.data


ROUTES = (
    RouteSpec(
        ("GET",),
        f"{DICOM_WEB}/studies/{{study}}/series/{{series}}/instances/{{instance}}"
        "/frames/{frames}",
        frames,
    ),
)
"""The routes of this module."""
