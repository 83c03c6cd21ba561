"""Errors as problem bodies (RFC 9457): which status, and what the caller may read."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from orthanc_share.deidentification.actions import DeidentificationError
from orthanc_share.domain.errors import (
    ConfigurationError,
    OrthancShareError,
    RegistryOffError,
    RolesError,
    RolesNotWritableError,
    ShareError,
    ShareTypeMismatchError,
    TemplateNotFoundError,
    TokenError,
    UpstreamError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from orthanc_share.store.errors import (
    DuplicateShareError,
    ShareNotFoundError,
    ShareRevokedError,
    StoreUnavailableError,
)
from orthanc_share.web.json_body import UnreadableBodyError

PROBLEM_MEDIA_TYPE = "application/problem+json"
"""Media type of a problem body. Source: RFC 9457 section 3."""

RETRY_AFTER = 30
"""Seconds after which a caller may try again when another server is down."""


class RequestError(OrthancShareError):
    """A request that is refused for what it is, not for what it says.

    Args:
        status: The HTTP status.
        detail: What is wrong, for the caller.
        headers: Further headers of the answer.
    """

    code = "request"

    def __init__(
        self, status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = dict(headers or {})


class InvalidMembersError(RequestError):
    """Members of a body that pydantic refused.

    Args:
        errors: pydantic's error details; only place and message are passed on.
    """

    code = "invalid_request"

    def __init__(self, errors: Sequence[Mapping[str, Any]]) -> None:
        self.members = [
            {
                "location": ".".join(str(part) for part in error["loc"]),
                "message": str(error["msg"]).removeprefix("Value error, "),
            }
            for error in errors
        ]
        first = self.members[0]
        detail = f"{first['location'] or 'body'}: {first['message']}"
        super().__init__(HTTPStatus.UNPROCESSABLE_ENTITY, detail)


STATUS: Mapping[type[OrthancShareError], HTTPStatus] = {
    OrthancShareError: HTTPStatus.INTERNAL_SERVER_ERROR,
    ConfigurationError: HTTPStatus.INTERNAL_SERVER_ERROR,
    UnreadableBodyError: HTTPStatus.BAD_REQUEST,
    ShareError: HTTPStatus.UNPROCESSABLE_ENTITY,
    ShareTypeMismatchError: HTTPStatus.BAD_REQUEST,
    RolesError: HTTPStatus.UNPROCESSABLE_ENTITY,
    RolesNotWritableError: HTTPStatus.CONFLICT,
    TemplateNotFoundError: HTTPStatus.NOT_FOUND,
    RegistryOffError: HTTPStatus.NOT_FOUND,
    ShareNotFoundError: HTTPStatus.NOT_FOUND,
    ShareRevokedError: HTTPStatus.CONFLICT,
    DuplicateShareError: HTTPStatus.CONFLICT,
    StoreUnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    TokenError: HTTPStatus.FORBIDDEN,
    DeidentificationError: HTTPStatus.BAD_GATEWAY,
    UpstreamError: HTTPStatus.BAD_GATEWAY,
    UpstreamUnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    UpstreamTimeoutError: HTTPStatus.GATEWAY_TIMEOUT,
}
"""Domain error to HTTP status; the most specific class wins."""


def problem(
    status: HTTPStatus,
    detail: str,
    *,
    code: str | None = None,
    errors: Sequence[Mapping[str, Any]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a problem body.

    Args:
        status: The HTTP status.
        detail: What is wrong, for the caller; never holds what the caller sent.
        code: Stable name of the problem, for programs.
        errors: One entry for each wrong member: `location` and `message`.
        headers: Further headers.
    """
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": status.phrase,
        "status": int(status),
        "detail": detail,
    }
    if code is not None:
        body["code"] = code
    if errors:
        body["errors"] = errors
    return Response(
        msgspec.json.encode(body),
        status,
        headers={"Cache-Control": "no-store", **(headers or {})},
        media_type=PROBLEM_MEDIA_TYPE,
    )


def problem_of(error: OrthancShareError) -> Response:
    """Return the problem body of a domain error."""
    if isinstance(error, RequestError):
        return problem(
            error.status,
            str(error),
            code=error.code,
            errors=error.members if isinstance(error, InvalidMembersError) else (),
            headers=error.headers,
        )
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    if status is HTTPStatus.INTERNAL_SERVER_ERROR:
        return internal_problem()
    headers = {}
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER)
    return problem(status, str(error), code=error.code, headers=headers)


def internal_problem() -> Response:
    """Return what a caller may know of a mistake of ours: nothing but that."""
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return problem(status, "Something went wrong here.", code="internal")


def install_problems(app: FastAPI) -> None:
    """Let `app` answer every error with a problem body."""
    app.add_exception_handler(OrthancShareError, _on_domain_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_validation_error)


async def _on_domain_error(_request: Request, error: Exception) -> Response:
    if not isinstance(error, OrthancShareError):
        raise TypeError
    return problem_of(error)


async def _on_http_exception(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise TypeError
    status = HTTPStatus(error.status_code)
    return problem(status, status.description or status.phrase, headers=error.headers)


async def _on_validation_error(_request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise TypeError
    return problem_of(InvalidMembersError(error.errors()))
