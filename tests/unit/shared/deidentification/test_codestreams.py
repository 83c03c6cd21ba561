"""Compressed images: what is not pixels is blanked, what is no image is refused."""

import io

import numpy as np
import pytest
from PIL import Image

from orthanc_share.deidentification.actions import DeidentificationError
from orthanc_share.deidentification.frames import frame_blanker
from orthanc_share.deidentification.pixel_cells import PixelLayout
from tests.unit.shared.deidentification.byte_samples import (
    JPEG_2000,
    JPEG_BASELINE,
    JPEG_LS,
    RLE,
    SECRET,
    in_pieces,
)
from tests.unit.shared.deidentification.compressed_samples import (
    COMMENT,
    FRAME,
    SCAN,
    SIZE,
    by_hand,
    jp2,
    jpeg,
    jpeg_2000,
    jpeg_by_hand,
    rle,
    segment,
    tile_part,
    with_segments,
)

every_size = pytest.mark.parametrize("size", [1, 3, 64, 1 << 20])


def blanked(syntax: str, data: bytes, size: int = 1 << 20, area: int = 4) -> bytes:
    """Return one frame as it goes out."""
    layout = PixelLayout(1, area, 1, 1, 16, 16, 15)
    blanker = frame_blanker(syntax, layout if syntax == RLE else None)
    made = b"".join([blanker.feed(piece) for piece in in_pieces(data, size)])
    blanker.finish()
    assert len(made) == len(data)
    return made


def pixels(image: bytes) -> np.ndarray:
    """Return the pixels that Pillow finds."""
    with Image.open(io.BytesIO(image)) as opened:
        return np.asarray(opened)


@every_size
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("restart", [0, 1])
def test_a_clean_jpeg_image_stays_as_it_is(
    size: int, restart: int, *, progressive: bool
) -> None:
    image = jpeg(progressive=progressive, restart=restart)
    assert blanked(JPEG_BASELINE, image, size) == image


@every_size
@pytest.mark.parametrize("marker", [0xFE, *range(0xE1, 0xF0)])
def test_comments_and_application_data_are_blanked(size: int, marker: int) -> None:
    hidden = with_segments(jpeg(), segment(marker, SECRET), segment(marker, b"Exif\0"))
    hidden = hidden[:-2] + segment(marker, SECRET) + hidden[-2:]
    made = blanked(JPEG_BASELINE, hidden + SECRET, size)
    assert SECRET not in made
    assert b"Exif" not in made
    assert np.array_equal(pixels(made), pixels(jpeg()))


JFIF = b"JFIF\0\1\2\1\0\x48\0\x48"
ADOBE = b"Adobe\0\x64\0\0\0\0\1"


@pytest.mark.parametrize(
    ("marker", "payload", "kept"),
    [
        (0xE0, JFIF + b"\0\0", JFIF + b"\0\0"),
        (0xE0, JFIF + b"\2\1" + SECRET, JFIF + bytes(10)),
        (0xE0, b"JFXX\0\x10" + SECRET, bytes(14)),
        (0xE8, b"mrfx\3", b"mrfx\3"),
        (0xE8, b"mrfx\3" + SECRET, b"mrfx\3" + bytes(8)),
        (0xE8, b"SPIFF\0" + SECRET, bytes(14)),
        (0xEE, ADOBE, ADOBE),
        (0xEE, ADOBE + SECRET, ADOBE + bytes(8)),
        (0xEE, SECRET, bytes(8)),
        (0xFE, b"", b""),
    ],
)
def test_only_what_decoders_need_of_application_data_stays(
    marker: int, payload: bytes, kept: bytes
) -> None:
    image = with_segments(jpeg(), segment(marker, payload))
    expected = with_segments(jpeg(), segment(marker, kept))
    assert blanked(JPEG_BASELINE, image) == expected


@every_size
def test_jpeg_ls_stuffs_bits_and_not_bytes(size: int) -> None:
    frame = segment(0xF7, bytes((8, 0, 2, 0, 2, 1, 1, 0x11, 0)))
    presets = segment(0xF8, b"\1" + bytes(10)) + segment(0xF8, b"\2\1\1table")
    image = jpeg_by_hand(frame, presets, SCAN, b"\x01\xff\x7f\xff\x00pixels\xff\x12")
    assert blanked(JPEG_LS, image, size) == image
    hidden = image[:-2] + COMMENT + image[-2:]
    blank = image[:-2] + segment(0xFE, bytes(8)) + image[-2:]
    assert blanked(JPEG_LS, hidden, size) == blank


@every_size
def test_fills_before_markers_pass(size: int) -> None:
    image = jpeg_by_hand(b"\xff" + FRAME, b"\xff\xff" + SCAN, b"pixels\xff\xff")
    assert blanked(JPEG_BASELINE, image, size) == image
    hidden = jpeg_by_hand(FRAME, SCAN, b"pixels\xff\xff" + COMMENT)
    assert SECRET not in blanked(JPEG_BASELINE, hidden, size)


TABLES = (
    segment(0xDB, b"\0" + bytes(64) + b"\x11" + bytes(128)),
    segment(0xC4, b"\0" + b"\1" + bytes(15) + b"\5" + b"\1" + b"\2" * 16 + bytes(32)),
    segment(0xCC, b"\0\1\2\3"),
    segment(0xDD, b"\0\4"),
)


def test_tables_pass_that_are_as_long_as_they_say() -> None:
    image = jpeg_by_hand(*TABLES, FRAME, SCAN, b"pixels", segment(0xDC, b"\0\2"))
    assert blanked(JPEG_BASELINE, image) == image


BAD_JPEG = {
    "nothing": b"",
    "half a marker": b"\xff",
    "no image": SECRET,
    "an image cut off": jpeg()[:-1],
    "an image cut off in a segment": jpeg()[:30],
    "no pixels": jpeg_by_hand(FRAME),
    "a scan without a frame": jpeg_by_hand(SCAN, b"pixels"),
    "two frames": jpeg_by_hand(FRAME, FRAME, SCAN, b"pixels"),
    "an image in an image": jpeg_by_hand(FRAME, SCAN, b"pixels\xff\xd8"),
    "bytes between segments": jpeg_by_hand(SECRET, FRAME, SCAN, b"pixels"),
    "a segment of no length": jpeg_by_hand(b"\xff\xfe\0\1", FRAME, SCAN, b"pixels"),
    "a reserved marker": jpeg_by_hand(segment(0x02, SECRET), FRAME, SCAN, b"pixels"),
    "an extension": jpeg_by_hand(segment(0xF0, SECRET), FRAME, SCAN, b"pixels"),
    "a restart in the header": jpeg_by_hand(b"\xff\xd0", FRAME, SCAN, b"pixels"),
    "hierarchical coding": jpeg_by_hand(segment(0xDE, FRAME[4:]), FRAME, SCAN, b"pix"),
    **{
        f"more than marker {one[1]:02x} says": jpeg_by_hand(
            segment(one[1], one[4:] + SECRET[:7]), FRAME, SCAN, b"pixels"
        )
        for one in (*TABLES, FRAME, SCAN, segment(0xDC, b"\0\2"))
    },
    "no precision": jpeg_by_hand(segment(0xC0, b"\10\0\2"), SCAN, b"pixels"),
    "no components": jpeg_by_hand(FRAME, segment(0xDA, b""), b"pixels"),
    "an unknown preset": jpeg_by_hand(segment(0xF8, b"\5" + SECRET), FRAME, SCAN, b"p"),
    "too long a preset": jpeg_by_hand(segment(0xF8, b"\1" + SECRET), FRAME, SCAN, b"p"),
}


@pytest.mark.parametrize("what", BAD_JPEG)
@every_size
def test_what_is_no_jpeg_image_is_refused(what: str, size: int) -> None:
    with pytest.raises(DeidentificationError) as refused:
        blanked(JPEG_BASELINE, BAD_JPEG[what], size)
    assert "QZ" not in str(refused.value)


@every_size
@pytest.mark.parametrize("tiles", [64, 16])
def test_a_jpeg_2000_image_keeps_its_pixels(size: int, tiles: int) -> None:
    image = jpeg_2000(tiles=tiles)
    comment = segment(0x64, b"\0\1" + SECRET)
    hidden = image[:2] + image[2:].replace(b"\xff\x52", comment + b"\xff\x52", 1)
    made = blanked(JPEG_2000, hidden + SECRET, size)
    assert SECRET not in made
    assert b"OpenJPEG" not in made
    assert np.array_equal(pixels(made), pixels(image))


@every_size
def test_comments_are_blanked_in_each_tile_part(size: int) -> None:
    comment, blank = segment(0x64, b"\0\1" + SECRET), segment(0x64, bytes(10))
    quantization = segment(0x5C, b"\0\0")
    parts = [quantization, tile_part(comment), tile_part(data=b""), tile_part(comment)]
    cleaned = [quantization, tile_part(blank), tile_part(data=b""), tile_part(blank)]
    made = blanked(JPEG_2000, by_hand(SIZE, *parts), size)
    assert made == by_hand(SIZE, *cleaned)


@every_size
def test_the_last_tile_part_may_reach_to_the_end(size: int) -> None:
    data = b"\xff\x8fpixels\xff\x00\xff"
    last = tile_part(segment(0x64, SECRET), data=data, length=0)
    blank = tile_part(segment(0x64, bytes(8)), data=data, length=0)
    made = blanked(JPEG_2000, by_hand(SIZE, tile_part(), last), size)
    assert made == by_hand(SIZE, tile_part(), blank)
    empty = by_hand(SIZE, tile_part(data=b"", length=0))
    assert blanked(JPEG_2000, empty, size) == empty


SEGMENTS = {
    "capabilities": segment(0x50, b"\0\2\0\0\0\0"),
    "profile": segment(0x59, b"\0\1"),
    "coding": segment(0x52, bytes(10)),
    "coding with precincts": segment(0x52, b"\1\0\0\0\0\2" + bytes(4 + 3)),
    "coding of a component": segment(0x53, bytes(7)),
    "quantization": segment(0x5C, b"\0" + bytes(4)),
    "derived quantization": segment(0x5C, b"\1" + bytes(2)),
    "quantization with steps": segment(0x5C, b"\2" + bytes(8)),
    "quantization of a component": segment(0x5D, b"\0\1" + bytes(2)),
    "region": segment(0x5E, bytes(3)),
    "progression": segment(0x5F, bytes(14)),
    "registration": segment(0x63, bytes(8)),
    "lengths": segment(0x55, bytes(6)) + segment(0x57, bytes(3)),
}


@pytest.mark.parametrize("what", SEGMENTS)
def test_segments_pass_that_are_as_long_as_they_say(what: str) -> None:
    image = by_hand(SIZE, SEGMENTS[what], tile_part(segment(0x58, bytes(3))))
    assert blanked(JPEG_2000, image) == image


BAD_JPEG_2000 = {
    **{
        f"a secret in marker {marker:02x}": by_hand(
            SIZE, segment(marker, b"\0\1" + SECRET * 41), tile_part()
        )
        for marker in (0x50, 0x52, 0x53, 0x59, 0x5C, 0x5D, 0x5E, 0x5F, 0x63)
    },
    **{
        f"nothing in marker {marker:02x}": by_hand(
            SIZE, segment(marker, b""), tile_part()
        )
        for marker in (0x52, 0x53, 0x55, 0x57, 0x58, 0x5C, 0x5D, 0x5E)
    },
    "packed headers": by_hand(SIZE, segment(0x60, SECRET), tile_part()),
    "an extension": by_hand(SIZE, segment(0x74, SECRET), tile_part()),
    "an odd quantization": by_hand(SIZE, segment(0x5C, b"\2" + bytes(9)), tile_part()),
    "nothing": b"",
    "no image": SECRET,
    "the file format": jp2(),
    "an image cut off": jpeg_2000()[:-1],
    "cut off in the data": by_hand(SIZE, tile_part(length=1000)),
    "cut off in the last tile-part": by_hand(SIZE, tile_part(length=0))[:-1],
    "no size": by_hand(tile_part()),
    "a comment before the size": by_hand(segment(0x64, SECRET), SIZE, tile_part()),
    "a secret in the size": by_hand(segment(0x51, SIZE[4:] + SECRET), tile_part()),
    "a size of nothing": by_hand(segment(0x51, b""), tile_part()),
    "a size without components": by_hand(segment(0x51, bytes(36)), tile_part()),
    "a secret in the quantization": by_hand(
        SIZE, segment(0x5C, SECRET * 30), tile_part()
    ),
    "two sizes": by_hand(SIZE, SIZE, tile_part()),
    "no tile-part": by_hand(SIZE),
    "data without a tile-part": by_hand(SIZE, b"\xff\x93pixels"),
    "data twice": by_hand(SIZE, tile_part(), b"\xff\x93pixels"),
    "a tile-part that is too short": by_hand(SIZE, tile_part(length=13)),
    "a header that is too short": by_hand(SIZE, tile_part(length=5)),
    "a comment longer than its part": by_hand(
        SIZE, tile_part(segment(0x64, SECRET), length=20)
    ),
    "a tile-part within another": by_hand(SIZE, tile_part(tile_part())),
    "the end within a header": by_hand(SIZE, tile_part()[:12]),
    "a segment between tile-parts": by_hand(
        SIZE, tile_part(), segment(0x64, SECRET), tile_part()
    ),
    "bytes between tile-parts": by_hand(SIZE, tile_part(), SECRET, tile_part()),
    "an odd tile-part": by_hand(SIZE, segment(0x90, bytes(9)), b"\xff\x93"),
    "an unknown segment": by_hand(SIZE, segment(0x30, SECRET), tile_part()),
    "a segment of no length": by_hand(SIZE, b"\xff\x5c\0\0", tile_part()),
}


@pytest.mark.parametrize("what", BAD_JPEG_2000)
@every_size
def test_what_is_no_jpeg_2000_image_is_refused(what: str, size: int) -> None:
    with pytest.raises(DeidentificationError) as refused:
        blanked(JPEG_2000, BAD_JPEG_2000[what], size)
    assert "QZ" not in str(refused.value)


HIGH, LOW = b"\xfd\7", b"\1ab\0c\xff\5\x80"  # 4 bytes each: 1 run; 2 + 1 + 1 literal


@every_size
def test_an_rle_image_stays_as_it_is(size: int) -> None:
    low = b"\1ab\x80\x80\xff\5"
    assert blanked(RLE, rle(HIGH, low), size) == rle(HIGH, low)


@every_size
def test_what_follows_the_pixels_of_an_rle_segment_is_blanked(size: int) -> None:
    made = blanked(RLE, rle(HIGH + SECRET, HIGH + SECRET), size)
    assert made == rle(HIGH + bytes(8), HIGH + bytes(8))


BAD_RLE = {
    "nothing": b"",
    "half a header": rle(HIGH, HIGH)[:63],
    "one segment of two": rle(HIGH),
    "three segments of two": rle(HIGH, HIGH, HIGH),
    "more segments than there can be": b"\x20\0\0\0" + bytes(100),
    "no segment": bytes(64) + SECRET,
    "a first segment elsewhere": rle(HIGH, HIGH, offsets=(66, 68)),
    "segments in disorder": rle(HIGH, HIGH, offsets=(64, 64)),
    "a secret in the header": rle(HIGH, HIGH, offsets=(64, 66, 0x5A51)),
    "a segment cut off": rle(HIGH, HIGH[:1]),
    "a missing segment": rle(HIGH, b""),
    "too few pixels": rle(b"\xfe\7", HIGH),
    "too few pixels at the end": rle(HIGH, b"\xfe\7"),
    "too many pixels": rle(b"\xfb\7", HIGH),
    "a packet beyond its segment": rle(b"\5abc", HIGH),
}


@pytest.mark.parametrize("what", BAD_RLE)
@every_size
def test_what_is_no_rle_image_is_refused(what: str, size: int) -> None:
    with pytest.raises(DeidentificationError) as refused:
        blanked(RLE, BAD_RLE[what], size)
    assert "QZ" not in str(refused.value)


def test_an_rle_frame_needs_a_layout() -> None:
    with pytest.raises(DeidentificationError, match="missing"):
        frame_blanker(RLE)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.102", "1.2.3", ""])
def test_a_frame_in_an_unknown_transfer_syntax_is_refused(syntax: str) -> None:
    with pytest.raises(DeidentificationError, match="cleaned"):
        frame_blanker(syntax)


def test_a_segment_that_drips_in_is_put_together_once() -> None:
    # Or a slow sender would cost the square of its length.
    walker = frame_blanker(JPEG_BASELINE)
    image = with_segments(jpeg(), segment(0xFE, bytes(65_000)))
    for piece in in_pieces(image[:60_000], 1):
        walker.feed(piece)
    assert len(walker._held) > 59_000  # type: ignore[union-attr]
