"""`GET /docs`: the API for people, as one page without scripts.

FastAPI's own page runs a script of another host. In a browser that keeps the login of
token-service that script could make shares, and no site without internet sees it.
"""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse

_STYLE = (
    ":root{color-scheme:light dark;font:1rem/1.5 system-ui,sans-serif}"
    "body{max-width:60rem;margin:auto;padding:1rem}"
    "code{overflow-wrap:anywhere}pre{overflow:auto;border:1px solid;padding:.5rem}"
    "section{margin-top:2rem}table{border-collapse:collapse}"
    "th,td{border:1px solid;padding:.25rem .5rem;text-align:start}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; "
    f"frame-ancestors 'none'; style-src 'sha256-{_STYLE_HASH}'"
)


def add_documentation(app: FastAPI) -> None:
    """Let `app` show its OpenAPI document at `/docs`."""

    async def docs(_request: Request) -> HTMLResponse:
        headers = {"Content-Security-Policy": _POLICY}
        return HTMLResponse(page(app.openapi()), headers=headers)

    app.add_api_route("/docs", docs, include_in_schema=False)


def page(document: Mapping[str, Any]) -> str:
    """Return an OpenAPI document as HTML."""
    info = document["info"]
    title = escape(f"{info['title']} {info['version']}")
    operations = (
        part
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        for part in _operation(f"{method.upper()} {path}", operation)
    )
    models = (
        part
        for name, schema in sorted(document["components"]["schemas"].items())
        for part in _model(name, schema)
    )
    return "\n".join(
        (
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title><style>{_STYLE}</style></head><body>",
            f"<h1>{title}</h1><p>{escape(info['description'])}",
            'For programs: <a href="openapi.json">openapi.json</a>.</p>',
            *operations,
            "<h1>Bodies</h1>",
            *models,
            "</body></html>\n",
        )
    )


def _operation(name: str, operation: Mapping[str, Any]) -> Iterator[str]:
    login = "Needs a login." if operation.get("security") else "Needs no login."
    description = escape(operation.get("description", ""))
    yield f"<section><h2><code>{escape(name)}</code></h2>"
    yield f"<p><strong>{escape(operation['summary'])}</strong></p>"
    yield f"<p>{description} {login}</p>"
    bodies = operation.get("requestBody", {}).get("content", {})
    for media_type, content in bodies.items():
        yield f"<p>Takes {_media(media_type, content)}</p>"
        if "example" in content:
            example = json.dumps(content["example"], indent=2)
            yield f"<pre>{escape(example)}</pre>"
    yield "<table><tr><th>Status</th><th>Meaning</th><th>Body</th></tr>"
    for status, answer in operation["responses"].items():
        contents = answer.get("content", {}).items()
        shown = "<br>".join(_media(*one) for one in contents)
        meaning = escape(answer["description"])
        yield f"<tr><td>{escape(status)}</td><td>{meaning}</td><td>{shown}</td></tr>"
    yield "</table></section>"


def _model(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    yield f'<section id="{escape(name)}"><h2>{escape(name)}</h2>'
    yield f"<p>{escape(schema.get('description', ''))}</p>"
    required = schema.get("required", ())
    members = schema.get("properties", {})
    if members:
        yield "<table><tr><th>Member</th><th>Type</th><th>What it is</th></tr>"
    for member, about in members.items():
        must = " (required)" if member in required else ""
        meaning = escape(about.get("description", ""))
        yield f"<tr><td><code>{escape(member)}</code>{must}</td>"
        yield f"<td>{_type(about)}</td><td>{meaning}</td></tr>"
    yield ("</table>" if members else f"<p>{_type(schema)}</p>") + "</section>"


def _media(media_type: str, content: Mapping[str, Any]) -> str:
    return f"<code>{escape(media_type)}</code>: {_type(content['schema'])}"


def _type(schema: Mapping[str, Any]) -> str:
    """Return a schema in a few words; what a model is, its own section says."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"<code>{escape(str(one))}</code>" for one in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    return escape(schema.get("type", "any"))
