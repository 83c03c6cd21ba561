"""Files and datasets that stream through the byte codec."""

import io
import zlib

import pytest
from pydicom import dcmread

from orthanc_share.deidentification.actions import DeidentificationError
from orthanc_share.deidentification.file_meta import IMPLEMENTATION_CLASS_UID
from orthanc_share.deidentification.gate import BlockedInstanceError, Outcome
from orthanc_share.deidentification.part10 import InstanceRewriter, rewrite
from orthanc_share.deidentification.plan import Plan
from tests.unit.shared.deidentification.byte_samples import (
    BIG,
    CT,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    JPEG_BASELINE,
    LITTLE,
    SECRET,
    WRITERS,
    SimpleGate,
    SimpleRules,
    encapsulated,
    feed_silently,
    head,
    image,
    in_pieces,
    mapped,
    meta,
    rewritten,
)

PIXELS = bytes(range(8))
AFTER = LITTLE.el(0x7FE10010, "LO", SECRET) + LITTLE.el(0xFFFCFFFC, "OB", SECRET)
DOCUMENT = meta() + LITTLE.el(0x00080016, "UI", CT) + LITTLE.el(0x00080018, "UI", "1.2")

every_syntax = pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG, DEFLATED])


@every_syntax
def test_pixels_pass_and_nothing_after_them(syntax: str) -> None:
    made = rewritten(image(syntax, PIXELS, AFTER))
    assert SECRET not in made
    read = dcmread(io.BytesIO(made))
    assert read.PixelData == PIXELS
    assert read.Rows == 2
    assert "PatientName" not in read
    assert read.SOPInstanceUID == mapped("1.2.3")


@every_syntax
def test_preamble_and_file_meta_information_are_new(syntax: str) -> None:
    made = rewritten(image(syntax))
    assert made.startswith(bytes(128) + b"DICM")
    read = dcmread(io.BytesIO(made)).file_meta
    assert {element.keyword: str(element.value) for element in read} == {
        "FileMetaInformationGroupLength": str(read[0x00020000].value),
        "FileMetaInformationVersion": r"b'\x00\x01'",
        "MediaStorageSOPClassUID": CT,
        "MediaStorageSOPInstanceUID": mapped("1.2.3"),
        "TransferSyntaxUID": EXPLICIT if syntax == DEFLATED else syntax,
        "ImplementationClassUID": IMPLEMENTATION_CLASS_UID,
    }


@every_syntax
@pytest.mark.parametrize("size", [1, 2, 13, 100, 1 << 20])
def test_the_size_of_the_pieces_changes_nothing(syntax: str, size: int) -> None:
    data = image(syntax, PIXELS, AFTER)
    rewriter = InstanceRewriter(SimpleRules(), SimpleGate())
    made = b""
    for piece in in_pieces(data, size):
        made += b"".join(rewriter.feed(piece))
        assert rewriter.started == bool(made)
    made += b"".join(rewriter.finish())
    assert rewriter.started
    assert made == rewritten(data)


def test_deflated_files_come_out_as_explicit_little_endian() -> None:
    rewriter = InstanceRewriter(SimpleRules(), SimpleGate())
    assert rewriter.transfer_syntax == ""
    data = image(DEFLATED)
    out = rewriter.feed(data)
    assert rewriter.transfer_syntax == EXPLICIT
    made = b"".join(out + rewriter.finish())
    assert made == rewritten(image(EXPLICIT))


def test_a_deflated_document_without_pixels_passes_at_its_end() -> None:
    dataset = DOCUMENT.removeprefix(meta())
    deflate = zlib.compressobj(wbits=-15)
    data = meta(DEFLATED) + deflate.compress(dataset) + deflate.flush()
    assert rewritten(data) == rewritten(DOCUMENT)


def test_what_follows_a_deflated_stream_is_dropped() -> None:
    assert rewritten(image(DEFLATED) + SECRET) == rewritten(image(EXPLICIT))


@pytest.mark.parametrize("cut", [1, 3, 20])
def test_a_deflated_stream_without_an_end_is_refused(cut: int) -> None:
    with pytest.raises(DeidentificationError):
        rewritten(image(DEFLATED)[:-cut])


@pytest.mark.parametrize("with_pixels", [True, False])
def test_a_deflated_dataset_without_file_meta_can_be_given(
    *, with_pixels: bool
) -> None:
    data = head(LITTLE) + (LITTLE.el(0x7FE00010, "OW", PIXELS) if with_pixels else b"")
    deflate = zlib.compressobj(wbits=-15)
    deflated = deflate.compress(data) + deflate.flush()
    made = rewritten(deflated, DEFLATED)
    assert made == rewritten(data, EXPLICIT)
    with pytest.raises(DeidentificationError, match="no end"):
        rewritten(deflated[:-4], DEFLATED)


def test_what_is_not_deflated_is_refused() -> None:
    data = meta(DEFLATED) + b"\xff" * 100
    with pytest.raises(DeidentificationError, match="damaged"):
        rewritten(data)


def test_a_stream_that_inflates_to_gigabytes_stays_small_in_memory() -> None:
    deflate = zlib.compressobj(wbits=-15)
    bomb = deflate.compress(head(LITTLE) + LITTLE.el(0x7FE00010, "OW", b"", 2**31))
    for _ in range(64):
        bomb += deflate.compress(bytes(2**20))
    bomb += deflate.flush()
    rewriter = InstanceRewriter(SimpleRules(), SimpleGate(), transfer_syntax=DEFLATED)
    made = sum(
        len(one) for piece in in_pieces(bomb, 999) for one in rewriter.feed(piece)
    )
    assert made < 1000  # the image has 8 bytes
    with pytest.raises(DeidentificationError, match="within the pixels"):
        rewriter.finish()


def test_an_object_without_pixels_passes_at_its_end() -> None:
    rewriter = InstanceRewriter(SimpleRules(), SimpleGate())
    assert rewriter.feed(DOCUMENT) == []
    assert not rewriter.started
    read = dcmread(io.BytesIO(b"".join(rewriter.finish())))
    assert read.SOPInstanceUID == mapped("1.2")


@pytest.mark.parametrize("syntax", WRITERS)
def test_a_bare_dataset_comes_out_bare(syntax: str) -> None:
    writer = WRITERS[syntax]
    data = head(writer) + writer.el(0x7FE00010, "OW", PIXELS)
    made = rewritten(data, syntax)
    assert made.startswith(writer.el(0x00080016, "UI", CT))
    assert made.endswith(writer.el(0x7FE00010, "OW", PIXELS))


@pytest.mark.parametrize("outcome", [Outcome.BLOCKED, Outcome.MASKED])
@every_syntax
def test_what_the_gate_does_not_allow_gives_no_byte(
    syntax: str, outcome: Outcome
) -> None:
    rewriter = InstanceRewriter(SimpleRules(), SimpleGate(outcome))
    with pytest.raises(BlockedInstanceError) as blocked:
        feed_silently(rewriter, image(syntax), 50)
    assert blocked.value.verdict.outcome is outcome
    assert not rewriter.started
    assert rewriter.facts is not None
    assert rewriter.facts.values[0x00080018] == ("1.2.3",)
    assert rewriter.facts.values[0x00020010] == (syntax,)


def test_a_blocked_object_without_pixels_gives_no_byte() -> None:
    with pytest.raises(BlockedInstanceError):
        rewrite(DOCUMENT, SimpleRules(), SimpleGate(Outcome.BLOCKED))


def test_what_was_refused_is_refused_for_ever() -> None:
    rewriter = InstanceRewriter(SimpleRules(), SimpleGate(Outcome.BLOCKED))
    with pytest.raises(BlockedInstanceError):
        rewriter.feed(image())
    with pytest.raises(DeidentificationError, match="refused before"):
        rewriter.feed(PIXELS)
    with pytest.raises(DeidentificationError, match="refused before"):
        rewriter.finish()


def test_nothing_can_be_fed_after_the_end() -> None:
    rewriter = InstanceRewriter(SimpleRules(), SimpleGate())
    rewriter.feed(image())
    rewriter.finish()
    with pytest.raises(DeidentificationError, match="is over"):
        rewriter.feed(PIXELS)


def test_the_head_is_held_until_pixels_are_seen_to_be_pixels() -> None:
    data = encapsulated(JPEG_BASELINE, SECRET)
    rewriter = InstanceRewriter(SimpleRules(), SimpleGate())
    with pytest.raises(DeidentificationError, match="does not start"):
        feed_silently(rewriter, data, 1)
    assert not rewriter.started


@pytest.mark.parametrize("missing", [0x00080016, 0x00080018])
def test_a_file_without_its_uids_is_refused(missing: int) -> None:
    uids = {0x00080016: CT, 0x00080018: "1.2"}
    del uids[missing]
    data = b"".join(LITTLE.el(tag, "UI", uid) for tag, uid in uids.items())
    with pytest.raises(DeidentificationError, match="missing"):
        rewritten(meta() + data)
    empty = {**uids, missing: ""}
    data = b"".join(LITTLE.el(tag, "UI", empty[tag]) for tag in sorted(empty))
    with pytest.raises(DeidentificationError, match="missing"):
        rewritten(meta() + data)


def test_what_a_plan_remembers_changes_nothing() -> None:
    plan = Plan(SimpleRules())
    for syntax in (EXPLICIT, IMPLICIT, BIG, EXPLICIT, DEFLATED):
        data = image(syntax, PIXELS)
        made = rewrite(data, plan.rules, SimpleGate(), plan=plan)
        assert made == rewritten(data)


def test_what_a_plan_remembers_is_bounded() -> None:
    plan = Plan(SimpleRules())
    coder = plan.coder(next(iter(plan._coders)))
    for batch in range(3):
        data = b"".join(
            LITTLE.el(tag << 16 | 0x1000 + batch, "LO", str(tag))
            for tag in range(0x0011, 0x4000)
        )
        rewrite(data, plan.rules, SimpleGate(), plan=plan, transfer_syntax=EXPLICIT)
        assert len(coder.steps) <= 8192
    for number in range(9000):
        data = LITTLE.el(0x00080008, "CS", str(number))
        rewrite(data, plan.rules, SimpleGate(), plan=plan, transfer_syntax=EXPLICIT)
        assert len(coder.pieces) <= 8192


def test_long_values_are_not_remembered() -> None:
    plan = Plan(SimpleRules())
    coder = plan.coder(next(iter(plan._coders)))
    data = LITTLE.el(0x00080008, "CS", "A" * 1000)
    made = rewrite(data, plan.rules, SimpleGate(), plan=plan, transfer_syntax=EXPLICIT)
    assert made == data
    assert coder.pieces == {}


def _file(*elements: bytes, length: int | None = None, magic: bytes = b"DICM") -> bytes:
    group = b"".join(elements)
    stated = len(group) if length is None else length
    start = LITTLE.el(0x00020000, "UL", stated) if stated >= 0 else b""
    return bytes(128) + magic + start + group + DOCUMENT.removeprefix(meta())


SYNTAX = LITTLE.el(0x00020010, "UI", EXPLICIT)


@pytest.mark.parametrize(
    "data",
    [
        _file(SYNTAX),
        _file(LITTLE.el(0x00020001, "OB", b"\0\1"), SYNTAX),
        _file(SYNTAX, length=-1),
    ],
)
@pytest.mark.parametrize("size", [1, 1000])
def test_file_meta_information_may_lack_its_length(data: bytes, size: int) -> None:
    rewriter = InstanceRewriter(SimpleRules(), SimpleGate())
    for piece in in_pieces(data, size):
        rewriter.feed(piece)
    assert b"".join(rewriter.finish()) == rewritten(DOCUMENT)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (_file(SYNTAX, magic=b"DICN"), "no DICOM file"),
        (SECRET * 100, "no DICOM file"),
        (SECRET, "end within"),
        (b"", "end within"),
        (bytes(128) + b"DICM", "end within"),
        (_file(SYNTAX, length=len(SYNTAX) + 2), "wrong"),
        (_file(SYNTAX, length=len(SYNTAX) - 2), "out of order"),
        (_file(SYNTAX, length=len(SYNTAX) + 100), "wrong"),
        (_file(SYNTAX, LITTLE.el(0x00020001, "OB", b"\0\1")), "out of order"),
        (_file(SYNTAX, SYNTAX), "out of order"),
        (_file(LITTLE.el(0x00020000, "UL", b"QZ"), length=-1), "wrong"),
        (_file(LITTLE.el(0x00020010, "QZ", SECRET)), "unknown VR"),
        (_file(LITTLE.el(0x00020102, "OB", bytes(70_000)), SYNTAX), "too long"),
        (_file(LITTLE.el(0x00020010, "UI", "1.2.840.10008.1.2.4.94")), "cleaned"),
        (_file(LITTLE.el(0x00020010, "UI", "1.2.840.10008.1.2.4.100")), "cleaned"),
        (_file(LITTLE.el(0x00020010, "UI", SECRET)), "cleaned"),
        (_file(LITTLE.el(0x00020002, "UI", CT)), "cleaned"),
        (_file(SYNTAX)[:170], "end within"),
    ],
)
@pytest.mark.parametrize("size", [1, 100_000])
def test_a_bad_start_of_a_file_is_refused(data: bytes, why: str, size: int) -> None:
    rewriter = InstanceRewriter(SimpleRules(), SimpleGate())
    with pytest.raises(DeidentificationError, match=why) as refused:
        feed_silently(rewriter, data, size)
    assert "QZ" not in str(refused.value)


@pytest.mark.parametrize("syntax", ["", "1.2.3", "1.2.840.10008.1.2.4.110"])
def test_a_bare_dataset_in_an_unknown_encoding_is_refused(syntax: str) -> None:
    with pytest.raises(DeidentificationError, match="cleaned"):
        InstanceRewriter(SimpleRules(), SimpleGate(), transfer_syntax=syntax)
