"""`orthanc-share doctor` on a site with a real Orthanc, with and without our plugin."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from typing_extensions import override

from anonymizer.settings import AnonymizerSettings
from demo.orthanc_server import OrthancSetup
from demo.processes import free_port
from landing.settings import LandingSettings
from suite.app import assemble, combine
from tests.support.orthanc import (
    LOGIN as PLUGIN_LOGIN,
    require_orthanc,
    running_orthanc,
    shares_section,
)
from tests.support.server import serve
from tests.support.settings import (
    DEIDENTIFICATION_KEY,
    SECRET_KEY,
    token_service_settings,
)
from tests.unit.services.suite.commands.calling import LOGIN, call
from tests.unit.services.suite.environment import GOOD, set_environment

ORTHANC_LOGIN = ("anonymizer", "nQ4-vB8-zL2")
SHARING: dict[str, Any] = {
    "secret_key": SECRET_KEY,
    "deidentification_key": DEIDENTIFICATION_KEY,
    "server_identifier": "for-shares",
    "anonymized_server_identifier": "for-anon-shares",
    "public_orthanc_root": "http://unused/shares/",
    "public_landing_root": "http://unused/welcome/",
    "public_anonymized_orthanc_root": "http://unused/anon-shares/",
}


@dataclass(frozen=True)
class Changed(OrthancSetup):
    """An Orthanc that is set up in another way.

    Attributes:
        changes: What replaces parts of its configuration.
    """

    changes: Mapping[str, Any] = field(default_factory=dict)

    @override
    def configuration(self) -> dict[str, Any]:
        return {**super().configuration(), **self.changes}


@pytest.fixture(scope="module")
def private(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the Orthanc behind the anonymizer, which wants a login."""
    folder = tmp_path_factory.mktemp("private")
    with running_orthanc(folder, samples, users=dict([ORTHANC_LOGIN])) as url:
        yield url


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of token-service's registry."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def suite(private: str, data: Path) -> Iterator[str]:
    """Run the three services on one port."""
    users = dict([LOGIN, PLUGIN_LOGIN])
    services = assemble(
        token_service_settings(**SHARING, registry=True, data_dir=data, users=users),
        LandingSettings(**SHARING),
        AnonymizerSettings(
            **SHARING,
            orthanc_root=private,
            orthanc_username=ORTHANC_LOGIN[0],
            orthanc_password=SecretStr(ORTHANC_LOGIN[1]),
        ),
    )
    with serve(combine(*services)) as address:
        yield f"{address}/"


@pytest.fixture(scope="module")
def guarded(
    suite: str, samples: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Run the Orthanc for shares, whose plugin asks token-service."""
    folder = tmp_path_factory.mktemp("guarded")
    with running_orthanc(folder, samples, shares_section(suite)) as url:
        yield url


@pytest.fixture(scope="module")
def well(suite: str, private: str, guarded: str, data: Path) -> dict[str, str]:
    """Return the settings of a site in which everything fits."""
    return {
        **GOOD,
        "DEIDENTIFICATION_KEY": DEIDENTIFICATION_KEY,
        "SERVER_IDENTIFIER": "for-shares",
        "ANONYMIZED_SERVER_IDENTIFIER": "for-anon-shares",
        "PUBLIC_ORTHANC_ROOT": guarded,
        "PUBLIC_LANDING_ROOT": f"{suite}welcome/",
        "PUBLIC_ANONYMIZED_ORTHANC_ROOT": f"{suite}anon-shares/",
        "ORTHANC_ROOT": private,
        "ORTHANC_USERNAME": ORTHANC_LOGIN[0],
        "ORTHANC_PASSWORD": ORTHANC_LOGIN[1],
        "ORTHANC_SHARE_URL": suite,
        "ORTHANC_SHARE_USER": LOGIN[0],
        "ORTHANC_SHARE_PASSWORD": LOGIN[1],
        "DATA_DIR": str(data),
    }


@pytest.fixture(autouse=True)
def _site(
    well: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_environment(monkeypatch, tmp_path, well)


def found(*arguments: str) -> dict[str, list[str]]:
    """Return what doctor finds, by its grade."""
    result = call("doctor", "--json", *arguments)
    assert result.stderr == ""
    texts: dict[str, list[str]] = {"ok": [], "warning": [], "error": []}
    for one in json.loads(result.stdout)["findings"]:
        texts[one["grade"]].append(one["text"])
    assert result.exit_code == bool(texts["error"])
    return texts


def test_a_site_that_is_well() -> None:
    texts = found()
    assert texts["error"] == []
    assert set(texts["ok"]) >= {
        "ORTHANC_ROOT: an Orthanc answers.",
        "ORTHANC_ROOT: DICOMweb answers.",
        "It can be reached, and has the schema of this code.",
        "It grants a token that was made here (standard): keys, servers fit.",
        "It grants a token that was made here (anonymized): keys, servers fit.",
        "PUBLIC_LANDING_ROOT: our landing page, with the keys that are here.",
        "PUBLIC_ANONYMIZED_ORTHANC_ROOT: the anonymizer, with the keys that are here.",
    }
    # Debian has no Stone viewer; its path is asked for without a token.
    expected = "PUBLIC_ORTHANC_ROOT: the Stone viewer is not there (404)."
    assert expected in texts["warning"]


@pytest.mark.parametrize("password", [None, "wrong"])
def test_the_login_at_orthanc_is_tried(
    password: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if password is None:
        monkeypatch.delenv("ORTHANC_USERNAME")
        monkeypatch.delenv("ORTHANC_PASSWORD")
    else:
        monkeypatch.setenv("ORTHANC_PASSWORD", password)
    expected = "ORTHANC_ROOT: it refuses the anonymizer (status 401)."
    assert found()["error"] == [expected]


def test_an_orthanc_that_tells_its_version_may_still_want_a_token(
    guarded: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORTHANC_ROOT", guarded)
    expected = "ORTHANC_ROOT: it refuses the anonymizer (status 403)."
    assert found()["error"] == [expected]
    monkeypatch.setenv("ORTHANC_PASS_TOKEN", "true")
    texts = found()
    assert texts["error"] == []
    assert "ORTHANC_ROOT: it wants a token, as it should." in texts["ok"]


@pytest.mark.parametrize(
    "changes",
    [
        {"Plugins": []},
        {"DicomWeb": {"Enable": False}},
        {"DicomWeb": {"Enable": True, "Root": "/elsewhere/"}},
    ],
    ids=["missing", "disabled", "elsewhere"],
)
def test_an_orthanc_without_dicomweb_where_the_anonymizer_asks(
    changes: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_orthanc()
    setup = Changed("changed", tmp_path, free_port(), changes=changes)
    monkeypatch.setenv("ORTHANC_ROOT", setup.url)
    with setup.start():
        expected = "ORTHANC_ROOT: no DICOMweb below /dicom-web/ (status 404)."
        assert found()["error"] == [expected]


@pytest.mark.parametrize("which", ["private", "guarded"])
def test_an_orthanc_is_taken_for_no_service_of_ours(
    which: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    orthanc: str = request.getfixturevalue(which)
    landing, anonymizer = "PUBLIC_LANDING_ROOT", "PUBLIC_ANONYMIZED_ORTHANC_ROOT"
    monkeypatch.setenv(landing, f"{orthanc}app/")
    monkeypatch.setenv(anonymizer, orthanc)
    monkeypatch.setenv("PUBLIC_ORTHANC_ROOT", f"{orthanc}shares/")
    errors = found("--plugin-url", orthanc)["error"]
    starts = [
        f"{orthanc}health is not answered by token-service",
        f"{landing}: what answers is not our landing page",
        f"{anonymizer}: what answers is not the anonymizer",
    ]
    assert len(errors) == len(starts)
    for start in starts:
        assert any(error.startswith(start) for error in errors)
