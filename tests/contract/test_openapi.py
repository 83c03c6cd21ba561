"""The OpenAPI document tells the truth; schemathesis tries to prove the opposite."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core import NOT_SET
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from orthanc_share.web.routing import PlainRoutes
from tests.support.meddream import MedDreamTokenService
from tests.support.service import Service, basic, running
from tests.support.settings import PUBLIC, USER, token_service_settings
from tests.support.smtp import MailServer
from token_service.app import create_app
from token_service.openapi import ALL_OPERATIONS
from token_service.operations import EMAIL_OPERATIONS, Operation

DESCRIBED = (*ALL_OPERATIONS, *EMAIL_OPERATIONS)
OF_ONE_SHARE = [
    one for one in ALL_OPERATIONS if "{share}" in one.path and one.method != "put"
]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
AUTHORIZED = {"Authorization": basic(*USER)}
EXAMPLES = 25
"""Requests for each operation and each mode."""


def operation_name(operation: Operation) -> str:
    return f"{operation.method.upper()} {operation.path}"


@pytest.fixture(scope="module")
def documented(
    tmp_path_factory: pytest.TempPathFactory, meddream: MedDreamTokenService
) -> Iterator[Service]:
    """Run a service with everything switched on."""
    folder = tmp_path_factory.mktemp("documented")
    roles = Path(folder / "roles.json")
    roles.write_text('{"roles": {}}')
    (folder / "letter.html").write_text("<p>{email-content}</p>")
    with (
        MailServer() as post,
        running(
            docs=True,
            metrics=True,
            registry=True,
            data_dir=folder / "data",
            public_meddream_root=f"{PUBLIC}/meddream/",
            meddream_token_service_url=meddream.url,
            permissions_file_path=roles,
            enable_emails=True,
            emails_templates_root=folder,
            emails_sender_address="images@hospital.example.org",
            emails_smtp_server_hostname="127.0.0.1",
            emails_smtp_server_port=post.port,
            emails_smtp_server_uses_tls="false",
        ) as started,
    ):
        yield started


@pytest.fixture(scope="module")
def document(documented: Service) -> dict[str, Any]:
    """Return the document that the service shows."""
    shown: dict[str, Any] = documented.call("GET", "/openapi.json").json
    return shown


@pytest.fixture(scope="module")
def schema(document: dict[str, Any]) -> BaseSchema:
    """Return the document as schemathesis reads it."""
    loaded: BaseSchema = schemathesis.openapi.from_dict(document)
    loaded.validate()
    return loaded


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("operation", DESCRIBED, ids=operation_name)
def test_no_request_gets_an_answer_that_is_not_described(
    operation: Operation, mode: GenerationMode, documented: Service, schema: BaseSchema
) -> None:
    described = schema[operation.path][operation.method.upper()]
    statuses: set[int] = set()

    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=described.as_strategy(generation_mode=mode))
    def try_one(case: Case[Any]) -> None:
        response = case.call(base_url=documented.base, headers=dict(AUTHORIZED))
        statuses.add(response.status_code)
        case.validate_response(response, checks=CHECKS)

    try_one()
    assert statuses


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics"])
def test_the_routes_for_operation_are_described_too(
    path: str, documented: Service, schema: BaseSchema
) -> None:
    case = schema[path]["GET"].Case()
    response = case.call(base_url=documented.base)
    assert response.status_code == 200
    case.validate_response(response, checks=CHECKS)


def test_every_example_of_a_body_works(
    documented: Service, document: dict[str, Any]
) -> None:
    tried = 0
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            body = operation.get("requestBody", {}).get("content", {})
            example = body.get("application/json", {}).get("example")
            if example is not None:
                filled = filled_in(path, method, documented)
                answer = documented.call(method.upper(), filled, example)
                assert answer.status == 200, (path, answer.raw)
                tried += 1
    assert tried >= 14


def filled_in(path: str, method: str, service: Service) -> str:
    """Return the path with a type of shares, or the id of a share, as it wants."""
    share_type = "stone-viewer-publication"
    if "{share}" in path and method != "put":
        return path.replace("{share}", service.made(share_type)["share-id"])
    return path.replace("{share}", share_type).replace("{type}", share_type)


@pytest.mark.parametrize("operation", OF_ONE_SHARE, ids=operation_name)
@pytest.mark.parametrize("state", ["new", "opened", "revoked"])
def test_what_is_done_with_a_share_is_answered_as_described(
    state: str, operation: Operation, documented: Service, schema: BaseSchema
) -> None:
    made = documented.made(title="x", id="y", max_openings=3, password="secret")
    path = f"/shares/{made['share-id']}"
    if state != "new":
        link = {"token": made["token"], "password": "secret"}
        assert documented.call("POST", "/links/open", link).status == 200
    if state == "revoked":
        documented.call("DELETE", path)
    case = schema[operation.path][operation.method.upper()].Case(
        path_parameters={"share": made["share-id"]},
        body={} if operation.body else NOT_SET,
        media_type="application/json" if operation.body else None,
    )
    response = case.call(base_url=documented.base, headers=dict(AUTHORIZED))
    refused = operation.method in {"patch", "post"} or "qr" in operation.path
    expected = 409 if state == "revoked" and refused else 200
    assert response.status_code == expected, response.text
    case.validate_response(response, checks=CHECKS)


def test_every_outcome_of_a_link_is_as_described(
    documented: Service, schema: BaseSchema
) -> None:
    plain, limited = documented.token(), documented.token(max_openings=1)
    locked = documented.token(password="secret")
    later = documented.token(not_before="2027-01-01T00:00:00Z")
    asked: list[tuple[str, dict[str, Any], str]] = [
        ("/links/look", {"token": plain}, "view"),
        ("/links/look", {"token": limited}, "left"),
        ("/links/look", {"code": "none"}, "invalid"),
        ("/links/look", {"token": later}, "not-yet-valid"),
        ("/links/open", {"token": limited}, "opened"),
        ("/links/open", {"token": limited, "user-agent": "x"}, "used-up"),
        ("/links/open", {"token": locked, "password": "guess"}, "wrong-password"),
    ]
    for path, link, told in asked:
        case = schema[path]["POST"].Case(body=link, media_type="application/json")
        response = case.call(base_url=documented.base, headers=dict(AUTHORIZED))
        assert response.status_code == 200
        assert told in response.text
        case.validate_response(response, checks=CHECKS)


def test_news_and_reports_are_as_described(
    documented: Service, schema: BaseSchema
) -> None:
    made = documented.made()
    documented.call("DELETE", f"/shares/{made['share-id']}")
    report: dict[str, Any] = {
        "tallies": [{"share-id": made["share-id"], "denied": 1, "reasons": ["revoked"]}]
    }
    news = schema["/shares/news"]["GET"].Case(query={"cursor": 0})
    tallies = schema["/shares/tallies"]["POST"].Case(
        body=report, media_type="application/json"
    )
    for case in (news, tallies):
        response = case.call(base_url=documented.base, headers=dict(AUTHORIZED))
        assert response.status_code == 200
        case.validate_response(response, checks=CHECKS)


def test_the_status_of_an_unknown_layout_is_described(
    documented: Service, schema: BaseSchema
) -> None:
    letter = {
        "destination-email": "a@example.org",
        "email-title": "Images",
        "email-content": "<p>x</p>",
    }
    for layout, status in (("unknown", 404), ("letter", 200), (None, 200), (5, 422)):
        body: dict[str, Any] = letter | {"layout-template": layout}
        case = schema["/emails/send"]["POST"].Case(
            body=body, media_type="application/json"
        )
        response = case.call(base_url=documented.base, headers=dict(AUTHORIZED))
        assert response.status_code == status
        case.validate_response(response, checks=CHECKS)


def test_every_route_is_described_and_nothing_else(document: dict[str, Any]) -> None:
    paths = {operation.path for operation in DESCRIBED}
    assert document["paths"].keys() == paths | {"/health", "/ready", "/metrics"}


@pytest.mark.parametrize("registry", [True, False])
def test_what_is_described_is_what_is_installed(
    tmp_path: Path, *, registry: bool
) -> None:
    app = create_app(token_service_settings(registry=registry, data_dir=tmp_path))
    installed: set[tuple[str, str]] = set()
    for middleware in app.user_middleware:
        kind: Any = middleware.cls
        if kind is PlainRoutes:
            tables: Any = middleware.kwargs
            for path, methods in tables["routes"].items():
                installed |= {(method, path) for method in methods}
    described = {(one.method.upper(), one.path) for one in ALL_OPERATIONS}
    pages = {one for one in installed if one[1].startswith("/manage")}
    assert installed - pages == described  # pages for people are no API


@pytest.mark.parametrize("operation", DESCRIBED, ids=operation_name)
def test_every_route_wants_a_login_and_says_so(
    operation: Operation, document: dict[str, Any]
) -> None:
    described = document["paths"][operation.path][operation.method]
    assert described["security"] == [{"basic": []}]
    assert described["summary"]
    problem = {"$ref": "#/components/schemas/ProblemBody"}
    refusals = described["responses"].items()
    for status, answer in ((k, v) for k, v in refusals if k != "200"):
        assert answer["description"]
        content = answer["content"]["application/problem+json"]
        assert content["schema"] == problem, status
    assert {"200", "401", "500"} <= described["responses"].keys()


def test_each_operation_has_an_id_of_its_own(document: dict[str, Any]) -> None:
    ids = [
        operation["operationId"]
        for methods in document["paths"].values()
        for operation in methods.values()
    ]
    assert len(set(ids)) == len(ids)


def test_the_document_without_letters_says_nothing_of_them() -> None:
    with running(docs=True) as service:
        first = service.call("GET", "/openapi.json")
        again = service.call("GET", "/openapi.json")
    assert not [path for path in first.json["paths"] if "email" in path]
    assert again.json == first.json
