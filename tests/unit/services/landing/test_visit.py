"""What a request says about languages, and the links that lead back to it."""

import pytest
from hypothesis import given, strategies as st

from landing.visit import LANGUAGES_ASKED_MAX, Visit


@pytest.mark.parametrize(
    ("field", "tags"),
    [
        ("", []),
        ("de", ["de"]),
        ("de-CH, de;q=0.9, en;q=0.8", ["de-CH", "de", "en"]),
        ("en;q=0.1, fr;q=1.000, it;q=0.55", ["fr", "it", "en"]),
        ("fr;q=0, en", ["en"]),
        ("fr;q=0.000,*;q=0.5", []),
        ("*, nl", ["nl"]),
        ("fr ; q=0.5 , es", ["es", "fr"]),
        ("fr;Q=0.5", ["fr"]),
        ("fr;q=2, es;q=-1, it;q=x, nl;level=1, pt;q=", []),
        (",,;,", []),
        ("a,b;q=0.5,c", ["a", "c", "b"]),
    ],
)
def test_languages_are_read_as_rfc_9110_says(field: str, tags: list[str]) -> None:
    assert Visit("r", accept_language=field).languages_asked() == tags


def test_only_so_many_languages_are_read() -> None:
    field = ",".join(f"l{n}" for n in range(1000))
    assert len(Visit("r", accept_language=field).languages_asked()) == (
        LANGUAGES_ASKED_MAX
    )


@given(st.text())
def test_any_field_can_be_read(field: str) -> None:
    tags = Visit("r", accept_language=field).languages_asked()
    assert all(tag in field for tag in tags)


@pytest.mark.parametrize(
    ("token", "href"),
    [(None, "?lang=de"), ("", "?token=&lang=de"), ("a.b_-", "?token=a.b_-&lang=de")],
)
def test_a_link_to_a_language_leads_to_the_same_page(
    token: str | None, href: str
) -> None:
    assert Visit("r", token=token).href("de") == href


def test_what_a_link_repeats_is_percent_encoded() -> None:
    assert Visit("r", token='"><&').href("de") == "?token=%22%3E%3C%26&lang=de"
