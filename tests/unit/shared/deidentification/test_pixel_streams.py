"""Pixels on their way: cut at their length, spare bits cleaned, fragments walked."""

import io
import struct
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.utils import compress
from pydicom.uid import UID, RLELossless
from typing_extensions import override

from orthanc_share.deidentification.actions import Action, DeidentificationError
from orthanc_share.deidentification.frames import frame_blanker
from orthanc_share.deidentification.part10 import InstanceRewriter, rewrite
from orthanc_share.deidentification.pixel_cells import LAYOUT_TAGS, PixelLayout
from tests.unit.shared.deidentification.byte_samples import (
    BIG,
    CT,
    EXPLICIT,
    IMPLICIT,
    JPEG_2000,
    JPEG_BASELINE,
    LITTLE,
    RLE,
    SECRET,
    UNDEFINED,
    WRITERS,
    SimpleGate,
    SimpleRules,
    encapsulated,
    head,
    image,
    in_pieces,
    meta,
    rewritten,
)
from tests.unit.shared.deidentification.compressed_samples import (
    COMMENT,
    even,
    jpeg,
    jpeg_2000,
    rle,
    with_segments,
)

every_native = pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG])
every_size = pytest.mark.parametrize("size", [1, 3, 50, 1 << 20])
AFTER = LITTLE.el(0xFFFCFFFC, "OB", SECRET)


def _pieces(data: bytes, size: int) -> bytes:
    rewriter = InstanceRewriter(SimpleRules(), SimpleGate())
    made = [one for piece in in_pieces(data, size) for one in rewriter.feed(piece)]
    return b"".join(made + rewriter.finish())


def _pixels(made: bytes) -> bytes:
    return bytes(dcmread(io.BytesIO(made)).PixelData)


@every_native
@every_size
def test_more_bytes_than_pixels_are_cut_off(syntax: str, size: int) -> None:
    data = image(syntax, bytes(range(8)) + SECRET, AFTER)
    assert _pixels(_pieces(data, size)) == bytes(range(8))
    assert SECRET not in _pieces(data, size)


@every_native
@pytest.mark.parametrize("length", [0, 2, 7])
def test_fewer_bytes_than_pixels_are_refused(syntax: str, length: int) -> None:
    with pytest.raises(DeidentificationError, match="fewer"):
        rewritten(image(syntax, bytes(length)))


@every_native
def test_pixels_that_are_cut_off_are_refused(syntax: str) -> None:
    with pytest.raises(DeidentificationError, match="within the pixels"):
        rewritten(image(syntax, bytes(8) + SECRET)[:-1])


@every_size
def test_the_byte_that_makes_the_length_even_is_zero(size: int) -> None:
    numbers = {"rows": 3, "columns": 3, "allocated": 8, "stored": 8, "high_bit": 7}
    data = image(EXPLICIT, bytes(range(9)) + b"Q", numbers=numbers)
    assert _pixels(_pieces(data, size)) == bytes(range(9)) + b"\0"
    exact = data[:-1].replace(b"OW\0\0\x0a\0", b"OW\0\0\x09\0")
    assert _pieces(exact, size) == _pieces(data, size)


def test_single_bits_fill_bytes() -> None:
    numbers = {"rows": 3, "columns": 7, "allocated": 1, "stored": 1, "high_bit": 0}
    data = image(EXPLICIT, b"\xff\xff\xffQ", numbers=numbers)
    assert _pixels(rewritten(data)) == b"\xff\xff\xff\0"


@every_native
@every_size
@pytest.mark.parametrize(
    ("bits", "pixel", "clean"),
    [
        ((0, 12, 11), 0xF123, 0x0123),
        ((0, 12, 11), 0x0FFF, 0x0FFF),
        ((0, 12, 15), 0x1239, 0x1230),
        ((0, 8, 11), 0xF12F, 0x0120),
        ((1, 12, 11), 0x1FFF, 0xFFFF),
        ((1, 12, 11), 0xFFFF, 0xFFFF),
        ((1, 12, 11), 0xF7FF, 0x07FF),
        ((1, 8, 11), 0x0F1F, 0xFF10),
    ],
)
def test_bits_that_are_no_pixels_are_cleaned(
    syntax: str, size: int, bits: tuple[int, int, int], pixel: int, clean: int
) -> None:
    order = WRITERS[syntax].order
    numbers = dict(zip(("signed", "stored", "high_bit"), bits, strict=True))
    data = image(syntax, struct.pack(f"{order}4H", pixel, 0, pixel, 0), numbers=numbers)
    expected = struct.pack(f"{order}4H", clean, 0, clean, 0)
    assert _pixels(_pieces(data, size)) == expected


@pytest.mark.parametrize(("allocated", "form"), [(8, "B"), (32, "I"), (64, "Q")])
def test_cells_of_other_sizes_are_cleaned_too(allocated: int, form: str) -> None:
    numbers = {"allocated": allocated, "stored": allocated - 1}
    numbers["high_bit"] = allocated - 2
    cells = (1 << allocated) - 1, 5, 1 << (allocated - 1), 7
    data = image(EXPLICIT, struct.pack(f"<4{form}", *cells), numbers=numbers)
    expected = struct.pack(f"<4{form}", (1 << (allocated - 1)) - 1, 5, 0, 7)
    assert _pixels(rewritten(data)) == expected


@pytest.mark.parametrize(
    "numbers",
    [
        {"rows": 0},
        {"columns": 0},
        {"samples": 0},
        {"samples": 5},
        {"allocated": 12},
        {"allocated": 0},
        {"stored": 17},
        {"stored": 0},
        {"stored": 12, "high_bit": 10},
        {"high_bit": 16},
        {"allocated": 1, "stored": 2},
        {"allocated": 1, "stored": 1, "high_bit": 1},
    ],
)
def test_a_layout_that_cannot_be_is_refused(numbers: dict[str, int]) -> None:
    with pytest.raises(DeidentificationError, match="cannot be"):
        rewritten(image(EXPLICIT, bytes(64), numbers=numbers))


@pytest.mark.parametrize("tag", [0x00280010, 0x00280011, 0x00280100])
@pytest.mark.parametrize("value", [None, b"", b"\1\0\2\0", b"\1"])
def test_pixels_without_a_size_are_refused(tag: int, value: bytes | None) -> None:
    data = image()
    element = data[data.index(LITTLE.tag(tag)) :][:10]
    other = b"" if value is None else LITTLE.el(tag, "US", value)
    with pytest.raises(DeidentificationError, match="missing or is none"):
        rewritten(data.replace(element, other))


def test_what_may_be_missing_has_the_value_that_follows_from_the_others() -> None:
    gone = (0x00280002, 0x00280101, 0x00280102, 0x00280103)
    data = image(EXPLICIT, bytes(range(8)))
    for tag in gone:
        element = data[data.index(LITTLE.tag(tag)) :][:10]
        data = data.replace(element, b"")
    assert b"\x28\0\x01\1US" not in data
    assert rewritten(data).endswith(bytes(range(8)))


@pytest.mark.parametrize(
    ("number", "vr"), [("2", "LO"), ("2", "UT"), ("2", "UN"), ("2", "SH")]
)
def test_pixels_must_be_described_by_what_is_written(number: str, vr: str) -> None:
    # The frames would pass, and their number would not.
    class Rules(SimpleRules):
        @override
        def decide(self, tag: int, vr: str) -> Action:
            dropped = tag == 0x00280008 and vr != "IS"
            return Action.DROP if dropped else super().decide(tag, vr)

    data = encapsulated(JPEG_BASELINE, JPEG_FRAME, JPEG_FRAME, frames=2)
    assert rewrite(data, Rules(), SimpleGate())
    other = data.replace(
        LITTLE.el(0x00280008, "IS", number), LITTLE.el(0x00280008, vr, number)
    )
    with pytest.raises(DeidentificationError, match="pixels"):
        rewrite(other, Rules(), SimpleGate())


FULL_422 = LITTLE.el(0x00280004, "CS", "YBR_FULL_422")


@pytest.mark.parametrize(
    ("given", "passed"), [(24, 24), (26, 24), (16, 16), (20, 16), (15, None)]
)
def test_two_pixels_may_share_their_colour(given: int, passed: int | None) -> None:
    numbers = {"samples": 3, "rows": 2, "columns": 4, "allocated": 8, "stored": 8}
    data = head(LITTLE, {"high_bit": 7, **numbers})
    at = data.index(LITTLE.tag(0x00280010))
    data = data[:at] + FULL_422 + data[at:]
    data = meta() + data + LITTLE.el(0x7FE00010, "OB", bytes(range(given)))
    if passed is None:
        with pytest.raises(DeidentificationError, match="fewer"):
            rewritten(data)
        return
    assert rewritten(data).endswith(bytes(range(passed)))


@pytest.mark.parametrize(
    ("tag", "vr", "cell"), [(0x7FE00008, "OF", 4), (0x7FE00009, "OD", 8)]
)
def test_floats_pass(tag: int, vr: str, cell: int) -> None:
    pixels = bytes(range(4 * cell))
    data = meta() + head(LITTLE) + LITTLE.el(tag, vr, pixels + SECRET) + AFTER
    assert rewritten(data).endswith(LITTLE.el(tag, vr, pixels))


@pytest.mark.parametrize(
    ("tag", "vr"),
    [
        (0x7FE00008, "OW"),
        (0x7FE00009, "OF"),
        (0x7FE00010, "OF"),
        (0x7FE00010, "UN"),
        (0x7FE00010, "SQ"),
        (0x7FE00010, "LO"),
    ],
)
def test_pixels_of_a_wrong_vr_are_refused(tag: int, vr: str) -> None:
    data = meta() + head(LITTLE) + LITTLE.el(tag, vr, bytes(32))
    with pytest.raises(DeidentificationError, match="VR of the pixels"):
        rewritten(data)


def test_pixels_of_undefined_length_must_be_compressed() -> None:
    data = encapsulated(EXPLICIT, bytes(8))
    with pytest.raises(DeidentificationError, match="without a length"):
        rewritten(data)


def test_compressed_pixels_must_be_encapsulated() -> None:
    whole = meta(JPEG_BASELINE) + head(LITTLE) + LITTLE.el(0x7FE00010, "OB", bytes(8))
    with pytest.raises(DeidentificationError, match="not encapsulated"):
        rewritten(whole)


def _file(
    syntax: str, pixel_data: bytes, frames: int, allocated: int = 8, size: int = 64
) -> bytes:
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID = CT, "1.2.3"
    made.Rows = made.Columns = size
    made.NumberOfFrames = frames
    made.SamplesPerPixel, made.PixelRepresentation = 1, 0
    made.PhotometricInterpretation = "MONOCHROME2"
    made.BitsAllocated = made.BitsStored = allocated
    made.HighBit = allocated - 1
    made.PixelData = pixel_data
    made["PixelData"].VR = "OB" if UID(syntax).is_encapsulated else "OW"
    made["PixelData"].is_undefined_length = UID(syntax).is_encapsulated
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = UID(syntax)
    out = io.BytesIO()
    made.save_as(out, enforce_file_format=True)
    return out.getvalue()


@every_size
@pytest.mark.parametrize("fragments", [1, 3, 40])
@pytest.mark.parametrize("table", [True, False])
def test_frames_in_many_fragments_are_blanked_across_them(
    size: int, fragments: int, *, table: bool
) -> None:
    frame = even(with_segments(jpeg(), COMMENT, COMMENT))
    value = encapsulate([frame] * 3, fragments_per_frame=fragments, has_bot=table)
    data = _file(JPEG_BASELINE, value, 3)
    made = _pieces(data, size)
    assert SECRET not in made
    assert SECRET[:4] not in made
    read = dcmread(io.BytesIO(made))
    clean = dcmread(io.BytesIO(_file(JPEG_BASELINE, encapsulate([jpeg()] * 3), 3)))
    assert len(read.PixelData) == len(value) - len(value) % 2
    assert np.array_equal(read.pixel_array, clean.pixel_array)


@every_size
def test_jpeg_2000_frames_keep_their_pixels(size: int) -> None:
    frames = [even(jpeg_2000()), even(jpeg_2000(tiles=16))]
    made = _pieces(_file(JPEG_2000, encapsulate(frames), 2), size)
    read = dcmread(io.BytesIO(made))
    source = dcmread(io.BytesIO(_file(JPEG_2000, encapsulate(frames), 2)))
    assert np.array_equal(read.pixel_array, source.pixel_array)


@every_size
def test_rle_frames_stay_as_they_are(size: int) -> None:
    rng = np.random.default_rng(3)
    pixels = rng.integers(0, 2000, (3, 64, 64), dtype="u2")
    pixels[:, :32] = 7
    made = dcmread(io.BytesIO(_file(EXPLICIT, pixels.tobytes(), 3, 16)))
    compress(made, RLELossless, encoding_plugin="pydicom")
    out = io.BytesIO()
    made.save_as(out, enforce_file_format=True)
    read = dcmread(io.BytesIO(_pieces(out.getvalue(), size)))
    assert read.PixelData == made.PixelData
    assert np.array_equal(read.pixel_array, pixels)


JPEG_FRAME = even(jpeg())


def _table(*offsets: int) -> bytes:
    return struct.pack(f"<{len(offsets)}I", *offsets)


GOOD = {
    "one fragment": encapsulated(JPEG_BASELINE, JPEG_FRAME),
    "a table": encapsulated(JPEG_BASELINE, JPEG_FRAME, table=_table(0)),
    "a table of two": encapsulated(
        JPEG_BASELINE, *[JPEG_FRAME] * 2, frames=2, table=_table(0, 8 + len(JPEG_FRAME))
    ),
    "a VR of words": encapsulated(JPEG_BASELINE, JPEG_FRAME, vr="OW"),
    "a frame with padding in a fragment of its own": encapsulated(
        JPEG_BASELINE, JPEG_FRAME[:-2], JPEG_FRAME[-2:]
    ),
}


@pytest.mark.parametrize("what", GOOD)
@every_size
def test_encapsulated_pixels_pass_and_nothing_after_them(what: str, size: int) -> None:
    made = _pieces(GOOD[what] + AFTER + SECRET, size)
    assert made == rewritten(GOOD[what])
    assert made.endswith(GOOD[what][GOOD[what].index(LITTLE.tag(0x7FE00010)) :])


def _raw(*parts: bytes) -> bytes:
    start = encapsulated(JPEG_BASELINE)
    return start[: start.index(LITTLE.tag(0x7FE00010)) + 12] + b"".join(parts)


EMPTY_TABLE = LITTLE.item()
END = LITTLE.tag(0xFFFEE0DD) + bytes(4)
BAD = {
    "no end": _raw(EMPTY_TABLE, LITTLE.item(JPEG_FRAME)),
    "an end cut off": _raw(EMPTY_TABLE, LITTLE.item(JPEG_FRAME), END[:7]),
    "an end with a length": _raw(EMPTY_TABLE, LITTLE.item(JPEG_FRAME), END[:4], SECRET),
    "no table": _raw(END),
    "no frame": _raw(EMPTY_TABLE, END),
    "an empty fragment": _raw(EMPTY_TABLE, LITTLE.item(), END),
    "an odd fragment": _raw(EMPTY_TABLE, LITTLE.item(JPEG_FRAME + b"Q"), END),
    "no item": _raw(EMPTY_TABLE, SECRET, END),
    "an item of undefined length": _raw(
        EMPTY_TABLE, LITTLE.tag(0xFFFEE000), b"\xff" * 4, JPEG_FRAME, END
    ),
    "text in the table": _raw(LITTLE.item(SECRET), LITTLE.item(JPEG_FRAME), END),
    "a table that starts elsewhere": encapsulated(
        JPEG_BASELINE, JPEG_FRAME, table=SECRET[:4]
    ),
    "a table in disorder": encapsulated(
        JPEG_BASELINE, JPEG_FRAME, JPEG_FRAME, frames=2, table=_table(0, 0)
    ),
    "a table cut off": _raw(LITTLE.item(_table(0))[:-1]),
    "a frame too few": encapsulated(JPEG_BASELINE, JPEG_FRAME, frames=2),
    "a frame too many": encapsulated(JPEG_BASELINE, JPEG_FRAME, JPEG_FRAME),
    "a frame cut off": encapsulated(JPEG_BASELINE, JPEG_FRAME[:-4]),
    "a frame cut off before another": encapsulated(
        JPEG_BASELINE, JPEG_FRAME[:-4], JPEG_FRAME, frames=2
    ),
    "text for a frame": encapsulated(JPEG_BASELINE, SECRET),
    "text after a frame": encapsulated(JPEG_BASELINE, JPEG_FRAME, SECRET),
    "a compressed image of another kind": encapsulated(JPEG_2000, JPEG_FRAME),
    "an RLE frame in two fragments": encapsulated(
        RLE, rle(b"\xfd\0", b"\xfd\0")[:66], rle(b"\xfd\0", b"\xfd\0")[66:]
    ),
    "no frames": encapsulated(JPEG_BASELINE, JPEG_FRAME, frames=0),
    "float pixels": _raw().replace(LITTLE.tag(0x7FE00010), LITTLE.tag(0x7FE00008))
    + LITTLE.item(JPEG_FRAME)
    + END,
}


@pytest.mark.parametrize("what", BAD)
@every_size
def test_bad_encapsulated_pixels_are_refused(what: str, size: int) -> None:
    with pytest.raises(DeidentificationError) as refused:
        _pieces(BAD[what], size)
    assert "QZ" not in str(refused.value)


def test_float_pixels_are_not_encapsulated() -> None:
    value = EMPTY_TABLE + LITTLE.item(JPEG_FRAME) + END
    pixels = LITTLE.el(0x7FE00008, "OF", value, UNDEFINED)
    with pytest.raises(DeidentificationError, match="not encapsulated"):
        rewritten(meta(JPEG_BASELINE) + head(LITTLE) + pixels)


def _layout(**numbers: int) -> PixelLayout:
    known: dict[str, Any] = {
        "rows": 2, "columns": 2, "samples": 1, "frames": 5, "allocated": 16,
        "stored": 12, "high_bit": 11,
    } | numbers  # fmt: skip
    return PixelLayout(**known)


@every_native
@every_size
def test_a_bare_frame_is_cleaned_and_cut(syntax: str, size: int) -> None:
    order = WRITERS[syntax].order
    frame = frame_blanker(syntax, _layout())
    source = struct.pack(f"{order}4H", 0xF123, 1, 2, 0xFFFF) + SECRET
    made = b"".join([frame.feed(piece) for piece in in_pieces(source, size)])
    frame.finish()
    assert made == struct.pack(f"{order}4H", 0x0123, 1, 2, 0x0FFF)


def test_a_bare_frame_that_is_too_short_is_refused() -> None:
    frame = frame_blanker(EXPLICIT, _layout())
    frame.feed(bytes(7))
    with pytest.raises(DeidentificationError, match="fewer"):
        frame.finish()


def test_a_bare_frame_that_is_not_compressed_needs_a_layout() -> None:
    with pytest.raises(DeidentificationError, match="missing"):
        frame_blanker(EXPLICIT)


def test_a_layout_is_read_from_what_the_rewriter_knows() -> None:
    rewriter = InstanceRewriter(SimpleRules(), SimpleGate())
    rewriter.feed(
        image(EXPLICIT, bytes(8), numbers={"stored": 12, "high_bit": 11, "signed": 1})
    )
    assert rewriter.facts is not None
    assert rewriter.facts.values.keys() >= LAYOUT_TAGS - {0x00280004, 0x00280008}
    layout = PixelLayout.from_facts(rewriter.facts.values)
    assert layout == PixelLayout(2, 2, 1, 1, 16, 12, 11, signed=True)
