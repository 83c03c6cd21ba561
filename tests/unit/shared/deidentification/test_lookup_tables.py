"""Look-up tables and their descriptors."""

import pytest
from hypothesis import given, strategies as st

from orthanc_share.deidentification.dictionary import ENTRIES
from orthanc_share.deidentification.lookup_tables import DESCRIPTOR_OF, fits, lengths


def test_every_table_has_the_descriptor_of_its_name() -> None:
    for table, descriptor in DESCRIPTOR_OF.items():
        name = ENTRIES[table].keyword.removesuffix("Data")
        assert ENTRIES[descriptor].keyword == f"{name}Descriptor"


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


@pytest.mark.parametrize(
    ("descriptor", "data", "order", "expected"),
    [
        ((4, 0, 16), b"DoeJohn1", "<", True),
        ((4, 0, 12), b"DoeJohn1", "<", False),
        ((4, 0, 12), b"\x00\x00\x01\x01\x02\x02\xff\x0f", "<", True),
        ((4, 0, 12), b"\x00\x00\x01\x01\x02\x02\x0f\xff", ">", True),
        ((4, 0, 12), b"\x00\x00\x01\x01\x02\x02\x0f\xff", "<", False),
        ((4, 0, 8), b"\x01\x02\x03\x04", "<", True),
        ((3, 0, 8), b"\x01\x02\x03\x00", "<", True),
        ((4, 0, 8), b"\x01\x00\x02\x00\x03\x00\x04\x00", "<", True),
        ((4, 0, 8), b"DoeJohn1", "<", False),
        ((1,), b"DoeJohn1", "<", False),
        ((3, 0, 16), b"DoeJohn1", "<", False),
    ],
)
def test_a_table_holds_no_more_bits_than_its_descriptor_says(
    descriptor: tuple[int, ...], data: bytes, order: str, *, expected: bool
) -> None:
    assert fits(descriptor, data, order) is expected


@given(st.lists(st.integers(-(2**16), 2**16), max_size=4), st.binary(max_size=64))
def test_any_input_has_an_answer(descriptor: list[int], data: bytes) -> None:
    assert fits(descriptor, data) in {True, False}
