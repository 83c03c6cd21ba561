"""Images that are clean by their headers, looked at before their pixels go out.

Only where the site's profile wants it (`ocr`). It may only block, and what cannot be
looked at is blocked too. What was found is remembered for each instance.
"""

import asyncio
from typing import Final

from anonymizer.context import ShareContext
from anonymizer.entries import InstanceEntry
from anonymizer.examining import ImageFacts
from anonymizer.images import dicom_web_path
from anonymizer.masking import with_masked_image
from anonymizer.multipart import Part, parameters
from anonymizer.negotiation import OCTETS
from anonymizer.orthanc import RefusedError
from anonymizer.upstream_files import asked_parts
from orthanc_share.deidentification.actions import DeidentificationError
from orthanc_share.deidentification.bitstream import is_native
from orthanc_share.deidentification.gate import Reason
from orthanc_share.deidentification.masked_image import MaskedImage
from orthanc_share.deidentification.pixel_cells import PixelLayout
from orthanc_share.deidentification.text_in_pixels import FRAME_MAX, holds_text, sample

_PHOTOMETRIC: Final = 0x00280004
_PALETTE: Final = ("PALETTE COLOR",)


async def looked_at(context: ShareContext, entry: InstanceEntry) -> ImageFacts:
    """Return what is known of an instance whose pixels are asked for.

    Raises:
        NotFoundError: Orthanc does not have it any more.
        UpstreamError: Orthanc does not answer, or not as it should.
    """
    facts = await context.images.of(entry)
    if context.looks is None or facts.is_blocked or not facts.has_pixels:
        return facts
    reason = await context.looks.get(
        entry.real_id, lambda: _look(context, entry, facts)
    )
    return facts if reason is None else context.images.block(entry, reason)


async def check_looks(context: ShareContext, entry: InstanceEntry) -> None:
    """Refuse an instance in whose pixels there is text; nothing, if nobody looks.

    Raises:
        DeidentificationError: It must not be shown.
        UpstreamError: Orthanc does not answer, or not as it should.
    """
    if context.looks is not None and (await looked_at(context, entry)).is_blocked:
        raise DeidentificationError("The pixels of the instance must not be shown.")


async def _look(
    context: ShareContext, entry: InstanceEntry, facts: ImageFacts
) -> Reason | None:
    """Return why an image must not be shown; None: nothing was seen."""
    try:
        if tuple(facts.layout.get(_PHOTOMETRIC, ())) == _PALETTE:
            return Reason.NOT_LOOKED_AT  # grey values say nothing of its colours
        found = await _is_text_seen(context, entry, facts)
    except (DeidentificationError, RefusedError):
        return Reason.NOT_LOOKED_AT
    return Reason.TEXT_IN_PIXELS if found else None


async def _is_text_seen(
    context: ShareContext, entry: InstanceEntry, facts: ImageFacts
) -> bool:
    if facts.verdict is not None and facts.is_masked:
        async with context.eyes:
            return await with_masked_image(context, entry, facts.verdict, _is_on_masked)
    layout = PixelLayout.from_facts(facts.layout)
    for number in sample(facts.frames):
        async with context.eyes:
            frame = await _frame(context, entry, number)
            if await asyncio.to_thread(holds_text, frame, layout):
                return True
    return False


def _is_on_masked(image: MaskedImage) -> bool:
    numbers = sample(image.layout.frames)
    return any(holds_text(image.frame(number), image.layout) for number in numbers)


async def _frame(context: ShareContext, entry: InstanceEntry, number: int) -> bytes:
    """Return an uncompressed frame.

    Raises:
        DeidentificationError: Orthanc cannot make it.
        UpstreamError: Orthanc does not answer, or not as it should.
    """
    path = f"{dicom_web_path(entry)}/frames/{number}"
    async with asked_parts(context.orthanc, path, OCTETS, None) as found:
        frames = [await _native(part) async for part in found]
    if len(frames) != 1:
        raise DeidentificationError("There is not one frame of this number.")
    return frames[0]


async def _native(part: Part) -> bytes:
    syntax = parameters(part.content_type)[1].get("transfer-syntax")
    is_compressed = syntax is not None and not is_native(syntax)
    if is_compressed or part.length > FRAME_MAX:
        raise DeidentificationError("The frame cannot be looked at.")
    return await part.read(FRAME_MAX)
