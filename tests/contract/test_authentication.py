"""Who may call: HTTP Basic on every route but those for operation."""

import base64
import re
from typing import Any

import argon2
import pytest

from tests.support.replay import Answer
from tests.support.service import Service, basic, creation, running
from tests.support.settings import USER
from token_service.openapi import ALL_OPERATIONS
from token_service.operations import EMAIL_OPERATIONS, OPERATIONS, Operation

WRONG = {
    "none": None,
    "empty": "",
    "scheme only": "Basic",
    "another scheme": "Bearer abc",
    "digest": 'Digest username="share-user"',
    "not base64": "Basic ????",
    "base64 of another alphabet": "Basic -_-_",
    "not UTF-8": "Basic " + base64.b64encode(b"\xff:\xff").decode(),
    "no colon": "Basic " + base64.b64encode(b"share-user").decode(),
    "no password": basic(USER[0], ""),
    "wrong password": basic(USER[0], "wrong"),
    "password in capitals": basic(USER[0], USER[1].upper()),
    "longer password": basic(USER[0], USER[1] + " "),
    "another user": basic("nobody", USER[1]),
    "no user": basic("", USER[1]),
    "Latin-1": "Basic é",
}
"""Headers that are no login."""

_NAME = re.compile(r"\{\w+\}")


def operation_name(operation: Operation) -> str:
    return f"{operation.method} {operation.path}"


def asked_by(service: Service, operation: Operation, header: str | None) -> Answer:
    """Send a request of an operation with that login."""
    path = _NAME.sub("stone-viewer-publication", operation.path)
    headers = {} if header is None else {"Authorization": header}
    body: Any = None if operation.body is None else {}
    visitor = Service(service.base, None)
    return visitor.call(operation.method.upper(), path, body, headers)


@pytest.mark.parametrize("operation", ALL_OPERATIONS, ids=operation_name)
def test_nobody_gets_an_answer_without_the_right_login(
    operation: Operation, service: Service
) -> None:
    for what, header in WRONG.items():
        answer = asked_by(service, operation, header)
        assert answer.status == 401, what
        assert answer.headers["content-type"] == "application/problem+json"
        challenge = 'Basic realm="orthanc-share", charset="UTF-8"'
        assert answer.headers["www-authenticate"] == challenge
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("operation", OPERATIONS, ids=operation_name)
def test_the_right_login_gets_an_answer(operation: Operation, service: Service) -> None:
    for header in (basic(*USER), basic(*USER).replace("Basic ", "bAsIc  ")):
        assert asked_by(service, operation, header).status in {200, 409, 422}


@pytest.mark.parametrize(
    "path", ["/docs", "/redoc", "/openapi.json", "/metrics", "/emails/templates"]
)
def test_what_the_site_did_not_switch_on_is_not_there(
    path: str, service: Service
) -> None:
    answer = service.call("GET", path)
    assert answer.status == 404
    assert answer.headers["content-type"] == "application/problem+json"
    for operation in EMAIL_OPERATIONS:
        assert asked_by(service, operation, basic(*USER)).status == 404


def test_what_the_site_switched_on_is_there() -> None:
    with running(docs=True, metrics=True) as service:
        visitor = Service(service.base, None)
        page = visitor.call("GET", "/docs")
        assert page.headers["content-type"].startswith("text/html")
        document = visitor.call("GET", "/openapi.json").json
        assert "/tokens/validate" in document["paths"]
        assert not service.is_granted("nonsense")
        service.token()
        metrics = visitor.call("GET", "/metrics").raw.decode()
    assert 'decisions_total{decision="denied",reason="invalid_token"} 1.0' in metrics
    assert "shares_created_total" in metrics


def test_health_and_readiness_ask_for_no_login(service: Service) -> None:
    visitor = Service(service.base, None)
    assert visitor.call("GET", "/health").json == {"status": "ok"}
    ready = visitor.call("GET", "/ready")
    assert ready.status == 200
    assert ready.json == {"status": "ok", "dependencies": {"meddream": "ok"}}


def test_several_users_may_call_with_plain_and_hashed_passwords() -> None:
    hashed = argon2.PasswordHasher(time_cost=1, memory_cost=64).hash("pässwörd:x")
    users = {"plugin": "first-password", "Jörg": hashed}
    with running(users=users) as service:
        for name, password, status in (
            ("plugin", "first-password", 200),
            ("Jörg", "pässwörd:x", 200),
            ("Jörg", "pässwörd:x", 200),
            ("Jörg", "pässwörd", 401),
            ("Jörg", hashed, 401),
            ("plugin", "pässwörd:x", 401),
            ("nobody", "pässwörd:x", 401),
        ):
            caller = Service(service.base, (name, password))
            assert caller.create().status == status
        denied = Service(service.base, ("nobody", "x"))
        assert denied.call("PUT", "/shares", creation()).status == 401


def test_without_users_everybody_may_call_with_any_header(
    open_service: Service,
) -> None:
    for header in (None, basic("a", "b"), "Bearer abc", "nonsense"):
        headers = {} if header is None else {"Authorization": header}
        answer = open_service.call("PUT", "/shares", creation(), headers)
        assert answer.status == 200
