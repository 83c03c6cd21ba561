"""The start of a service."""

import json
import logging
from collections.abc import Iterator

import pytest

from landing.settings import LandingSettings
from orthanc_share.config.settings import SharingSettings
from orthanc_share.domain.errors import ConfigurationError
from orthanc_share.web.startup import announce, examine, start
from tests.support.settings import SECRET_KEY
from token_service.settings import TokenServiceSettings

GOOD = {"SECRET_KEY": SECRET_KEY, "PUBLIC_ORTHANC_ROOT": "http://share.example.org/"}
OPEN_ADDRESS = "PUBLIC_ORTHANC_ROOT: http:// lets anybody on the way read the links."
NO_KEY = "SECRET_KEY, SIGNING_KEY or VERIFICATION_KEYS is missing."


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    """Undo what `configure_logging` does."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)


def messages(written: str) -> list[str]:
    return [json.loads(line)["message"] for line in written.splitlines()]


def set_all(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)


def test_good_settings_are_examined_without_a_word() -> None:
    settings, problems = examine(SharingSettings, GOOD)
    assert problems == []
    assert settings.public_orthanc_root == GOOD["PUBLIC_ORTHANC_ROOT"]


def test_keys_are_examined_as_well() -> None:
    _, problems = examine(SharingSettings, {"SECRET_KEY": "short", "METRICS": "?"})
    assert [line.split()[0].rstrip(":") for line in problems] == [
        "METRICS",
        "SECRET_KEY",
    ]
    assert examine(SharingSettings, {})[1] == [NO_KEY]


@pytest.mark.parametrize(
    "name", ["SECRET_KEY_FILE", "SIGNING_KEY_FILE", "VERIFICATION_KEYS_FILE"]
)
def test_a_key_that_cannot_be_read_is_not_missing_as_well(name: str) -> None:
    _, problems = examine(SharingSettings, {name: "/nowhere/canary"})
    assert problems == [f"{name}: cannot read the file (No such file or directory)."]


def test_a_service_starts_with_its_warnings_in_the_log(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_all(monkeypatch, GOOD | {"SERVER_IDENTIFER": "x", "LOG_LEVEL": "warning"})
    settings = start(SharingSettings)
    assert settings.log_level == "warning"
    assert logging.getLogger().level == logging.WARNING
    assert messages(capsys.readouterr().err) == [
        OPEN_ADDRESS,
        "SERVER_IDENTIFER: unknown; do you mean SERVER_IDENTIFIER?",
    ]


def test_wrong_settings_stop_it_and_misspelt_ones_explain_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_all(monkeypatch, {"SECRET_KEI": SECRET_KEY, "LOG_LEVEL": "canary"})
    with pytest.raises(ConfigurationError) as caught:
        start(SharingSettings)
    lines = caught.value.problems
    assert lines[0].startswith("LOG_LEVEL: ")
    assert lines[1:] == (NO_KEY, "SECRET_KEI: unknown; do you mean SECRET_KEY?")
    assert "canary" not in str(caught.value)
    assert SECRET_KEY not in str(caught.value)
    assert capsys.readouterr().err == ""


def test_several_services_of_one_process_say_everything_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_all(monkeypatch, {"SITE_NAM": "x"})
    pages, _ = examine(LandingSettings, GOOD)
    tokens, _ = examine(TokenServiceSettings, GOOD | {"ALLOW_UNAUTHENTICATED": "true"})
    announce([pages, tokens], [])
    told = messages(capsys.readouterr().err)
    assert len(told) == len(set(told)) == 3
    assert OPEN_ADDRESS in told
    assert "SITE_NAM: unknown; do you mean SITE_NAME?" in told
    with pytest.raises(ConfigurationError) as caught:
        announce([pages, tokens], ["A is wrong.", "A is wrong.", "B is wrong."])
    assert caught.value.problems[:2] == ("A is wrong.", "B is wrong.")
