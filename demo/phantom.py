"""Phantoms: pictures of a head and a chest made of ellipsoids, for sample studies.

Every phantom is computed; no data of a person went into it. Coordinates are fractions
of half the field of view: x to the patient's left, y to the back, z to the head, each
from -1 to 1, so that row 0 of an axial image is the front and column 0 the patient's
right, as DICOM wants for `ImageOrientationPatient` 1, 0, 0, 0, 1, 0.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import cos, radians, sin

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float64]

COVERAGE = 0.85
"""Part of the height that the slices cover, so that none of them is empty."""

SMOOTHING = 2
"""Times that each image is smoothed with its neighbours, for soft edges."""


@dataclass(frozen=True)
class Ellipsoid:
    """One organ: everything inside gets `value`; later ones cover earlier ones.

    Attributes:
        centre: x, y, z in half fields of view.
        radii: Half axes in the same unit.
        value: Hounsfield units for CT, arbitrary units for MR.
        turn: Rotation about z, in degrees, front to left.
    """

    centre: tuple[float, float, float]
    radii: tuple[float, float, float]
    value: float
    turn: float = 0.0

    def mask(self, x: Plane, y: Plane, z: float) -> NDArray[np.bool_]:
        """Return which points of the axial plane at height `z` are inside."""
        dx, dy = x - self.centre[0], y - self.centre[1]
        c, s = cos(radians(self.turn)), sin(radians(self.turn))
        along, across = c * dx + s * dy, c * dy - s * dx
        height = (z - self.centre[2]) / self.radii[2]
        inside = (along / self.radii[0]) ** 2 + (across / self.radii[1]) ** 2
        return inside + height**2 <= 1.0


@dataclass(frozen=True)
class Phantom:
    """Something to image.

    Attributes:
        background: Value of the air around it, in the unit of the organs.
        organs: From the outside to the inside.
        noise: Standard deviation of the noise, in the unit of the organs.
    """

    background: float
    organs: Sequence[Ellipsoid]
    noise: float

    def slices(self, count: int, size: int, seed: int) -> Iterator[Plane]:
        """Yield `count` axial images of `size` by `size` pixels, from feet to head.

        The same `seed` gives the same images.
        """
        axis = (np.arange(size) + 0.5) * 2 / size - 1
        x, y = np.meshgrid(axis, axis)
        noise = np.random.default_rng(seed)
        for number in range(count):
            plane = self._plane(x, y, ((number + 0.5) * 2 / count - 1) * COVERAGE)
            yield plane + noise.normal(0.0, self.noise, plane.shape)

    def _plane(self, x: Plane, y: Plane, z: float) -> Plane:
        plane = np.full(x.shape, self.background)
        for organ in self.organs:
            plane[organ.mask(x, y, z)] = organ.value
        for _ in range(SMOOTHING):
            plane = _smooth(plane)
        return plane


def _smooth(plane: Plane) -> Plane:
    """Average each pixel with its neighbours (binomial 3 by 3, edges repeated)."""
    for axis in (0, 1):
        wide = np.pad(
            plane, [(1, 1) if axis == at else (0, 0) for at in (0, 1)], "edge"
        )
        before, after = np.roll(wide, 1, axis), np.roll(wide, -1, axis)
        inner = tuple(slice(1, -1) if axis == at else slice(None) for at in (0, 1))
        plane = ((before + 2 * wide + after) / 4)[inner]
    return plane


def _pair(organ: Ellipsoid) -> tuple[Ellipsoid, Ellipsoid]:
    """Return the organ and its mirror image on the other side of the body."""
    x, y, z = organ.centre
    return organ, Ellipsoid((-x, y, z), organ.radii, organ.value, -organ.turn)


def head(values: dict[str, float], background: float, noise: float) -> Phantom:
    """Return a head; `values` gives each tissue its value."""
    tissue = values.__getitem__
    return Phantom(
        background,
        (
            Ellipsoid((0, 0.0, 0.0), (0.72, 0.88, 0.98), tissue("skin")),
            Ellipsoid((0, -0.80, -0.45), (0.12, 0.16, 0.22), tissue("skin")),
            Ellipsoid((0, 0.01, 0.0), (0.67, 0.83, 0.93), tissue("bone")),
            Ellipsoid((0, 0.02, 0.02), (0.60, 0.76, 0.86), tissue("fluid")),
            Ellipsoid((0, 0.02, 0.02), (0.58, 0.74, 0.83), tissue("grey")),
            *_pair(Ellipsoid((0.25, 0.0, 0.08), (0.24, 0.58, 0.62), tissue("white"))),
            *_pair(
                Ellipsoid((0.11, -0.12, 0.1), (0.06, 0.26, 0.25), tissue("fluid"), 12)
            ),
            *_pair(
                Ellipsoid((0.12, 0.24, 0.1), (0.05, 0.22, 0.2), tissue("fluid"), -18)
            ),
            *_pair(
                Ellipsoid((0.19, -0.02, 0.0), (0.08, 0.18, 0.18), tissue("grey"), 15)
            ),
            *_pair(Ellipsoid((0.22, 0.42, -0.5), (0.22, 0.24, 0.24), tissue("grey"))),
            Ellipsoid((0, 0.22, -0.55), (0.12, 0.14, 0.4), tissue("white")),
            *_pair(Ellipsoid((0.27, -0.63, -0.4), (0.15, 0.15, 0.17), tissue("bone"))),
            *_pair(Ellipsoid((0.27, -0.65, -0.4), (0.12, 0.12, 0.14), tissue("eye"))),
            Ellipsoid((0, -0.62, -0.55), (0.10, 0.16, 0.24), tissue("air")),
            Ellipsoid((-0.32, 0.08, 0.22), (0.10, 0.12, 0.13), tissue("lesion")),
        ),
        noise,
    )


def chest() -> Phantom:
    """Return a chest in Hounsfield units."""
    ribs = [
        Ellipsoid(
            (0.76 * sin(radians(angle)), -0.55 * cos(radians(angle)), level),
            (0.07, 0.03, 0.06),
            650.0,
            angle,
        )
        for level in (-0.8, -0.4, 0.0, 0.4, 0.8)
        for angle in range(30, 331, 25)
    ]
    return Phantom(
        -1000.0,
        (
            Ellipsoid((0, 0.0, 0.0), (0.92, 0.68, 3.0), -90.0),
            Ellipsoid((0, 0.0, 0.0), (0.85, 0.61, 3.0), 50.0),
            *ribs,
            *_pair(Ellipsoid((0.40, 0.0, 0.1), (0.32, 0.46, 1.1), -850.0)),
            *_pair(Ellipsoid((0.36, 0.1, -0.1), (0.03, 0.10, 0.3), 40.0, 35)),
            Ellipsoid((0.12, -0.16, -0.35), (0.30, 0.26, 0.5), 55.0, 25),
            Ellipsoid((0.16, -0.14, -0.4), (0.14, 0.12, 0.3), 180.0, 25),
            Ellipsoid((0.12, 0.26, 0.0), (0.09, 0.09, 3.0), 190.0),
            Ellipsoid((0, 0.08, 0.6), (0.06, 0.06, 0.7), -980.0),
            Ellipsoid((0, 0.42, 0.0), (0.14, 0.11, 3.0), 420.0),
            Ellipsoid((0, 0.54, 0.0), (0.06, 0.05, 3.0), 30.0),
            Ellipsoid((0, -0.58, 0.2), (0.12, 0.04, 0.9), 500.0),
            Ellipsoid((-0.48, -0.08, 0.25), (0.05, 0.05, 0.08), 60.0),
        ),
        12.0,
    )
