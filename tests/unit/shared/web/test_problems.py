"""Problem bodies (RFC 9457)."""

import inspect
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from orthanc_share.deidentification.actions import DeidentificationError
from orthanc_share.deidentification.gate import (
    BlockedInstanceError,
    Outcome,
    Reason,
    Verdict,
)
from orthanc_share.domain import errors
from orthanc_share.store.errors import (
    DuplicateShareError,
    InvalidCursorError,
    InvalidSelectionError,
    ShareNotFoundError,
    ShareRevokedError,
    StoreUnavailableError,
)
from orthanc_share.upstream.management import ServiceRefusedError
from orthanc_share.web import problems
from orthanc_share.web.json_body import UnreadableBodyError
from orthanc_share.web.plain import BodyTooLargeError
from orthanc_share.web.problems import (
    PROBLEM_MEDIA_TYPE,
    InvalidMembersError,
    RequestError,
    install_problems,
    problem,
    problem_of,
)
from tests.unit.shared.web.asgi import client, http_scope

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SurprisingError(Exception):
    """No error of ours."""


def kinds(base: type[errors.OrthancShareError]) -> set[type[errors.OrthancShareError]]:
    found = {base}
    for kind in base.__subclasses__():
        found |= kinds(kind)
    return {kind for kind in found if kind.__module__.startswith("orthanc_share.")}


SPECIAL: Mapping[type[errors.OrthancShareError], errors.OrthancShareError] = {
    ServiceRefusedError: ServiceRefusedError(409, "No.", "share_revoked"),
    errors.ConfigurationError: errors.ConfigurationError(["a", "b"]),
    errors.ExpiredTokenError: errors.ExpiredTokenError("stone-publication", EPOCH),
    errors.NotYetValidTokenError: errors.NotYetValidTokenError("stone", EPOCH),
    BlockedInstanceError: BlockedInstanceError(
        Verdict(Outcome.BLOCKED, Reason.DOCUMENT)
    ),
    BodyTooLargeError: BodyTooLargeError(),
    InvalidMembersError: InvalidMembersError([{"loc": ("type",), "msg": "No."}]),
    RequestError: RequestError(HTTPStatus.CONFLICT, "No."),
}
"""Errors that are not made of a text."""


def example(kind: type[errors.OrthancShareError]) -> errors.OrthancShareError:
    """Return an error of any kind."""
    if kind in SPECIAL:
        return SPECIAL[kind]
    has_text = len(inspect.signature(kind.__init__).parameters) > 1
    return kind("No.") if has_text else kind()


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UnreadableBodyError("No."), 400),
        (errors.ShareTypeMismatchError("No."), 400),
        (errors.InvalidTokenError("No."), 403),
        (errors.ExpiredTokenError("x", EPOCH), 403),
        (errors.TemplateNotFoundError("No."), 404),
        (errors.RolesNotWritableError("No."), 409),
        (errors.RegistryOffError(), 404),
        (ShareNotFoundError(), 404),
        (ShareRevokedError(), 409),
        (DuplicateShareError(), 409),
        (InvalidCursorError(), 422),
        (InvalidSelectionError(), 422),
        (errors.LimitNotEnforceableError("No."), 422),
        (errors.NoShortLinkError("No."), 422),
        (StoreUnavailableError(), 503),
        (errors.ShareError("No."), 422),
        (errors.InvalidResourceError("No."), 422),
        (errors.InvalidLifetimeError("No."), 422),
        (errors.ShareTypeDisabledError("No."), 422),
        (errors.InvalidRolesError("No."), 422),
        (errors.OrthancShareError("No."), 500),
        (errors.ConfigurationError(["No."]), 500),
        (errors.UpstreamError("No."), 502),
        (errors.UpstreamUnavailableError("No."), 503),
        (errors.UpstreamTimeoutError("No."), 504),
        (DeidentificationError("No."), 502),
        (RequestError(HTTPStatus.CONFLICT, "No."), 409),
    ],
    ids=lambda value: getattr(value, "code", None),
)
def test_the_most_specific_kind_gives_the_status(
    error: errors.OrthancShareError, status: int
) -> None:
    assert problem_of(error).status_code == status


def test_every_kind_of_error_has_a_code_of_its_own_and_a_body() -> None:
    found = kinds(errors.OrthancShareError)
    assert len({kind.code for kind in found}) == len(found)
    for kind in found:
        response = problem_of(example(kind))
        body = json_of(response)
        assert body["status"] == response.status_code
        assert body["title"] == HTTPStatus(response.status_code).phrase
        assert body["code"] in {kind.code, "internal"}
        assert response.headers["Content-Type"] == PROBLEM_MEDIA_TYPE
        assert response.headers["Cache-Control"] == "no-store"


def json_of(response: Any) -> Any:
    return json.loads(bytes(response.body))


def test_a_mistake_of_ours_is_told_without_its_text() -> None:
    for error in (
        errors.ConfigurationError(["SECRET_KEY is missing."]),
        errors.OrthancShareError("canary"),
    ):
        body = json_of(problem_of(error))
        assert body["detail"] == "Something went wrong here."
        assert body["code"] == "internal"


def test_who_asks_while_another_server_is_down_may_come_again() -> None:
    down = problem_of(errors.UpstreamUnavailableError("No."))
    assert down.headers["Retry-After"] == str(problems.RETRY_AFTER)
    assert "Retry-After" not in problem_of(errors.UpstreamError("No.")).headers


def test_a_refused_request_may_have_headers() -> None:
    error = RequestError(HTTPStatus.UNAUTHORIZED, "No.", {"WWW-Authenticate": "Basic"})
    assert problem_of(error).headers["WWW-Authenticate"] == "Basic"


def test_a_body_says_only_what_there_is() -> None:
    plain = json_of(problem(HTTPStatus.NOT_FOUND, "Nothing here."))
    assert plain == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "Nothing here.",
    }


def test_wrong_members_are_named_without_their_values() -> None:
    body = json_of(
        problem_of(
            InvalidMembersError(
                [
                    {"loc": ("studies", 0, "dicom-uid"), "msg": "Value error, no UID"},
                    {"loc": (), "msg": "should be an object", "input": "canary"},
                ]
            )
        )
    )
    assert body["status"] == 422
    assert body["detail"] == "studies.0.dicom-uid: no UID"
    assert body["errors"] == [
        {"location": "studies.0.dicom-uid", "message": "no UID"},
        {"location": "", "message": "should be an object"},
    ]
    wrong = InvalidMembersError([{"loc": (), "msg": "should be an object"}])
    alone = json_of(problem_of(wrong))
    assert alone["detail"] == "body: should be an object"


@pytest.mark.anyio
async def test_an_application_answers_every_error_with_a_problem() -> None:
    app = FastAPI()
    install_problems(app)

    @app.get("/share")
    async def share() -> None:
        raise errors.InvalidLifetimeError("The expiry lies in the past.")

    @app.get("/teapot")
    async def teapot() -> None:
        raise HTTPException(418, headers={"X-Pot": "tea"})

    @app.get("/number")
    async def number(n: int) -> int:
        return n

    async with client(app) as http:
        answers = [
            await http.get(path)
            for path in ("/share", "/teapot", "/number?n=canary", "/nowhere")
        ]
        answers.append(await http.post("/share"))
        assert (await http.get("/number?n=7")).json() == 7
    assert [answer.status_code for answer in answers] == [422, 418, 422, 404, 405]
    for answer in answers:
        assert answer.headers["Content-Type"] == PROBLEM_MEDIA_TYPE
        assert answer.json()["detail"]
        assert "canary" not in answer.text
    assert answers[1].headers["X-Pot"] == "tea"
    assert answers[4].headers["Allow"] == "GET"


@pytest.mark.anyio
async def test_a_handler_takes_its_own_kind_only() -> None:
    app = FastAPI()
    install_problems(app)
    request = Request(http_scope())
    for kind in (errors.OrthancShareError, HTTPException, RequestValidationError):
        handler: Any = app.exception_handlers[kind]
        with pytest.raises(TypeError):
            await handler(request, SurprisingError())
