"""Pictures of masked images."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from orthanc_share.deidentification.masked_image import MaskedImage, Pixels
from orthanc_share.deidentification.regions import Region
from orthanc_share.deidentification.rendering import Window, picture
from tests.unit.shared.deidentification.images import (
    COLUMNS,
    GATE,
    PLAN,
    ROWS,
    noise,
    ultrasound,
    written,
)

TOP = (Region(0, 0, COLUMNS, 9),)
STEPS = np.tile(np.arange(COLUMNS, dtype=np.uint8) + 100, (ROWS, 1))[None]


def drawn(pixels: Pixels, *, options: Any = None, **elements: Any) -> Pixels:
    """Return the pixels of a picture in PNG."""
    made = ultrasound(pixels, **elements)
    if pixels.dtype == np.uint16:
        made.BitsAllocated = made.BitsStored = 16
        made.HighBit = 15
    image = MaskedImage(written(made), TOP, PLAN, GATE)
    shown = picture(image, "image/png", **(options or {}))
    return np.asarray(Image.open(io.BytesIO(shown)))


def test_the_masked_region_is_black_and_all_else_is_there() -> None:
    pixels = noise(2, ROWS, COLUMNS, 3)
    shown = drawn(pixels, options={"number": 2})
    assert not shown[:9].any()
    assert np.array_equal(shown[9:], pixels[1, 9:])


def test_grey_goes_from_the_least_to_the_most() -> None:
    shown = drawn(STEPS)
    assert not shown[:9].any()
    assert shown[9:].max() == 255


def test_a_flat_image_can_be_drawn() -> None:
    assert drawn(np.zeros((1, ROWS, COLUMNS), np.uint8)).max() <= 128


@pytest.mark.parametrize("rescaled", [False, True])
def test_the_window_of_the_image_is_used(rescaled: bool) -> None:  # noqa: FBT001
    elements: dict[str, Any] = {"WindowCenter": 132, "WindowWidth": 64}
    if rescaled:
        elements = {"WindowCenter": 254, "WindowWidth": 128}
        elements |= {"RescaleSlope": 2, "RescaleIntercept": -10}
    row = drawn(STEPS, **elements)[20]
    assert row[0] == 0
    assert row[32] == 128
    assert row[-1] >= 250


def test_the_window_asked_for_is_used_before_that() -> None:
    window = {"window": Window(132.0, 2.0)}
    row = drawn(STEPS, options=window, WindowCenter=0, WindowWidth=1)[20]
    assert row.tolist() == [0] * 32 + [128] + [255] * 31


@pytest.mark.parametrize("width", [0, -5, None])
def test_a_window_that_cannot_be_is_not_used(width: int | None) -> None:
    shown = drawn(STEPS, WindowCenter=100, WindowWidth=width)
    assert np.array_equal(shown, drawn(STEPS))


def test_white_is_at_the_bottom_of_monochrome1() -> None:
    pixels = noise(1, ROWS, COLUMNS)
    dark = drawn(pixels, PhotometricInterpretation="MONOCHROME1")
    assert not dark[:9].any()
    ends = {"options": {"window": Window(127.5, 255.0)}}
    shown = drawn(pixels, PhotometricInterpretation="MONOCHROME1", **ends)
    assert np.array_equal(shown[9:], 255 - pixels[0, 9:])


def palette(entries: int, bits: int, step: int) -> dict[str, Any]:
    """Return a palette from black to red."""
    kind = np.dtype("<u2" if bits == 16 else "u1")
    reds = (np.arange(entries) * step).astype(kind).tobytes()
    made: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for colour, data in (("Red", reds), ("Green", bytes(len(reds)))):
        made[f"{colour}PaletteColorLookupTableDescriptor"] = [entries, 0, bits]
        made[f"{colour}PaletteColorLookupTableData"] = data
    made["BluePaletteColorLookupTableDescriptor"] = [entries, 0, bits]
    made["BluePaletteColorLookupTableData"] = bytes(len(reds))
    return made


@pytest.mark.parametrize(("bits", "step"), [(16, 257), (16, 1), (8, 1)])
def test_palettes_are_shown_in_colour(bits: int, step: int) -> None:
    pixels = noise(1, ROWS, COLUMNS)
    shown = drawn(pixels, **palette(256, bits, step))
    assert np.array_equal(shown[9:, :, 0], pixels[0, 9:])
    assert not shown[..., 1:].any()
    assert not shown[:9].any()


def test_a_palette_that_is_too_short_is_black() -> None:
    elements = palette(256, 16, 1)
    elements["RedPaletteColorLookupTableData"] = b"\1\1"
    assert not drawn(noise(1, ROWS, COLUMNS), **elements).any()


def test_a_palette_that_is_missing_is_black() -> None:
    elements = {"PhotometricInterpretation": "PALETTE COLOR"}
    assert not drawn(noise(1, ROWS, COLUMNS), **elements).any()


@pytest.mark.parametrize(
    ("viewport", "size"),
    [
        ((32, 32), (32, 24)),
        ((128, 1000), (128, 96)),
        ((1000, 24), (32, 24)),
        ((0, -3), (1, 1)),
        ((10**9, 10**9), (4096, 3072)),
    ],
)
def test_it_fits_into_the_viewport(
    viewport: tuple[int, int], size: tuple[int, int]
) -> None:
    shown = drawn(np.zeros_like(STEPS), options={"viewport": viewport})
    assert shown.shape[:2] == size[::-1]


def test_it_can_be_a_jpeg() -> None:
    image = MaskedImage(written(ultrasound(noise(1, ROWS, COLUMNS))), TOP, PLAN, GATE)
    assert picture(image, "image/jpeg").startswith(b"\xff\xd8")
