"""What the plugin adds to Orthanc's REST API: `/auth/tokens` and `/auth/user`.

The same routes, members and meanings as with the C++ plugin. Where that one closes the
connection without an answer, this one says 400 or 502.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from demo.orthanc.options import Options
from demo.orthanc.request import Request
from demo.orthanc.service import ServiceError, TokenService

_RESOURCE = {
    "DicomUid": "dicom-uid",
    "OrthancId": "orthanc-id",
    "Url": "url",
    "Level": "level",
}
_REQUEST = {"ID": "id", "ExpirationDate": "expiration-date"}
_DECODED = {
    "token-type": "TokenType",
    "error-code": "ErrorCode",
    "redirect-url": "RedirectUrl",
}


class Answer(NamedTuple):
    """What Orthanc answers: an HTTP status and a JSON document."""

    status: int
    document: Any


def _problem(status: int, detail: str) -> Answer:
    return Answer(status, {"HttpStatus": status, "Message": detail})


class BadRequestError(Exception):
    """The body cannot be read."""


class Routes:
    """Handlers of the added routes."""

    def __init__(self, options: Options, service: TokenService) -> None:
        self._options = options
        self._service = service

    def tokens(self, request: Request, body: bytes) -> Answer:
        """Handle `PUT /auth/tokens/{type}` and `POST /auth/tokens/decode`."""
        kind = request.path.removeprefix("/auth/tokens/")
        if request.method == "put":
            return self._relay("create", body, lambda given: self._create(kind, given))
        if request.method == "post" and kind == "decode":
            return self._relay("decode", body, self._decode)
        return _problem(405, "PUT /auth/tokens/{type}, POST /auth/tokens/decode")

    def profile(self, request: Request) -> Answer:
        """Handle `GET /auth/user/profile`: the first token that has one counts."""
        if request.method != "get":
            return _problem(405, "GET only")
        if not self._service.offers("profile"):
            return _problem(404, "no address for this question is configured")
        tokens = sorted(
            request.tokens(self._options), key=lambda token: not token.value
        )
        for token in (*tokens, None):
            try:
                return Answer(200, _shown(self._service.profile(token).document))
            except ServiceError:
                continue
        return _problem(502, "the token-service failed")

    def _relay(
        self, question: str, body: bytes, ask: Callable[[dict[str, Any]], Any]
    ) -> Answer:
        if not self._service.offers(question):
            return _problem(404, "no address for this question is configured")
        try:
            given = json.loads(body)
            if not isinstance(given, dict):
                return _problem(400, "the body must be a JSON object")
            return Answer(200, ask(given))
        except (ValueError, RecursionError, BadRequestError) as error:
            return _problem(400, str(error))
        except ServiceError as error:
            if error.status in {400, 413, 422}:
                return _problem(400, error.detail or "the token-service refused")
            return _problem(502, "the token-service failed")

    def _create(self, kind: str, given: dict[str, Any]) -> dict[str, Any]:
        answer = self._service.create(kind, _token_request(given))
        return {"Token": answer.get("token") or "", "Url": answer.get("url") or None}

    def _decode(self, given: dict[str, Any]) -> dict[str, Any]:
        key, value = given.get("TokenKey") or "", given.get("TokenValue") or ""
        answer = self._service.decode(str(key), str(value))
        shown: dict[str, Any] = {
            name: answer[member]
            for member, name in _DECODED.items()
            if answer.get(member)
        }
        resources = [
            item for item in answer.get("resources") or () if isinstance(item, dict)
        ]
        shown["ResourcesDicomIds"] = _ids(resources, "dicom-uid")
        shown["ResourcesOrthancIds"] = _ids(resources, "orthanc-id")
        return shown


def _token_request(given: Mapping[str, Any]) -> dict[str, Any]:
    """Translate Orthanc's spelling of a request for a token to the service's.

    Raises:
        BadRequestError: A member has the wrong type.
    """
    resources = given.get("Resources", [])
    if not isinstance(resources, list):
        raise BadRequestError("Resources must be a list")
    # A resource without anything becomes null, as with the C++ plugin
    body = _renamed(given, _REQUEST)
    body["resources"] = [_resource(item) or None for item in resources]
    duration = given.get("ValidityDuration", 0)
    if type(duration) not in (int, float) or not 0 <= duration < 2**64:
        raise BadRequestError("ValidityDuration must be a number of seconds")
    if int(duration) > 0:
        body["validity-duration"] = int(duration)
    return body


def _resource(item: object) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise BadRequestError("Resources must hold objects")
    return _renamed(item, _RESOURCE)


def _renamed(given: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return the non-empty texts of `given` under their new names."""
    found: dict[str, Any] = {}
    for old, new in names.items():
        value = given.get(old) or ""
        if not isinstance(value, str):
            raise BadRequestError(f"{old} must be a text")
        if value:
            found[new] = value
    return found


def _ids(resources: list[dict[str, Any]], member: str) -> list[str]:
    return sorted({str(item[member]) for item in resources if item.get(member)})


def _shown(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a profile that the browser gets."""
    shown = {
        "name": document["name"],
        "permissions": document["permissions"],
        "groups": document.get("groups") or [],
    }
    for optional in ("authorized-labels", "user-id"):
        if document.get(optional):
            shown[optional] = document[optional]
    return shown
