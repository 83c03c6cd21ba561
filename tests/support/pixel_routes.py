"""Every route that gives pixels of one instance, and whether they are the source's."""

import io
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from PIL import Image
from pydicom import dcmread

from suite.leaktest.requests import Ask, every_query, requests
from suite.leaktest.routes import ROUTES
from suite.leaktest.world import Study, World
from tests.support.corpus.study import CorpusFile

_OF_INSTANCE = ("{instance}/", "/instances/{id}/", "/osimis-viewer/images/")
_PIXELS = ("/rendered", "/thumbnail", "/frames/", "/file", "/preview", "-quality")
_WADO = "/wado"

ROUTES_OF_PIXELS = tuple(
    route
    for route in ROUTES
    if route.template.endswith((_WADO, "/instances/{instance}"))
    or (
        any(part in route.template for part in _OF_INSTANCE)
        and any(part in route.template for part in _PIXELS)
    )
)
"""Files, frames and pictures of an instance, by DICOMweb and by other ways."""

_SIGNATURES = (b"\x89PNG\r\n", b"\xff\xd8\xff")
_ALIKE = 0.8
"""Correlation of grey values; that of a lossy or smaller picture does not reach 1."""

Grey = npt.NDArray[np.float64]


def pixel_requests(world: World, uid: str) -> Iterator[Ask]:
    """Give what is asked for the pixels of an instance, on all routes."""
    only = World(tuple(_narrowed(world, uid)))
    yield from requests(only, ROUTES_OF_PIXELS)
    wado = [route for route in ROUTES_OF_PIXELS if route.template == _WADO]
    yield from every_query(only, wado)


def _narrowed(world: World, uid: str) -> Iterator[Study]:
    for study in world.studies:
        for series in study.series:
            chosen = tuple(one for one in series.instances if one.uid == uid)
            if chosen:
                yield replace(study, series=(replace(series, instances=chosen),))


class Source:
    """The pixels of a file, as something that is looked for in answers.

    Args:
        file: With native pixels.
    """

    def __init__(self, file: CorpusFile) -> None:
        dataset = dcmread(io.BytesIO(file.content))
        frames = dataset.pixel_array
        frame = frames[0] if int(dataset.get("NumberOfFrames", 1)) > 1 else frames
        self._bytes = frame.tobytes()
        self._picture = Image.fromarray(_grey(frame).astype(np.float32))

    def is_in(self, body: bytes) -> bool:
        """Tell whether an answer has the first frame, as it is or as a picture."""
        return self._bytes in body or any(self._is_like(one) for one in _pictures(body))

    def _is_like(self, picture: Grey) -> bool:
        height, width = picture.shape
        scale = min(width / self._picture.width, height / self._picture.height)
        # Where the sides do not fit, there is a margin at the end or around.
        columns, rows = (round(side * scale) for side in self._picture.size)
        own = np.asarray(self._picture.resize((columns, rows)), np.float64)
        return any(
            _are_alike(picture[top : top + rows, left : left + columns], own)
            for top, left in {(0, 0), ((height - rows) // 2, (width - columns) // 2)}
        )


def _are_alike(one: Grey, other: Grey) -> bool:
    if not one.std() or not other.std():
        return False
    return bool(abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) > _ALIKE)


def _pictures(body: bytes) -> Iterator[Grey]:
    """Give the pictures in an answer in whatever container, as grey values."""
    for signature in _SIGNATURES:
        start = body.find(signature)
        if start >= 0:
            yield _grey(np.asarray(Image.open(io.BytesIO(body[start:]))))


def _grey(values: npt.NDArray[np.generic]) -> Grey:
    made = values.astype(np.float64)
    return made if made.ndim == 2 else made.mean(axis=2)
