"""Alive and ready."""

import anyio
import pytest
from fastapi import FastAPI

from orthanc_share.web import health
from orthanc_share.web.health import Ping
from orthanc_share.web.metrics import Metrics
from orthanc_share.web.operation import add_operation
from tests.unit.shared.web.asgi import client

pytestmark = pytest.mark.anyio


async def well() -> None:
    """Answer."""


async def ill() -> None:
    raise OSError("canary: http://inside.example refused")


def app(pings: dict[str, Ping], metrics: Metrics | None = None) -> FastAPI:
    made = FastAPI()
    add_operation(made, pings, metrics)
    return made


async def test_a_service_is_alive_whatever_it_needs() -> None:
    async with client(app({"meddream": ill})) as http:
        answer = await http.get("/health")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok"}
    assert answer.headers["Cache-Control"] == "no-store"


async def test_it_is_ready_if_all_that_it_needs_answers() -> None:
    async with client(app({"meddream": well, "orthanc": well})) as http:
        answer = await http.get("/ready")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "dependencies": {"meddream": "ok", "orthanc": "ok"},
    }
    async with client(app({})) as http:
        assert (await http.get("/ready")).json()["status"] == "ok"


async def test_else_it_says_who_does_not_and_not_why() -> None:
    async with client(app({"meddream": ill, "orthanc": well})) as http:
        answer = await http.get("/ready")
    assert answer.status_code == 503
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json() == {
        "status": "unavailable",
        "dependencies": {"meddream": "unavailable", "orthanc": "ok"},
    }


async def test_it_does_not_wait_for_one_that_hangs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(health, "PING_TIMEOUT", 0.01)
    async with client(app({"meddream": anyio.sleep_forever})) as http:
        answer = await http.get("/ready")
    assert answer.json()["dependencies"] == {"meddream": "unavailable"}


async def test_metrics_are_shown_on_a_switch() -> None:
    async with client(app({})) as http:
        assert (await http.get("/metrics")).status_code == 404
    async with client(app({}, Metrics())) as http:
        answer = await http.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain")
