"""Rectangles of an image, in pixels."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple


class Region(NamedTuple):
    """A rectangle of every frame, in pixels; the origin is the upper left corner.

    Args:
        x: First column.
        y: First row.
        width: Number of columns.
        height: Number of rows.
    """

    x: int
    y: int
    width: int
    height: int

    def clipped(self, rows: int, columns: int) -> "Region":
        """Return the part that lies in an image of that size; it may be empty."""
        left, top = max(self.x, 0), max(self.y, 0)
        right = max(min(self.x + self.width, columns), left)
        bottom = max(min(self.y + self.height, rows), top)
        return Region(left, top, right - left, bottom - top)

    def covers(self, x: int, y: int) -> bool:
        """Tell whether the pixel in column `x` and row `y` lies in it."""
        inside = self.x <= x < self.x + self.width
        return inside and self.y <= y < self.y + self.height


def outside(kept: Sequence[Region], rows: int, columns: int) -> tuple[Region, ...]:
    """Return rectangles that cover exactly what no region of `kept` covers.

    Args:
        kept: The regions that stay visible.
        rows: Height of the image.
        columns: Width of the image.
    """
    clipped = [region.clipped(rows, columns) for region in kept]
    xs = _cuts(((one.x, one.x + one.width) for one in clipped), columns)
    ys = _cuts(((one.y, one.y + one.height) for one in clipped), rows)
    return tuple(
        Region(left, top, right - left, bottom - top)
        for top, bottom in pairwise(ys)
        for left, right in pairwise(xs)
        if not any(one.covers(left, top) for one in clipped)
    )


def _cuts(spans: Iterable[tuple[int, int]], end: int) -> list[int]:
    return sorted({0, end, *(edge for span in spans for edge in span)})
