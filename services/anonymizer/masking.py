"""Images with known places for text, blanked there: whole in memory, in threads."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Final, TypeVar

from anonymizer.context import ShareContext
from anonymizer.entries import InstanceEntry
from anonymizer.upstream_files import one_file
from orthanc_share.deidentification.actions import DeidentificationError
from orthanc_share.deidentification.gate import Verdict
from orthanc_share.deidentification.masked_image import MaskedImage
from orthanc_share.deidentification.masks import MaskedGate
from orthanc_share.deidentification.part10 import rewrite
from orthanc_share.domain.octets import Octets

MASKED_MAX: Final = 268_435_456
"""Longest file whose pixels are blanked, in bytes."""

T = TypeVar("T")


async def masked_file(
    context: ShareContext,
    verdict: Verdict,
    begun: Iterable[Octets],
    source: AsyncIterator[Octets],
) -> bytes | None:
    """Return a file with blanked regions; None: that is not possible.

    Args:
        context: The share.
        verdict: Says which regions.
        begun: What has been read of the file already.
        source: The rest of it.

    Raises:
        UpstreamError: Orthanc broke off.
    """
    async with context.masking:
        file = await _collected(begun, source)
        if file is None:
            return None
        try:
            made = await asyncio.to_thread(_rewritten, context, verdict, file)
        except DeidentificationError:
            return None
    context.metrics.masked()
    return made


async def of_masked_image(
    context: ShareContext,
    entry: InstanceEntry,
    verdict: Verdict,
    make: Callable[[MaskedImage], T],
) -> T:
    """Return what `make` makes of an image with blanked regions, and count it.

    Raises:
        DeidentificationError: It cannot be masked.
        UpstreamError: Orthanc does not give it.
    """
    made = await with_masked_image(context, entry, verdict, make)
    context.metrics.masked()
    return made


async def with_masked_image(
    context: ShareContext,
    entry: InstanceEntry,
    verdict: Verdict,
    make: Callable[[MaskedImage], T],
) -> T:
    """Return what `make` makes, in a thread, of an image with blanked regions.

    Raises:
        DeidentificationError: It cannot be masked.
        UpstreamError: Orthanc does not give it.
    """

    def work(file: bytes) -> T:
        return make(MaskedImage(file, verdict.regions, context.plan, context.gate))

    async with context.masking:
        async with one_file(context.orthanc, entry) as source:
            file = await _collected((), source)
        if file is None:
            raise DeidentificationError("The image is too big to be masked.")
        return await asyncio.to_thread(work, file)


def _rewritten(context: ShareContext, verdict: Verdict, file: bytes) -> bytes:
    image = MaskedImage(file, verdict.regions, context.plan, context.gate)
    plan = context.masked_plan
    return rewrite(image.file(), plan.rules, MaskedGate(context.gate), plan=plan)


async def _collected(
    begun: Iterable[Octets], source: AsyncIterator[Octets]
) -> bytes | None:
    file = bytearray().join(begun)
    async for data in source:
        file += data
        if len(file) > MASKED_MAX:
            break
    return None if len(file) > MASKED_MAX else bytes(file)
