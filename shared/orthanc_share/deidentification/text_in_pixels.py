"""Text in pixels, which an image may have although it looks clean by its header.

The program tesseract reads; what it misses is shown. So this may only block, and it
never permits (PS3.15 E.3.1). It is an extra: `pip install 'orthanc-share[ocr]'`.
"""

import os
from collections.abc import Iterator
from importlib.util import find_spec
from shutil import which
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from orthanc_share.deidentification.actions import DeidentificationError
from orthanc_share.deidentification.pixel_cells import PixelLayout

LIBRARY: Final = "pytesseract"
"""The library of the extra."""

PROGRAM: Final = "tesseract"
"""What reads; Debian's package is `tesseract-ocr`."""

FRAME_MAX: Final = 67_108_864
"""Longest frame that is looked at, in bytes."""

SECONDS_MAX: Final = 20
"""Longest time for one picture, in seconds; what takes longer is not shown."""

LETTERS_MIN: Final = 3
"""Letters or digits of the shortest word that counts: noise makes shorter ones."""

CONFIDENCE_MIN: Final = 50
"""What the program must think of a word, in per cent."""

Cells = npt.NDArray[np.float32]
_Picture = npt.NDArray[np.uint8]

_SIDE_MIN, _SIDE_MAX = 1200, 3000  # pixels of the longer side; small letters are lost
_ENLARGED_MAX = 4
_PLATEAU = 0.95  # of the range: letters are drawn with one value, mostly the greatest
_QUANTILES = (0.005, 0.995)
_COLOURS = 3
_SPARSE = "--psm 11"  # text anywhere, in no order


def is_installed() -> bool:
    """Tell whether library and program are there."""
    return find_spec(LIBRARY) is not None and which(PROGRAM) is not None


def sample(frames: int) -> list[int]:
    """Return the numbers of the frames that are looked at: first, middle and last."""
    return sorted({1, (frames + 1) // 2, frames})


def holds_text(frame: bytes, layout: PixelLayout) -> bool:
    """Tell whether text is seen in a frame.

    Args:
        frame: Not compressed, little endian.
        layout: How its pixels lie.

    Raises:
        DeidentificationError: It cannot be looked at.
    """
    return any(_reads(_enlarged(picture)) for picture in _pictures(frame, layout))


def _pictures(frame: bytes, layout: PixelLayout) -> Iterator[_Picture]:
    """Yield dark text on bright ground: all of the frame, and what is brightest."""
    for cells in _planes(frame, layout):
        low, high = np.quantile(cells, _QUANTILES)
        least, most = float(cells.min()), float(cells.max())
        if most <= least:
            continue  # nothing is drawn on it
        scaled = np.clip((cells - low) / max(high - low, 1.0), 0, 1)
        yield ((1 - scaled) * 255).astype(np.uint8)
        yield np.where(cells >= least + _PLATEAU * (most - least), 0, 255).astype(
            np.uint8
        )


def _planes(frame: bytes, layout: PixelLayout) -> Iterator[Cells]:
    """Yield the frame as grey values; colours that may lie in two ways, in both."""
    rows, columns, pixels = layout.rows, layout.columns, layout.rows * layout.columns
    cells = _cells(frame, layout)
    if layout.samples == 1 and len(cells) >= pixels:
        yield cells[:pixels].reshape(rows, columns)
    elif layout.samples == _COLOURS and len(cells) >= _COLOURS * pixels:
        cells = cells[: _COLOURS * pixels]
        yield cells.reshape(rows, columns, _COLOURS).max(axis=2)
        yield cells.reshape(_COLOURS, rows, columns).max(axis=0)
    elif layout.halved and len(cells) >= 2 * pixels:
        pairs = cells[: 2 * pixels].reshape(-1, 4)  # two of light, two of colour
        yield pairs[:, :2].reshape(rows, columns)
    else:
        raise DeidentificationError("The pixels cannot be looked at.")


def _cells(frame: bytes, layout: PixelLayout) -> Cells:
    if len(frame) > FRAME_MAX or layout.allocated > 32:  # noqa: PLR2004
        raise DeidentificationError("The pixels cannot be looked at.")
    if layout.allocated == 1:
        bits = np.unpackbits(np.frombuffer(frame, np.uint8), bitorder="little")
        return bits.astype(np.float32)
    cell = layout.allocated // 8
    whole = np.frombuffer(frame[: len(frame) // cell * cell], f"<u{cell}")
    stored = whole.astype(np.int64) >> (layout.high_bit + 1 - layout.stored)
    stored &= (1 << layout.stored) - 1
    if layout.signed:
        sign = 1 << (layout.stored - 1)
        stored = (stored ^ sign) - sign
    return stored.astype(np.float32)


def _enlarged(picture: _Picture) -> Image.Image:
    drawn = Image.fromarray(picture)
    side = max(drawn.size)
    scale = min(max(1.0, min(_ENLARGED_MAX, _SIDE_MIN / side)), _SIDE_MAX / side)
    size = (max(1, round(drawn.width * scale)), max(1, round(drawn.height * scale)))
    return drawn.resize(size, Image.Resampling.BICUBIC)


def _reads(picture: Image.Image) -> bool:
    """Tell whether the program reads a word.

    Raises:
        DeidentificationError: It fails, or takes too long.
    """
    import pytesseract  # type: ignore[import-untyped]  # noqa: PLC0415  # an extra

    # One thread for each is quicker where several pictures are looked at.
    os.environ.setdefault("OMP_THREAD_LIMIT", "1")
    try:
        found = pytesseract.image_to_data(
            picture,
            config=_SPARSE,
            timeout=SECONDS_MAX,
            output_type=pytesseract.Output.DICT,
        )
    except (RuntimeError, OSError):  # its errors, and those of starting a program
        raise DeidentificationError("The pixels cannot be looked at.") from None
    words = zip(found["text"], found["conf"], strict=True)
    return any(
        float(confidence) >= CONFIDENCE_MIN
        and sum(map(str.isalnum, word)) >= LETTERS_MIN
        for word, confidence in words
    )
