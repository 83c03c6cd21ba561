"""DICOM files and datasets, de-identified while they stream through.

What stands before the pixels is collected and rewritten in one go, the gate is asked,
and only then the first byte goes out; pixels are cleaned as they come.
"""

from collections.abc import Mapping
from typing import Final

from orthanc_share.deidentification import file_meta
from orthanc_share.deidentification.actions import DeidentificationError, Rules
from orthanc_share.deidentification.bitstream import (
    DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    wire_of,
)
from orthanc_share.deidentification.gate import (
    BlockedInstanceError,
    Facts,
    Gate,
    Outcome,
)
from orthanc_share.deidentification.head import Head, HeadRewriter
from orthanc_share.deidentification.inflater import Inflater
from orthanc_share.deidentification.limits import IncompleteError, Limits
from orthanc_share.deidentification.pixel_cells import LAYOUT_TAGS
from orthanc_share.deidentification.pixel_stream import PixelStream, pixel_stream
from orthanc_share.deidentification.plan import Plan
from orthanc_share.deidentification.tables import drop_false_tables
from orthanc_share.deidentification.wire import malformed
from orthanc_share.domain.octets import Octets

_SOP_CLASS: Final = 0x00080016
_SOP_INSTANCE: Final = 0x00080018
_VALUE_AT: Final = 8  # UI has a short header in all encodings
_WANTED: Final = LAYOUT_TAGS | {_SOP_CLASS, _SOP_INSTANCE}
_PIECE: Final = 2**20  # bytes that `rewrite` feeds at a time


class InstanceRewriter:
    """De-identifies one object.

    After an error it is of no use any more, and what comes after must not go out.

    Args:
        rules: What happens to each element.
        gate: Says whether the pixels may be shown.
        limits: What the object may cost.
        plan: What `rules` say, worked out for earlier objects of the same share; makes
            a series about twice as quick.
        transfer_syntax: UID, for a dataset that comes without preamble and File Meta
            Information, and goes out without; None for a Part 10 file.

    Attributes:
        collected: Bytes of the head that wait for the rest of it; heads of megabytes
            are not for the event loop.
        facts: What is known of the original, as soon as its head is read, also when the
            gate blocks it: what the gate needs, `LAYOUT_TAGS`, SOP Class UID and SOP
            Instance UID.
    """

    def __init__(
        self,
        rules: Rules,
        gate: Gate,
        limits: Limits = Limits(),  # noqa: B008  # frozen
        *,
        plan: Plan | None = None,
        transfer_syntax: str | None = None,
    ) -> None:
        self._plan = Plan(rules) if plan is None else plan
        self._gate = gate
        self._limits = limits
        self._is_file = transfer_syntax is None
        self._usable = True
        self._chunks: list[Octets] = []
        self._needed = 1
        self._start = 0
        self._head: HeadRewriter | None = None
        self._inflater: Inflater | None = None
        self._pixels: PixelStream | None = None
        self._held: list[Octets] = []
        self._passes = False
        self._syntax = ""
        self.collected = 0
        self.facts: Facts | None = None
        if transfer_syntax is not None:
            self._open(transfer_syntax)

    @property
    def started(self) -> bool:
        """Whether a byte has gone out."""
        return self._passes

    @property
    def transfer_syntax(self) -> str:
        """UID of the transfer syntax of what goes out; empty until it is known.

        What is deflated comes out as Explicit VR Little Endian: every reader must know
        that one, few know the other, and to deflate again would cost more than all the
        rest.
        """
        deflated = self._syntax == DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN
        return EXPLICIT_VR_LITTLE_ENDIAN if deflated else self._syntax

    def feed(self, data: Octets) -> list[Octets]:
        """Return what may go out now, which may be nothing.

        Raises:
            BlockedInstanceError: The pixels may not be shown, or only with regions
                blanked; nothing has gone out yet.
            DeidentificationError: The object is malformed or beyond a limit; `started`
                tells whether something has gone out.
        """
        self._begin()
        written = self._inflated(data)
        self._usable = True
        return written

    def finish(self) -> list[Octets]:
        """Return what is left to go out when nothing more comes.

        Raises:
            BlockedInstanceError: As `feed`.
            DeidentificationError: As `feed`, or the object ended too early.
        """
        self._begin()
        if self._inflater is not None:
            self._inflater.finish()
        written = self._try_head(final=True) if self._pixels is None else []
        if self._pixels is not None:
            self._pixels.finish()
        self._passes = True
        return written + self._held

    def _begin(self) -> None:
        if not self._usable:
            raise DeidentificationError("The object was refused before, or is over.")
        self._usable = False  # until it has gone well

    def _inflated(self, data: Octets) -> list[Octets]:
        if self._inflater is None:
            return self._dataset(data)
        written: list[Octets] = []
        for piece in self._inflater.feed(data):
            written += self._dataset(piece)
        return written

    def _dataset(self, data: Octets) -> list[Octets]:
        """Return what may go out after `data`, which is not deflated any more."""
        if self._pixels is not None:
            return self._passing(self._pixels, data)
        self._chunks.append(data)
        self.collected += len(data)
        if self.collected < self._needed:
            return []
        return self._try_head(final=False)

    def _try_head(self, *, final: bool) -> list[Octets]:
        """Read the head if it is complete, and what comes after it."""
        data = b"".join(self._chunks)
        self._chunks = [data]
        try:
            if self._head is None:
                return self._read_meta(data, final=final)
            head = self._head.rewrite(data, self._start, final=final)
        except IncompleteError as incomplete:
            self._wait(incomplete.needed, final=final)
            return []
        end = len(data) if head.pixels is None else head.pixels.end
        if end > self._limits.head:
            raise self._too_big()
        self._chunks, self.collected = [], 0
        self._judge(head)
        if self._pixels is None:
            return []
        return self._passing(self._pixels, memoryview(data)[end:])

    def _wait(self, needed: int, *, final: bool) -> None:
        """Wait for at least `needed` bytes, and for twice those that are there.

        So the head is read a few times at most, however small the pieces are.
        """
        if final:
            raise malformed("the data end within an element")
        if max(needed, self.collected) > self._limits.head:
            raise self._too_big()
        self._needed = max(needed, min(2 * self.collected, self._limits.head))

    @staticmethod
    def _too_big() -> DeidentificationError:
        return DeidentificationError("The head of the object is too big.")

    def _read_meta(self, data: bytes, *, final: bool) -> list[Octets]:
        syntax, start = file_meta.read(data)
        self._open(syntax)
        if self._inflater is None:
            self._start = start
            return self._try_head(final=final)
        self._chunks, self.collected = [], 0
        written = self._inflated(data[start:])
        if final:
            self._inflater.finish()
            return self._try_head(final=True) if self._pixels is None else written
        return written

    def _open(self, syntax: str) -> None:
        """Take notice of the transfer syntax of the dataset."""
        coder = self._plan.coder(wire_of(syntax))
        self._syntax = syntax
        self._coder = coder
        self._needed = 1
        self._head = HeadRewriter(self._plan, coder, self._gate, _WANTED, self._limits)
        if syntax == DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN:
            self._inflater = Inflater()

    def _judge(self, head: Head) -> None:
        """Ask the gate, and prepare what goes out first."""
        values = {**head.facts.values, file_meta.TRANSFER_SYNTAX_UID: (self._syntax,)}
        self.facts = Facts(values, head.facts.nested, head.facts.items)
        verdict = self._gate.judge(self.facts)
        if verdict.outcome is not Outcome.ALLOWED:
            raise BlockedInstanceError(verdict)
        if head.pixels is not None:
            self._pixels = pixel_stream(head.pixels, self._syntax, values)
        self._held.append(self._written(head))
        if self._pixels is not None:
            self._held.append(self._pixels.header)

    def _written(self, head: Head) -> bytes:
        """Return the head as it goes out."""
        found = head.elements
        needed = self._plan.rules.additions_need
        values = {tag: self._coder.values(found.get(tag)) for tag in needed}
        facts = {tag: "\\".join(one) for tag, one in values.items() if one is not None}
        elements = {**found, **self._coder.additions(facts)}
        if head.pixels is not None:
            # What the rules add on purpose (decoded colours) is no misunderstanding.
            self._check_layout(found, head.facts)
        drop_false_tables(self._coder.wire, elements)
        dataset = b"".join([elements[tag] for tag in sorted(elements)])
        return self._meta(elements) + dataset if self._is_file else dataset

    def _check_layout(self, elements: Mapping[int, bytes], facts: Facts) -> None:
        """Refuse pixels that their reader would understand otherwise than we do."""
        for tag in LAYOUT_TAGS & facts.values.keys():
            known = tuple(facts.values[tag])
            if known and self._coder.values(elements.get(tag)) != known:
                raise malformed("what describes the pixels cannot be kept")

    def _meta(self, elements: dict[int, bytes]) -> bytes:
        sop_class = elements.get(_SOP_CLASS, b"")[_VALUE_AT:]
        sop_instance = elements.get(_SOP_INSTANCE, b"")[_VALUE_AT:]
        if not sop_class or not sop_instance:
            raise malformed("the SOP Class UID or SOP Instance UID is missing")
        return file_meta.write(sop_class, sop_instance, self.transfer_syntax)

    def _passing(self, pixels: PixelStream, data: Octets) -> list[Octets]:
        """Return what may go out of the pixels.

        The head is held back until pixels follow, so that an object whose pixels are
        no pixels is refused while something else can still be shown in its place.
        """
        pieces = [piece for piece in pixels.feed(data) if piece]
        if not self._passes:
            self._passes = pixels.passing
            if not self._passes:
                self._held += pieces
                return []
            pieces = self._held + pieces
            self._held = []
        return pieces


def rewrite(
    data: bytes,
    rules: Rules,
    gate: Gate,
    *,
    limits: Limits = Limits(),  # noqa: B008  # frozen
    plan: Plan | None = None,
    transfer_syntax: str | None = None,
) -> bytes:
    """Return a whole object de-identified; see `InstanceRewriter`."""
    rewriter = InstanceRewriter(
        rules, gate, limits, plan=plan, transfer_syntax=transfer_syntax
    )
    written: list[Octets] = []
    for at in range(0, len(data), _PIECE):
        written += rewriter.feed(data[at : at + _PIECE])
    return b"".join(written + rewriter.finish())
