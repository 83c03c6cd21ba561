"""Clean Descriptors."""

import re

import pytest
from hypothesis import given, strategies as st

from orthanc_share.deidentification.words import WORDS, clean_descriptors


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("MR BRAIN W/O CONTRAST", "MR BRAIN W/O CONTRAST"),
        ("T1_SAG_MPRAGE 3mm", "T1_SAG_MPRAGE 3mm"),
        ("CT Thorax (1.5T)", "CT Thorax (1.5T)"),
        ("CT Thorax Smith John 1945", "CT Thorax *"),
        ("Dr. Miller: ct head", "* ct head"),
        ("CT Thorax 12.03.1945", "CT Thorax *"),
        ("CT Thorax 123 456 78mm", "CT Thorax * 78mm"),
        ("CT\x1b$BHead", "CT*"),
        ("ohne Kontrast", "ohne *"),
    ],
)
def test_only_known_words_and_measures_are_left(text: str, written: str) -> None:
    assert clean_descriptors([text]) == (written,)


@pytest.mark.parametrize("text", ["", "Smith^John", "***", "3mm", "12 03 45", "_-/"])
def test_nothing_is_left_of_a_text_without_a_known_word(text: str) -> None:
    assert clean_descriptors([text]) is None


def test_each_value_is_cleaned() -> None:
    assert clean_descriptors(["HEAD", "Smith"]) == ("HEAD", "*")


@given(st.lists(st.text(max_size=80), max_size=3))
def test_what_is_left_holds_no_other_word(some: list[str]) -> None:
    for value in clean_descriptors(some) or ():
        assert value.isascii()
        for word in re.findall(r"[A-Za-z]{3,}", re.sub(r"\d+(mm|cm|min)", "", value)):
            assert word.lower() in WORDS


def test_the_words_are_words() -> None:
    assert all(re.fullmatch(r"[a-z]+|t[12]w?", word) for word in WORDS)
    assert WORDS.isdisjoint({"smith", "miller", "john", "mueller", "fracture", "tumor"})
