"""The API described: what the plain endpoints take and answer.

FastAPI describes its own routes; the plain ones (design 7) are described here, from
the same models that read and write their bodies.
"""

import re
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from orthanc_share.domain.share import ShareType
from orthanc_share.web.problems import PROBLEM_MEDIA_TYPE
from token_service.neighbour_schemas import LookRequest, OpenRequest, ReportRequest
from token_service.operations import EMAIL_OPERATIONS, OPERATIONS, Operation
from token_service.registry_operations import REGISTRY_OPERATIONS
from token_service.registry_requests import (
    ChangeRequest,
    RevocationRequest,
    SelectionRequest,
)
from token_service.schemas import (
    AccessQuestion,
    LetterAnswer,
    ProblemBody,
    ProfileQuestion,
    ShareRequest,
    TokenQuestion,
)

_REFERENCE = "#/components/schemas/{model}"
_SECURITY = "basic"
_NULL = {"type": "null"}
_NAME = re.compile(r"\{(\w+)\}")
_PARTS = re.compile(r"[^a-z]+")
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
    ChangeRequest: {"title": "For the second opinion", "validity-duration": 1_296_000},
    RevocationRequest: {"reason": "Sent to the wrong address"},
    SelectionRequest: {"study": "1.2.276.0.99.1", "dry-run": True},
    LookRequest: {"token": "aaa.bbb.ccc"},
    OpenRequest: {"code": "AbCdEfGhIjKlMnOpQrStUv", "address": "192.0.2.7"},
    ReportRequest: {
        "tallies": [{"share-id": "AbCdEfGhIjKlMnOpQrStUv", "granted": 12, "denied": 0}]
    },
}
_REFUSALS = {
    400: "The body is not JSON, or path and body contradict each other",
    404: "There is none of that name or id, or the site keeps no registry",
    409: "The share was revoked, or the roles cannot be stored here",
    401: "The login is missing or wrong",
    408: "The body came too slowly",
    413: "The body is too large",
    422: "A member is wrong, or the share or link is not possible here",
    500: "A mistake of ours",
    502: "MedDream answered nonsense",
    503: "MedDream or the database does not answer, or too many logins are checked",
}


ALL_OPERATIONS = (*OPERATIONS, *REGISTRY_OPERATIONS)
"""The endpoints that are always there."""


def describe(app: FastAPI, *, with_emails: bool) -> None:
    """Let `app` describe its plain endpoints too."""
    operations = (*ALL_OPERATIONS, *(EMAIL_OPERATIONS if with_emails else ()))

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
            "required": operation.needs_body,
            "content": {"application/json": content},
        }
    parameters = [*_path_parameters(operation), *_query_parameters(operation)]
    if parameters:
        described["parameters"] = parameters
    return described


def _operation_id(operation: Operation) -> str:
    words = _PARTS.split(operation.path.strip("/"))
    return "_".join((operation.method, *filter(None, words)))


def _answer(operation: Operation) -> dict[str, Any]:
    if operation.answer is None:
        content = {operation.media_type: {"schema": {"type": "string"}}}
        return {"description": "Done", "content": content}
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


def _path_parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    found = _NAME.search(operation.path)
    if found is None:
        return
    schema: dict[str, Any] = {"type": "string"}
    name, about = found[1], "Its name"
    if operation.body is ShareRequest:
        schema["enum"], about = list(ShareType), "Type of the share"
    elif name == "share":
        about = "Id of the share, the `share-id` of its creation"
    yield {
        "name": name,
        "in": "path",
        "required": True,
        "description": about,
        "schema": schema,
    }


def _query_parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    if operation.query is None:
        return
    described = operation.query.model_json_schema()
    for name, member in described["properties"].items():
        schema = _without_null(member, described.get("$defs", {}))
        about = schema.pop("description", "")
        yield {"name": name, "in": "query", "description": about, "schema": schema}


def _without_null(member: dict[str, Any], models: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a member of a query, which cannot be null."""
    kinds = [kind for kind in member.get("anyOf", [member]) if kind != _NULL]
    schema = {**member, **kinds[0]}
    model = models.get(schema.pop("$ref", "").rpartition("/")[2], {})
    schema = {**model, **schema}
    if schema.get("default", _NULL) is None:
        del schema["default"]
    schema.pop("anyOf", None)
    return schema
