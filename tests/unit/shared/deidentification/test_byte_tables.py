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
)
from tests.unit.shared.deidentification.compressed_samples import even, jpeg
from tests.unit.shared.deidentification.images import POLICY

in_every_encoding = pytest.mark.parametrize(("syntax", "w"), WRITERS.items())

_TABLES = (0x00281101, 0x00281201, 0x00283002, 0x00283006)


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


FITTING = [(4, 8, 4), (4, 12, 8), (4, 16, 8), (3, 8, 4), (0, 16, 131_072)]
LYING = [(4, 16, 4), (4, 16, 10), (3, 16, 4), (0, 16, 8), (4, 8, 2)]
PALETTE = "PALETTE COLOR"


@in_every_encoding
@pytest.mark.parametrize(("entries", "bits", "length"), FITTING + LYING)
@pytest.mark.parametrize("nested", [False, True])
def test_a_look_up_table_is_as_long_as_its_descriptor_says(
    syntax: str, w: Writer, entries: int, bits: int, length: int, *, nested: bool
) -> None:
    tags = (0x00283002, 0x00283006) if nested else (0x00281101, 0x00281201)
    descriptor = _descriptor(w, tags[0], entries, 0, bits)
    table = w.el(tags[1], "OW", bytes(length))
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


def test_a_palette_has_no_place_in_an_item_and_lut_data_none_outside() -> None:
    descriptor = _descriptor(LITTLE, 0x00281101, 4, 0, 16)
    item = LITTLE.item(descriptor + LITTLE.el(0x00281201, "OW", RAMP))
    expected = LITTLE.sequence(0x00283010, LITTLE.item(descriptor))
    assert _made(LITTLE.sequence(0x00283010, item), EXPLICIT) == expected
    descriptor = _descriptor(LITTLE, 0x00283002, 4, 0, 16)
    start = LITTLE.el(0x00280004, "CS", PALETTE) + descriptor
    assert _made(start + LITTLE.el(0x00283006, "OW", RAMP), EXPLICIT) == start


RAMP = bytes(range(8))


@in_every_encoding
@pytest.mark.parametrize("nested", [False, True])
def test_a_text_is_no_look_up_table(syntax: str, w: Writer, *, nested: bool) -> None:
    tags = (0x00283002, 0x00283006) if nested else (0x00281101, 0x00281201)
    descriptor = _descriptor(w, tags[0], 4, 0, 16)
    for text in (b"DOE JOHN", b"QZCANARY", "Иван".encode("utf-16-be")):
        table = w.el(tags[1], "OW", text)
        if nested:
            data = w.sequence(0x00283010, w.item(descriptor + table))
            expected = w.sequence(0x00283010, w.item(descriptor))
        else:
            kind = w.el(0x00280004, "CS", PALETTE)
            data, expected = kind + descriptor + table, kind + descriptor
        assert _made(data, syntax) == expected


@pytest.mark.parametrize("size", [1, 2])
def test_an_extended_offset_table_is_left_out(size: int) -> None:
    """Any eight letters would do as an offset, and no reader needs it."""
    frame = even(jpeg())
    data = encapsulated(JPEG_BASELINE, *[frame] * size, frames=size)
    at = data.index(LITTLE.tag(0x7FE00010))
    offsets, lengths = struct.pack("<2Q", 0, 1000), struct.pack("<2Q", 992, 900)
    tables = LITTLE.el(0x7FE00001, "OV", offsets[: 8 * size])
    tables += LITTLE.el(0x7FE00002, "OV", lengths[: 8 * size])
    made = rewrite(data[:at] + tables + data[at:], POLICY, SimpleGate())
    assert made == rewrite(data, POLICY, SimpleGate())
