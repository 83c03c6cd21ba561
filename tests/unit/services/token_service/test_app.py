"""The application as it is made: from which settings, and with what it closes."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from orthanc_share.domain.errors import ConfigurationError, ShareTypeDisabledError
from tests.support.meddream import MedDreamTokenService
from tests.support.service import creation, running
from tests.support.settings import PUBLIC, SECRET_KEY, token_service_settings
from token_service.app import create_app

pytestmark = pytest.mark.anyio


@pytest.fixture
def quiet_log() -> Iterator[None]:
    """Put the log back as it was."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    root.setLevel(level)
    root.handlers = handlers


@pytest.mark.usefixtures("quiet_log")
def test_the_settings_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SECRET_KEY", SECRET_KEY)
    monkeypatch.setenv("USERS", '{"plugin": "pW7-rT2-xK9"}')
    monkeypatch.setenv("PUBLIC_ORTHANC_ROOT", f"{PUBLIC}/shares")
    assert isinstance(create_app(), FastAPI)


def test_wrong_settings_stop_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SECRET_KEY", "USERS", "SIGNING_KEY", "VERIFICATION_KEYS"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigurationError) as refused:
        create_app()
    named = " ".join(refused.value.problems)
    assert "SECRET_KEY" in named
    assert "USERS" in named


def test_a_roles_file_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    for setting in ("permissions_file_path", "anonymous_profile_file_path"):
        settings = token_service_settings(**{setting: tmp_path / "none.json"})
        with pytest.raises(ConfigurationError, match=setting.upper()):
            create_app(settings)


def test_a_folder_of_templates_that_is_not_there_stops_the_start(
    tmp_path: Path,
) -> None:
    settings = token_service_settings(
        enable_emails=True,
        emails_templates_root=tmp_path / "none",
        emails_sender_address="images@hospital.example.org",
        emails_smtp_server_hostname="127.0.0.1",
    )
    with pytest.raises(ConfigurationError, match="EMAILS_TEMPLATES_ROOT"):
        create_app(settings)


def test_the_profile_of_visitors_is_that_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "anonymous.json"
    file.write_text('{"name": "Visitor", "permissions": ["upload"], "validity": 5}')
    with running(anonymous_profile_file_path=file) as service:
        profile = service.ask("/user/get-profile", {"token-value": "x"})
    assert profile["name"] == "Visitor"
    assert profile["permissions"] == ["upload"]
    assert profile["validity"] == 5


@pytest.mark.parametrize("user", ["x" * 256, "a\nb", "\x00"])
def test_a_user_id_that_cannot_be_shown_is_nobodys(user: str) -> None:
    with running() as service:
        profile = service.ask("/user/get-profile", {"user-id": user})
        named = service.ask("/user/get-profile", {"user-id": "u-1"})
    assert profile["user-id"] is None
    assert named["user-id"] == named["name"] == "u-1"
    assert named["permissions"] == []


def test_a_viewer_without_its_token_service_makes_no_meddream_link() -> None:
    # `check-config` refuses these settings; the route must not rely on it.
    with running(public_meddream_root=f"{PUBLIC}/meddream/") as service:
        refused = service.create("meddream-instant-link")
        decoded = service.decode(service.token("meddream-viewer-publication"))
    assert refused.json["code"] == ShareTypeDisabledError.code
    assert decoded["error-code"] == "unknown"
    assert decoded["redirect-url"] is None


async def test_the_lifespan_closes_what_asks_meddream() -> None:
    with MedDreamTokenService() as stand_in:
        settings = token_service_settings(
            public_meddream_root=f"{PUBLIC}/meddream/",
            meddream_token_service_url=stand_in.url,
        )
        app = create_app(settings)
        async with app.router.lifespan_context(app):
            assert stand_in.calls == []


def test_the_form_of_a_path_makes_no_type() -> None:
    with running() as service:
        for path in ("/shares/", "/tokens/"):
            assert service.call("PUT", path, creation()).status == 200
        nameless = {k: v for k, v in creation().items() if k != "type"}
        for path in ("/shares", "/shares/", "/tokens/", "/tokens/a/b", "/shares/%00"):
            assert service.call("PUT", path, nameless).status == 422
