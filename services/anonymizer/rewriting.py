"""DICOM files on their way from Orthanc to the client, one instance each."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from typing import Final

from anonymizer.context import ShareContext
from anonymizer.entries import InstanceEntry
from anonymizer.examining import UNREADABLE
from anonymizer.looking import check_looks
from anonymizer.masking import masked_file
from anonymizer.off_loop import off_loop
from orthanc_share.deidentification import placeholder
from orthanc_share.deidentification.actions import DeidentificationError
from orthanc_share.deidentification.gate import BlockedInstanceError, Facts, Verdict
from orthanc_share.deidentification.part10 import InstanceRewriter
from orthanc_share.domain.octets import Octets

THREAD_FROM: Final = 16_384
"""Bytes of a head from which it is rewritten in a thread: more takes over 2 ms."""

SOP_INSTANCE_UID: Final = 0x00080018

Finder = Callable[[str], InstanceEntry | None]
"""Gets the real SOPInstanceUID of a file, returns the instance that it is of, if that
is in the share and has not been answered yet."""


class OutOfScopeError(DeidentificationError):
    """A file of Orthanc is none that was asked for, or cannot be read at all.

    Nothing of it has gone out.
    """

    code = "out_of_scope"


class OtherSyntaxError(DeidentificationError):
    """A file is not in the transfer syntax that is wanted; nothing has gone out.

    Args:
        entry: The instance.
    """

    code = "other_syntax"

    def __init__(self, entry: InstanceEntry) -> None:
        super().__init__("A file is in another transfer syntax.")
        self.entry = entry


async def clean_file(
    context: ShareContext,
    source: AsyncIterator[Octets],
    find: Finder,
    suits: Callable[[str], bool] = bool,
) -> AsyncGenerator[Sequence[Octets], None]:
    """Yield a file as it is shown; where that may not be, its placeholder.

    It comes in pieces, as many at a time as there are. Nothing is yielded for an
    instance that is hidden.

    Args:
        context: The share.
        source: The file as Orthanc sends it.
        find: Tells whether it is in the share.
        suits: Tells whether a transfer syntax may go out.

    Raises:
        OtherSyntaxError: It is in the share, in a transfer syntax that does not suit.
        OutOfScopeError: It is not in the share, or it is not known which one it is.
        DeidentificationError: What has not gone out yet must not go out.
        UpstreamError: Orthanc broke off.
    """
    work = _Work(context, find, suits)
    try:
        async for data in source:
            if pieces := await work.feed(data):
                yield pieces
        if pieces := await work.finish():
            yield pieces
    except DeidentificationError as error:
        if work.started or isinstance(error, OutOfScopeError | OtherSyntaxError):
            raise
        replaced = error
    else:
        context.metrics.allowed()
        return
    if instead := await _instead(context, work, source, replaced):
        yield instead


class _Work:
    """One file being rewritten; what has come is kept until something goes out."""

    def __init__(
        self, context: ShareContext, find: Finder, suits: Callable[[str], bool]
    ) -> None:
        self._rewriter = InstanceRewriter(
            context.policy, context.gate, plan=context.plan
        )
        self._context = context
        self._find = find
        self._suits = suits
        self._entry: InstanceEntry | None = None
        self.kept: list[Octets] = []

    @property
    def started(self) -> bool:
        """Whether something has gone out."""
        return self._entry is not None and not self.kept

    @property
    def entry(self) -> InstanceEntry:
        """The instance.

        Raises:
            OutOfScopeError: It is not in the share, or cannot be told.
        """
        found = self._entry or self._find(_uid(self._rewriter.facts))
        if found is None:
            raise OutOfScopeError("A file of Orthanc is none that was asked for.")
        self._entry = found
        return found

    async def feed(self, data: Octets) -> list[Octets]:
        if self.started:
            return self._rewriter.feed(data)
        self.kept.append(data)
        pieces: list[Octets] = []
        if not self._rewriter.collected:
            # Most heads end here, and the pixels behind them take no time.
            pieces = self._rewriter.feed(data[:THREAD_FROM])
            data = data[THREAD_FROM:]
        if self._rewriter.collected:
            pieces += await off_loop(self._rewriter.feed, data)
        else:
            pieces += self._rewriter.feed(data)
        return await self._begun(pieces)

    async def finish(self) -> list[Octets]:
        return await self._begun(self._rewriter.finish())

    async def _begun(self, pieces: list[Octets]) -> list[Octets]:
        """Let the first piece out only if its instance is in the share, and clean."""
        if pieces and not self.started:
            entry = self.entry
            if not self._suits(self._rewriter.transfer_syntax):
                raise OtherSyntaxError(entry)
            await check_looks(self._context, entry)
            self.kept = []
        return pieces


def _uid(facts: Facts | None) -> str:
    values = () if facts is None else facts.values.get(SOP_INSTANCE_UID, ())
    return values[0] if len(values) == 1 else ""


async def _instead(
    context: ShareContext,
    work: _Work,
    source: AsyncIterator[Octets],
    error: DeidentificationError,
) -> list[bytes]:
    """Return what goes out in place of a file of which nothing has gone out."""
    entry = work.entry
    if isinstance(error, BlockedInstanceError) and error.verdict.regions:
        made = await _masked(context, work, source, error.verdict)
        if made is not None:
            return [made]
    work.kept = []
    stand_in = await stand_in_file(context, entry, error)
    return [] if stand_in is None else [stand_in]


async def _masked(
    context: ShareContext,
    work: _Work,
    source: AsyncIterator[Octets],
    verdict: Verdict,
) -> bytes | None:
    """Return the file with blanked regions; None: it must not be shown."""
    try:
        await check_looks(context, work.entry)
    except DeidentificationError:
        return None
    return await masked_file(context, verdict, work.kept, source)


async def stand_in_file(
    context: ShareContext,
    entry: InstanceEntry,
    error: DeidentificationError | None = None,
) -> bytes | None:
    """Return the placeholder of an instance; None: it is hidden.

    Args:
        context: The share.
        entry: The instance.
        error: Why it is not shown; None: its metadata tell.

    Raises:
        UpstreamError: Orthanc does not tell its metadata.
    """
    facts = await context.images.of(entry)
    if facts.stand_in is None:
        # The file is worse than its metadata: from now on all routes know.
        facts = context.images.block(entry, _reason(error))
    if context.hides_blocked:
        context.metrics.hidden(facts.reason)
        return None
    context.metrics.replaced(facts.reason)
    return await asyncio.to_thread(
        placeholder.instance, facts.stand_in or facts.shown, facts.reason
    )


def _reason(error: DeidentificationError | None) -> str:
    if isinstance(error, BlockedInstanceError):
        return error.verdict.reason
    return UNREADABLE
