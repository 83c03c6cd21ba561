"""The page at `/docs` says what the OpenAPI document says, and loads nothing."""

import base64
import hashlib
import re
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest
from typing_extensions import override

from tests.support.settings import token_service_settings
from token_service.app import create_app
from token_service.documentation import page

PYPROJECT = Path(__file__).parents[4] / "pyproject.toml"


class Reader(HTMLParser):
    """Collects the elements of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))


def read(html: str) -> list[tuple[str, dict[str, str | None]]]:
    reader = Reader()
    reader.feed(html)
    return reader.elements


@pytest.fixture
def document() -> dict[str, Any]:
    return create_app(token_service_settings(docs=True)).openapi()


@pytest.fixture
async def shown() -> httpx.Response:
    app = create_app(token_service_settings(docs=True))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        return await client.get("/docs")


@pytest.mark.anyio
async def test_the_page_has_no_script_and_nothing_of_another_host(
    shown: httpx.Response,
) -> None:
    assert shown.headers["content-type"] == "text/html; charset=utf-8"
    elements = read(shown.text)
    assert not {tag for tag, _ in elements} & {"script", "link", "img", "iframe"}
    assert "://" not in shown.text


@pytest.mark.anyio
async def test_the_policy_allows_the_style_of_the_page_and_nothing_else(
    shown: httpx.Response,
) -> None:
    found = re.search(r"<style>(.*)</style>", shown.text, re.DOTALL)
    assert found is not None
    digest = base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()
    policy = shown.headers["content-security-policy"].split("; ")
    assert policy[0] == "default-src 'none'"
    assert f"style-src 'sha256-{digest}'" in policy


def test_every_operation_and_every_model_is_on_the_page(
    document: dict[str, Any],
) -> None:
    html = page(document)
    for path, methods in document["paths"].items():
        for method in methods:
            assert f"<code>{method.upper()} {path}</code>" in html
    elements = read(html)
    places = {attrs["id"] for _, attrs in elements if "id" in attrs}
    assert places == document["components"]["schemas"].keys()
    references = [attrs["href"] or "" for tag, attrs in elements if tag == "a"]
    assert {one[1:] for one in references if one.startswith("#")} <= places


def test_what_the_document_says_cannot_become_markup(
    document: dict[str, Any],
) -> None:
    document["paths"]["/shares"]["put"]["summary"] = "<script>1</script>"
    html = page(document)
    assert "&lt;script&gt;1&lt;/script&gt;" in html
    assert "<script" not in html


def test_the_document_has_the_version_of_the_distribution(
    document: dict[str, Any],
) -> None:
    project = tomllib.loads(PYPROJECT.read_text("utf-8"))["project"]
    assert document["info"]["version"] == project["version"]


def test_the_document_describes_the_members_of_a_problem(
    document: dict[str, Any],
) -> None:
    schemas = document["components"]["schemas"]
    errors = schemas["ProblemBody"]["properties"]["errors"]
    assert errors["items"] == {"$ref": "#/components/schemas/MemberProblem"}
    assert set(schemas["MemberProblem"]["required"]) == {"location", "message"}
