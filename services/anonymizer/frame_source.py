"""The de-identified frames of an instance, one after the other."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from anonymizer.context import ShareContext
from anonymizer.entries import InstanceEntry
from anonymizer.examining import ImageFacts
from anonymizer.images import dicom_web_path
from anonymizer.looking import looked_at
from anonymizer.masking import of_masked_image
from anonymizer.multipart import Part, parameters
from anonymizer.negotiation import ANY_SYNTAX, OCTETS
from anonymizer.orthanc import SERVER, NotFoundError, RefusedError
from anonymizer.upstream_files import asked_parts
from orthanc_share.deidentification import placeholder
from orthanc_share.deidentification.actions import DeidentificationError
from orthanc_share.deidentification.bitstream import (
    CLEANABLE,
    EXPLICIT_VR_LITTLE_ENDIAN,
    is_native,
)
from orthanc_share.deidentification.frames import frame_blanker
from orthanc_share.deidentification.gate import Verdict
from orthanc_share.deidentification.masked_image import MaskedImage
from orthanc_share.deidentification.pixel_cells import PixelLayout
from orthanc_share.domain.errors import UpstreamError
from orthanc_share.domain.octets import Octets

ASKED_AT_ONCE: Final = 200
"""Frames of one question to Orthanc: their numbers must fit into a request line."""


@dataclass(frozen=True, slots=True)
class FramePiece:
    """A piece of a frame.

    Args:
        begins: Transfer syntax of the frame that begins with it; None: it goes on.
        data: The piece.
    """

    begins: str | None
    data: Octets


async def frames_of(
    context: ShareContext,
    entry: InstanceEntry,
    numbers: Sequence[int],
    syntax: str | None = ANY_SYNTAX,
) -> AsyncGenerator[FramePiece, None]:
    """Yield frames piece by piece.

    Args:
        context: The share.
        entry: The instance.
        numbers: Of the frames, from 1.
        syntax: Transfer syntax; None: a native one. What Orthanc cannot transcode is
            sent as it is stored.

    Raises:
        NotFoundError: There is no such frame.
        DeidentificationError: What has not gone out yet must not go out.
        UpstreamError: Orthanc does not answer, or not as it should.
    """
    facts = await shown_facts(context, entry)
    if not numbers or max(numbers) > facts.frames:
        raise NotFoundError
    if not facts.is_blocked and not facts.has_pixels:
        raise NotFoundError
    context.metrics.served(facts)
    if facts.stand_in is not None:
        made = placeholder.frame(facts.stand_in, facts.reason)
        for _ in numbers:
            yield FramePiece(EXPLICIT_VR_LITTLE_ENDIAN, made)
    elif facts.verdict is not None and facts.is_masked:
        for made in await _masked(context, entry, facts.verdict, numbers):
            yield FramePiece(EXPLICIT_VR_LITTLE_ENDIAN, made)
    else:
        for start in range(0, len(numbers), ASKED_AT_ONCE):
            some = numbers[start : start + ASKED_AT_ONCE]
            asked = _transcoded(context, entry, facts, some, syntax)
            async with aclosing(asked) as pieces:
                async for piece in pieces:
                    yield piece


async def shown_facts(context: ShareContext, entry: InstanceEntry) -> ImageFacts:
    """Return what is known of an instance that exists outside; it was looked at.

    Raises:
        NotFoundError: It is hidden.
    """
    facts = await looked_at(context, entry)
    if facts.is_blocked and context.hides_blocked:
        raise NotFoundError
    return facts


async def _masked(
    context: ShareContext,
    entry: InstanceEntry,
    verdict: Verdict,
    numbers: Sequence[int],
) -> list[bytes]:
    def made(image: MaskedImage) -> list[bytes]:
        return [image.frame(number) for number in numbers]

    return await of_masked_image(context, entry, verdict, made)


async def _transcoded(
    context: ShareContext,
    entry: InstanceEntry,
    facts: ImageFacts,
    numbers: Sequence[int],
    syntax: str | None,
) -> AsyncGenerator[FramePiece, None]:
    """Yield frames that Orthanc transcodes, or, where it cannot, as they are stored."""
    try:
        asked = _asked(context, entry, facts, numbers, syntax)
        async with aclosing(asked) as pieces:
            async for piece in pieces:
                yield piece
    except RefusedError:
        if syntax == ANY_SYNTAX:
            raise
        # It refuses before it sends anything.
        asked = _asked(context, entry, facts, numbers, ANY_SYNTAX)
        async with aclosing(asked) as pieces:
            async for piece in pieces:
                yield piece


async def _asked(
    context: ShareContext,
    entry: InstanceEntry,
    facts: ImageFacts,
    numbers: Sequence[int],
    syntax: str | None,
) -> AsyncGenerator[FramePiece, None]:
    path = f"{dicom_web_path(entry)}/frames/{','.join(map(str, numbers))}"
    count = 0
    async with asked_parts(context.orthanc, path, OCTETS, syntax) as found:
        async for part in found:
            count += 1
            async with aclosing(_frame(part, facts, syntax)) as pieces:
                async for piece in pieces:
                    yield piece
    if count != len(numbers):
        raise UpstreamError(f"{SERVER} answered with another number of frames.")


async def _frame(
    part: Part, facts: ImageFacts, asked: str | None
) -> AsyncGenerator[FramePiece, None]:
    syntax = _syntax(part, asked)
    layout = _layout(facts, syntax)
    if layout is not None and is_native(syntax):
        _check_length(part.length, layout)
    blanker = frame_blanker(syntax, layout)
    begins: str | None = syntax
    async for data in part.pieces():
        cleaned = blanker.feed(data)
        if cleaned:
            yield FramePiece(begins, cleaned)
            begins = None
    blanker.finish()


def _check_length(length: int, layout: PixelLayout) -> None:
    """Refuse what is no frame, such as compressed pixels that are said not to be.

    Raises:
        DeidentificationError: It is none.
    """
    if length - layout.length(1, length) not in {0, 1}:  # one byte may be padding
        raise DeidentificationError("A frame is longer than rows and columns say.")


def _syntax(part: Part, asked: str | None) -> str:
    """Return the transfer syntax of a frame.

    Raises:
        DeidentificationError: It is none that can be cleaned.
    """
    told = parameters(part.content_type)[1].get("transfer-syntax")
    if told is None and asked in {None, ANY_SYNTAX}:
        told = EXPLICIT_VR_LITTLE_ENDIAN  # the default of PS3.18 8.7.3.5.2
    if told is None or told not in CLEANABLE:
        raise DeidentificationError("The transfer syntax is none that can be cleaned.")
    return told


def _layout(facts: ImageFacts, syntax: str) -> PixelLayout | None:
    try:
        return PixelLayout.from_facts(facts.layout)
    except DeidentificationError:
        if is_native(syntax):
            raise
        return None
