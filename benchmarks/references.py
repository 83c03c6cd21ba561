"""What the services are measured against, each written as one would write it.

    python -m benchmarks.references NAME

serves one of them on a free port, under uvicorn as it comes: uvloop, httptools, no
access log.
"""

import os
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from socket import create_server

import jwt
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

AUDIENCE = "orthanc-share:standard"
"""The claim `aud` of the tokens."""

VIEWER = "https://share.example.org/shares/stone-webviewer/index.html"
"""Where links lead."""

GRANTED = b'{"granted":true,"validity":60}'
"""The constant answer of the bare callable."""

_LENGTH = str(len(GRANTED)).encode()


async def bare(scope: Scope, receive: Receive, send: Send) -> None:
    """Read the body and answer a constant: the least that any ASGI service does."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    body = b""
    more_body = True
    while more_body:
        message = await receive()
        body += message.get("body", b"")
        more_body = message.get("more_body", False)
    headers = [(b"content-type", b"application/json"), (b"content-length", _LENGTH)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": GRANTED})


async def _lifespan(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


def _kebab(name: str) -> str:
    return name.replace("_", "-")


class Wire(BaseModel):
    """A body with names in kebab-case."""

    model_config = ConfigDict(alias_generator=_kebab, populate_by_name=True)


class Question(Wire):
    """What the plugin asks."""

    dicom_uid: str | None = None
    orthanc_id: str | None = None
    level: str
    method: str
    server_id: str | None = None
    token_key: str | None = None
    token_value: str | None = None


class Decision(Wire):
    """What the plugin is told."""

    granted: bool
    validity: int


def validation(key: str) -> FastAPI:
    """Return a route that checks a token with PyJWT and compares the study."""
    app = FastAPI()

    @app.post("/tokens/validate")
    async def validate(question: Question) -> Decision:
        try:
            claims = jwt.decode(
                question.token_value or "",
                key,
                algorithms=["HS256"],
                audience=AUDIENCE,
            )
        except jwt.InvalidTokenError:
            return Decision(granted=False, validity=60)
        granted = any(study["u"] == question.dicom_uid for study in claims["res"])
        return Decision(granted=granted, validity=60)

    return app


class Study(Wire):
    """A study to share."""

    dicom_uid: str | None = None
    orthanc_id: str | None = None


class Wish(Wire):
    """A share to make."""

    id: str
    studies: list[Study]
    anonymized: bool = False
    type: str
    expiration_date: datetime | None = None


class Created(Wire):
    """A share that was made."""

    token: str
    url: str


def creation(key: str) -> FastAPI:
    """Return a route that validates the body with pydantic and signs a token."""
    app = FastAPI()

    @app.put("/shares")
    async def create(wish: Wish) -> Created:
        claims = {
            "aud": AUDIENCE,
            "iat": datetime.now(UTC),
            "exp": wish.expiration_date,
            "jti": wish.id,
            "use": wish.type,
            "res": [study.model_dump() for study in wish.studies],
        }
        token = jwt.encode(claims, key, algorithm="HS256")
        return Created(token=token, url=f"{VIEWER}?token={token}")

    return app


def redirect(_key: str) -> Starlette:
    """Return a route that redirects with the token of the query."""

    async def open_link(request: Request) -> RedirectResponse:
        token = request.query_params["token"]
        return RedirectResponse(f"{VIEWER}?study=1.2.3&token={token}", 303)

    return Starlette(routes=[Route("/", open_link)])


def _bare(_key: str) -> ASGIApp:
    return bare


REFERENCES: Mapping[str, Callable[[str], ASGIApp]] = {
    "bare": _bare,
    "validation": validation,
    "creation": creation,
    "redirect": redirect,
}
"""Name to a function that makes the application, given the shared secret."""


def main(name: str) -> None:
    """Serve the reference called `name` until a signal."""
    app = REFERENCES[name](os.environ["SECRET_KEY"])
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        log_level="warning",
    )
    with create_server(("127.0.0.1", 0), backlog=2048) as listening:
        port = listening.getsockname()[1]
        print(f"{name} listens on http://127.0.0.1:{port}/", file=sys.stderr)
        uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main(sys.argv[1])
