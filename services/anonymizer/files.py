"""The de-identified files of instances and series, one after the other."""

from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing

from anonymizer.context import ShareContext
from anonymizer.entries import InstanceEntry, SeriesEntry
from anonymizer.looking import looked_at
from anonymizer.multipart import Part
from anonymizer.negotiation import ANY_SYNTAX
from anonymizer.orthanc import SERVER, NotFoundError, RefusedError
from anonymizer.rewriting import (
    OtherSyntaxError,
    OutOfScopeError,
    clean_file,
    stand_in_file,
)
from anonymizer.upstream_files import asked_files
from orthanc_share.deidentification.bitstream import is_native
from orthanc_share.domain.errors import UpstreamError
from orthanc_share.domain.octets import Octets

FilePieces = tuple[bool, Sequence[Octets]]
"""Whether a new file begins with them, and the pieces."""


async def files_of(
    context: ShareContext,
    entry: SeriesEntry | InstanceEntry,
    syntax: str | None = ANY_SYNTAX,
) -> AsyncGenerator[FilePieces, None]:
    """Yield the files of a series, or the one of an instance, piece by piece.

    Hidden instances are left out; placeholders are in Explicit VR Little Endian. What
    Orthanc cannot transcode is sent as it is stored.

    Args:
        context: The share.
        entry: Series or instance.
        syntax: Transfer syntax, `*` for that of each file; None: any native one.

    Raises:
        DeidentificationError: What has not gone out yet must not go out.
        UpstreamError: Orthanc does not answer, or not as it should.
    """
    if isinstance(entry, InstanceEntry):
        sources = [_streamed(context, entry, [entry], syntax)]
    elif entry.is_whole and context.looks is None:
        sources = [_streamed(context, entry, entry.instances, syntax)]
    else:
        sources = [_streamed(context, one, [one], syntax) for one in entry.instances]
    for source in sources:
        async with aclosing(source) as pieces:
            async for piece in pieces:
                yield piece


async def _streamed(
    context: ShareContext,
    asked: SeriesEntry | InstanceEntry,
    entries: Iterable[InstanceEntry],
    syntax: str | None,
) -> AsyncGenerator[FilePieces, None]:
    """Yield the files that Orthanc sends, then placeholders for those it did not.

    It is asked for the files as they are stored: those that suit need not be
    transcoded, and for one that it cannot transcode it would give up all the others.
    """
    missing = {entry.real_uid: entry for entry in entries}
    try:
        if context.looks is not None and isinstance(asked, InstanceEntry):
            await looked_at(context, asked)  # before Orthanc waits for it
        async with asked_files(context.orthanc, asked, ANY_SYNTAX) as found:
            async for part in found:
                async with aclosing(_file(context, part, missing, syntax)) as pieces:
                    async for piece in pieces:
                        yield piece
    except NotFoundError:
        pass  # what was in the share a moment ago keeps its place
    for entry in list(missing.values()):
        made = await stand_in_file(context, entry)
        if made is not None:
            yield True, [made]


async def _file(
    context: ShareContext,
    part: Part,
    missing: dict[str, InstanceEntry],
    syntax: str | None,
) -> AsyncGenerator[FilePieces, None]:
    """Yield one file of Orthanc, in another transfer syntax if need be."""

    def find(real_uid: str) -> InstanceEntry | None:
        return missing.pop(real_uid, None)

    is_first = True
    cleaned = clean_file(context, part.pieces(), find, _suiting(syntax))
    try:
        async with aclosing(cleaned):
            async for some in cleaned:
                yield is_first, some
                is_first = False
    except OutOfScopeError:
        # Of the next list of the share, of none, or one that is found missing.
        return
    except OtherSyntaxError as other:
        entry = other.entry
    else:
        return
    async with aclosing(_transcoded(context, entry, syntax)) as pieces:
        async for piece in pieces:
            yield piece


def _suiting(syntax: str | None) -> Callable[[str], bool]:
    if syntax is None:
        return is_native
    return bool if syntax == ANY_SYNTAX else syntax.__eq__


async def _transcoded(
    context: ShareContext, entry: InstanceEntry, syntax: str | None
) -> AsyncGenerator[FilePieces, None]:
    """Yield a file that Orthanc transcodes, or, where it cannot, as it is stored."""
    try:
        async with aclosing(_as_asked(context, entry, syntax)) as pieces:
            async for piece in pieces:
                yield piece
    except RefusedError:
        # It refuses before it sends anything.
        async with aclosing(_as_asked(context, entry, ANY_SYNTAX)) as pieces:
            async for piece in pieces:
                yield piece


async def _as_asked(
    context: ShareContext, entry: InstanceEntry, syntax: str | None
) -> AsyncGenerator[FilePieces, None]:
    """Yield a file in whatever transfer syntax Orthanc sends it."""
    missing = {entry.real_uid: entry}
    async with asked_files(context.orthanc, entry, syntax) as found:
        async for part in found:
            async with aclosing(_file(context, part, missing, ANY_SYNTAX)) as pieces:
                async for piece in pieces:
                    yield piece
    if missing:
        raise UpstreamError(f"{SERVER} did not send the file that was asked for.")
