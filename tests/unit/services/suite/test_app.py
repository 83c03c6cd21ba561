"""Three services as one application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from orthanc_share.domain.errors import ConfigurationError
from suite.app import combine, create_app
from tests.support.server import serve
from tests.unit.services.suite.environment import GOOD, LOGIN, PUBLIC, set_environment

EVENTS: list[str] = []


def service(name: str, state: dict[str, Any] | None) -> Starlette:
    """Return an application that tells what it sees of a request."""

    async def tell(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        told = {
            "name": name,
            "path": path,
            "root": scope["root_path"],
            "state": scope["state"].get("value"),
            "seen": scope["state"].setdefault("seen", path),
        }
        await JSONResponse(told)(scope, receive, send)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, Any] | None]:
        EVENTS.append(f"{name} starts")
        yield state
        EVENTS.append(f"{name} ends")

    app = Starlette(lifespan=lifespan)  # type: ignore[arg-type] # state may be None
    app.router.default = tell
    return app


def test_each_service_has_its_path_its_lifespan_and_its_state() -> None:
    EVENTS.clear()
    app = combine(
        service("tokens", {"value": 1}),
        service("pages", {"value": 2}),
        service("anonymous", None),
    )
    with serve(app) as address:
        assert EVENTS == ["tokens starts", "pages starts", "anonymous starts"]
        for path, name, root, value in (
            ("/", "tokens", "", 1),
            ("/shares/validate", "tokens", "", 1),
            ("/welcomes", "tokens", "", 1),
            ("/anon-shares.html", "tokens", "", 1),
            ("/welcome", "pages", "/welcome", 2),
            ("/welcome/", "pages", "/welcome", 2),
            ("/welcome/a/b", "pages", "/welcome", 2),
            ("/anon-shares/studies", "anonymous", "/anon-shares", None),
        ):
            told = httpx.get(f"{address}{path}", trust_env=False).json()
            assert told == {
                "name": name,
                "path": path,
                "root": root,
                "state": value,
                "seen": path,  # each request has a copy of its own
            }
    assert EVENTS[3:] == ["anonymous ends", "pages ends", "tokens ends"]


def test_the_suite_serves_all_three_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    set_environment(monkeypatch, tmp_path, GOOD)
    with serve(create_app()) as address, httpx.Client(trust_env=False) as http:
        for path in ("", "/welcome", "/anon-shares"):
            assert http.get(f"{address}{path}/health").json() == {"status": "ok"}
        made = http.put(
            f"{address}/shares",
            json={
                "studies": [{"dicom-uid": "1.2.276.0.99.1"}],
                "type": "stone-viewer-publication",
            },
            auth=LOGIN,
        ).json()
        link = made["url"]
        assert link.startswith(f"{PUBLIC}/welcome/?token=")
        query = link.partition("?")[2]
        for path in ("/welcome", "/welcome/", "/welcome/share-landing/"):
            opened = http.get(f"{address}{path}?{query}")
            assert opened.status_code == 303
            assert opened.headers["Location"].startswith(f"{PUBLIC}/shares/stone")
        assert http.get(f"{address}/anon-shares/studies").status_code == 404


def test_a_mistake_is_told_once_for_all_services(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wrong = {"SECRET_KEY": "short", "SITE_COLOR": "canary", "SITE_NAM": "canary"}
    set_environment(monkeypatch, tmp_path, wrong)
    with pytest.raises(ConfigurationError) as caught:
        create_app()
    told = caught.value.problems
    assert len(told) == len(set(told)) == 4
    assert {line.split()[0].rstrip(":") for line in told} == {
        "SECRET_KEY",
        "USERS",
        "SITE_COLOR",
        "SITE_NAM",
    }
    assert "canary" not in str(caught.value)
