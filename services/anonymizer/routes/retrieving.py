"""WADO-RS files (PS3.18 10.4.1.1.1): studies, series and instances as DICOM files."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing

from starlette.requests import Request
from starlette.responses import Response

from anonymizer.addresses import DICOM_WEB
from anonymizer.context import ShareContext
from anonymizer.entries import InstanceEntry, SeriesEntry
from anonymizer.files import files_of
from anonymizer.multipart import MultipartWriter
from anonymizer.negotiation import ANY_SYNTAX, DICOM, NotAcceptableError, form
from anonymizer.orthanc import NotFoundError
from anonymizer.route import RouteSpec
from anonymizer.streaming import streamed
from orthanc_share.deidentification.bitstream import CLEANABLE
from orthanc_share.domain.octets import Octets


async def study(context: ShareContext, request: Request) -> Response:
    """Answer with all files of a study."""
    found = await context.index.study(request.path_params["study"])
    return await _answer(context, request, found.series)


async def series(context: ShareContext, request: Request) -> Response:
    """Answer with all files of a series."""
    names = request.path_params
    found = await context.index.series(names["study"], names["series"])
    return await _answer(context, request, [found])


async def instance(context: ShareContext, request: Request) -> Response:
    """Answer with the file of an instance, in one part or by itself."""
    names = request.path_params
    found = await context.index.instance(
        names["study"], names["series"], names["instance"]
    )
    return await _answer(context, request, [found])


async def _answer(
    context: ShareContext,
    request: Request,
    entries: Iterable[SeriesEntry | InstanceEntry],
) -> Response:
    entries = list(entries)
    is_one = isinstance(entries[0], InstanceEntry) if entries else False
    wanted = form(request, DICOM, single=is_one)
    check_syntax(wanted.transfer_syntax)
    if wanted.is_multipart:
        writer = MultipartWriter(DICOM)
        body = _parts(context, entries, wanted.transfer_syntax, writer)
        return await streamed(body, writer.content_type, context.metrics)
    body = single(context, entries[0], wanted.transfer_syntax)
    return await streamed(body, DICOM, context.metrics)


def check_syntax(syntax: str | None) -> None:
    """Refuse transfer syntaxes in which nothing could go out.

    Raises:
        NotAcceptableError: It is one.
    """
    if syntax not in {None, ANY_SYNTAX, *CLEANABLE}:
        raise NotAcceptableError


async def _parts(
    context: ShareContext,
    entries: Iterable[SeriesEntry | InstanceEntry],
    syntax: str | None,
    writer: MultipartWriter,
) -> AsyncGenerator[Octets, None]:
    is_empty = True
    for entry in entries:
        async with aclosing(files_of(context, entry, syntax)) as pieces:
            async for is_new, some in pieces:
                if is_new:
                    yield writer.head(DICOM)
                for piece in some:
                    yield piece
                is_empty = False
    if is_empty:
        raise NotFoundError
    yield writer.end()


async def single(
    context: ShareContext, entry: SeriesEntry | InstanceEntry, syntax: str | None
) -> AsyncGenerator[Octets, None]:
    """Yield the file of an instance.

    Raises:
        NotFoundError: It is hidden.
    """
    is_empty = True
    async with aclosing(files_of(context, entry, syntax)) as pieces:
        async for _, some in pieces:
            for piece in some:
                yield piece
            is_empty = False
    if is_empty:
        raise NotFoundError


_STUDY = f"{DICOM_WEB}/studies/{{study}}"

ROUTES = (
    RouteSpec(("GET",), _STUDY, study),
    RouteSpec(("GET",), f"{_STUDY}/series/{{series}}", series),
    RouteSpec(("GET",), f"{_STUDY}/series/{{series}}/instances/{{instance}}", instance),
)
"""The routes of this module."""
