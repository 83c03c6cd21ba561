"""Settings of the landing service: every mistake is told at the start."""

from datetime import UTC, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from landing import kinds
from landing.page_kind import PageKind
from landing.settings import LandingSettings
from landing.site import DEFAULT_COLOUR, OwnText

LOGO = b"\x89PNG\r\n\x1a\n..."


def load(**environ: str) -> LandingSettings:
    return LandingSettings.load(environ)


def problems(**environ: str) -> list[str]:
    return list(LandingSettings.examine(environ)[1])


def test_a_site_needs_no_settings_for_its_looks() -> None:
    site = load().site()
    assert (site.name, site.logo, site.contact) == (None, None, ())
    assert (site.colour, site.language, site.timezone) == (DEFAULT_COLOUR, "en", UTC)
    assert set(site.texts.values()) == {OwnText()}


def test_the_site_is_what_the_settings_say(tmp_path: Path) -> None:
    logo = tmp_path / "logo.png"
    logo.write_bytes(LOGO)
    site = load(
        SITE_NAME="Clinic",
        SITE_LOGO=str(logo),
        SITE_COLOR="#AABBCC",
        SITE_CONTACT="help@clinic.example",
        SITE_LANGUAGE="fr",
        SITE_TIMEZONE="Europe/Paris",
        MESSAGES_ARE_HTML="true",
    ).site()
    assert site.name == "Clinic"
    assert site.logo is not None
    assert site.logo.startswith("data:image/png;base64,")
    assert site.colour == "#aabbcc"
    assert site.contact[0].href == "mailto:help@clinic.example"
    assert site.language == "fr"
    assert site.timezone == ZoneInfo("Europe/Paris")
    assert site.texts_are_html


@pytest.mark.parametrize("kind", kinds.ALL, ids=lambda kind: kind.name)
def test_every_page_can_have_own_words(kind: PageKind) -> None:
    environ = {f"TITLE_{kind.setting}": "T", f"MESSAGE_{kind.setting}": "M"}
    texts = LandingSettings.load(environ).site().texts
    assert texts[kind.setting] == OwnText("T", "M")
    assert sum(text == OwnText() for text in texts.values()) == len(kinds.ALL) - 1


def test_the_misspelt_name_of_the_predecessor_counts() -> None:
    texts = load(MESSAGE_EXIRED_TOKEN="Over.").site().texts
    assert texts["EXPIRED_TOKEN"].message == "Over."


def test_a_text_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("From a file.\n")
    texts = load(MESSAGE_INVALID_TOKEN_FILE=str(tmp_path / "text")).site().texts
    assert texts["INVALID_TOKEN"].message == "From a file."


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("SITE_COLOR", "red", "should be a colour of the form #rrggbb"),
        ("SITE_LOGO", "/nowhere/logo.png", "cannot be read"),
        ("SITE_TIMEZONE", "Mars/Olympus", "is not an IANA time zone"),
        ("SITE_TIMEZONE", "../etc", "is not an IANA time zone"),
        ("SITE_TIMEZONE", "Africa", "is not an IANA time zone"),
        ("LANDING_TEMPLATES_DIR", "/nowhere", "is not a folder"),
        ("LANDING_LOCALES_DIR", "/nowhere", "is not a folder"),
        ("MESSAGES_ARE_HTML", "perhaps", "boolean"),
        ("SITE_NAME", "x" * 81, "80"),
        ("SITE_CONTACT", "x" * 501, "500"),
        ("TITLE_ERROR", "x" * 201, "200"),
        ("MESSAGE_ERROR", "x" * 10_001, "10000"),
    ],
)
def test_a_wrong_setting_is_named_without_its_value(
    name: str, value: str, problem: str
) -> None:
    (line,) = problems(**{name: value})
    assert line.startswith(f"{name}: ")
    assert problem in line
    assert value not in line


def test_templates_and_languages_are_checked_with_the_settings(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("{% if %}")
    found = problems(LANDING_TEMPLATES_DIR=str(tmp_path))
    assert [line.split(":")[0] for line in found] == ["LANDING_TEMPLATES_DIR"]
    assert problems(SITE_LANGUAGE="tlh")[0].startswith("SITE_LANGUAGE: ")


def test_a_logo_that_is_no_image_is_refused(tmp_path: Path) -> None:
    logo = tmp_path / "logo.txt"
    logo.write_text("no image")
    (line,) = problems(SITE_LOGO=str(logo))
    assert "not an SVG, PNG, JPEG, GIF or WebP image" in line


def test_a_time_zone_may_be_given_as_such() -> None:
    assert LandingSettings(site_timezone=UTC).site_timezone is UTC


def test_a_key_that_signs_does_not_belong_here() -> None:
    (line,) = load(SIGNING_KEY="-----BEGIN PRIVATE KEY-----").warnings()
    assert line.startswith("SIGNING_KEY: ")
    assert "BEGIN" not in line


def test_meddream_links_need_the_address_of_the_landing_page() -> None:
    address = "https://share.example.org/meddream/"
    lines = list(
        load(
            PUBLIC_MEDDREAM_ROOT=address,
            MEDDREAM_TOKEN_SERVICE_URL="http://meddream-token-service:8088/v3/generate",
        ).warnings()
    )
    assert any(line.startswith("PUBLIC_LANDING_ROOT is missing") for line in lines)


def test_a_page_that_asks_must_have_its_form_where_there_is_a_registry(
    tmp_path: Path,
) -> None:
    (tmp_path / "page.html").write_text("<h1>{{ title }}</h1>")
    (line,) = problems(LANDING_TEMPLATES_DIR=str(tmp_path))
    assert "lacks the block `form`" in line
    assert problems(LANDING_TEMPLATES_DIR=str(tmp_path), REGISTRY="off") == []


def test_forms_may_lead_to_viewers_elsewhere() -> None:
    site = load(
        PUBLIC_LANDING_ROOT="https://share.example/welcome/",
        PUBLIC_ORTHANC_ROOT="https://share.example:443/shares/",
        PUBLIC_OHIF_ROOT="https://OHIF.example:8443/",
        PUBLIC_MEDDREAM_ROOT="https://ohif.example:8443/meddream/",
        MEDDREAM_TOKEN_SERVICE_URL="http://meddream-token-service:8088/v3/generate",
    ).site()
    assert site.viewers == ("https://ohif.example:8443",)
    assert load(PUBLIC_ORTHANC_ROOT="http://a.example/").site().viewers == (
        "http://a.example",
    )


def test_the_grace_of_an_opening_is_a_duration_of_at_most_a_day() -> None:
    assert load(OPENING_GRACE="0").opening_grace == timedelta(0)
    (line,) = problems(OPENING_GRACE="25h")
    assert line.startswith("OPENING_GRACE: ")


def test_a_button_that_nobody_would_show_is_no_setting() -> None:
    (line,) = problems(LANDING_ASK_BEFORE_OPEN="true", REGISTRY="off")
    assert line.startswith("LANDING_ASK_BEFORE_OPEN needs the registry")
    assert problems(LANDING_ASK_BEFORE_OPEN="true") == []
    assert problems(REGISTRY="off") == []
