"""JSON from outside."""

import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from orthanc_share.web.json_body import UnreadableBodyError, parse_json

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner),
    max_leaves=8,
)


@given(value=values, ascii_only=st.booleans())
def test_what_json_wrote_is_read(value: Any, *, ascii_only: bool) -> None:
    body = json.dumps(value, ensure_ascii=ascii_only).encode()
    assert parse_json(body) == value


@given(
    members=st.dictionaries(texts, values, min_size=1, max_size=4),
    twin=values,
    depth=st.integers(0, 3),
    in_list=st.booleans(),
)
def test_a_member_that_occurs_twice_is_refused_at_any_depth(
    members: dict[str, Any], twin: Any, depth: int, *, in_list: bool
) -> None:
    name = next(iter(members))
    # Once as it is, once with escapes: they are the same name.
    spelt = "".join(f"\\u{ord(c):04x}" if ord(c) < 0x10000 else c for c in name)
    text = json.dumps(members)[:-1] + f', "{spelt}": {json.dumps(twin)}}}'
    if '"' in name or "\\" in name or any(ord(c) >= 0x10000 for c in name):
        text = json.dumps(members)[:-1] + f", {json.dumps(name)}: {json.dumps(twin)}}}"
    for _ in range(depth):
        text = f"[{text}]" if in_list else f'{{"outer": {text}}}'
    with pytest.raises(UnreadableBodyError, match="twice"):
        parse_json(text.encode())


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1,"a":1}',
        b'{"a":1,"\\u0061":2}',
        b'{"a":{"b":1,"b":2}}',
        b'[{"b":1,"b":2}]',
        b'{"a:":1,"a:":2}',
        b'{"a":1,"b":2,"a":3}',
        b'{"token-value":"x","token-value":"y","level":"study"}',
    ],
)
def test_twins_are_refused(body: bytes) -> None:
    with pytest.raises(UnreadableBodyError, match="twice"):
        parse_json(body)


@pytest.mark.parametrize("body", [b'{"a":"x:y"}', b'{"a:b":":"}', b'{"a":{"a":1}}'])
def test_colons_in_texts_and_equal_names_at_two_depths_are_no_twins(
    body: bytes,
) -> None:
    assert parse_json(body) == json.loads(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"{} {}",
        b"{}x",
        b"{'a':1}",
        b'{"a":1,}',
        b"// comment\n{}",
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":1e999}',
        b'{"a":+1}',
        b'{"a":01}',
        b'{"a":"\xff"}',
        b'{"a":"\x00"}',
        b'{"a":"\\ud800"}',
        b'{"\\ud800":1}',
        b"\xef\xbb\xbf{}",
        '{"a":1}'.encode("utf-16"),
        pytest.param(b'{"a":' + b"9" * 5000 + b"}", id="long number"),
        pytest.param(b'{"a":{"b":' + b"9" * 5000 + b"}}", id="long number below"),
    ],
)
def test_anything_else_is_refused_without_being_told(body: bytes) -> None:
    with pytest.raises(UnreadableBodyError) as caught:
        parse_json(body)
    assert str(caught.value) == "The body is not valid JSON in UTF-8."
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("opening", [b"[", b'{"a":'], ids=["list", "object"])
@pytest.mark.parametrize("depth", [900, 950, 975, 985, 995, 5_000, 100_000])
def test_deep_nesting_is_refused_or_read_at_every_depth(
    opening: bytes, depth: int
) -> None:
    closing = b"]" if opening == b"[" else b"}"
    body = opening * depth + (b"1" if opening != b"[" else b"") + closing * depth
    try:
        value = parse_json(body)
    except UnreadableBodyError as error:
        assert str(error) == "The body is nested too deep."  # noqa: PT017 - either is right
    else:
        for _ in range(depth):
            value = value["a"] if isinstance(value, dict) else (value or [1])[0]
        assert value == 1


@given(st.binary(max_size=60))
def test_any_bytes_may_come(noise: bytes) -> None:
    try:
        value = parse_json(noise)
    except UnreadableBodyError:
        return
    assert json.loads(noise) == value
