"""Pictures for people of images that were masked here.

Orthanc cannot render them, because it only knows the pixels with the text. All others
are rendered by Orthanc.
"""

import io
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from orthanc_share.deidentification.gate import Values
from orthanc_share.deidentification.masked_image import MaskedImage, Pixels
from orthanc_share.deidentification.placeholder import MEDIA_TYPES

_WINDOW_CENTER: Final = 0x00281050
_WINDOW_WIDTH: Final = 0x00281051
_RESCALE_INTERCEPT: Final = 0x00281052
_RESCALE_SLOPE: Final = 0x00281053
_PALETTE: Final = (0x00281101, 0x00281102, 0x00281103)
_SIDE_MAX: Final = 4096  # pixels
_PALETTE_MAX: Final = 65_536  # entries, written as 0
_QUALITY: Final = 90

Bytes = npt.NDArray[np.uint8]


class Window(NamedTuple):
    """Which values are shown between black and white. Source: PS3.3 C.11.2.1.2.

    Args:
        center: The value in the middle, after rescaling.
        width: How many values, more than zero.
    """

    center: float
    width: float


def picture(
    image: MaskedImage,
    media_type: str,
    *,
    number: int = 1,
    viewport: tuple[int, int] | None = None,
    window: Window | None = None,
) -> bytes:
    """Return a frame as a picture.

    Args:
        image: The image.
        media_type: One of `MEDIA_TYPES`.
        number: Of the frame, from 1.
        viewport: Width and height that it must fit into; None: its own size.
        window: None: that of the image, or all its values.

    Raises:
        DeidentificationError: There is no such frame, or it cannot be decoded.
    """
    drawn = Image.fromarray(_shown(image, image.pixels(number), window))
    if viewport is not None:
        drawn = drawn.resize(_fitting(drawn.size, viewport))
    written = io.BytesIO()
    drawn.save(written, MEDIA_TYPES[media_type], quality=_QUALITY)
    return written.getvalue()


def _fitting(size: tuple[int, int], viewport: tuple[int, int]) -> tuple[int, int]:
    """Return the largest size of the same shape that fits into the viewport."""
    width, height = (min(max(side, 1), _SIDE_MAX) for side in viewport)
    scale = min(width / size[0], height / size[1])
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _shown(image: MaskedImage, pixels: Pixels, window: Window | None) -> Bytes:
    """Return grey or colour values from 0 to 255."""
    if image.photometric == "PALETTE COLOR":
        return _coloured(pixels, image.values, image.palette)
    if image.layout.samples > 1:
        return (pixels >> max(image.layout.stored - 8, 0)).astype(np.uint8)
    grey = _windowed(pixels, image.values, window)
    return 255 - grey if image.photometric == "MONOCHROME1" else grey


def _windowed(pixels: Pixels, values: Values, window: Window | None) -> Bytes:
    slope = _decimal(values, _RESCALE_SLOPE) or 1.0
    rescaled = pixels * slope + (_decimal(values, _RESCALE_INTERCEPT) or 0.0)
    width = _decimal(values, _WINDOW_WIDTH) or 0.0
    center = _decimal(values, _WINDOW_CENTER)
    if window is None and center is not None and width > 0:
        window = Window(center, width)
    if window is None:
        low, high = float(rescaled.min()), float(rescaled.max())
        window = Window((low + high) / 2, max(high - low, 1.0))
    scaled = (rescaled - window.center) / window.width + 0.5
    return np.rint(np.clip(scaled, 0, 1) * 255).astype(np.uint8)


def _coloured(pixels: Pixels, values: Values, palette: tuple[bytes, ...]) -> Bytes:
    """Return the colours of a palette. Source: PS3.3 C.7.6.3.1.5."""
    channels = [
        _channel(pixels, [int(text) for text in values.get(tag, ())], lut)
        for tag, lut in zip(_PALETTE, palette, strict=True)
    ]
    return np.stack(channels, axis=-1)


def _channel(pixels: Pixels, descriptor: list[int], lut: bytes) -> Bytes:
    """Return one colour; black where the palette cannot be read."""
    entries, first, _bits = [*descriptor, 0, 0, 0][:3]
    entries = entries or _PALETTE_MAX
    wide = len(lut) >= 2 * entries
    table: npt.NDArray[Any] = np.frombuffer(lut, "<u2" if wide else "u1")[:entries]
    if len(table) < entries:
        return np.zeros(pixels.shape, np.uint8)
    if wide and table.max() > 255:  # noqa: PLR2004
        table = table >> 8
    index = np.clip(pixels.astype(np.int64) - first, 0, entries - 1)
    return table[index].astype(np.uint8)


def _decimal(values: Values, tag: int) -> float | None:
    """Return the first number of an element; None: it has none."""
    try:
        number = float(values.get(tag, ())[0])
    except (IndexError, ValueError):
        return None
    return number if np.isfinite(number) else None
