"""Patterns of `/tools/find`."""

import fnmatch
import re

import pytest
from hypothesis import given, strategies as st

from anonymizer.finding import UnreadableQuestionError, fits, question

TEXTS = st.text("ab*?", max_size=8)


@given(pattern=TEXTS, text=st.text("ab", max_size=8))
def test_stars_and_question_marks_fit_as_everywhere(pattern: str, text: str) -> None:
    expected = re.fullmatch(fnmatch.translate(pattern), text) is not None
    assert fits(pattern, text) is expected


def test_a_star_in_the_text_is_a_character_like_others() -> None:
    assert fits("a*", "a*b")
    assert not fits("ab", "a*")


def test_a_hostile_pattern_takes_no_time() -> None:
    # An expression with as many stars would never come to an end.
    assert not fits("*a" * 100 + "b", "a" * 10_000)


@pytest.mark.parametrize("level", ["Patient", "Study", "Series", "Instance"])
def test_a_question_is_read(level: str) -> None:
    asked = question(b'{"Level": "%s", "Query": {}, "Full": true}' % level.encode())
    assert (asked.level, asked.query, asked.expand) == (level, {}, False)


def test_a_question_too_deep_to_be_read_is_refused() -> None:
    with pytest.raises(UnreadableQuestionError):
        question(b'{"Level": ' + b"[" * 100_000)
