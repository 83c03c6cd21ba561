"""Every page speaks every language, and says the same in each."""

import re
import unicodedata
from pathlib import Path
from typing import IO, cast

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import landing
from landing import kinds
from landing.languages import Language, load_languages

SOURCE = Path(landing.__file__).parent
LOCALES = SOURCE / "locales"
TAGS = ["ar", "de", "es", "fr", "it", "nl", "pt"]
PLACEHOLDER = re.compile(r"\{\w*\}")
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext.babel_extract")]


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(cast("IO[bytes]", file), abort_invalid=True)


def messages(catalogue: Catalog) -> dict[str, str]:
    return {str(m.id): str(m.string) for m in catalogue if m.id}


TEMPLATE = messages(read(LOCALES / "landing.pot"))


@pytest.fixture(scope="module", params=TAGS)
def catalogue(request: pytest.FixtureRequest) -> Catalog:
    return read(LOCALES / request.param / "LC_MESSAGES" / "landing.po")


def test_the_languages_are_those_that_the_site_promises() -> None:
    assert sorted(load_languages(LOCALES)) == sorted([*TAGS, "en"])


def test_the_template_holds_the_messages_of_the_source() -> None:
    keywords = {"_": None, "translatable": None}
    found = extract_from_dir(SOURCE, METHODS, keywords=keywords)
    assert {message for _, _, message, _, _ in found} == set(TEMPLATE)


def test_every_text_of_every_page_can_be_translated() -> None:
    said = {
        text for kind in kinds.ALL for text in (kind.title, kind.message, *kind.advice)
    }
    assert said <= set(TEMPLATE)


def test_every_message_has_a_translation(catalogue: Catalog) -> None:
    translated = messages(catalogue)
    assert set(translated) == set(TEMPLATE)
    assert [message for message, text in translated.items() if not text] == []
    assert not any(message.fuzzy for message in catalogue if message.id)


def test_no_placeholder_is_lost_or_invented(catalogue: Catalog) -> None:
    differing = [
        message
        for message, text in messages(catalogue).items()
        if sorted(PLACEHOLDER.findall(message)) != sorted(PLACEHOLDER.findall(text))
    ]
    assert differing == []


def test_translations_are_clean_text(catalogue: Catalog) -> None:
    for text in messages(catalogue).values():
        assert text == text.strip()
        assert text == unicodedata.normalize("NFC", text)
        assert not re.search(r"[<>&]|  ", text)


def test_every_translation_ends_like_its_original(catalogue: Catalog) -> None:
    ends = {".": ".", "?": "?\u061f", ":": ":"}
    for message, text in messages(catalogue).items():
        allowed = ends.get(message[-1])
        assert allowed is None or text[-1] in allowed, message


def test_a_page_in_arabic_is_written_from_right_to_left() -> None:
    languages = load_languages(LOCALES)
    directions = {tag: language.direction for tag, language in languages.items()}
    assert [tag for tag, direction in directions.items() if direction == "rtl"] == [
        "ar"
    ]


@pytest.mark.parametrize(
    ("tag", "name"),
    [("ar", "العربية"), ("de", "Deutsch"), ("fr", "Français"), ("pt", "Português")],
)
def test_a_language_is_called_as_its_speakers_do(tag: str, name: str) -> None:
    language: Language = load_languages(LOCALES)[tag]
    assert language.name == name
