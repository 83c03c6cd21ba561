"""Cleaners of values."""

import re
from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given, strategies as st

from orthanc_share.deidentification import values
from orthanc_share.deidentification.values import Cleaner

DAYS = 1000
DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)

texts = st.lists(st.text(max_size=40), max_size=3)
days = st.integers(366, 3652)
some_dates = st.dates(min_value=date(1800, 1, 1))


def one(clean: Cleaner, value: str, shift: int = DAYS) -> str | None:
    cleaned = clean([value], shift)
    return cleaned[0] if cleaned else None


@pytest.mark.parametrize(
    ("given_text", "written"),
    [
        ("1", "1"),
        (" -1.5 ", "-1.5"),
        ("+.5E-3", "+.5E-3"),
        ("1.", "1."),
        ("", ""),
        ("-123.45678901234567890", "-123.45678901235"),
        ("0.00000000000000000012345678901", "1.2345678901e-19"),
        ("-1.234567890123456e-100", "-1.23456789e-100"),
        ("1" * 40 + "e999", None),
        ("9" * 65, None),
        ("19450312T", None),
        ("DOE^JOHN", None),
        ("1,5", None),
        ("1 2", None),
        ("NaN", None),
        ("\u0661", None),
        ("-", None),
    ],
)
def test_decimal_strings_are_decimal_numbers(
    given_text: str, written: str | None
) -> None:
    assert one(values.decimals, given_text) == written


@given(st.floats(-1e300, 1e300, allow_subnormal=False))
def test_a_number_keeps_nine_digits_and_fits(number: float) -> None:
    written = one(values.decimals, f"{number:.20e}")
    assert written is not None
    assert len(written) <= 16
    assert float(written) == pytest.approx(number, rel=1e-8, abs=0)


@pytest.mark.parametrize(
    ("given_text", "written"),
    [
        ("7", "7"),
        ("-2147483648", "-2147483648"),
        ("2147483648", None),
        ("3.000", "3"),
        ("3.5", None),
        ("", ""),
        ("DOE", None),
        ("12345678901", None),
    ],
)
def test_integer_strings_are_integers_of_32_bits(
    given_text: str, written: str | None
) -> None:
    assert one(values.integers, given_text) == written


@pytest.mark.parametrize(
    ("given_text", "written"),
    [
        ("0.000413", "0.000413"),
        (".5", ".5"),
        ("1.25e-3", "1.25e-3"),
        ("19450312", None),
        ("4711", None),
        ("12345678.1", None),
        ("x.1", None),
    ],
)
def test_private_factors_are_no_numbers_of_somebody(
    given_text: str, written: str | None
) -> None:
    assert one(values.factors, given_text) == written


@pytest.mark.parametrize(
    ("given_text", "written"),
    [
        ("089Y", "089Y"),
        ("090Y", "090Y"),
        ("091Y", "090Y"),
        ("104Y", "090Y"),
        ("999M", "999M"),
        ("003W", "003W"),
        ("45Y", None),
        ("045", None),
        ("DOE", None),
    ],
)
def test_nobody_is_shown_older_than_90(given_text: str, written: str | None) -> None:
    assert one(values.ages, given_text) == written


@pytest.mark.parametrize(
    ("given_text", "written"),
    [
        ("20240229", "20210604"),
        ("00010101", None),
        ("99991231", "99970405"),
        ("20230229", None),
        ("2024.02.29", None),
        ("2024-229", None),
        ("2024W011", None),
        ("20240229-20240301", None),
        ("\u0662\u0660\u0662\u0664\u0660\u0662\u0662\u0669", None),
    ],
)
def test_only_whole_dates_are_moved(given_text: str, written: str | None) -> None:
    assert one(values.dates, given_text) == written


@given(some_dates, some_dates, days)
def test_the_time_between_two_dates_stays(one_: date, other: date, shift: int) -> None:
    texts_ = [day.strftime("%Y%m%d").rjust(8, "0") for day in (one_, other)]
    moved = values.dates(texts_, shift)
    assert moved is not None
    first, second = (date.fromisoformat(text) for text in moved)
    assert second - first == other - one_
    assert first == one_ - timedelta(days=shift)


@given(some_dates, days)
def test_dates_and_date_times_move_alike(day: date, shift: int) -> None:
    text = day.strftime("%Y%m%d").rjust(8, "0")
    moved = one(values.dates, text, shift)
    assert one(values.date_times, f"{text}101500.25+0130", shift) == f"{moved}101500.25"
    assert one(values.date_times, text, shift) == moved


@pytest.mark.parametrize(
    "text", ["2024", "202402", "20240230", "2024022910150Z", "00010101101500", "DOE"]
)
def test_other_date_times_are_not_shown(text: str) -> None:
    assert one(values.date_times, text) is None


@pytest.mark.parametrize("text", ["10", "1015", "101500", "235960", "101500.123456"])
def test_times_of_day_stay(text: str) -> None:
    assert one(values.times, text) == text


@pytest.mark.parametrize("text", ["24", "10:15", "1", "101560.1Z", "101500.1234567"])
def test_other_times_are_not_shown(text: str) -> None:
    assert one(values.times, text) is None


@pytest.mark.parametrize(
    ("given_text", "written"),
    [
        ("SN 4711/a", "SN 4711/a"),
        ("Universit\xe4t", "Universit?t"),
        ("Universit\xc3\xa4t", "Universit?t"),
        ("\x1b$B;3ED", None),
        ("a\x00b", None),
    ],
)
def test_kept_texts_are_ascii(given_text: str, written: str | None) -> None:
    assert one(values.verbatim, given_text) == written


def test_orientations_are_letters_of_the_body() -> None:
    assert values.orientations(["AR", "F"], DAYS) == ("AR", "F")
    assert values.orientations(["DOE", "F"], DAYS) is None


def test_labels_are_short_numbers_or_one() -> None:
    assert values.short_numbers(["12"], DAYS) == ("12",)
    assert values.short_numbers(["DOE"], DAYS) == ("1",)
    assert values.short_numbers(["19450312"], DAYS) == ("1",)


def test_one_value_that_is_not_listed_hides_all() -> None:
    clean = values.listed({"YES", "NO"})
    assert clean(["YES ", "NO\0"], DAYS) == ("YES", "NO")
    assert clean(["YES", "DOE"], DAYS) is None


def test_of_a_set_only_that_value_is_left_out() -> None:
    clean = values.some_listed({"ATTN", "DECY"})
    assert clean(["ATTN", "DOE", "DECY "], DAYS) == ("ATTN", "DECY")
    assert clean(["DOE"], DAYS) is None


def test_or_is_replaced_where_its_place_matters() -> None:
    clean = values.listed({"ORIGINAL", "PRIMARY"}, "OTHER")
    assert clean(["ORIGINAL", "DOE"], DAYS) == ("ORIGINAL", "OTHER")


def test_a_dummy_stands_where_nothing_can_be_kept() -> None:
    clean = values.otherwise(values.dates, "19000101")
    assert clean(["20240229"], DAYS) == ("20210604",)
    assert clean(["DOE"], DAYS) == ("19000101",)


@pytest.mark.parametrize(
    ("clean", "pattern"),
    [
        (values.decimals, rf"({DECIMAL.pattern})?"),
        (values.integers, r"([+-]?\d{1,10})?"),
        (values.factors, r"(\d*\.\d+([eE][+-]?\d+)?)?"),
        (values.ages, r"(\d{3}[DWMY])?"),
        (values.dates, r"(\d{8})?"),
        (values.times, r"(\d{2,6}(\.\d{1,6})?)?"),
        (values.date_times, r"(\d{8,14}(\.\d{1,6})?)?"),
        (values.verbatim, r"[ -~]*"),
        (values.orientations, r"[APRLHF]{0,3}"),
        (values.short_numbers, r"\d{0,4}"),
    ],
    ids=["DS", "IS", "factor", "AS", "DA", "TM", "DT", "text", "orientation", "label"],
)
@given(some=texts)
def test_whatever_comes_in_only_that_goes_out(
    clean: Cleaner, pattern: str, some: Sequence[str]
) -> None:
    for value in clean(some, DAYS) or ():
        assert re.fullmatch(pattern, value, re.ASCII)
