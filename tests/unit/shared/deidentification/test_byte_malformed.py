"""Datasets that break the rules of DICOM are refused, never passed."""

import struct

import pytest

from orthanc_share.deidentification.actions import DeidentificationError
from orthanc_share.deidentification.limits import Limits
from orthanc_share.deidentification.part10 import InstanceRewriter, rewrite
from tests.unit.shared.deidentification.byte_samples import (
    BIG,
    EXPLICIT,
    IMPLICIT,
    IMPLICIT_WRITER,
    LITTLE,
    SECRET,
    UNDEFINED,
    WRITERS,
    SimpleGate,
    SimpleRules,
    Writer,
    dataset,
    feed_silently,
    image,
)

ROWS = LITTLE.el(0x00280010, "US", 1)
NAME = LITTLE.el(0x00100010, "PN", SECRET)
REFERENCED = 0x00081140
END = LITTLE.tag(0xFFFEE0DD) + bytes(4)
ITEM_END = LITTLE.tag(0xFFFEE00D) + bytes(4)


def _item(length: int, body: bytes = b"") -> bytes:
    return LITTLE.tag(0xFFFEE000) + struct.pack("<I", length) + body


MALFORMED = {
    "tags in descending order": ROWS + NAME,
    "the same tag twice": ROWS + ROWS,
    "a command element": LITTLE.el(0x00000002, "UI", "1.2"),
    "padding with zeros": ROWS + bytes(32),
    "file meta information within": LITTLE.el(0x00020010, "UI", "1.2"),
    "a group that may not be": LITTLE.el(0x00030010, "LO", SECRET),
    "the last group": LITTLE.el(0xFFFF0010, "LO", SECRET),
    "an item outside of a sequence": LITTLE.item(NAME),
    "an unknown VR": LITTLE.el(0x00080060, "QQ", SECRET),
    "a VR of zeros": LITTLE.el(0x00080060, "\0\0", SECRET),
    "reserved bytes in use": LITTLE.el(0x00104000, "OB", SECRET).replace(
        b"OB\0\0", b"OBQZ"
    ),
    "an element header cut off": ROWS + NAME[:7],
    "a long element header cut off": LITTLE.el(0x00104000, "OB")[:10],
    "a value cut off": NAME[:-1],
    "a length beyond the end": LITTLE.el(0x00104000, "OB", SECRET, 1 << 30),
    "an undefined length of a text": LITTLE.el(0x00104000, "UT", b"", UNDEFINED),
    "an undefined length without an end": LITTLE.el(
        REFERENCED, "SQ", _item(0), UNDEFINED
    ),
    "a sequence without items": LITTLE.el(REFERENCED, "SQ", SECRET),
    "a sequence of half an item": LITTLE.el(REFERENCED, "SQ", SECRET[:4]),
    "an item longer than its sequence": LITTLE.el(REFERENCED, "SQ", _item(8)) + NAME,
    "an item without an end": LITTLE.el(REFERENCED, "SQ", _item(UNDEFINED)) + NAME,
    "an item with the wrong end": LITTLE.el(
        REFERENCED, "SQ", _item(UNDEFINED) + END + ITEM_END
    ),
    "an element longer than its item": LITTLE.el(
        REFERENCED, "SQ", _item(8, LITTLE.el(0x00081155, "UI", b"", 4))
    )
    + NAME,
    "a long header longer than its item": LITTLE.el(
        REFERENCED, "SQ", _item(8, LITTLE.el(0x00104000, "OB")[:8])
    )
    + NAME,
    "a header longer than its item": LITTLE.el(REFERENCED, "SQ", _item(4, b"QZQZ"))
    + NAME,
    "tags of an item in descending order": LITTLE.sequence(
        REFERENCED, LITTLE.item(ROWS, NAME)
    ),
    "a delimiter with a length": LITTLE.el(
        REFERENCED, "SQ", LITTLE.tag(0xFFFEE0DD) + b"QZQZ", UNDEFINED
    ),
    "a delimiter in a sequence of defined length": LITTLE.el(REFERENCED, "SQ", END),
    "fragments without an end": LITTLE.el(0x00291010, "OB", _item(0), UNDEFINED),
    "fragments that are no items": LITTLE.el(0x00291010, "OB", SECRET, UNDEFINED),
    "a fragment of undefined length": LITTLE.el(
        0x00291010, "OB", _item(UNDEFINED) + ITEM_END + END, UNDEFINED
    ),
    "a fragment cut off": LITTLE.el(0x00291010, "OB", _item(9), UNDEFINED),
    "pixels before their place": LITTLE.el(0xFFFAFFFA, "LO", SECRET)
    + LITTLE.el(0x7FE00010, "OW", bytes(8)),
    "explicit VR inside of UN": LITTLE.el(
        REFERENCED, "UN", LITTLE.item(LITTLE.el(0x00081155, "UI", "1.2"))
    ),
}


@pytest.mark.parametrize("what", MALFORMED)
@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_a_malformed_dataset_is_refused(what: str, size: int) -> None:
    data = MALFORMED[what]
    rewriter = InstanceRewriter(SimpleRules(), SimpleGate(), transfer_syntax=EXPLICIT)
    with pytest.raises(DeidentificationError) as refused:
        feed_silently(rewriter, data, size)
    assert "QZ" not in str(refused.value)
    assert not rewriter.started


@pytest.mark.parametrize(("syntax", "w"), WRITERS.items())
def test_a_dataset_in_another_encoding_than_it_says_is_refused(
    syntax: str, w: Writer
) -> None:
    data = w.el(0x00080060, "CS", "CT") + w.el(0x00280010, "US", 1)
    assert dataset(data, syntax=syntax) == data
    for other in {EXPLICIT, IMPLICIT, BIG} - {syntax}:
        with pytest.raises(DeidentificationError):
            dataset(data, syntax=other)


def test_a_text_of_undefined_length_is_refused_in_implicit_vr() -> None:
    data = IMPLICIT_WRITER.el(0x00104000, "LT", SECRET, UNDEFINED)
    with pytest.raises(DeidentificationError, match="undefined length"):
        dataset(data, syntax=IMPLICIT)


def test_wherever_a_file_is_cut_off_it_is_refused() -> None:
    whole = image()
    # What ends between two elements before the pixels is a dataset without pixels.
    between = {len(whole) - 20 - 10 * elements for elements in range(8)}
    start = whole.index(LITTLE.tag(0x00280002))
    for end in set(range(start, len(whole))) - between:
        with pytest.raises(DeidentificationError):
            rewrite(whole[:end], SimpleRules(), SimpleGate())


def test_a_head_beyond_its_limit_is_refused() -> None:
    data = image()
    limits = Limits(head=len(data) - 9)
    with pytest.raises(DeidentificationError, match="too big"):
        rewrite(data, SimpleRules(), SimpleGate(), limits=limits)
    enough = Limits(head=len(data) - 8)
    assert rewrite(data, SimpleRules(), SimpleGate(), limits=enough)


@pytest.mark.parametrize("value", [SECRET, SECRET * 100])
def test_a_head_that_would_grow_beyond_its_limit_is_refused_at_once(
    value: bytes,
) -> None:
    rewriter = InstanceRewriter(
        SimpleRules(), SimpleGate(), Limits(head=100), transfer_syntax=EXPLICIT
    )
    with pytest.raises(DeidentificationError, match="too big"):
        rewriter.feed(LITTLE.el(0x00104000, "OB", value, 1 << 20))


def test_the_head_is_read_a_few_times_only_however_small_the_pieces() -> None:
    data = b"".join(LITTLE.el(0x00110010 + n, "LO", SECRET * 4) for n in range(2000))
    limits = Limits(elements=2000)  # counted anew each time
    rewriter = InstanceRewriter(
        SimpleRules(), SimpleGate(), limits, transfer_syntax=EXPLICIT
    )
    needed = set()
    for at in range(0, len(data), 100):
        rewriter.feed(data[at : at + 100])
        needed.add(rewriter._needed)
        assert rewriter.collected == min(at + 100, len(data))
    assert len(needed) < 20
    assert rewriter.finish() == [b""]
