"""`/auth/tokens` and `/auth/user/profile` translate as the C++ plugin does."""

import json
from typing import Any

import pytest

from demo.orthanc.options import read_options
from demo.orthanc.request import Request
from demo.orthanc.routes import Routes
from demo.orthanc.service import TokenService
from tests.support.recording_service import Answer, Call, RecordingService

ROOT = {"WebServiceRootUrl": "http://service", "TokenHttpHeaders": ["a", "token"]}


@pytest.fixture
def service() -> RecordingService:
    return RecordingService("http://service/", lambda _call: (200, {}))


@pytest.fixture
def routes(service: RecordingService, monkeypatch: pytest.MonkeyPatch) -> Routes:
    def call(method: str, url: str, headers: Any, body: bytes) -> tuple[int, bytes]:
        path = url.removeprefix("http://service")
        made = Call(method, path, headers, body, json.loads(body), ("", 0))
        service.calls.append(made)
        status, document = service.rule(made)
        return status, json.dumps(document).encode()

    monkeypatch.setattr("demo.orthanc.service._call", call)
    options = read_options(ROOT)
    return Routes(options, TokenService(options))


def put(kind: str, body: Any) -> tuple[Request, bytes]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Request.of(f"/auth/tokens/{kind}", "PUT", {}, {}), content


def post(kind: str, body: Any) -> tuple[Request, bytes]:
    request, content = put(kind, body)
    return Request.of(request.path, "POST", {}, {}), content


def profile(headers: dict[str, str], method: str = "GET") -> Request:
    return Request.of("/auth/user/profile", method, headers, {})


def test_a_token_is_asked_for_in_the_words_of_the_service(
    routes: Routes, service: RecordingService
) -> None:
    service.rule = lambda _call: (200, {"token": "t", "url": "u", "request": {}})
    body = {
        "ID": "my-id",
        "Resources": [
            {"DicomUid": "1.2", "OrthancId": "o", "Level": "Study", "Url": ""},
            {"Unknown": 1},
        ],
        "Type": "ignored",
        "ValidityDuration": 3600.9,
        "ExpirationDate": "2031-01-01T00:00:00Z",
        "Username": "dropped",
    }
    answer = routes.tokens(*put("ohif-viewer-publication", body))
    assert answer == (200, {"Token": "t", "Url": "u"})
    assert service.asked("/tokens/ohif-viewer-publication") == [
        {
            "expiration-date": "2031-01-01T00:00:00Z",
            "id": "my-id",
            "resources": [
                {"dicom-uid": "1.2", "level": "Study", "orthanc-id": "o"},
                None,
            ],
            "server-id": None,
            "type": "ohif-viewer-publication",
            "validity-duration": 3600,
        }
    ]


@pytest.mark.parametrize("body", [{}, {"ValidityDuration": 0}, {"ID": None}])
def test_what_is_not_said_is_not_sent(
    body: Any, routes: Routes, service: RecordingService
) -> None:
    assert routes.tokens(*put("x", body)) == (200, {"Token": "", "Url": None})
    assert service.calls[0].body == {"resources": [], "server-id": None, "type": "x"}


@pytest.mark.parametrize(
    "body",
    [
        b"no json",
        b"[" * 100_000,
        b"\xff",
        [],
        {"Resources": {}},
        {"Resources": ["1.2"]},
        {"Resources": [{"DicomUid": 1}]},
        {"ID": {"a": 1}},
        {"ValidityDuration": -1},
        {"ValidityDuration": "60"},
        {"ValidityDuration": True},
        {"ValidityDuration": 2**64},
        b'{"ValidityDuration": NaN}',
    ],
)
def test_a_request_that_cannot_be_read_is_refused_without_a_question(
    body: Any, routes: Routes, service: RecordingService
) -> None:
    assert routes.tokens(*put("x", body)).status == 400
    assert service.calls == []


@pytest.mark.parametrize(
    ("answer", "status", "message"),
    [
        ((400, {"detail": "no study"}), 400, "no study"),
        ((422, {}), 400, "the token-service refused"),
        ((401, {"detail": "x"}), 502, "the token-service failed"),
        ((500, {"detail": "x"}), 502, "the token-service failed"),
        ((200, []), 502, "the token-service failed"),
    ],
)
def test_a_refusal_of_the_service_is_passed_on_a_failure_is_not(
    answer: Answer,
    status: int,
    message: str,
    routes: Routes,
    service: RecordingService,
) -> None:
    service.rule = lambda _call: answer
    found = routes.tokens(*put("x", {}))
    assert found == (status, {"HttpStatus": status, "Message": message})


def test_decode_translates_and_sorts(routes: Routes, service: RecordingService) -> None:
    service.rule = lambda _call: (
        200,
        {
            "token-type": "ohif-viewer-publication",
            "error-code": None,
            "redirect-url": "https://x",
            "resources": [
                {"dicom-uid": "2", "orthanc-id": "b"},
                {"dicom-uid": "1", "orthanc-id": "b"},
                "odd",
            ],
        },
    )
    answer = routes.tokens(*post("decode", {"TokenKey": "token", "TokenValue": "t"}))
    assert answer.document == {
        "TokenType": "ohif-viewer-publication",
        "RedirectUrl": "https://x",
        "ResourcesDicomIds": ["1", "2"],
        "ResourcesOrthancIds": ["b"],
    }
    assert service.asked("/tokens/decode") == [
        {"token-key": "token", "token-value": "t"}
    ]


def test_decode_of_nothing_asks_with_empty_texts(
    routes: Routes, service: RecordingService
) -> None:
    service.rule = lambda _call: (200, {"error-code": "invalid"})
    answer = routes.tokens(*post("decode", {}))
    assert answer.document == {
        "ErrorCode": "invalid",
        "ResourcesDicomIds": [],
        "ResourcesOrthancIds": [],
    }
    assert service.calls[0].body == {"token-key": "", "token-value": ""}


def test_other_methods_are_refused(routes: Routes) -> None:
    assert routes.tokens(*post("x", {})).status == 405
    assert routes.profile(profile({}, "POST")).status == 405


def test_a_question_without_address_is_not_found() -> None:
    options = read_options({"WebServiceTokenCreationBaseUrl": "http://service"})
    routes = Routes(options, TokenService(options))
    assert routes.tokens(*post("decode", {})).status == 404
    assert routes.profile(profile({})).status == 404


def test_the_first_token_with_a_profile_counts(
    routes: Routes, service: RecordingService
) -> None:
    def rule(call: Call) -> Answer:
        if call.body["token-value"] != "user":
            return 500, {}
        known = {"name": "N", "permissions": ["view"], "authorized-labels": ["*"]}
        return 200, {**known, "validity": 60, "user-id": "7", "groups": None}

    service.rule = rule
    answer = routes.profile(profile({"a": "", "token": "user"}))
    assert answer.document == {
        "name": "N",
        "permissions": ["view"],
        "groups": [],
        "authorized-labels": ["*"],
        "user-id": "7",
    }
    assert [body["token-value"] for body in service.asked("/user/get-profile")] == [
        "user"
    ]


def test_without_token_the_anonymous_profile_is_shown(
    routes: Routes, service: RecordingService
) -> None:
    service.rule = lambda _call: (
        200,
        {"name": "A", "permissions": [], "authorized-labels": [], "validity": 60},
    )
    assert routes.profile(profile({})).document == {
        "name": "A",
        "permissions": [],
        "groups": [],
    }


def test_no_profile_at_all_is_a_failure(
    routes: Routes, service: RecordingService
) -> None:
    service.rule = lambda _call: (500, {})
    assert routes.profile(profile({"token": "x"})).status == 502
