"""Values are found as whatever bytes they appear, and only where they count."""

import pytest

from suite.leaktest.needles import Haystack, Kind, Needle, forms

NAME = Needle("QZABCDEF", Kind.TEXT, "name")
NATIVE = Needle("山田太郎佐藤", Kind.NATIVE, "name")
DAY = Needle("18501231", Kind.DATE, "day")
SHORT = Needle("Doe", Kind.TEXT, "family name")
WORD = Needle("Jane", Kind.TEXT, "given name")


def found(needle: Needle, data: bytes) -> bool:
    return list(Haystack([needle]).find(data)) == [needle]


@pytest.mark.parametrize("data", [b"QZABCDEF", b"xxqzabcdefyy", b"\0QzAbCdEf"])
def test_letters_are_found_in_any_case_and_anywhere(data: bytes) -> None:
    assert found(NAME, data)


@pytest.mark.parametrize(
    "codec", ["utf_8", "utf_16_be", "shift_jis", "euc_jp", "gb18030"]
)
def test_other_scripts_are_found_in_every_charset(codec: str) -> None:
    assert found(NATIVE, b"ab" + NATIVE.value.encode(codec) + b"c")


def test_escape_sequences_are_no_part_of_a_form() -> None:
    assert NATIVE.value.encode("iso2022_jp")[3:-3].lower() in forms(NATIVE)


def test_a_repeated_value_is_found_each_time_also_where_it_overlaps() -> None:
    twice = Needle("abcabc", Kind.TEXT, "twice")
    assert len(list(Haystack([twice]).find(b"abcabcabc"))) == 2


def test_a_date_in_a_made_up_uid_is_chance_and_elsewhere_is_not() -> None:
    assert not found(DAY, b"2.25.99918501231777")
    assert found(DAY, b"1.2.840.113619.18501231.7")
    assert found(DAY, b"18501231235959")


def test_a_number_counts_where_a_date_does() -> None:
    number = Needle("73519.48828125", Kind.NUMBER, "weight")
    assert found(number, b'{"Value":[73519.48828125]}')
    assert found(number, b"DS\x0e\x0073519.48828125")
    whole = Needle("2012345678", Kind.NUMBER, "number")
    assert found(whole, b"[2012345678]")
    assert not found(whole, b"2.25.9920123456781")


def test_an_age_counts_where_a_word_begins() -> None:
    age = Needle("913W", Kind.NUMBER, "age")
    assert found(age, b"AS\x04\x00913W\x10\x00")
    assert found(age, b'["913W"]')
    assert found(age, b"AS\x04\x00913Wr\x00")  # before group 0072
    assert not found(age, b"1913W")


def test_a_date_in_random_hexadecimal_digits_is_chance() -> None:
    assert not found(DAY, b"0a" * 8 + b"18501231" + b"0b" * 8)
    assert not found(DAY, b"x-request-id: 0a1b185012310c1d")
    assert found(DAY, b"0a18501231")
    assert found(DAY, b"1850123123595900")


def test_short_values_count_as_whole_words_only() -> None:
    assert found(WORD, b"name=jane;")
    assert found(WORD, b"jane")
    assert not found(WORD, b"janeway")
    assert not found(WORD, b"xjane")


def test_what_is_too_short_is_not_looked_for() -> None:
    assert not found(SHORT, b"Doe")


def test_nothing_is_found_where_nothing_is_looked_for() -> None:
    assert not list(Haystack([]).find(b"anything"))
