"""The API described: what the plain endpoints take and answer.

FastAPI describes its own routes; the plain ones (design 7) are described here, from
the same models that read and write their bodies.
"""

from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from orthanc_share.domain.share import ShareType
from orthanc_share.web.problems import PROBLEM_MEDIA_TYPE
from token_service.schemas import (
    AccessAnswer,
    AccessQuestion,
    LetterAnswer,
    LetterRequest,
    NamesBody,
    ProblemBody,
    ProfileAnswer,
    ProfileQuestion,
    RolesBody,
    ShareAnswer,
    ShareRequest,
    TokenAnswer,
    TokenQuestion,
)

_REFERENCE = "#/components/schemas/{model}"
_SECURITY = "basic"
_STUDY = {
    "dicom-uid": "1.2.276.0.99.1",
    "orthanc-id": "11111111-22222222-33333333-44444444-55555555",
}
_EXAMPLES: dict[type[BaseModel], dict[str, Any]] = {
    ShareRequest: {
        "resources": [_STUDY | {"level": "study"}],
        "type": "stone-viewer-publication",
        "validity-duration": 1_296_000,
    },
    AccessQuestion: _STUDY
    | {
        "method": "get",
        "level": "study",
        "token-key": "token",
        "token-value": "aaa.bbb.ccc",
        "server-id": None,
    },
    TokenQuestion: {"token-key": "token", "token-value": "aaa.bbb.ccc"},
    ProfileQuestion: {"token-key": "token", "token-value": "aaa.bbb.ccc"},
}
_REFUSALS = {
    400: "The body is not JSON, or path and body contradict each other",
    404: "There is none of that name",
    409: "The roles cannot be stored here",
    401: "The login is missing or wrong",
    408: "The body came too slowly",
    413: "The body is too large",
    422: "A member is wrong, or the share is not possible here",
    500: "A mistake of ours",
    502: "MedDream answered nonsense",
    503: "MedDream does not answer, or too many logins are checked",
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path.

    Args:
        method: In lower case.
        path: With parameters in braces.
        summary: One line.
        body: Model of the request's body, if any.
        answer: Model of the answer; None: HTML.
        refusals: Status codes of problem bodies besides 401, 408, 413 and 500.
        description: More lines.
    """

    method: str
    path: str
    summary: str
    body: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None
    refusals: tuple[int, ...] = ()
    description: str = ""

    @property
    def refused(self) -> tuple[int, ...]:
        """All status codes of problem bodies."""
        reading = (408, 413) if self.body is not None else ()
        return tuple(sorted((401, 500, 503, *reading, *self.refusals)))


_CREATION = (400, 422, 502)
_TYPED = "The type goes before the one in the body and must not contradict it."
_ALWAYS = "A question that cannot be read is denied, not refused."

OPERATIONS = (
    Operation("put", "/shares", "Make a share", ShareRequest, ShareAnswer, _CREATION),
    *(
        Operation(
            "put", path, "Make a share", ShareRequest, ShareAnswer, _CREATION, _TYPED
        )
        for path in ("/shares/{type}", "/tokens/{type}")
    ),
    *(
        Operation(
            "post",
            path,
            "May this token do this?",
            AccessQuestion,
            AccessAnswer,
            description=_ALWAYS,
        )
        for path in ("/shares/validate", "/tokens/validate")
    ),
    *(
        Operation("post", path, "What is in this token?", TokenQuestion, TokenAnswer)
        for path in ("/shares/decode", "/tokens/decode")
    ),
    *(
        Operation("post", path, "Who is this?", ProfileQuestion, ProfileAnswer)
        for path in ("/shares/profile", "/user/get-profile")
    ),
    *(
        Operation("get", path, "All roles", answer=RolesBody)
        for path in ("/shares/roles", "/settings/roles")
    ),
    *(
        Operation(
            "put", path, "Replace all roles", RolesBody, RolesBody, (400, 409, 422)
        )
        for path in ("/shares/roles", "/settings/roles")
    ),
)
"""All plain endpoints but those of `EMAIL_OPERATIONS`."""

EMAIL_OPERATIONS = (
    Operation("get", "/emails/templates", "Names of all templates", answer=NamesBody),
    Operation("get", "/emails/templates/{name}", "One template", refusals=(404,)),
    Operation(
        "post",
        "/emails/send",
        "Send a letter",
        LetterRequest,
        LetterAnswer,
        (400, 404, 422),
    ),
)
"""The endpoints that exist only with `ENABLE_EMAILS`."""


def describe(app: FastAPI, *, with_emails: bool) -> None:
    """Let `app` describe its plain endpoints too."""
    operations = (*OPERATIONS, *(EMAIL_OPERATIONS if with_emails else ()))

    def openapi() -> dict[str, Any]:
        if not app.openapi_schema:
            app.openapi_schema = _document(app, operations)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's way to extend it


def _document(app: FastAPI, operations: tuple[Operation, ...]) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        description="Makes links to DICOM studies and decides what they open.",
        routes=app.routes,
    )
    for operation in operations:
        path = document["paths"].setdefault(operation.path, {})
        path[operation.method] = _operation(operation)
    components = document.setdefault("components", {})
    components.setdefault("schemas", {}).update(_schemas(operations))
    components["securitySchemes"] = {_SECURITY: {"type": "http", "scheme": "basic"}}
    return document


def _schemas(operations: tuple[Operation, ...]) -> dict[str, Any]:
    models: set[type[BaseModel]] = {ProblemBody}
    for operation in operations:
        models.update(m for m in (operation.body, operation.answer) if m is not None)
    named = sorted(models, key=lambda model: model.__name__)
    _, definitions = models_json_schema(
        [(model, "validation") for model in named], ref_template=_REFERENCE
    )
    schemas: dict[str, Any] = definitions["$defs"]
    return schemas


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "tags": [operation.path.split("/")[1]],
        "summary": operation.summary,
        "operationId": _operation_id(operation),
        "security": [{_SECURITY: []}],
        "responses": {"200": _answer(operation)} | _problems(operation),
    }
    if operation.description:
        described["description"] = operation.description
    if operation.body is not None:
        content = _content(operation.body)
        if operation.body in _EXAMPLES:
            content["example"] = _EXAMPLES[operation.body]
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": content},
        }
    if "{" in operation.path:
        described["parameters"] = [_parameter(operation.path)]
    return described


def _operation_id(operation: Operation) -> str:
    words = operation.path.strip("/").replace("{", "").replace("}", "").split("/")
    return "_".join((operation.method, *words)).replace("-", "_")


def _answer(operation: Operation) -> dict[str, Any]:
    if operation.answer is None:
        html = {"text/html": {"schema": {"type": "string"}}}
        return {"description": "Done", "content": html}
    content = {"application/json": _content(operation.answer)}
    return {"description": "Done", "content": content}


def _problems(operation: Operation) -> dict[str, Any]:
    content = {PROBLEM_MEDIA_TYPE: _content(ProblemBody)}
    answers: dict[str, Any] = {
        str(status): {"description": _REFUSALS[status], "content": content}
        for status in operation.refused
    }
    if operation.answer is LetterAnswer:
        # Orthanc Explorer 2 shows the details of this one (protocol B.7).
        shown = {"application/json": _content(LetterAnswer)} | content
        answers["400"] = {"description": "Not sent; details say why", "content": shown}
    return answers


def _content(model: type[BaseModel]) -> dict[str, Any]:
    return {"schema": {"$ref": _REFERENCE.format(model=model.__name__)}}


def _parameter(path: str) -> dict[str, Any]:
    name = path[path.index("{") + 1 : path.index("}")]
    schema: dict[str, Any] = {"type": "string"}
    if name == "type":
        schema["enum"] = list(ShareType)
    return {"name": name, "in": "path", "required": True, "schema": schema}
