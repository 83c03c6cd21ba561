"""How the values of a query are compared (PS3.4 C.2.2.2)."""

from fnmatch import fnmatchcase

import pytest
from hypothesis import given, strategies as st

from anonymizer.matching import Query


def fits(vr: str, value: object, wanted: str) -> bool:
    query = Query({"00100010": wanted}, frozenset())
    values = [] if value is None else [value]
    return query.matches({"00100010": {"vr": vr, "Value": values}})


@pytest.mark.parametrize(
    ("vr", "value", "wanted", "expected"),
    [
        ("LO", "CT 1", "CT 1", True),
        ("LO", "CT 1", "ct 1", True),
        ("LO", "CT 1", "CT", False),
        ("LO", "CT 1", "CT*", True),
        ("LO", "CT 1", "*1", True),
        ("LO", "CT 1", "*T*", True),
        ("LO", "CT 1", "?T ?", True),
        ("LO", "CT 1", "?T?", False),
        ("LO", "CT 1", "CT*CT 1", False),
        ("LO", "abab", "*ab*ab", True),
        ("LO", "ab", "*ab*ab", False),
        ("LO", "abcb", "a*c*b*c*", False),
        ("LO", "abcb", "x*", False),
        ("LO", "CT 1", "", True),
        ("LO", None, "*", True),
        ("LO", None, "a", False),
        ("LO", {"a": []}, "x", False),
        ("PN", {"Alphabetic": "Anonymous"}, "anon*", True),
        ("IS", 12, "12", True),
        ("UI", "1.2.3", "1.2.3", True),
        ("UI", "1.2.3", "1.2.4,1.2.3", True),
        ("UI", "1.2.3", "1.2.4\\1.2.3", True),
        ("UI", "1.2.3", "1.2.4", False),
        ("DA", "20260101", "20260101", True),
        ("DA", "20260101", "20251231-20260102", True),
        ("DA", "20260101", "20260102-", False),
        ("DA", "20260101", "-20260101", True),
        ("DA", "20260101", "-20251231", False),
        ("DA", None, "20251231-", False),
        ("TM", "101500", "10-11", True),
        ("TM", "101500", "-10", True),
        ("TM", "113000", "-10", False),
    ],
)
def test_a_value_fits_or_not(
    vr: str, value: object, wanted: str, *, expected: bool
) -> None:
    assert fits(vr, value, wanted) is expected


def test_what_is_not_there_fits_no_value() -> None:
    query = Query({"00100010": "a", "0020000D": "1.2"}, frozenset())
    assert not query.matches({})
    assert query.matches({}, only=())
    assert not query.matches({}, only={"0020000D"})
    unreadable = {"00100010": {"vr": "LO", "Value": 5}}
    assert not Query({"00100010": "a"}, frozenset()).matches(unreadable)


@given(st.text("ab", min_size=1), st.text("ab*?"))
def test_wildcards_mean_what_they_mean_in_a_shell(value: str, wanted: str) -> None:
    expected = not wanted or fnmatchcase(value, wanted)
    assert fits("LO", value, wanted) is expected
