"""Text in pixels is seen by the real tesseract, however the pixels lie."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from demo.sample_data import CT_STUDY
from orthanc_share.deidentification import text_in_pixels
from orthanc_share.deidentification.actions import DeidentificationError
from orthanc_share.deidentification.masked_image import Pixels
from orthanc_share.deidentification.pixel_cells import PixelLayout
from orthanc_share.deidentification.text_in_pixels import (
    holds_text,
    is_installed,
    sample,
)
from tests.support.letters import mask
from tests.support.real import require

ROWS, COLUMNS = 64, 256
LETTERS = mask(ROWS, COLUMNS)
NOTHING = np.zeros_like(LETTERS)


@pytest.fixture
def needs_tesseract() -> None:
    require("tesseract")


def layout(allocated: int = 8, samples: int = 1, **more: Any) -> PixelLayout:
    stored = more.get("stored", allocated)
    known: dict[str, Any] = {"stored": stored, "high_bit": stored - 1}
    return PixelLayout(ROWS, COLUMNS, samples, 1, allocated, **known | more)


def grey(drawn: Pixels) -> bytes:
    return (drawn * np.uint8(200)).tobytes()


def signed(drawn: Pixels) -> bytes:
    return np.where(drawn, -100, -1000).astype("<i2").tobytes()


def shifted(drawn: Pixels) -> bytes:
    """Twelve bits at the upper end of sixteen, with something else below them."""
    return ((drawn * np.uint16(3000)) << 4 | 7).astype("<u2").tobytes()


def bits(drawn: Pixels) -> bytes:
    return np.packbits(drawn.reshape(-1), bitorder="little").tobytes()


def colours(drawn: Pixels) -> bytes:
    red = np.zeros((*drawn.shape, 3), np.uint8)
    red[..., 0] = drawn * np.uint8(180)
    return red.tobytes()


def planes(drawn: Pixels) -> bytes:
    return grey(drawn) + grey(NOTHING) * 2


def halved(drawn: Pixels) -> bytes:
    pairs = np.full((drawn.size // 2, 4), 128, np.uint8)
    pairs[:, :2] = (drawn * np.uint8(200)).reshape(-1, 2)
    return pairs.tobytes()


FORMS: dict[str, tuple[Callable[[Pixels], bytes], PixelLayout]] = {
    "grey": (grey, layout()),
    "signed": (signed, layout(16, signed=True)),
    "upper bits": (shifted, layout(16, stored=12, high_bit=15)),
    "bits": (bits, layout(1)),
    "long": (lambda drawn: (drawn * np.uint32(10**9)).tobytes(), layout(32)),
    "colours": (colours, layout(samples=3)),
    "planes of colours": (planes, layout(samples=3)),
    "halved colours": (halved, layout(samples=3, halved=True)),
}


@pytest.mark.usefixtures("needs_tesseract")
@pytest.mark.parametrize(("made", "lies"), FORMS.values(), ids=FORMS)
def test_text_is_seen(made: Callable[[Pixels], bytes], lies: PixelLayout) -> None:
    assert holds_text(made(LETTERS), lies)
    assert not holds_text(made(NOTHING), lies)


@pytest.mark.usefixtures("needs_tesseract")
def test_on_a_real_image_text_is_seen_and_nothing_else() -> None:
    image = list(CT_STUDY.datasets())[24]
    lies = PixelLayout(256, 256, 1, 1, 16, 12, 11)
    assert not holds_text(image.PixelData, lies)
    pixels = image.pixel_array.copy()
    pixels[mask(256, 256)] = 2000  # not the brightest: bone is brighter
    assert holds_text(pixels.tobytes(), lies)


@pytest.mark.usefixtures("needs_tesseract")
def test_letters_of_sides_are_no_text() -> None:
    side = np.zeros((ROWS, COLUMNS), bool)
    side[:, :40] = LETTERS[:, :40] & (np.arange(40) < 22)
    assert not holds_text(grey(side), layout())


@pytest.mark.parametrize(
    ("frame", "lies"),
    [
        (b"", layout()),
        (grey(LETTERS)[:-1], layout()),
        (grey(LETTERS) * 2, layout(samples=3)),
        (grey(LETTERS) * 4, layout(samples=4)),
        (grey(LETTERS) * 8, layout(64)),
        (grey(LETTERS), layout(samples=3, halved=True)),
    ],
)
def test_what_cannot_be_looked_at_is_refused(frame: bytes, lies: PixelLayout) -> None:
    with pytest.raises(DeidentificationError):
        holds_text(frame, lies)


def test_what_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_in_pixels, "FRAME_MAX", ROWS * COLUMNS - 1)
    with pytest.raises(DeidentificationError):
        holds_text(grey(LETTERS), layout())


@pytest.mark.parametrize("script", ["exit 3", "exec sleep 60", None])
def test_without_an_answer_of_the_program_it_is_refused(
    script: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if script is not None:
        program = tmp_path / "tesseract"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o700)
        monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    else:
        monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(text_in_pixels, "SECONDS_MAX", 0.5)
    with pytest.raises(DeidentificationError):
        holds_text(grey(LETTERS), layout())


def test_it_is_installed_with_its_library_and_its_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require("tesseract")
    assert is_installed()
    with monkeypatch.context() as changed:
        changed.setattr(text_in_pixels, "LIBRARY", "a_library_that_is_not_here")
        assert not is_installed()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not is_installed()


@pytest.mark.parametrize(
    ("frames", "numbers"),
    [(1, [1]), (2, [1, 2]), (3, [1, 2, 3]), (100, [1, 50, 100])],
)
def test_of_many_frames_three_are_looked_at(frames: int, numbers: list[int]) -> None:
    assert sample(frames) == numbers
