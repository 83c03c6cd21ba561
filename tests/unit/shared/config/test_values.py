"""How a text becomes a value."""

import json
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import given, strategies as st
from pydantic import SecretStr, TypeAdapter, ValidationError

from orthanc_share.config.values import (
    Address,
    Duration,
    Networks,
    Page,
    Root,
    SecretTexts,
    Texts,
    Users,
)


def read(kind: Any, value: Any) -> Any:
    return TypeAdapter(kind).validate_python(value)


def refusal(kind: Any, value: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        read(kind, value)
    return "; ".join(str(detail["msg"]) for detail in caught.value.errors())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90", timedelta(seconds=90)),
        ("0", timedelta(0)),
        ("90s", timedelta(seconds=90)),
        ("15m", timedelta(minutes=15)),
        ("36h", timedelta(hours=36)),
        ("30d", timedelta(days=30)),
        ("2w", timedelta(weeks=2)),
        (" 30 D ", timedelta(days=30)),
        (90, timedelta(seconds=90)),
        (timedelta(1), timedelta(1)),
    ],
)
def test_a_duration_is_seconds_or_has_a_unit(text: Any, expected: timedelta) -> None:
    assert read(Duration, text) == expected


@pytest.mark.parametrize("text", ["", "d", "-1", "1.5h", "1y", "P30D", "1d2h", "٣d"])
def test_anything_else_is_no_duration(text: str) -> None:
    assert "should be seconds" in refusal(Duration, text)


def test_a_duration_beyond_the_calendar_is_refused() -> None:
    assert "too long" in refusal(Duration, "9999999999w")
    assert read(Duration, "9999999999s") == timedelta(seconds=9_999_999_999)


@pytest.mark.parametrize(
    "address",
    [
        "https://share.example.org",
        "http://localhost:8042/",
        "http://[::1]:8000/a/b",
        "https://share.example.org/a%20b/",
    ],
)
def test_an_address_stays_as_it_is(address: str) -> None:
    assert read(Address, address) == address
    assert read(Root, address.rstrip("/")) == address.rstrip("/") + "/"


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("share.example.org", "starts with http"),
        ("//share.example.org/", "starts with http"),
        ("ftp://share.example.org/", "starts with http"),
        ("javascript:alert(1)", "starts with http"),
        ("https://", "starts with http"),
        ("https:///path", "starts with http"),
        ("https://user@share.example.org/", "no user name"),
        ("https://user:canary@share.example.org/", "no user name"),
        ("https://@share.example.org/", "no user name"),
        ("https://share.example.org/?a=b", "without ?"),
        ("https://share.example.org/?", "without ?"),
        ("https://share.example.org/#", "without ?"),
        ("https://share.example.org/a b", "without ?"),
        ("https://share.example.org/a\nb", "without ?"),
        ("https://share.example.org\\@evil.example/", "without ?"),
        ("https://share.example.org:canary/", "can be read"),
        ("https://share.example.org:99999/", "can be read"),
        ("https://[canary/", "can be read"),
        ("https://canary℀.example.org/", "should be ASCII"),
    ],
)
@pytest.mark.parametrize("kind", [Address, Root, Page], ids=["address", "root", "page"])
def test_what_is_no_address_is_refused_without_being_told(
    kind: Any, address: str, message: str
) -> None:
    told = refusal(kind, address)
    assert message in told
    assert "canary" not in told


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://h.example", "https://h.example/"),
        ("https://h.example/welcome", "https://h.example/welcome/"),
        ("https://h.example/welcome/", "https://h.example/welcome/"),
        ("https://h.example/welcome.html", "https://h.example/welcome.html"),
        ("https://h.example/v1.0/welcome", "https://h.example/v1.0/welcome/"),
    ],
)
def test_a_page_may_have_a_name(text: str, expected: str) -> None:
    assert read(Page, text) == expected


@given(st.text(max_size=80))
def test_a_root_ends_with_a_slash_or_is_refused(text: str) -> None:
    try:
        root = read(Root, text)
    except ValidationError:
        return
    assert root.endswith("/")
    assert root.startswith(("http://", "https://", "HTTP"))


def test_what_is_no_text_is_refused() -> None:
    for kind in (Address, Root, Page, Duration, Texts, Users):
        assert refusal(kind, object())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a", ("a",)),
        ("a,b", ("a", "b")),
        (" a , b\nc  d,", ("a", "b", "c", "d")),
        ('["a b", "c,d"]', ("a b", "c,d")),
        ("[]", ()),
        (("a", "b"), ("a", "b")),
    ],
)
def test_a_list_goes_by_blanks_or_commas_or_is_json(
    value: Any, expected: tuple[str, ...]
) -> None:
    assert read(Texts, value) == expected
    assert [one.get_secret_value() for one in read(SecretTexts, value)] == [*expected]


@pytest.mark.parametrize(
    "text",
    ['["canary"', "[canary]", "[1, 2]", "[[", pytest.param("[" * 10**5, id="deep")],
)
def test_a_list_that_is_no_json_is_refused_without_being_told(text: str) -> None:
    assert "canary" not in refusal(Texts, text)


def test_users_are_names_with_secrets() -> None:
    users = read(Users, json.dumps({"jane": "canary", "joe": "$argon2id$v=19$..."}))
    assert users["jane"].get_secret_value() == "canary"
    assert "canary" not in repr(users)
    assert read(Users, {"jane": SecretStr("canary")}) == {"jane": SecretStr("canary")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("canary", "valid JSON"),
        ('{"jane": "canary"', "valid JSON"),
        pytest.param('{"jane":' * 10**5, "valid JSON", id="deep"),
        ('["canary"]', "JSON object"),
        ('"canary"', "JSON object"),
        ("null", "JSON object"),
        ('{"": "canary"}', "user name"),
        ('{"ja:ne": "canary"}', "user name"),
        ('{"ja\\nne": "canary"}', "user name"),
        ('{"jane": ""}', "without a password"),
        ('{"jane": null}', "without a password"),
        ('{"jane": 12345}', "without a password"),
        ('{"jane": {"password": "canary"}}', "without a password"),
        ('{"jane": "canary", "jane": "canary2"}', "twice"),
        ('{"jane": "canary\\ud800"}', "no text"),
    ],
)
def test_what_are_no_users_is_refused_without_being_told(
    text: str, message: str
) -> None:
    told = refusal(Users, text)
    assert message in told
    assert "canary" not in told


def test_networks_are_addresses_with_or_without_a_length() -> None:
    both = (ip_network("10.0.0.0/8"), ip_network("fd00::1/128"))
    assert read(Networks, "10.0.0.0/8, fd00::1") == both
    assert read(Networks, '["10.0.0.0/8", "fd00::1"]') == both
    assert read(Networks, both) == both
    assert read(Networks, "") == ()


@pytest.mark.parametrize("text", ["10.0.0.1/8", "10.0.0.0/33", "nginx", "[1]", "[[]]"])
def test_anything_else_is_no_network(text: str) -> None:
    assert refusal(Networks, text).endswith("networks such as 10.0.0.0/8")
