"""The anonymizer where no anonymized shares are set up: nothing but its health."""

from pathlib import Path

import pytest

from anonymizer.app import create_app
from anonymizer.settings import AnonymizerSettings
from orthanc_share.domain.errors import ConfigurationError
from tests.unit.services.suite.environment import GOOD, set_environment
from tests.unit.shared.web.asgi import client

pytestmark = pytest.mark.anyio


async def test_it_is_alive_and_ready() -> None:
    async with client(create_app(AnonymizerSettings())) as http:
        health, ready = await http.get("/health"), await http.get("/ready")
    assert health.json() == {"status": "ok"}
    assert ready.json() == {"status": "ok", "dependencies": {}}
    assert health.headers["X-Request-ID"]
    assert health.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/studies",
        "/dicom-web/studies",
        "/osimis-viewer/app/%2e%2e/%2e%2e/studies/1",
        "/stone-webviewer/index.html",
        "/docs",
        "/redoc",
        "/openapi.json",
        "/metrics",
    ],
)
async def test_nothing_else_exists(path: str) -> None:
    settings = AnonymizerSettings(orthanc_root="http://orthanc:8042/")
    async with client(create_app(settings)) as http:
        for method in ("GET", "POST", "PUT", "DELETE"):
            answer = await http.request(method, path)
            assert answer.status_code == 404
            assert answer.json()["status"] == 404


async def test_metrics_are_shown_on_a_switch() -> None:
    async with client(create_app(AnonymizerSettings(metrics=True))) as http:
        answer = await http.get("/metrics")
    assert "orthanc_share_request_seconds" in answer.text


def test_its_settings_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    set_environment(monkeypatch, tmp_path, GOOD)
    assert create_app().title == "orthanc-share anonymizer"
    monkeypatch.setenv("ORTHANC_ROOT", "canary")
    with pytest.raises(ConfigurationError, match="ORTHANC_ROOT: should be an address"):
        create_app()
