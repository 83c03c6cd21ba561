"""Questions to the token-service are sent as the C++ plugin sends them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from demo.orthanc.options import Options, read_options
from demo.orthanc.request import Token
from demo.orthanc.service import Checked, ServiceError, TokenService
from tests.support.recording_service import Call, RecordingService, recording_service

STUDY = Checked("get", "study", "o-id", "1.2")
PROFILE = {"name": "N", "permissions": ["view"], "authorized-labels": ["*"]}


@pytest.fixture(scope="module")
def stand_in() -> Iterator[RecordingService]:
    with recording_service(lambda _call: (200, {})) as service:
        yield service


@pytest.fixture
def recorder(stand_in: RecordingService) -> RecordingService:
    stand_in.calls.clear()
    answer(stand_in, {"granted": True, "validity": 60})
    return stand_in


def answer(recorder: RecordingService, document: Any, status: int = 200) -> None:
    recorder.rule = lambda _call: (status, document)


def options(recorder: RecordingService, **more: Any) -> Options:
    return read_options({"WebServiceRootUrl": recorder.url, **more})


def client(recorder: RecordingService, **more: Any) -> TokenService:
    return TokenService(options(recorder, **more))


LOGIN = {"WebServiceUsername": "share-user", "WebServicePassword": "change-me"}


def only(recorder: RecordingService) -> Call:
    (call,) = recorder.calls
    return call


def test_validate_is_one_chunk_of_compact_sorted_ascii_json(
    recorder: RecordingService,
) -> None:
    client(recorder, WebServiceIdentifier="Süd").granted(
        STUDY, Token("token", "t\u00e9")
    )
    expected = (
        '{"dicom-uid":"1.2","level":"study","method":"get","orthanc-id":"o-id",'
        '"server-id":"S\\u00fcd","token-key":"token","token-value":"t\\u00e9"}'
    )
    call = only(recorder)
    assert call.raw == f"{len(expected):X}\r\n{expected}\r\n0\r\n\r\n".encode()
    assert (call.method, call.path) == ("POST", "/tokens/validate")
    assert call.headers == {
        "Host": recorder.url.split("/")[2],
        "Accept": "*/*",
        "Content-Type": "application/json",
        "token": "té",
        "Transfer-Encoding": "chunked",
    }


def test_the_login_takes_the_place_of_the_callers_authorization(
    recorder: RecordingService,
) -> None:
    client(recorder, **LOGIN).granted(STUDY, Token("Authorization", "Bearer abc"))
    headers = only(recorder).headers
    assert headers["Authorization"] == "Basic c2hhcmUtdXNlcjpjaGFuZ2UtbWU="


def test_without_login_the_callers_authorization_is_repeated(
    recorder: RecordingService,
) -> None:
    client(recorder).granted(STUDY, Token("Authorization", "Bearer abc"))
    assert only(recorder).headers["Authorization"] == "Bearer abc"


def test_an_anonymous_question_names_no_token(recorder: RecordingService) -> None:
    client(recorder).granted(Checked("post", "system", uri="/tools/find"), None)
    assert only(recorder).body == {
        "level": "system",
        "method": "post",
        "server-id": None,
        "uri": "/tools/find",
    }


def test_an_empty_token_is_only_in_the_body(recorder: RecordingService) -> None:
    client(recorder).granted(STUDY, Token("token", ""))
    assert only(recorder).body["token-value"] == ""
    assert "token" not in only(recorder).headers


def test_each_call_has_its_own_connection(recorder: RecordingService) -> None:
    asked = client(recorder)
    asked.granted(STUDY, Token("token", "a"))
    asked.granted(STUDY, Token("token", "b"))
    assert len({call.connection for call in recorder.calls}) == 2


@pytest.mark.parametrize("granted", [True, False])
def test_a_decision_is_kept_as_long_as_it_is_valid(
    recorder: RecordingService, *, granted: bool
) -> None:
    answer(recorder, {"granted": granted, "validity": 60})
    asked = client(recorder)
    found = [asked.granted(STUDY, Token("token", "a")) for _ in range(3)]
    assert found == [granted] * 3
    assert len(recorder.calls) == 1


@pytest.mark.parametrize(
    "document", [{"granted": True}, {"granted": True, "validity": 0}]
)
def test_a_decision_without_validity_is_not_kept(
    recorder: RecordingService, document: Any
) -> None:
    answer(recorder, document)
    asked = client(recorder)
    assert asked.granted(STUDY, None)
    assert asked.granted(STUDY, None)
    assert len(recorder.calls) == 2


def test_a_decision_is_kept_for_its_method_level_id_and_token_only(
    recorder: RecordingService,
) -> None:
    asked = client(recorder)
    asked.granted(STUDY, Token("token", "a"))
    for checked, token in (
        (STUDY, Token("token", "b")),
        (STUDY, Token("api-key", "a")),
        (STUDY, None),
        (Checked("post", "study", "o-id", "1.2"), Token("token", "a")),
        (Checked("get", "study", "other", "1.2"), Token("token", "a")),
    ):
        asked.granted(checked, token)
    assert len(recorder.calls) == 6


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"granted": 1},
        {"granted": "true"},
        {"granted": None},
        {"granted": True, "validity": 60.0},
        {"granted": True, "validity": None},
        {"granted": True, "validity": -1},
        {"granted": True, "validity": True},
        {"granted": True, "validity": 2**31},
        [],
        "no json",
        "[" * 100_000,
        "",
    ],
)
def test_an_answer_that_was_not_agreed_is_an_error(
    recorder: RecordingService, document: Any
) -> None:
    answer(recorder, document)
    asked = client(recorder)
    for _ in range(2):
        with pytest.raises(ServiceError):
            asked.granted(STUDY, None)
    assert len(recorder.calls) == 2  # errors are not kept


@pytest.mark.parametrize("status", [199 + 2, 301, 401, 404, 500])
def test_only_an_answer_with_a_status_of_success_counts(
    recorder: RecordingService, status: int
) -> None:
    answer(recorder, {"granted": True, "validity": 1}, status)
    if status < 300:
        assert client(recorder).granted(STUDY, None)
        return
    with pytest.raises(ServiceError) as caught:
        client(recorder).granted(STUDY, None)
    assert caught.value.status == status


def test_a_service_that_is_not_there_is_an_error_without_details() -> None:
    asked = TokenService(read_options({"WebServiceRootUrl": "http://127.0.0.1:9"}))
    with pytest.raises(ServiceError, match="no answer") as caught:
        asked.granted(STUDY, Token("token", "hush"))
    assert caught.value.status is None
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("url", ["https://127.0.0.1:9", "http://[bad"])
def test_an_address_that_does_not_work_is_an_error(url: str) -> None:
    asked = TokenService(Options(urls={"validate": url}))
    with pytest.raises((ServiceError, ValueError)):
        asked.granted(STUDY, None)


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "\u20ac", "a\nb"])
def test_a_token_that_cannot_be_a_header_is_not_sent(
    recorder: RecordingService, value: str
) -> None:
    with pytest.raises(ServiceError):
        client(recorder).granted(STUDY, Token("token", value))
    assert recorder.calls == []


def test_a_profile_is_asked_with_the_token_in_the_body_only(
    recorder: RecordingService,
) -> None:
    answer(recorder, {**PROFILE, "validity": 60})
    asked = client(recorder, **LOGIN)
    asked.profile(Token("token", "a"))
    profile = asked.profile(Token("token", "a"))
    assert profile.permissions == {"view"}
    assert profile.labels == {"*"}
    call = only(recorder)
    assert call.path == "/user/get-profile"
    assert call.body == {"server-id": None, "token-key": "token", "token-value": "a"}
    assert "token" not in call.headers


def test_an_anonymous_profile_is_asked_with_empty_texts(
    recorder: RecordingService,
) -> None:
    answer(recorder, {**PROFILE, "validity": 0})
    asked = client(recorder)
    asked.profile(None)
    asked.profile(None)  # validity 0 is not kept here
    assert (
        recorder.asked("/user/get-profile")
        == [{"server-id": None, "token-key": "", "token-value": ""}] * 2
    )


@pytest.mark.parametrize(
    "change",
    [
        {"name": None},
        {"permissions": "view"},
        {"authorized-labels": [1]},
        {"validity": "60"},
        {"validity": -1},
    ],
)
def test_what_is_no_profile_is_an_error(
    recorder: RecordingService, change: dict[str, Any]
) -> None:
    answer(recorder, {**PROFILE, "validity": 60, **change})
    with pytest.raises(ServiceError):
        client(recorder).profile(None)


def test_decode_names_no_server(recorder: RecordingService) -> None:
    answer(recorder, {"token-type": "x"})
    assert client(recorder).decode("token", "a") == {"token-type": "x"}
    assert only(recorder).path == "/tokens/decode"
    assert only(recorder).body == {"token-key": "token", "token-value": "a"}


def test_create_puts_type_and_server_into_the_body(recorder: RecordingService) -> None:
    answer(recorder, {"token": "t"})
    asked = client(recorder, WebServiceIdentifier="site-a")
    assert asked.create("x y/z", {"resources": []}) == {"token": "t"}
    call = only(recorder)
    assert (call.method, call.path) == ("PUT", "/tokens/x%20y/z")
    assert call.body == {"resources": [], "server-id": "site-a", "type": "x y/z"}


@pytest.mark.parametrize(("detail", "shown"), [("why", "why"), (["x"], None)])
def test_a_refusal_keeps_its_reason(
    recorder: RecordingService, detail: Any, shown: str | None
) -> None:
    answer(recorder, json.dumps({"detail": detail}), 400)
    with pytest.raises(ServiceError) as caught:
        client(recorder).create("x", {})
    assert (caught.value.status, caught.value.detail) == (400, shown)


def test_a_question_without_address_is_not_offered(recorder: RecordingService) -> None:
    only_create = read_options({"WebServiceTokenCreationBaseUrl": recorder.url})
    assert TokenService(only_create).offers("create")
    assert not TokenService(only_create).offers("validate")
