"""What is known of good and bad answers comes from the recording, and is coherent."""

import pytest

from tests.support.answers import Tried, complaints, tried, working_kinds
from tests.support.replay import Answer


@pytest.mark.parametrize("one", tried(), ids=lambda one: one.case)
def test_complaints_tell_the_answers_that_worked_from_those_that_did_not(
    one: Tried,
) -> None:
    has_trouble = bool(complaints(one.route, one.answer))
    if one.worked and one.answer.status == 200 and _is_strict(one.answer):
        assert not has_trouble, complaints(one.route, one.answer)
    if not one.worked:
        assert has_trouble


def _is_strict(answer: Answer) -> bool:
    try:
        return isinstance(answer.json, dict)
    except ValueError:
        return False


@pytest.mark.parametrize(
    ("route", "member", "kinds"),
    [
        ("validate", "granted", {"boolean"}),
        ("validate", "validity", {"small"}),
        ("profile", "validity", {"small", "middle"}),
        ("profile", "name", {"text"}),
        ("create", "token", {"text"}),
        ("create", "url", {"text", "null"}),
        ("decode", "error-code", {"text", "null"}),
        ("decode", "resources", {"list of ", "list of object"}),
    ],
)
def test_the_recording_says_which_kinds_work(
    route: str, member: str, kinds: set[str]
) -> None:
    assert working_kinds(route)[member] == kinds
