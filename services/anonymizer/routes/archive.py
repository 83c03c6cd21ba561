"""Files as Orthanc's own routes give them: one instance, or a ZIP of many.

The archive is made while it is sent; its names are neutral, and there is no DICOMDIR.
"""

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from anonymizer.context import ShareContext
from anonymizer.entries import InstanceEntry, SeriesEntry
from anonymizer.looking import looked_at
from anonymizer.orthanc import NotFoundError
from anonymizer.orthanc_ids import instance_of, series_of, study_of
from anonymizer.rewriting import clean_file, stand_in_file
from anonymizer.route import RouteSpec
from anonymizer.streaming import streamed
from anonymizer.zip_stream import ZipStream, member_name

ZIP: Final = "application/zip"
DICOM: Final = "application/dicom"

SIZE_SLACK: Final = 2**20
"""Bytes that a file may grow: a placeholder may be larger than what it stands for."""

SizedPiece = tuple[int | None, bytes]

_GET: Final = ("GET",)


async def file(context: ShareContext, request: Request) -> Response:
    """Answer with one DICOM file."""
    instance = await instance_of(context, request.path_params["id"])
    answer = await streamed(_file(context, instance), DICOM, context.metrics)
    return _as_download(answer, "image.dcm")


async def study_archive(context: ShareContext, request: Request) -> Response:
    """Answer with a ZIP of a study."""
    study = await study_of(context, request.path_params["id"])
    return await _archive(context, study.series)


async def series_archive(context: ShareContext, request: Request) -> Response:
    """Answer with a ZIP of a series."""
    series = await series_of(context, request.path_params["id"])
    return await _archive(context, [series])


async def _archive(context: ShareContext, parts: Iterable[SeriesEntry]) -> Response:
    answer = await streamed(_pieces(context, parts), ZIP, context.metrics)
    return _as_download(answer, "study.zip")


def _as_download(answer: Response, name: str) -> Response:
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


async def _pieces(
    context: ShareContext, parts: Iterable[SeriesEntry]
) -> AsyncGenerator[bytes, None]:
    with ZipStream() as archive:
        for series_number, series in enumerate(parts, start=1):
            for number, instance in enumerate(series.instances, start=1):
                name = member_name(series_number, number)
                async with aclosing(_member(context, archive, instance, name)) as made:
                    async for piece in made:
                        yield piece
        yield archive.finish()


async def _member(
    context: ShareContext, archive: ZipStream, instance: InstanceEntry, name: str
) -> AsyncGenerator[bytes, None]:
    """Yield a member of the archive; nothing if the instance is not shown."""
    has_begun = False
    async with aclosing(_sized_file(context, instance)) as pieces:
        async for size, piece in pieces:
            if not has_begun:
                has_begun = True
                # What was decoded to be blanked comes in one piece, larger than before.
                known = None if size is None else max(size, len(piece))
                yield archive.begin(name, known)
            yield archive.write(piece)
    if has_begun:
        yield archive.end()


async def _file(
    context: ShareContext, instance: InstanceEntry
) -> AsyncGenerator[bytes, None]:
    async with aclosing(_sized_file(context, instance)) as pieces:
        async for _, piece in pieces:
            yield piece


async def _sized_file(
    context: ShareContext, instance: InstanceEntry
) -> AsyncGenerator[SizedPiece, None]:
    """Yield a file as it is shown, in pieces, each with the size of the whole.

    The size is what Orthanc told, with some room; None: it told nothing.
    """
    try:
        async with aclosing(_clean(context, instance)) as pieces:
            async for piece in pieces:
                yield piece
    except NotFoundError:
        # What is in the share keeps its place, even if Orthanc has lost the file.
        stand_in = await stand_in_file(context, instance)
        if stand_in is not None:
            yield len(stand_in), stand_in


async def _clean(
    context: ShareContext, instance: InstanceEntry
) -> AsyncGenerator[SizedPiece, None]:
    def find(uid: str) -> InstanceEntry | None:
        # Without a UID that can be read it is still the one that was asked for.
        return instance if uid in {"", instance.real_uid} else None

    if context.looks is not None:
        await looked_at(context, instance)  # before Orthanc waits for it
    # Answered in whole by Orthanc: with the length, and as it is stored.
    path = f"instances/{instance.real_id}/file"
    async with context.orthanc.stream(path) as answer:
        size = None if answer.length is None else answer.length + SIZE_SLACK
        clean = clean_file(context, answer.pieces(), find)
        async with aclosing(clean) as pieces:
            async for some in pieces:
                yield size, b"".join(some)


ROUTES: Final = (
    RouteSpec(_GET, "/instances/{id}/file", file),
    RouteSpec(_GET, "/studies/{id}/archive", study_archive),
    RouteSpec(_GET, "/series/{id}/archive", series_archive),
)
"""All of them."""
