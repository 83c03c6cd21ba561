"""A gigabyte of frames goes through the byte codec without being held by it.

Where regions are blanked it is otherwise: those images are held whole, up to a limit.
"""

import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from itertools import repeat

import pytest

from orthanc_share.deidentification.part10 import InstanceRewriter
from orthanc_share.domain.octets import Octets
from tests.unit.shared.deidentification.byte_samples import (
    EXPLICIT,
    JPEG_BASELINE,
    LITTLE,
    UNDEFINED,
    Numbers,
    SimpleGate,
    SimpleRules,
    head,
    meta,
)
from tests.unit.shared.deidentification.compressed_samples import (
    COMMENT,
    FRAME,
    SCAN,
    jpeg_by_hand,
)

FRAME_LENGTH = 512 * 256 * 2
FRAMES = 2**30 // FRAME_LENGTH
HELD_MAX = 8 * 2**20
"""More than some frames and copies of them, far less than the source, in bytes."""


def begun(numbers: Numbers, syntax: str = EXPLICIT) -> bytes:
    """Return a file up to its pixels, of many frames."""
    dataset = head(LITTLE, numbers)
    at = dataset.index(LITTLE.tag(0x00280010))
    number = LITTLE.el(0x00280008, "IS", str(FRAMES))
    return meta(syntax) + dataset[:at] + number + dataset[at:]


def native(stored: int) -> Iterator[Octets]:
    """Give a file whose frames lie in memory only once."""
    size = {"rows": 512, "columns": 256}
    yield begun(size | {"stored": stored, "high_bit": stored - 1})
    yield LITTLE.el(0x7FE00010, "OW", b"", FRAMES * FRAME_LENGTH)
    yield from repeat(memoryview(b"\xff" * FRAME_LENGTH), FRAMES)


def compressed() -> Iterator[Octets]:
    """Give a file of frames as long as those, with a comment in each of them."""
    yield begun({"allocated": 8, "stored": 8, "high_bit": 7}, JPEG_BASELINE)
    yield LITTLE.el(0x7FE00010, "OB", b"", UNDEFINED) + LITTLE.item()
    frame = jpeg_by_hand(COMMENT, FRAME, SCAN, b"pixels" * (FRAME_LENGTH // 6))
    yield from repeat(memoryview(LITTLE.item(frame + bytes(len(frame) % 2))), FRAMES)
    yield LITTLE.tag(0xFFFEE0DD) + bytes(4)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(partial(native, 16), id="native"),
        pytest.param(partial(native, 12), id="native, bits cleaned"),
        pytest.param(compressed, id="compressed"),
    ],
)
def test_a_gigabyte_passes_within_a_few_megabytes(
    source: Callable[[], Iterator[Octets]],
) -> None:
    rewriter = InstanceRewriter(SimpleRules(), SimpleGate())
    passed = 0
    tracemalloc.start()
    try:
        for piece in source():
            passed += sum(len(one) for one in rewriter.feed(piece))
        passed += sum(len(one) for one in rewriter.finish())
        held = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert passed > FRAMES * (FRAME_LENGTH - 100)
    assert held < HELD_MAX
