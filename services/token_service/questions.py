"""Questions of the plugin, read leniently in form and strictly in type."""

import re
from typing import Any

from starlette.types import Scope

from orthanc_share.domain.access import AccessRequest
from orthanc_share.domain.errors import OrthancShareError
from orthanc_share.web.json_body import UnreadableBodyError, parse_json
from orthanc_share.web.plain import header

# Blanks only: a token with a control character is no token (protocol K.11).
_BEARER = re.compile(r" *bearer +", re.IGNORECASE | re.ASCII)


class UnreadableQuestionError(OrthancShareError):
    """A question without what the plugin always sends; it is answered with a denial."""

    code = "unreadable_question"


def read_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object in `body`.

    Raises:
        UnreadableQuestionError: Anything else.
    """
    try:
        value = parse_json(body)
    except UnreadableBodyError as error:
        raise UnreadableQuestionError from error
    if isinstance(value, dict):
        return value
    raise UnreadableQuestionError


def member(question: dict[str, Any], name: str) -> str | None:
    """Return the text called `name`, spelled with hyphens or underscores.

    Raises:
        UnreadableQuestionError: It is no text.
    """
    value = question.get(name)
    if value is None:
        value = question.get(name.replace("-", "_"))
    if value is None or isinstance(value, str):
        return value
    raise UnreadableQuestionError


def access_request(question: dict[str, Any]) -> AccessRequest:
    """Return what is asked for.

    Raises:
        UnreadableQuestionError: No level, no method, a wrong type, or two servers.
    """
    method, level = member(question, "method"), member(question, "level")
    if method is None or level is None:
        raise UnreadableQuestionError
    server = member(question, "server-id")
    identifier = member(question, "identifier")
    if server is not None and identifier is not None and server != identifier:
        raise UnreadableQuestionError
    return AccessRequest(
        method=method.lower(),
        level=level.lower(),
        dicom_uid=member(question, "dicom-uid"),
        orthanc_id=member(question, "orthanc-id"),
        server_id=identifier if server is None else server,
    )


def token(question: dict[str, Any], scope: Scope | None = None) -> str:
    """Return the token of the question without `Bearer `; empty if there is none.

    The body goes before the header, for it is what the plugin caches by (protocol
    J.4); the header serves callers that send no token in the body.

    Args:
        question: The question.
        scope: ASGI scope whose headers are looked at as well, or None.

    Raises:
        UnreadableQuestionError: The token is no text.
    """
    value = member(question, "token-value")
    if value is None and scope is not None:
        value = _token_in_header(question, scope)
    return "" if value is None else without_bearer(value)


def without_bearer(value: str) -> str:
    """Return a token without one leading `Bearer `, in any case, and outer blanks."""
    matched = _BEARER.match(value)
    return value[matched.end() if matched else 0 :].strip(" ")


def _token_in_header(question: dict[str, Any], scope: Scope) -> str | None:
    names = (member(question, "token-key"), "token")
    for name in names:
        if name and name.isascii() and name.lower() != "authorization":
            value = header(scope, name.lower().encode())
            if value is not None:
                return value.decode("latin-1")
    return None
