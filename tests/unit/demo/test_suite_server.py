"""The demo's services have their own secrets and settings."""

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from demo import suite_server
from demo.calls import call
from demo.processes import free_port
from demo.suite_server import Addresses, make_secrets

ADDRESSES = Addresses(
    landing="http://127.0.0.1:1/welcome/",
    orthanc="http://127.0.0.1:2/",
    ohif=None,
    anonymizer="http://127.0.0.1:1/anon-shares/",
    orthanc_behind="http://127.0.0.1:3/",
)


def test_secrets_are_made_once_and_readable_by_their_owner_only(tmp_path: Path) -> None:
    first = make_secrets(tmp_path / "secrets")
    files = list(first.folder.iterdir())
    assert {file.name for file in files} == {
        "USERS",
        "SECRET_KEY",
        "DEIDENTIFICATION_KEY",
        "ORTHANC_PASSWORD",
    }
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE(first.folder.stat().st_mode) == 0o700
    assert make_secrets(first.folder) == first
    assert make_secrets(tmp_path / "others").users != first.users


def test_passwords_are_not_shown(tmp_path: Path) -> None:
    made = make_secrets(tmp_path)
    assert made.login("demo") == ("demo", made.users["demo"])
    assert made.users["demo"] not in repr(made)
    assert made.orthanc_password not in repr(made)


def test_the_viewer_is_set_only_when_there_is_one() -> None:
    assert "PUBLIC_OHIF_ROOT" not in ADDRESSES.settings()
    with_viewer = replace(ADDRESSES, ohif="http://c/ohif/")
    assert with_viewer.settings()["PUBLIC_OHIF_ROOT"] == "http://c/ohif/"


def test_the_callers_environment_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBLIC_LANDING_ROOT", "https://elsewhere.example/")
    monkeypatch.setenv("SECRET_KEY", "too short")
    keys = make_secrets(tmp_path / "secrets")
    port = free_port()
    body = {"type": "stone-viewer-publication", "resources": [{"dicom-uid": "1.2"}]}
    with suite_server.start(port, keys, ADDRESSES, tmp_path / "log"):
        url = f"http://127.0.0.1:{port}/shares"
        made = call("PUT", url, body, login=keys.login("demo"))
        refused = call("PUT", url, body)
    assert made.json()["url"].startswith(ADDRESSES.landing)
    assert refused.status == 401
    assert (
        json.loads((keys.folder / "USERS").read_text())["demo"]
        not in (tmp_path / "log").read_text()
    )
