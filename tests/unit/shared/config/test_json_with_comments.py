"""Files are JSON, with comments if people want them."""

import json

import pytest

from orthanc_share.config.json_with_comments import (
    COMMENTED_MAX_BYTES,
    DOCUMENT_MAX_BYTES,
    is_plain,
    parse,
)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": [1, "é"]}',
        '// roles\n{"a": [1, "é"]}',
        '{"a": /* one */ [1, "é",],}',
        '\ufeff{"a": [1, "é"]}',
    ],
)
def test_a_document_is_read_with_and_without_comments(text: str) -> None:
    assert parse(text.encode()) == {"a": [1, "é"]}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"", "is no JSON"),
        (b'{"a": 1 "b": 2}', "is no JSON.*column"),
        (b"\xff\xfe", "is not UTF-8"),
        (b'{"a": 1, "a": 2}', "names a member twice"),
        (b'// x\n{"a": 1, "a": 2}', "is no JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b"/**/" + b"[" * 50_000, "nested too deeply"),
        (b"x" * (COMMENTED_MAX_BYTES + 1), "is no JSON: line 1, column 1"),
        (b" " * (DOCUMENT_MAX_BYTES + 1), "is larger than"),
    ],
)
def test_anything_else_is_refused_with_a_reason(text: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=problem) as raised:
        parse(text)
    # The error of the standard library would carry the whole text with it.
    assert not isinstance(raised.value, json.JSONDecodeError)


def test_plain_documents_are_told_from_others() -> None:
    assert is_plain(b'{"a": 1}')
    assert not is_plain(b'{"a": 1} // x')
    assert not is_plain(b"\xff")
    assert not is_plain(b"[" * 100_000)
