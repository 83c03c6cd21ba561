"""Text drawn in pixels."""

from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from pydicom import Dataset

TEXT = "DOE JOHN 19450506"
"""What is drawn."""


def mask(rows: int, columns: int, size: int = 14) -> Any:
    """Return where the text covers an image of this size."""
    drawn = Image.new("L", (columns, rows))
    font = ImageFont.load_default(size)
    ImageDraw.Draw(drawn).text((8, 8), TEXT, fill=255, font=font)
    return np.asarray(drawn) > 127


def draw(dataset: Dataset, value: int = 3000) -> None:
    """Draw the text into an image of one frame, with stored values of `value`."""
    pixels = dataset.pixel_array.copy()
    pixels[mask(*pixels.shape)] = value
    dataset.PixelData = pixels.tobytes()
