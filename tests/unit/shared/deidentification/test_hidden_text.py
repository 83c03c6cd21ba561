"""Text in the disguise of numbers."""

import struct

import pytest
from hypothesis import given, strategies as st

from orthanc_share.deidentification.hidden_text import holds_text


@pytest.mark.parametrize(
    "data", [b"DOE JOHN", b"QZABCDEF", b"DOE^JANE", b"19450312", b"\x00DoeJohn1\x00"]
)
def test_letters_in_a_row_are_text(data: bytes) -> None:
    assert holds_text(data)


@pytest.mark.parametrize("data", [b"", b"DOE", b"        ", b"Doe\x00John\x00"])
def test_short_or_broken_rows_are_none(data: bytes) -> None:
    assert not holds_text(data)


@given(st.floats(1e-30, 131_071), st.sampled_from("<>"))
def test_doubles_of_usual_size_are_none(number: float, order: str) -> None:
    assert not holds_text(struct.pack(f"{order}d", number))


@given(st.lists(st.integers(0, 0x2FFF), max_size=50), st.sampled_from("<>"))
def test_words_of_12_bits_are_none(numbers: list[int], order: str) -> None:
    small = [number % 4096 for number in numbers]
    assert not holds_text(struct.pack(f"{order}{len(small)}H", *small))
