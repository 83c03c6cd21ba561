"""Files of Orthanc: what is asked for, and the parts of what is answered."""

from collections.abc import AsyncIterator, Container, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Final

from anonymizer.entries import InstanceEntry, SeriesEntry
from anonymizer.images import dicom_web_path
from anonymizer.multipart import Part, parts
from anonymizer.negotiation import ANY_SYNTAX, DICOM, OCTETS
from anonymizer.orthanc import SERVER, Orthanc, media_type
from orthanc_share.domain.errors import UpstreamError
from orthanc_share.domain.octets import Octets

PART_KINDS: Final[Mapping[str, frozenset[str]]] = {
    DICOM: frozenset({DICOM}),
    OCTETS: frozenset(
        {
            OCTETS,
            *("image/jpeg", "image/jls", "image/jp2", "image/jpx", "image/jphc"),
            *("image/dicom-rle", "image/dicom+rle"),
        }
    ),
}
"""Media type that is asked for to those of the parts that may come.

Source: PS3.18 8.7.3.3; `image/dicom+rle` was its name until 2017.
"""


@asynccontextmanager
async def asked_parts(
    orthanc: Orthanc, path: str, kind: str, syntax: str | None
) -> AsyncIterator[AsyncIterator[Part]]:
    """Ask DICOMweb for parts of a kind; the block reads them.

    Args:
        orthanc: Is asked.
        path: Of real UIDs.
        kind: Media type of the parts; one that is none of `PART_KINDS` is an error.
        syntax: Transfer syntax; None: Orthanc's choice, which is a native one.

    Raises:
        RefusedError: Orthanc cannot make this transfer syntax.
        NotFoundError: Orthanc does not have it.
        UpstreamError: Orthanc does not answer, or not as it should.
    """
    wanted = "" if syntax is None else f"; transfer-syntax={syntax}"
    accept = f'multipart/related; type="{kind}"{wanted}'
    async with (
        orthanc.stream(path, accept) as answer,
        aclosing(parts(answer)) as found,
    ):
        yield _of_kind(found, PART_KINDS[kind])


async def _of_kind(
    found: AsyncIterator[Part], kinds: Container[str]
) -> AsyncIterator[Part]:
    async for part in found:
        if media_type(part.content_type) not in kinds:
            raise UpstreamError(f"{SERVER} answered with another media type.")
        yield part


@asynccontextmanager
async def asked_files(
    orthanc: Orthanc, entry: SeriesEntry | InstanceEntry, syntax: str | None
) -> AsyncIterator[AsyncIterator[Part]]:
    """Ask for the file of an instance, or those of a series; the block reads them.

    Raises:
        As `asked_parts`.
    """
    path = dicom_web_path(entry)
    async with asked_parts(orthanc, path, DICOM, syntax) as found:
        yield found


@asynccontextmanager
async def one_file(
    orthanc: Orthanc, entry: InstanceEntry
) -> AsyncIterator[AsyncIterator[Octets]]:
    """Ask for the file of an instance as it is stored; the block reads it.

    Raises:
        As `asked_parts`.
    """
    async with asked_files(orthanc, entry, ANY_SYNTAX) as found:
        yield _only(found)


async def _only(found: AsyncIterator[Part]) -> AsyncIterator[Octets]:
    count = 0
    async for part in found:
        count += 1
        async for piece in part.pieces():
            yield piece
    if count != 1:
        raise UpstreamError(f"{SERVER} answered with another number of files.")
