"""Images with known places for text."""

from typing import Any

import numpy as np
import pytest

from orthanc_share.deidentification import masked_image
from orthanc_share.deidentification.actions import DeidentificationError
from orthanc_share.deidentification.dicom_json import deidentify_json
from orthanc_share.deidentification.gate import Outcome, Reason, Verdict
from orthanc_share.deidentification.json_facts import facts_of_json
from orthanc_share.deidentification.masked_image import MaskedImage, Pixels
from orthanc_share.deidentification.masks import MaskedGate, MaskedRules
from orthanc_share.deidentification.part10 import rewrite
from orthanc_share.deidentification.regions import Region
from tests.unit.shared.deidentification.images import (
    CANARY,
    COLUMNS,
    GATE,
    JPEG_2000,
    KEPT,
    PLAN,
    POLICY,
    RLE,
    ROWS,
    compressed,
    json_of,
    noise,
    nowhere,
    read,
    ultrasound,
    verdict_of,
    written,
)

EXPLICIT = "1.2.840.10008.1.2.1"
IMPLICIT = "1.2.840.10008.1.2"
BIG = "1.2.840.10008.1.2.2"
REGION = (Region(0, 0, COLUMNS, 9),)


def encoded(pixels: Pixels, transfer_syntax: str, **elements: Any) -> bytes:
    made = ultrasound(pixels, **elements)
    if transfer_syntax in {RLE, JPEG_2000}:
        return compressed(made, transfer_syntax)
    return written(made, transfer_syntax)


def masked(file: bytes, regions: tuple[Region, ...] | None = None) -> MaskedImage:
    return MaskedImage(file, regions or verdict_of(file).regions, PLAN, GATE)


def shown(image: MaskedImage) -> bytes:
    """Return the file as it goes out."""
    return rewrite(image.file(), MaskedRules(POLICY), MaskedGate(GATE))


def only_the_region(pixels: Pixels) -> Pixels:
    left, top, right, bottom = KEPT
    blank = np.zeros_like(pixels)
    inside = np.s_[:, top : bottom + 1, left : right + 1]
    blank[inside] = pixels[inside]
    return blank


@pytest.mark.parametrize("shape", [(1,), (3,), (1, 3), (3, 3)])
@pytest.mark.parametrize("transfer_syntax", [EXPLICIT, IMPLICIT, RLE, JPEG_2000])
def test_only_the_region_is_left(shape: tuple[int, ...], transfer_syntax: str) -> None:
    frames, *colours = shape
    pixels = noise(frames, ROWS, COLUMNS, *colours)
    image = masked(encoded(pixels, transfer_syntax))
    found = read(shown(image))
    wanted = only_the_region(pixels)
    assert np.array_equal(found.pixel_array.reshape(wanted.shape), wanted)
    assert image.frame(frames) == wanted[-1].tobytes()


def test_the_file_says_that_its_pixels_were_cleaned() -> None:
    file = encoded(noise(1, ROWS, COLUMNS), EXPLICIT)
    found = read(shown(masked(file)))
    assert found.BurnedInAnnotation == "NO"
    codes = [one.CodeValue for one in found.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113101"]
    assert CANARY not in str(found)


@pytest.mark.parametrize("colours", [(), (3,)])
def test_the_metadata_say_the_same(colours: tuple[int, ...]) -> None:
    made = ultrasound(noise(1, ROWS, COLUMNS, *colours))
    file = read(shown(masked(compressed(made, JPEG_2000))))
    original = json_of(read(compressed(made, JPEG_2000)))
    told = deidentify_json(original, MaskedRules(POLICY), nowhere)
    del file.PixelData
    assert json_of(file) == told


def test_colours_that_are_decoded_are_called_so() -> None:
    pixels = np.full((1, ROWS, COLUMNS, 3), 128, np.uint8)  # grey in YBR, too
    elements = {"PhotometricInterpretation": "YBR_FULL"}
    file = encoded(pixels, EXPLICIT, **elements)
    found = read(shown(masked(file)))
    assert found.PhotometricInterpretation == "RGB"
    assert found.PlanarConfiguration == 0
    assert np.array_equal(found.pixel_array, only_the_region(pixels)[0])


def test_planes_of_colour_become_pixels_of_colour() -> None:
    pixels = noise(2, ROWS, COLUMNS, 3)
    made = ultrasound(pixels)
    made.PlanarConfiguration = 1
    made.PixelData = pixels.transpose(0, 3, 1, 2).tobytes()
    found = read(shown(masked(written(made))))
    assert found.PlanarConfiguration == 0
    assert np.array_equal(found.pixel_array, only_the_region(pixels))


def test_sixteen_bits_are_masked_in_all_their_bytes() -> None:
    pixels = noise(1, ROWS, COLUMNS).astype(np.uint16) * 257
    made = ultrasound(pixels)
    made.BitsAllocated = made.BitsStored = 16
    made.HighBit = 15
    made.PixelData = pixels.tobytes()
    found = read(shown(masked(written(made))))
    assert np.array_equal(found.pixel_array, only_the_region(pixels)[0])


def test_black_is_the_top_value_where_it_is_white_at_the_bottom() -> None:
    pixels = noise(1, ROWS, COLUMNS, high=250)
    file = encoded(pixels, EXPLICIT, PhotometricInterpretation="MONOCHROME1")
    assert masked(file, REGION).pixels(1)[:9].tolist() == [[255] * COLUMNS] * 9


def test_odd_pixels_are_padded() -> None:
    pixels = noise(1, 51, 63)
    found = read(shown(masked(encoded(pixels, RLE))))
    assert np.array_equal(found.pixel_array, only_the_region(pixels)[0])


def test_regions_beyond_the_image_are_cut() -> None:
    file = encoded(noise(1, ROWS, COLUMNS), EXPLICIT)
    pixels = masked(file, (Region(-5, -5, 10, 10), Region(60, 40, 99, 99))).pixels(1)
    assert not pixels[:5, :5].any()
    assert not pixels[40:, 60:].any()
    assert pixels[5:40, 5:60].all()


@pytest.mark.parametrize("number", [0, -1, 3])
def test_there_are_no_other_frames(number: int) -> None:
    image = masked(encoded(noise(2, ROWS, COLUMNS), EXPLICIT))
    with pytest.raises(DeidentificationError):
        image.frame(number)


def test_a_mask_without_regions_is_refused() -> None:
    file = encoded(noise(1, ROWS, COLUMNS), EXPLICIT)
    with pytest.raises(DeidentificationError):
        MaskedImage(file, (), PLAN, GATE)


@pytest.mark.parametrize("transfer_syntax", [BIG, "1.2.840.10008.1.2.4.70"])
def test_what_cannot_be_decoded_here_is_refused(transfer_syntax: str) -> None:
    file = encoded(noise(1, ROWS, COLUMNS), EXPLICIT)
    other = transfer_syntax.encode()
    other += bytes(len(other) % 2)
    old = b"UI" + (20).to_bytes(2, "little") + EXPLICIT.encode() + b"\0"
    assert file.count(old) == 1
    new = b"UI" + len(other).to_bytes(2, "little") + other
    length = int.from_bytes(file[140:144], "little") + len(new) - len(old)
    file = file[:140] + length.to_bytes(4, "little") + file[144:].replace(old, new)
    with pytest.raises(DeidentificationError, match="transfer syntax"):
        masked(file, REGION)


@pytest.mark.parametrize(
    "elements",
    [
        {"BitsAllocated": 32, "BitsStored": 32, "HighBit": 31},
        {"SamplesPerPixel": 2},
        {"BitsStored": 4, "HighBit": 7},
        {"Rows": 0},
    ],
)
def test_pixels_of_another_kind_are_refused(elements: dict[str, int]) -> None:
    made = ultrasound(noise(1, ROWS, COLUMNS))
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    with pytest.raises(DeidentificationError):
        masked(written(made), REGION)


def test_an_image_that_is_too_big_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    file = encoded(noise(2, ROWS, COLUMNS), EXPLICIT)
    monkeypatch.setattr(masked_image, "PIXELS_MAX", 2 * ROWS * COLUMNS - 1)
    with pytest.raises(DeidentificationError, match="big"):
        masked(file, REGION)


def test_an_object_without_pixels_is_refused() -> None:
    made = ultrasound(noise(1, ROWS, COLUMNS))
    del made.PixelData
    with pytest.raises(DeidentificationError, match="no pixels"):
        masked(written(made), REGION)


@pytest.mark.parametrize("length", [0, 131, 140, 170])
def test_a_file_that_ends_too_early_is_refused(length: int) -> None:
    file = encoded(noise(1, ROWS, COLUMNS), EXPLICIT)
    with pytest.raises(DeidentificationError):
        masked(file[:length], REGION)


@pytest.mark.parametrize(
    ("transfer_syntax", "cut"), [(EXPLICIT, 1), (RLE, 700), (JPEG_2000, 700)]
)
def test_pixels_that_end_too_early_are_refused(transfer_syntax: str, cut: int) -> None:
    file = encoded(noise(1, ROWS, COLUMNS), transfer_syntax)
    image = masked(file[:-cut], REGION)
    with pytest.raises(DeidentificationError):
        image.file()


def test_a_wrong_size_of_the_compressed_image_is_refused() -> None:
    made = ultrasound(noise(1, ROWS, COLUMNS))
    file = compressed(made, JPEG_2000)
    rows, fewer = (struct_us(rows) for rows in (ROWS, ROWS // 2))
    assert file.count(rows) == 1
    image = masked(file.replace(rows, fewer), REGION)
    with pytest.raises(DeidentificationError):
        image.file()


def struct_us(rows: int) -> bytes:
    """Return the element Rows."""
    return b"\x28\x00\x10\x00US\x02\x00" + rows.to_bytes(2, "little")


def test_a_refusal_to_decode_names_no_value() -> None:
    file = encoded(noise(1, ROWS, COLUMNS), JPEG_2000)
    image = masked(file[:-300], REGION)
    with pytest.raises(DeidentificationError) as refusal:
        image.file()
    assert str(refusal.value).startswith("The pixels cannot be decoded: ")
    assert refusal.value.__suppress_context__


def test_the_gate_for_masked_images_only_lets_masked_ones_pass() -> None:
    gate = MaskedGate(GATE)
    assert gate.needs == GATE.needs
    assert gate.needs_nested == GATE.needs_nested
    assert gate.needs_items == GATE.needs_items
    file = encoded(noise(1, ROWS, COLUMNS), EXPLICIT)
    facts = facts_of_json(json_of(read(file)), GATE)
    assert GATE.judge(facts).outcome is Outcome.MASKED
    assert gate.judge(facts) == Verdict(Outcome.ALLOWED, Reason.ULTRASOUND_REGIONS)
    without = facts._replace(items={})
    assert gate.judge(without) == GATE.judge(without)
    assert gate.judge(without).blocked
