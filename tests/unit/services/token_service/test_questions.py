"""How the plugin's questions are read."""

from typing import Any

import pytest
from starlette.types import Scope

from orthanc_share.domain.access import AccessRequest
from token_service.questions import (
    UnreadableQuestionError,
    access_request,
    member,
    read_object,
    token,
    without_bearer,
)

ASKED = {"method": "GET", "level": "Study"}


def scope(**headers: str) -> Scope:
    """Return an ASGI scope with these headers; `_` in names becomes `-`."""
    return {
        "type": "http",
        "headers": [
            (name.replace("_", "-").encode(), value.encode("latin-1"))
            for name, value in headers.items()
        ],
    }


def test_an_object_is_read() -> None:
    assert read_object(b'{"a": 1}') == {"a": 1}


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b'{"a":1,"a":1}', b"\xff"])
def test_anything_else_is_not(body: bytes) -> None:
    with pytest.raises(UnreadableQuestionError):
        read_object(body)


@pytest.mark.parametrize("name", ["dicom-uid", "dicom_uid"])
def test_a_member_is_spelled_with_hyphens_or_underscores(name: str) -> None:
    assert member({name: "1.2"}, "dicom-uid") == "1.2"
    assert member({name: None}, "dicom-uid") is None
    with pytest.raises(UnreadableQuestionError):
        member({name: 1.2}, "dicom-uid")


def test_the_hyphen_goes_before_the_underscore() -> None:
    assert member({"dicom-uid": "1", "dicom_uid": "2"}, "dicom-uid") == "1"
    assert member({"dicom-uid": None, "dicom_uid": "2"}, "dicom-uid") == "2"
    assert member({}, "dicom-uid") is None


def test_method_and_level_are_read_in_any_case() -> None:
    ids = {"dicom-uid": "1.2", "orthanc_id": "x", "server-id": "site"}
    expected = AccessRequest("get", "study", "1.2", "x", "site")
    assert access_request(ASKED | ids) == expected


@pytest.mark.parametrize("missing", ["method", "level"])
@pytest.mark.parametrize("value", [None, 5])
def test_method_and_level_must_be_there(missing: str, value: Any) -> None:
    with pytest.raises(UnreadableQuestionError):
        access_request(ASKED | {missing: value})


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({}, None),
        ({"server-id": "a"}, "a"),
        ({"identifier": "a"}, "a"),
        ({"server-id": None, "identifier": "a"}, "a"),
        ({"server-id": "a", "identifier": None}, "a"),
        ({"server-id": "a", "identifier": "a"}, "a"),
        ({"server-id": ""}, ""),
    ],
)
def test_the_server_has_two_names_for_its_name(
    names: dict[str, Any], expected: str | None
) -> None:
    assert access_request(ASKED | names).server_id == expected


def test_two_servers_are_none() -> None:
    with pytest.raises(UnreadableQuestionError):
        access_request(ASKED | {"server-id": "a", "identifier": "b"})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a.b.c", "a.b.c"),
        ("Bearer a.b.c", "a.b.c"),
        ("  bEARER   a.b.c  ", "a.b.c"),
        ("Bearer Bearer a.b.c", "Bearer a.b.c"),
        ("Bearer", "Bearer"),
        ("Bearer ", ""),
        ("", ""),
        ("a.b.c\r\n", "a.b.c\r\n"),
        ("Bearer\ta.b.c", "Bearer\ta.b.c"),
    ],
)
def test_blanks_and_one_bearer_are_taken_off(value: str, expected: str) -> None:
    assert without_bearer(value) == expected
    assert token({"token-value": value}, scope(token="other")) == expected


@pytest.mark.parametrize(
    ("question", "headers", "expected"),
    [
        ({}, {}, ""),
        ({}, {"token": "a"}, "a"),
        ({"token-value": None}, {"token": "Bearer a"}, "a"),
        ({"token-key": "api-key"}, {"api_key": "a", "token": "b"}, "a"),
        ({"token-key": "API-Key"}, {"api_key": "a"}, "a"),
        ({"token-key": "api-key"}, {"token": "b"}, "b"),
        ({"token-key": ""}, {"token": "b"}, "b"),
        ({"token-key": "é"}, {"token": "b"}, "b"),
        ({"token-key": "Authorization"}, {"authorization": "a"}, ""),
        ({"token-key": "AUTHORIZATION"}, {"authorization": "a", "token": "b"}, "b"),
        ({}, {"token": "é"}, "é"),
    ],
)
def test_a_token_may_come_in_a_header_only(
    question: dict[str, Any], headers: dict[str, str], expected: str
) -> None:
    assert token(question, scope(**headers)) == expected
    assert token(question) == ""


def test_a_token_is_a_text() -> None:
    for wrong in (5, True, ["a"], {"a": 1}):
        with pytest.raises(UnreadableQuestionError):
            token({"token-value": wrong})
    with pytest.raises(UnreadableQuestionError):
        token({"token-key": 5}, scope(token="a"))
