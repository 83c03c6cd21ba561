"""Settings that more than one service needs."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from orthanc_share.config.settings import AskingSettings, SharingSettings
from orthanc_share.config.sources import SettingsBase, misspelt
from orthanc_share.domain.errors import ConfigurationError
from orthanc_share.domain.share import Flavour, ShareType
from orthanc_share.domain.viewer import OhifDataSource, ViewerRoots
from suite.app import SETTINGS
from tests.support.settings import DEIDENTIFICATION_KEY, SECRET_KEY

PUBLIC = "https://share.example.org"
CANARY = "c4n4ry-9f3e"
BOTH_KINDS = {
    "PUBLIC_ORTHANC_ROOT": f"{PUBLIC}/shares",
    "SERVER_IDENTIFIER": "standard",
    "PUBLIC_ANONYMIZED_ORTHANC_ROOT": f"{PUBLIC}/anon-shares",
    "ANONYMIZED_SERVER_IDENTIFIER": "anonymized",
    "DEIDENTIFICATION_KEY": DEIDENTIFICATION_KEY,
}
USERS = {"USERS": '{"jane": "pW7-rT2-xK9"}'}


def load(environ: Mapping[str, str]) -> SharingSettings:
    return SharingSettings.load(environ)


def problems(
    environ: Mapping[str, str], kind: type[SettingsBase] = SharingSettings
) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        kind.load(environ)
    return caught.value.problems


def without(*names: str) -> dict[str, str]:
    return {name: text for name, text in BOTH_KINDS.items() if name not in names}


def test_the_addresses_are_the_viewers_roots() -> None:
    settings = load(
        BOTH_KINDS
        | {
            "PUBLIC_LANDING_ROOT": f"{PUBLIC}/welcome.html",
            "PUBLIC_OHIF_ROOT": f"{PUBLIC}/ohif",
            "OHIF_DATA_SOURCE": "dicom-json",
            "PUBLIC_MEDDREAM_ROOT": f"{PUBLIC}/meddream/",
            "MEDDREAM_TOKEN_SERVICE_URL": "http://meddream:8088/v4/generate",
            "SHARE_TYPES": "stone-viewer-publication, viewer-instant-link",
        }
    )
    assert settings.viewer_roots() == ViewerRoots(
        orthanc=f"{PUBLIC}/shares/",
        anonymized_orthanc=f"{PUBLIC}/anon-shares/",
        landing=f"{PUBLIC}/welcome.html",
        ohif=f"{PUBLIC}/ohif/",
        ohif_data_source=OhifDataSource.DICOM_JSON,
        meddream=f"{PUBLIC}/meddream/",
        enabled_types=frozenset(
            {ShareType.STONE_PUBLICATION, ShareType.VIEWER_INSTANT_LINK}
        ),
    )


def test_nothing_set_offers_nothing_and_limits_nothing() -> None:
    assert load({}).viewer_roots() == ViewerRoots()
    assert load({}).servers() == {Flavour.STANDARD: None}
    assert load({}).legacy_until() is None


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        (
            BOTH_KINDS,
            {Flavour.STANDARD: "standard", Flavour.ANONYMIZED: "anonymized"},
        ),
        (
            without("PUBLIC_ORTHANC_ROOT", "SERVER_IDENTIFIER"),
            {Flavour.ANONYMIZED: "anonymized"},
        ),
        (
            {"PUBLIC_OHIF_ROOT": f"{PUBLIC}/ohif/", "SERVER_ID": "standard"},
            {Flavour.STANDARD: "standard"},
        ),
        ({"PUBLIC_ORTHANC_ROOT": PUBLIC}, {Flavour.STANDARD: None}),
    ],
)
def test_the_flavours_in_use_have_their_servers(
    environ: dict[str, str], expected: dict[Flavour, str | None]
) -> None:
    assert load(environ).servers() == expected


@pytest.mark.parametrize(
    ("environ", "line"),
    [
        (
            without("DEIDENTIFICATION_KEY"),
            "DEIDENTIFICATION_KEY is missing: anonymized shares are set up.",
        ),
        (
            without("ANONYMIZED_SERVER_IDENTIFIER"),
            "ANONYMIZED_SERVER_IDENTIFIER is missing: anonymized shares need it.",
        ),
        (
            without("SERVER_IDENTIFIER"),
            "SERVER_IDENTIFIER is missing: both kinds of shares are set up.",
        ),
        (
            BOTH_KINDS | {"SERVER_IDENTIFIER": "anonymized"},
            "ANONYMIZED_SERVER_IDENTIFIER must differ from SERVER_IDENTIFIER.",
        ),
        (
            {"PUBLIC_MEDDREAM_ROOT": f"{PUBLIC}/meddream/"},
            (
                "PUBLIC_MEDDREAM_ROOT and MEDDREAM_TOKEN_SERVICE_URL belong together: "
                "set both or none."
            ),
        ),
        (
            {"MEDDREAM_TOKEN_SERVICE_URL": "http://meddream:8088/"},
            (
                "PUBLIC_MEDDREAM_ROOT and MEDDREAM_TOKEN_SERVICE_URL belong together: "
                "set both or none."
            ),
        ),
    ],
)
def test_a_contradiction_stops_the_service(environ: dict[str, str], line: str) -> None:
    assert problems(environ) == (line,)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOG_LEVEL", "loud"),
        ("METRICS", "perhaps"),
        ("ACCEPT_LEGACY_TOKENS", "2"),
        ("LEGACY_TOKENS_UNTIL", "soon"),
        ("PUBLIC_ORTHANC_ROOT", "share.example.org"),
        ("PUBLIC_LANDING_ROOT", "https://share.example.org/?a=b"),
        ("PUBLIC_OHIF_ROOT", "/ohif/"),
        ("OHIF_DATA_SOURCE", "dicom"),
        ("MEDDREAM_TIMEOUT", "0"),
        ("MEDDREAM_TIMEOUT", "9"),
        ("MEDDREAM_TIMEOUT", "nan"),
        ("SHARE_TYPES", "stone"),
        ("SHARE_TYPES", "inbox-link"),
        ("SECRET_KEYS_RETIRED", "[1]"),
    ],
)
def test_a_wrong_value_stops_the_service(name: str, value: str) -> None:
    (line,) = problems({name: value})
    assert line.startswith(f"{name}: ")


@pytest.mark.parametrize("service", SETTINGS)
@pytest.mark.parametrize(
    "value",
    [
        CANARY,
        f'{{"{CANARY}": ["{CANARY}"]}}',
        f"https://{CANARY}:{CANARY}@{CANARY}:{CANARY}/{CANARY}?{CANARY}#{CANARY}",
        f"/{CANARY}/../{CANARY}",
        f"[{CANARY}",
        f"-----BEGIN {CANARY}-----",
        f"$argon2id${CANARY}",
    ],
    ids=["word", "object", "address", "path", "list", "pem", "hash"],
)
def test_no_mistake_ever_tells_a_value(
    service: str, value: str, tmp_path: Path
) -> None:
    kind = SETTINGS[service]
    # Landing tries all of its pages each time, and these take no time.
    (tmp_path / "page.html").write_text("{{ visit.nonce }}", "ascii")
    environ = USERS | {"LANDING_TEMPLATES_DIR": str(tmp_path)}
    for name in kind.variables():
        settings, lines = kind.examine(environ | {name: value})
        for line in (*lines, *settings.warnings()):
            assert CANARY not in line
            assert line.split()[0].rstrip(":,") in kind.variables()


@pytest.mark.parametrize("service", SETTINGS)
def test_no_text_of_settings_holds_a_secret(service: str) -> None:
    kind = SETTINGS[service]
    secret = {
        name: CANARY
        for name, field in kind.variables().items()
        if "Secret" in str(kind.model_fields[field].annotation)
    }
    assert {"SECRET_KEY", "SIGNING_KEY", "DEIDENTIFICATION_KEY"} <= secret.keys()
    # Public, but the private one may be put there by mistake.
    assert "VERIFICATION_KEYS" in secret
    secret |= {"SECRET_KEYS_RETIRED": f"{CANARY},{CANARY}"}
    if "USERS" in secret:
        secret["USERS"] = f'{{"jane": "{CANARY}"}}'
    settings, lines = kind.examine(secret)
    shown: list[Any] = [settings, settings.model_dump(), settings.model_fields_set]
    shown += [dict(settings), *lines]
    for one in shown:
        assert CANARY not in f"{one!r} {one}"


@pytest.mark.parametrize("service", SETTINGS)
def test_the_variables_of_one_service_are_no_misspelt_ones_of_another(
    service: str,
) -> None:
    everything = {name for kind in SETTINGS.values() for name in kind.variables()}
    environ = dict.fromkeys([*everything, *(f"{name}_FILE" for name in everything)], "")
    assert list(misspelt(list(SETTINGS[service].variables()), environ)) == []


@pytest.mark.parametrize(
    ("address", "is_open"),
    [
        ("http://share.example.org/", True),
        ("http://192.168.1.7/", True),
        ("https://share.example.org/", False),
        ("http://localhost:8000/", False),
        ("http://127.0.0.1/", False),
        ("http://[::1]:8000/", False),
    ],
)
def test_an_open_address_is_warned_of(
    address: str,
    is_open: bool,  # noqa: FBT001 - a column of the table
) -> None:
    warnings = list(load({"PUBLIC_OHIF_ROOT": address}).warnings())
    expected = "PUBLIC_OHIF_ROOT: http:// lets anybody on the way read the links."
    assert warnings == ([expected] if is_open else [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2027-01-01T00:00:00", datetime(2027, 1, 1, tzinfo=UTC)),
        ("2027-01-01", datetime(2027, 1, 1, tzinfo=UTC)),
        ("2027-01-01T02:00:00+02:00", datetime(2027, 1, 1, tzinfo=UTC)),
    ],
)
def test_the_end_of_old_links_is_read_in_utc(text: str, expected: datetime) -> None:
    assert load({"LEGACY_TOKENS_UNTIL": text}).legacy_until() == expected


def test_keys_are_hidden_but_there() -> None:
    settings = load(
        {"SECRET_KEY": SECRET_KEY, "SECRET_KEYS_RETIRED": f'["{CANARY}, {CANARY}"]'}
    )
    assert settings.secret_key is not None
    assert settings.secret_key.get_secret_value() == SECRET_KEY
    (retired,) = settings.secret_keys_retired
    assert retired.get_secret_value() == f"{CANARY}, {CANARY}"


@pytest.mark.parametrize("given", ["TOKEN_SERVICE_USER", "TOKEN_SERVICE_PASSWORD"])
def test_a_login_for_token_service_is_whole(given: str) -> None:
    key = {"SECRET_KEY": SECRET_KEY}
    (problem,) = problems(key | {given: "landing"}, AskingSettings)
    assert problem.startswith("TOKEN_SERVICE_USER and TOKEN_SERVICE_PASSWORD belong")


def test_who_asks_token_service_knows_where_and_as_whom() -> None:
    chosen = {
        "SECRET_KEY": SECRET_KEY,
        "TOKEN_SERVICE_URL": "http://token-service:8000",
        "TOKEN_SERVICE_USER": "landing",
        "TOKEN_SERVICE_PASSWORD": CANARY,
    }
    settings = AskingSettings.load(chosen)
    assert settings.registry_address() == "http://token-service:8000/"
    assert settings.token_service_login() == ("landing", CANARY)
    assert CANARY not in repr(settings)


def test_without_address_the_way_out_is_named() -> None:
    settings = AskingSettings.load({"SECRET_KEY": SECRET_KEY})
    assert settings.token_service_login() is None
    with pytest.raises(ConfigurationError, match="REGISTRY=off"):
        settings.registry_address()
