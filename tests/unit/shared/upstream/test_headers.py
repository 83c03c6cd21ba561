"""What concerns one connection only is not handed on (RFC 9110 7.6.1)."""

import pytest
from hypothesis import given, strategies as st

from orthanc_share.upstream.headers import HOP_BY_HOP, connection_options, end_to_end


@pytest.mark.parametrize("name", sorted(HOP_BY_HOP))
def test_a_field_of_one_connection_is_not_handed_on(name: bytes) -> None:
    assert end_to_end([(name, b"x"), (name.title(), b"x")]) == []


def test_fields_that_connection_names_are_not_handed_on() -> None:
    headers = [
        (b"Connection", b"close, X-One"),
        (b"X-One", b"1"),
        (b"connection", b" ,x-TWO,, "),
        (b"x-two", b"2"),
        (b"X-Three", b"3"),
    ]
    assert end_to_end(headers) == [(b"X-Three", b"3")]
    assert connection_options(headers) == {b"close", b"x-one", b"x-two"}


def test_repeated_fields_keep_their_order() -> None:
    headers = [(b"set-cookie", b"a"), (b"vary", b"x"), (b"set-cookie", b"b")]
    assert end_to_end(headers) == headers


def test_further_names_can_be_left_out() -> None:
    headers = [(b"Host", b"h"), (b"accept", b"*/*")]
    assert end_to_end(headers, drop={b"host"}) == [(b"accept", b"*/*")]


@given(st.lists(st.tuples(st.binary(max_size=20), st.binary(max_size=20))))
def test_nothing_is_added_or_changed(headers: list[tuple[bytes, bytes]]) -> None:
    remaining = iter(headers)
    assert all(field in remaining for field in end_to_end(headers))
