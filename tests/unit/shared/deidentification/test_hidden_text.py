"""Text in the disguise of numbers."""

import struct

import pytest
from hypothesis import given, strategies as st

from orthanc_share.deidentification.hidden_text import are_numbers, holds_text


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


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("number", [0.0, -0.0, 1e-28, 1.5, -0.001, 131_071.5, 5e14])
def test_doubles_of_usual_size_are_numbers(number: float, order: str) -> None:
    assert are_numbers("FD", struct.pack(f"{order}2d", 1.0, number), order)


@pytest.mark.parametrize(
    "number", [1e-29, 1e15, -1e300, 5e-324, float("nan"), float("-inf")]
)
@pytest.mark.parametrize("order", "<>")
def test_doubles_out_of_all_bounds_are_none(number: float, order: str) -> None:
    assert not are_numbers("FD", struct.pack(f"{order}2d", 1.0, number), order)


@pytest.mark.parametrize("text", [b"DOE JON\0", b"\0DOE JON", b"DOE JO\xff\x7f"])
def test_a_short_name_is_no_double(text: bytes) -> None:
    assert not holds_text(text)
    assert not are_numbers("FD", text, "<")
    assert not are_numbers("FD", text[::-1], ">")


@pytest.mark.parametrize("order", "<>")
def test_a_float_is_finite(order: str) -> None:
    for number in (0.0, -1.5, 1e38, -1e-38, 65.25):
        assert are_numbers("FL", struct.pack(f"{order}2f", 1.0, number), order)
    for number in (float("nan"), float("inf"), float("-inf")):
        assert not are_numbers("FL", struct.pack(f"{order}2f", 1.0, number), order)
    # The rest of a NaN is free.
    assert not are_numbers("FL", b"JO\xc1\x7f"[:: 1 if order == "<" else -1], order)


@pytest.mark.parametrize("vr", ["US", "SS", "UL", "SL", "SV", "UV", "FL"])
@pytest.mark.parametrize("charset", ["utf-16-le", "utf-16-be", "utf-32-le"])
def test_wide_letters_are_no_numbers(vr: str, charset: str) -> None:
    for order in "<>":
        assert not are_numbers(vr, "DOE^JOHN".encode(charset), order)


@pytest.mark.parametrize(
    "numbers",
    [range(200), [*range(60, 70)] * 4, [n // 2 for n in range(200)], [32] * 9],
)
def test_numbers_that_count_are_no_wide_letters(numbers: list[int]) -> None:
    for order in "<>":
        assert are_numbers(
            "US", struct.pack(f"{order}{len(numbers)}H", *numbers), order
        )
