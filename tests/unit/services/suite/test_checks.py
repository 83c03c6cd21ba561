"""The settings as each service sees them."""

import json
from pathlib import Path

import pytest

from suite.checks import report
from tests.support.settings import DEIDENTIFICATION_KEY
from tests.unit.services.suite.environment import GOOD
from tests.unit.shared.tokens.keys import OLD_SECRET_KEY, SIGNING_KEY

EVERY_SECRET = GOOD | {
    "SECRET_KEYS_RETIRED": OLD_SECRET_KEY,
    "DEIDENTIFICATION_KEY": DEIDENTIFICATION_KEY,
    "SIGNING_KEY": SIGNING_KEY,
    "EMAILS_SMTP_SERVER_PWD": "canary-of-the-mail",
}


@pytest.fixture
def nowhere(tmp_path: Path) -> dict[str, str]:
    """Give an empty secrets directory."""
    return {"SECRETS_DIR": str(tmp_path)}


def test_every_service_tells_what_was_set(nowhere: dict[str, str]) -> None:
    changed = {"DECISION_VALIDITY": "5m", "METRICS": "yes", "MEDDREAM_TIMEOUT": "3"}
    found = report(nowhere | GOOD | changed)
    assert not found.has_problems
    assert list(found.services) == ["token-service", "landing", "anonymizer"]
    assert found.services["token-service"].values == {
        "DECISION_VALIDITY": "0:05:00",
        "MEDDREAM_TIMEOUT": 3.0,
        "METRICS": True,
        "PUBLIC_LANDING_ROOT": GOOD["PUBLIC_LANDING_ROOT"],
        "PUBLIC_ORTHANC_ROOT": GOOD["PUBLIC_ORTHANC_ROOT"],
        "SECRET_KEY": "(set)",
        "USERS": ["jane"],
    }
    assert "USERS" not in found.services["landing"].values


def test_no_secret_is_shown(nowhere: dict[str, str]) -> None:
    # The private key in the place of the public one, by mistake, is none either.
    places = ("VERIFICATION_KEYS", "EMAILS_SMTP_SERVER_CA")
    misplaced = EVERY_SECRET | dict.fromkeys(places, SIGNING_KEY)
    for environ in (EVERY_SECRET, misplaced):
        found = report(nowhere | environ)
        shown = found.to_text() + json.dumps(found.to_json()) + repr(found)
        for secret in (*EVERY_SECRET.values(), SIGNING_KEY.splitlines()[1], "pW7"):
            assert secret.startswith("https://") or secret not in shown
    assert report(nowhere | EVERY_SECRET).services["landing"].values[
        "SECRET_KEYS_RETIRED"
    ] == ["(set)"]


def test_problems_and_warnings_are_told_by_service(nowhere: dict[str, str]) -> None:
    doubtful = {"PUBLIC_ORTHANC_ROOT": "http://share.example.org/", "USERSS": "x"}
    environ = {n: v for n, v in GOOD.items() if n != "USERS"} | doubtful
    found = report(nowhere | environ)
    assert found.has_problems
    assert found.services["token-service"].problems == (
        "USERS is missing (or set ALLOW_UNAUTHENTICATED=true).",
    )
    assert found.services["landing"].problems == ()
    assert found.to_text().splitlines()[0] == "token-service: cannot start"
    assert "landing: ok" in found.to_text()
    open_address = "http:// lets anybody on the way read the links."
    assert f"  warning  PUBLIC_ORTHANC_ROOT: {open_address}" in found.to_text()
    assert "  warning  USERSS: unknown; do you mean USERS?" in found.to_text()
    assert "  PROBLEM  USERS is missing" in found.to_text()
    told = found.to_json()["token-service"]
    assert told["problems"]
    assert len(told["warnings"]) == 2
