"""`orthanc-share doctor` on sites that are well, and on sites that are not."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from anonymizer.settings import AnonymizerSettings
from landing.settings import LandingSettings
from suite.app import assemble, combine
from tests.support.meddream import MedDreamTokenService
from tests.support.orthanc_double import OrthancDouble, Reply, orthanc_double
from tests.support.server import serve
from tests.support.settings import (
    DEIDENTIFICATION_KEY,
    SECRET_KEY,
    token_service_settings,
)
from tests.unit.services.suite.commands.calling import LOGIN, call, process, refused
from tests.unit.shared.tokens.keys import OLD_SECRET_KEY, VERIFICATION_KEY

pytestmark = pytest.mark.usefixtures("well")

ANONYMIZED = "PUBLIC_ANONYMIZED_ORTHANC_ROOT"
STONE = "stone-webviewer/index.html"
SHARING: dict[str, Any] = {
    "registry": False,
    "secret_key": SECRET_KEY,
    "deidentification_key": DEIDENTIFICATION_KEY,
    "server_identifier": "for-shares",
    "anonymized_server_identifier": "for-anon-shares",
    "public_orthanc_root": "http://unused/shares/",
    "public_landing_root": "http://unused/welcome/",
    "public_anonymized_orthanc_root": "http://unused/anon-shares/",
}


@pytest.fixture(scope="module")
def orthanc() -> Iterator[OrthancDouble]:
    """Run what looks like an Orthanc with the Stone viewer, and like OHIF."""
    answers = {
        "system": Reply(b'{"Version": "1.12.9", "ApiVersion": 29}'),
        "dicom-web/studies": Reply(b"[]", "application/dicom+json"),
        STONE: Reply(b"<html>", "text/html"),
        "ohif/": Reply(b"<html>", "text/html"),
        "meddream/": Reply(b"<html>", "text/html"),
        "moved/stone-webviewer/index.html": Reply(
            status=301, fields=(("Location", "https://share.example.org/"),)
        ),
        "away/stone-webviewer/index.html": Reply(status=502),
        "busy/stone-webviewer/index.html": Reply(status=503),
        "late/stone-webviewer/index.html": Reply(
            fields=(("Date", _date(timedelta(days=1))),)
        ),
        "early/stone-webviewer/index.html": Reply(
            fields=(("Date", _date(timedelta(minutes=-5))),)
        ),
        "closed/system": Reply(status=401),
        "guarded/system": Reply(b'{"Version": "1.12.9"}'),
        "guarded/dicom-web/studies": Reply(status=403),
        "tired/system": Reply(b'{"Version": "1.12.9"}'),
        "tired/dicom-web/studies": Reply(length=9, resets=True),
        "broken/system": Reply(length=9, resets=True),
        "other/system": Reply(b"{}"),
        "bare/system": Reply(b'{"Version": "1.12.9"}'),
    }
    with orthanc_double(answers) as double:
        yield double


def _date(ahead: timedelta) -> str:
    return format_datetime(datetime.now(UTC) + ahead, usegmt=True)


@pytest.fixture(scope="module")
def suite(orthanc: OrthancDouble) -> Iterator[str]:
    """Run the three services on one port."""
    services = assemble(
        token_service_settings(**SHARING, users={LOGIN[0]: LOGIN[1]}),
        LandingSettings(**SHARING),
        AnonymizerSettings(**SHARING, orthanc_root=orthanc.url),
    )
    with serve(combine(*services)) as address:
        yield f"{address}/"


@pytest.fixture
def well(
    suite: str, orthanc: OrthancDouble, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """Set up a site in which everything fits."""
    values = {
        "REGISTRY": "off",
        "DEIDENTIFICATION_KEY": DEIDENTIFICATION_KEY,
        "SERVER_IDENTIFIER": "for-shares",
        "ANONYMIZED_SERVER_IDENTIFIER": "for-anon-shares",
        "PUBLIC_ORTHANC_ROOT": orthanc.url,
        "PUBLIC_OHIF_ROOT": f"{orthanc.url}ohif/",
        "PUBLIC_LANDING_ROOT": f"{suite}welcome/",
        "PUBLIC_ANONYMIZED_ORTHANC_ROOT": f"{suite}anon-shares/",
        "ORTHANC_ROOT": orthanc.url,
        "ORTHANC_SHARE_URL": suite,
        "ORTHANC_SHARE_USER": LOGIN[0],
        "ORTHANC_SHARE_PASSWORD": LOGIN[1],
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return values


def _without_numbers(text: str) -> str:
    return re.sub(r"\d+ s", "N s", text)


def findings(*arguments: str) -> list[dict[str, Any]]:
    result = call("doctor", "--json", *arguments)
    assert result.stderr == ""
    found: list[dict[str, Any]] = json.loads(result.stdout)["findings"]
    has_errors = any(one["grade"] == "error" for one in found)
    assert result.exit_code == (1 if has_errors else 0)
    return found


def errors(*arguments: str, grade: str = "error") -> list[str]:
    return [one["text"] for one in findings(*arguments) if one["grade"] == grade]


def only_error(*arguments: str, grade: str = "error") -> str:
    found = errors(*arguments, grade=grade)
    assert len(found) == 1, found
    (text,) = found
    return str(text)


def test_a_site_that_is_well_has_no_errors() -> None:
    found = findings()
    assert [one["text"] for one in found if one["grade"] == "error"] == []
    well = [one["text"] for one in found if one["grade"] == "ok"]
    for text in (
        "token-service can start.",
        "It grants a token that was made here (standard): keys, servers fit.",
        "It grants a token that was made here (anonymized): keys, servers fit.",
        "PUBLIC_LANDING_ROOT: our landing page, with the keys that are here.",
        "PUBLIC_ANONYMIZED_ORTHANC_ROOT: the anonymizer, with the keys that are here.",
        "PUBLIC_ORTHANC_ROOT: the Stone viewer is there.",
        "PUBLIC_OHIF_ROOT: a page answers.",
        "ORTHANC_ROOT: an Orthanc answers.",
    ):
        assert text in well


def test_it_is_told_to_people_without_a_secret() -> None:
    done = process("doctor")
    assert done.status == 0, done.stdout
    assert done.stderr == ""
    last = done.stdout.splitlines()[-1]
    assert last.startswith("0 errors, ")
    for secret in (SECRET_KEY, DEIDENTIFICATION_KEY, LOGIN[1], "eyJ", "\x1b"):
        assert secret not in done.stdout


@pytest.mark.parametrize("service", ["landing", "anonymizer", "token-service"])
def test_one_service_can_be_examined(service: str) -> None:
    assert errors(service) == []


def test_a_container_with_public_keys_only_can_be_examined(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SECRET_KEY")
    monkeypatch.setenv("VERIFICATION_KEYS", VERIFICATION_KEY)
    texts = [one["text"] for one in findings("landing")]
    for text in (
        "Links can be checked here, but not made.",
        "PUBLIC_LANDING_ROOT: our landing page; its keys cannot be tried here.",
        f"{ANONYMIZED}: the anonymizer; its keys cannot be tried here.",
    ):
        assert text in texts


def test_a_service_that_is_none_is_refused() -> None:
    said = refused("doctor", "landin")
    assert said.startswith("There is no service landin: token-service, landing,")


def test_an_address_that_is_none_is_refused() -> None:
    said = refused("doctor", "--plugin-url", "ftp://u:canary@x")
    assert said.startswith("--plugin-url should be an address")
    assert "canary" not in said


def test_wrong_settings_are_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "canary")
    found = findings("--offline")
    texts = [one["text"] for one in found if one["grade"] == "error"]
    assert "token-service: SECRET_KEY is shorter than 32 bytes." in texts
    assert "No token can be read." in texts
    assert "canary" not in str(found)


def test_settings_that_are_hardly_meant_so_are_warnings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PUBLIC_LANDING_ROOT", "http://share.example.org/welcome/")
    expected = "PUBLIC_LANDING_ROOT: http:// lets anybody on the way read the links."
    assert f"landing: {expected}" in errors("--offline", grade="warning")


def test_offline_nobody_is_asked(orthanc: OrthancDouble) -> None:
    before = len(orthanc.asked)
    assert errors("--offline") == []
    assert len(orthanc.asked) == before


# Keys that differ between the services.


def test_keys_other_keys_are_noticed_everywhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SECRET_KEY", OLD_SECRET_KEY)
    assert errors() == [
        "It denies a token that was made here (standard).",
        "It denies a token that was made here (anonymized).",
        "PUBLIC_LANDING_ROOT: our landing page refuses a link that was signed here.",
        f"{ANONYMIZED}: the anonymizer refuses a link that was signed here.",
    ]


def test_keys_another_identifier_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVER_IDENTIFIER", "another")
    assert only_error() == "It denies a token that was made here (standard)."


# The address at which the plugin asks.


def test_service_the_login_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORTHANC_SHARE_PASSWORD", "wrong")
    assert set(errors()) == {"It does not accept the user jane."}


def test_service_without_a_login_the_decision_is_not_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("ORTHANC_SHARE_PASSWORD")
    assert errors() == []
    wants = "It wants a login, as it should; what it decides was not tried."
    assert wants in errors(grade="warning")


def test_service_nobody_said_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORTHANC_SHARE_URL")
    assert errors() == []
    assert any("Nobody said" in text for text in errors(grade="warning"))


def test_service_landings_address_of_it_counts_with_its_own_login(
    monkeypatch: pytest.MonkeyPatch, suite: str
) -> None:
    monkeypatch.delenv("ORTHANC_SHARE_URL")
    monkeypatch.setenv("TOKEN_SERVICE_URL", suite)
    monkeypatch.setenv("TOKEN_SERVICE_USER", LOGIN[0])
    monkeypatch.setenv("TOKEN_SERVICE_PASSWORD", "wrong")
    assert set(errors()) == {"It does not accept the user jane."}


def test_service_an_address_with_something_else(orthanc: OrthancDouble) -> None:
    text = only_error("--plugin-url", orthanc.url)
    assert text == f"{orthanc.url}health is not answered by token-service (404)."


def test_service_an_address_without_anything() -> None:
    text = only_error("--plugin-url", "http://127.0.0.1:1")
    assert text == "http://127.0.0.1:1/: nothing listens there."


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({}, ["{}ready does not answer.", "It does not decide: status 404."]),
        (
            {
                "ready": Reply(b'{"dependencies": {"registry": "unavailable"}}'),
                "tokens/validate": Reply(b'{"granted": true}'),
            },
            ["Token-service cannot reach what it needs: registry."],
        ),
        (
            {
                "ready": Reply(b'{"dependencies": {}}'),
                "tokens/validate": Reply(length=9, resets=True),
            },
            ["It does not decide: it broke off, or speaks no HTTP."],
        ),
    ],
)
def test_service_what_it_lacks_is_told(
    answers: dict[str, Reply], expected: list[str]
) -> None:
    alive = {"health": Reply(b'{"status": "ok"}')}
    with orthanc_double(alive | answers) as double:
        found = set(errors("--plugin-url", double.url))
        assert found == {text.format(double.url) for text in expected}


# What is behind the public addresses.


@pytest.mark.parametrize(
    ("below", "expected"),
    [
        (
            "moved/",
            "PUBLIC_ORTHANC_ROOT: the server sends browsers on to https://.",
        ),
        ("away/", "PUBLIC_ORTHANC_ROOT: status 502."),
        ("busy/", "PUBLIC_ORTHANC_ROOT: what is behind it is not ready (503)."),
        (
            "late/",
            "PUBLIC_ORTHANC_ROOT: its clock is 86399 s ahead of the one here.",
        ),
        ("early/", "PUBLIC_ORTHANC_ROOT: its clock is 300 s behind the one here."),
    ],
)
def test_root_orthanc_for_shares(
    monkeypatch: pytest.MonkeyPatch,
    orthanc: OrthancDouble,
    below: str,
    expected: str,
) -> None:
    monkeypatch.setenv("PUBLIC_ORTHANC_ROOT", f"{orthanc.url}{below}")
    assert _without_numbers(only_error()) == _without_numbers(expected)


def test_root_a_viewer_that_is_missing_is_an_error_if_it_is_on_offer(
    monkeypatch: pytest.MonkeyPatch, orthanc: OrthancDouble
) -> None:
    monkeypatch.setenv("PUBLIC_ORTHANC_ROOT", f"{orthanc.url}empty/")
    expected = "PUBLIC_ORTHANC_ROOT: the Stone viewer is not there (404)."
    assert errors() == []
    assert expected in errors(grade="warning")
    monkeypatch.setenv("SHARE_TYPES", "stone-viewer-publication")
    assert only_error() == expected


def test_root_a_page_that_is_missing(
    monkeypatch: pytest.MonkeyPatch, orthanc: OrthancDouble
) -> None:
    monkeypatch.setenv("PUBLIC_OHIF_ROOT", f"{orthanc.url}nothing/")
    texts = errors(grade="warning")
    assert "PUBLIC_OHIF_ROOT: there is no page (404)." in texts


@pytest.mark.parametrize(
    "name", ["PUBLIC_LANDING_ROOT", "PUBLIC_ANONYMIZED_ORTHANC_ROOT"]
)
def test_root_something_else_is_not_taken_for_ours(
    monkeypatch: pytest.MonkeyPatch, orthanc: OrthancDouble, name: str
) -> None:
    monkeypatch.setenv(name, f"{orthanc.url}elsewhere/")
    what = "our landing page" if "LANDING" in name else "the anonymizer"
    assert only_error() == f"{name}: what answers is not {what} (404)."


def test_root_an_orthanc_is_not_taken_for_the_anonymizer(
    monkeypatch: pytest.MonkeyPatch, orthanc: OrthancDouble
) -> None:
    name = "PUBLIC_ANONYMIZED_ORTHANC_ROOT"
    monkeypatch.setenv(name, orthanc.url)
    assert errors() == [
        f"PUBLIC_ORTHANC_ROOT and {ANONYMIZED} are the same address.",
        f"{name}: what answers is not the anonymizer (200).",
    ]


@pytest.mark.parametrize(
    "name",
    [
        "PUBLIC_LANDING_ROOT",
        "PUBLIC_ORTHANC_ROOT",
        "PUBLIC_ANONYMIZED_ORTHANC_ROOT",
        "PUBLIC_OHIF_ROOT",
    ],
)
def test_root_an_address_without_anything(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:1/x/")
    assert only_error() == f"{name}: nothing listens there."


# The Orthanc behind the anonymizer.


@pytest.mark.parametrize(
    ("below", "expected"),
    [
        ("closed/", "ORTHANC_ROOT: it refuses the anonymizer (status 401)."),
        ("guarded/", "ORTHANC_ROOT: it refuses the anonymizer (status 403)."),
        ("broken/", "ORTHANC_ROOT: it broke off, or speaks no HTTP."),
        ("other/", "ORTHANC_ROOT: what answers is no Orthanc (status 200)."),
        ("bare/", "ORTHANC_ROOT: no DICOMweb below /dicom-web/ (status 404)."),
        (
            "tired/",
            ("ORTHANC_ROOT: no answer by DICOMweb: it broke off, or speaks no HTTP."),
        ),
        ("none/", "ORTHANC_ROOT: what answers is no Orthanc (status 404)."),
    ],
)
def test_orthanc_something_is_wrong_with_it(
    monkeypatch: pytest.MonkeyPatch,
    orthanc: OrthancDouble,
    below: str,
    expected: str,
) -> None:
    monkeypatch.setenv("ORTHANC_ROOT", f"{orthanc.url}{below}")
    assert only_error() == expected


@pytest.mark.parametrize("below", ["closed/", "guarded/"])
def test_orthanc_one_with_the_plugin_wants_a_token(
    monkeypatch: pytest.MonkeyPatch, orthanc: OrthancDouble, below: str
) -> None:
    monkeypatch.setenv("ORTHANC_ROOT", f"{orthanc.url}{below}")
    monkeypatch.setenv("ORTHANC_PASS_TOKEN", "true")
    found = findings()
    assert [one for one in found if one["grade"] == "error"] == []
    expected = "ORTHANC_ROOT: it wants a token, as it should."
    assert expected in [one["text"] for one in found]


def test_orthanc_nothing_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORTHANC_ROOT", "http://nobody.invalid/")
    assert only_error() == "ORTHANC_ROOT: the host name is not known here."


# MedDream's token service.


@pytest.fixture
def _meddream(monkeypatch: pytest.MonkeyPatch, orthanc: OrthancDouble) -> None:
    monkeypatch.setenv("PUBLIC_MEDDREAM_ROOT", f"{orthanc.url}meddream/")


@pytest.mark.usefixtures("_meddream")
def test_meddream_it_takes_connections_and_is_asked_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with MedDreamTokenService() as meddream:
        monkeypatch.setenv("MEDDREAM_TOKEN_SERVICE_URL", meddream.url)
        assert errors() == []


@pytest.mark.usefixtures("_meddream")
@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:1/", "MEDDREAM_TOKEN_SERVICE_URL: MedDream's token"),
        ("http://[v1.x]/", "MEDDREAM_TOKEN_SERVICE_URL is no address that can"),
    ],
)
def test_meddream_it_is_not_there(
    monkeypatch: pytest.MonkeyPatch, url: str, expected: str
) -> None:
    monkeypatch.setenv("MEDDREAM_TOKEN_SERVICE_URL", url)
    assert only_error().startswith(expected)


# The registry's database.


@pytest.fixture
def _registry(well: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    monkeypatch.setenv("REGISTRY", "on")


@pytest.mark.usefixtures("_registry")
def test_database_one_that_fits() -> None:
    assert call("migrate").exit_code == 0
    expected = "It can be reached, and has the schema of this code."
    assert expected in errors("--offline", grade="ok")


@pytest.mark.usefixtures("_registry")
def test_database_none_yet_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "new"))
    assert errors() == []
    expected = f"There is no database in {tmp_path / 'new'} yet."
    assert expected in errors(grade="warning")


@pytest.mark.usefixtures("_registry")
def test_database_it_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:canary@127.0.0.1:1/x")
    assert only_error() == "The database cannot be reached at the moment."


@pytest.mark.usefixtures("_registry")
def test_database_its_address_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "mysql://u:canary@127.0.0.1/x")
    assert "canary" not in only_error()


@pytest.mark.usefixtures("_registry")
def test_database_an_older_one_does_not_fit(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "orthanc-share.sqlite").touch()
    assert "run `orthanc-share migrate`" in only_error("--offline")


@pytest.mark.usefixtures("_registry")
def test_database_without_a_registry_there_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REGISTRY", "off")
    assert "database" not in {one["check"] for one in findings()}
