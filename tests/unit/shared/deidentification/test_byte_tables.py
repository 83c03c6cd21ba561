"""Tables of numbers pass if they are as long as others say: text could hide in them."""

import struct

import pytest
from typing_extensions import override

from orthanc_share.deidentification.actions import Action
from orthanc_share.deidentification.part10 import rewrite
from tests.unit.shared.deidentification.byte_samples import (
    EXPLICIT,
    JPEG_BASELINE,
    LITTLE,
    SECRET,
    WRITERS,
    SimpleGate,
    SimpleRules,
    Writer,
    encapsulated,
    image,
)
from tests.unit.shared.deidentification.compressed_samples import even, jpeg

in_every_encoding = pytest.mark.parametrize(("syntax", "w"), WRITERS.items())

_TABLES = (0x00281101, 0x00281201, 0x00283002, 0x00283006, 0x7FE00001, 0x7FE00002)


class _Rules(SimpleRules):
    @override
    def length_max(self, tag: int, vr: str) -> int:
        del tag, vr
        return 1 << 20


KEPT = {**SimpleRules().actions, **dict.fromkeys(_TABLES, Action.KEEP)}
RULES = _Rules(actions={**KEPT, 0x00283010: Action.RECURSE})


def _made(data: bytes, syntax: str) -> bytes:
    return rewrite(data, RULES, SimpleGate(), transfer_syntax=syntax)


def _descriptor(w: Writer, tag: int, *numbers: int) -> bytes:
    return w.el(tag, "US", struct.pack(f"{w.order}{len(numbers)}H", *numbers))


FITTING = [(4, 8, 4), (4, 16, 8), (3, 8, 4), (0, 16, 131_072)]
LYING = [(4, 16, 4), (4, 16, 10), (3, 16, 4), (0, 16, 8), (4, 8, 2), (4, 12, 8)]
PALETTE = "PALETTE COLOR"


@in_every_encoding
@pytest.mark.parametrize(("entries", "bits", "length"), FITTING + LYING)
@pytest.mark.parametrize("nested", [False, True])
def test_a_look_up_table_is_as_long_as_its_descriptor_says(
    syntax: str, w: Writer, entries: int, bits: int, length: int, *, nested: bool
) -> None:
    tags = (0x00283002, 0x00283006) if nested else (0x00281101, 0x00281201)
    descriptor = _descriptor(w, tags[0], entries, 0, bits)
    table = w.el(tags[1], "OW", (SECRET * length)[:length])
    expected = descriptor + (table if (entries, bits, length) in FITTING else b"")
    if nested:
        data = w.sequence(0x00283010, w.item(descriptor + table))
        assert _made(data, syntax) == w.sequence(0x00283010, w.item(expected))
    else:
        kind = w.el(0x00280004, "CS", PALETTE)
        assert _made(kind + descriptor + table, syntax) == kind + expected


@pytest.mark.parametrize("descriptor", [b"", _descriptor(LITTLE, 0x00281101, 8)])
def test_a_look_up_table_without_a_descriptor_is_dropped(descriptor: bytes) -> None:
    table = LITTLE.el(0x00281201, "OW", SECRET)
    kind = LITTLE.el(0x00280004, "CS", PALETTE)
    assert _made(kind + descriptor + table, EXPLICIT) == kind + descriptor
    item = LITTLE.item(LITTLE.el(0x00283006, "OW", SECRET))
    sequence = LITTLE.sequence(0x00283010, item)
    assert _made(sequence, EXPLICIT) == LITTLE.sequence(0x00283010, LITTLE.item())


@pytest.mark.parametrize("kind", ["MONOCHROME2", "RGB", ""])
def test_only_palette_images_have_a_palette(kind: str) -> None:
    start = LITTLE.el(0x00280004, "CS", kind) + _descriptor(
        LITTLE, 0x00281101, 4, 0, 16
    )
    assert _made(start + LITTLE.el(0x00281201, "OW", SECRET), EXPLICIT) == start


OFFSETS = [
    ((0, 1000), (992, 900), True),
    ((0, 1000), (992, 1 << 32), True),
    ((0, 1000), (1001, 900), False),
    ((0, 1000), (992, 1 << 33), False),
    ((8, 1000), (900, 900), False),
    ((0, 0), (0, 0), False),
    ((0,), (900,), False),
    ((0, 1000), (900,), False),
    ((0, 1000), (), False),
]


@pytest.mark.parametrize(("offsets", "lengths", "kept"), OFFSETS)
def test_an_extended_offset_table_has_an_entry_per_frame(
    offsets: tuple[int, ...], lengths: tuple[int, ...], *, kept: bool
) -> None:
    frame = even(jpeg())
    data = encapsulated(JPEG_BASELINE, frame, frame, frames=2)
    at = data.index(LITTLE.tag(0x7FE00010))
    tables = LITTLE.el(0x7FE00001, "OV", struct.pack(f"<{len(offsets)}Q", *offsets))
    tables += LITTLE.el(0x7FE00002, "OV", struct.pack(f"<{len(lengths)}Q", *lengths))
    made = rewrite(data[:at] + tables + data[at:], RULES, SimpleGate())
    without = rewrite(data, RULES, SimpleGate())
    at = without.index(LITTLE.tag(0x7FE00010))
    assert made == without[:at] + (tables if kept else b"") + without[at:]


def test_pixels_that_are_not_compressed_have_no_offset_table() -> None:
    tables = LITTLE.el(0x7FE00001, "OV", bytes(8)) + LITTLE.el(0x7FE00002, "OV", SECRET)
    data = image()
    at = data.index(LITTLE.tag(0x7FE00010))
    made = rewrite(data[:at] + tables + data[at:], RULES, SimpleGate())
    assert made == rewrite(data, RULES, SimpleGate())
