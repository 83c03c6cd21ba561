"""Look-up tables and their descriptors."""

import struct
from collections.abc import Sequence
from math import exp

import pytest
from hypothesis import example, given, strategies as st

from orthanc_share.deidentification.dictionary import ENTRIES
from orthanc_share.deidentification.lookup_tables import (
    DESCRIPTOR_OF,
    LUT_DATA,
    PALETTES,
    fits,
    lengths,
)
from tests.support.corpus.canaries import Canaries

RED = 0x00281201
BOTH = (RED, LUT_DATA)


def words(values: Sequence[int], byte_order: str = "<") -> bytes:
    return struct.pack(f"{byte_order}{len(values)}H", *values)


def test_every_table_has_the_descriptor_of_its_name() -> None:
    for table, descriptor in DESCRIPTOR_OF.items():
        name = ENTRIES[table].keyword.removesuffix("Data")
        assert ENTRIES[descriptor].keyword == f"{name}Descriptor"
    assert DESCRIPTOR_OF.keys() == {*PALETTES, LUT_DATA}


@pytest.mark.parametrize(
    ("descriptor", "expected"),
    [
        ((256, 0, 16), {512}),
        ((256, 0, 8), {512, 256}),
        ((255, 0, 8), {510, 256}),
        ((0, 0, 16), {131_072}),
        ((4096, -1024, 12), {8192}),
        ((256, 0), set()),
        ((256, 0, 32), set()),
        ((256, 0, 7), set()),
        ((-1, 0, 16), set()),
        ((65_537, 0, 16), set()),
        ((), set()),
    ],
)
def test_a_table_is_as_long_as_its_descriptor_says(
    descriptor: tuple[int, ...], expected: set[int]
) -> None:
    assert lengths(descriptor) == expected


@pytest.mark.parametrize("tag", BOTH)
@pytest.mark.parametrize(
    ("descriptor", "data", "order", "expected"),
    [
        ((4, 0, 12), b"\x00\x00\x01\x01\x02\x02\xff\x0f", "<", True),
        ((4, 0, 12), b"\x00\x00\x01\x01\x02\x02\x0f\xff", ">", True),
        ((4, 0, 12), b"\x00\x00\x01\x01\x02\x02\x0f\xff", "<", False),
        ((4, 0, 8), b"\x01\x02\x03\x04", "<", True),
        ((4, 0, 8), b"\x02\x01\x04\x03", ">", True),
        ((3, 0, 8), b"\x01\x02\x03\x00", "<", True),
        ((4, 0, 8), b"\x01\x00\x02\x00\x03\x00\x04\x00", "<", True),
        ((4, 0, 8), b"\x01\x01\x02\x02\x03\x03\x04\x04", "<", False),
        ((1,), b"\x01\x00", "<", False),
        ((3, 0, 16), bytes(8), "<", False),
    ],
)
def test_a_table_holds_no_more_bits_than_its_descriptor_says(
    tag: int, descriptor: tuple[int, ...], data: bytes, order: str, *, expected: bool
) -> None:
    assert fits(tag, descriptor, data, order) is expected


FULL = range(65_536)
GAMMA = [round(65_535 * (n / 255) ** 2.2) for n in range(256)]
SIGMOID = [round(65_535 / (1 + exp((2048 - n) / 300))) for n in range(4096)]
TRIANGLE = [*range(0, 256, 2), *range(255, 0, -2)]
STEPS = [value for value in (0, 200, 80, 255, 40, 90, 90, 10) for _ in range(16)]
HOT = [min(255, 3 * n) for n in range(256)]
CURVES = {
    "identity": FULL,
    "inverse": FULL[::-1],
    "gamma": GAMMA,
    "sigmoid": SIGMOID,
    "8 bits in words": range(256),
    "repeated bytes": [n * 257 for n in range(256)],
    "repeated bytes, slowly": [n // 4 * 257 for n in range(1024)],
    "hot": [n << 8 for n in HOT],
    "two values": [0x4141] * 40 + [0x5A5A] * 40,
    "constant": [0x2020] * 256,
    "one": [0x4142],
}
COLOURS = {"triangle": [n * 257 for n in TRIANGLE], "steps": STEPS}


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("values", CURVES.values(), ids=CURVES.keys())
def test_curves_are_tables(values: Sequence[int], order: str) -> None:
    for tag in BOTH:
        assert fits(tag, (len(values) % 65_536, 0, 16), words(values, order), order)


@pytest.mark.parametrize("values", COLOURS.values(), ids=COLOURS.keys())
def test_colours_may_turn_and_grey_values_may_not(values: Sequence[int]) -> None:
    assert fits(RED, (len(values), 0, 16), words(values))
    assert not fits(LUT_DATA, (len(values), 0, 16), words(values))


@pytest.mark.parametrize("values", [range(256), HOT, TRIANGLE, STEPS])
def test_curves_of_bytes_are_tables(values: Sequence[int]) -> None:
    assert fits(RED, (len(values), 0, 8), bytes(values))


NAMES = [
    "DOE JOHN", "DOE^JANE", "QZABCDEF", "19450312", "Иванов", "山田太郎君",
    "MÜLLER^ÄNNE",
]  # fmt: skip
CHARSETS = ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize("tag", BOTH)
def test_a_name_is_no_table(name: str, charset: str, tag: int) -> None:
    data = name.encode(charset)
    data += bytes(len(data) % 2)
    entries = len(data) // 2
    for before in (0, 5):
        made = bytes(2 * before) + data + b"\xff" * 10
        bits = (before + entries + 5, 0, 16)
        assert not fits(tag, bits, made, "<")
        assert not fits(tag, bits, made, ">")
    assert not fits(tag, (len(data), 0, 8), data)


@pytest.mark.parametrize("name", [b"DOE JOHN", b"QZABCDEF"])
@pytest.mark.parametrize("at", [1000, 1001, 60_000])
@pytest.mark.parametrize("tag", BOTH)
def test_a_name_within_a_curve_is_found(name: bytes, at: int, tag: int) -> None:
    data = bytearray(words(FULL))
    data[at : at + len(name)] = name
    assert not fits(tag, (0, 0, 16), bytes(data))


def test_no_canary_is_a_table() -> None:
    made = Canaries("tables")
    for text in (made.text("tables").encode() for _ in range(5000)):
        for tag in BOTH:
            assert not fits(tag, (8, 0, 8), text)
            assert not fits(tag, (4, 0, 16), text)
            assert not fits(tag, (5, 0, 16), b"\0" + text + b"\0")


@pytest.mark.parametrize("words_before", [30, 1000])
def test_of_canaries_in_a_flat_table_hardly_one_passes(words_before: int) -> None:
    """Eight letters are four numbers; of a thousand texts, one rises steadily."""
    made = Canaries("flat tables")
    texts = [made.text("tables").encode() for _ in range(3000)]
    bits = (words_before + 40, 0, 16)
    flat, high = bytes(2 * words_before), b"\xff" * 72
    assert sum(fits(LUT_DATA, bits, flat + text + high) for text in texts) <= 3


@given(
    st.sampled_from(BOTH),
    st.lists(st.integers(-(2**16), 2**16), max_size=4),
    st.binary(max_size=64),
)
@example(RED, [1, 0, 8], b"\0\0")
def test_any_input_has_an_answer(tag: int, descriptor: list[int], data: bytes) -> None:
    assert fits(tag, descriptor, data) in {True, False}
