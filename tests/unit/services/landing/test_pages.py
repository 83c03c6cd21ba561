"""Pages: what they say, in which language, and what a site may change."""

import base64
import hashlib
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from typing_extensions import override

from landing import kinds
from landing.page_kind import Form, PageKind
from landing.pages import Page, Pages
from landing.site import OwnText, Site, contact_parts
from landing.visit import Visit
from orthanc_share.domain.errors import ConfigurationError

MOMENT = datetime(2026, 3, 3, 23, 30, tzinfo=UTC)
PAGES = Pages(Site())
TAGS = [language.tag for language in PAGES.languages]


def html(page: Page) -> str:
    return page.body.decode()


def render(kind: PageKind = kinds.EXPIRED, *, lang: str = "en", **options: Any) -> str:
    """Return a page of a site with `options`."""
    own = {name: options.pop(name, None) for name in ("locales", "templates")}
    pages = Pages(Site(**options), **own)
    return html(pages.render(kind, Visit("ref", lang), MOMENT, 3))


class Tags(HTMLParser):
    """Collects the elements of a page, and complains about wrong nesting."""

    VOID = ("meta", "link", "img", "input", "path", "circle", "rect")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self._open.append(tag)

    @override
    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    @override
    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


@pytest.mark.parametrize("kind", kinds.ALL, ids=lambda kind: kind.name)
@pytest.mark.parametrize("tag", TAGS)
def test_every_page_is_whole_in_every_language(kind: PageKind, tag: str) -> None:
    visit = Visit("reference-17", tag, token="a.b.c")
    page = PAGES.render(kind, visit, MOMENT, 3)
    text = html(page)
    language = PAGES.language(visit)
    tags = Tags(text)
    assert tags.found[0] == ("html", {"lang": tag, "dir": language.direction})
    assert page.language == tag
    assert f">{language.text(kind.title)}</h1>" in text
    assert not re.search(r"\{\w+\}", text.split("</style>")[1])
    assert text.count("<li><span>") == len(kind.advice)
    assert ">reference-17</code>" in text
    assert (">" + language.text("Try again") + "</a>" in text) is kind.can_retry


@pytest.mark.parametrize("kind", kinds.ALL, ids=lambda kind: kind.name)
def test_a_page_needs_nothing_but_itself(kind: PageKind) -> None:
    for name, attributes in Tags(html(PAGES.render(kind, Visit("r"), MOMENT))).found:
        assert name not in {"script", "iframe", "base", "object"}
        assert name not in {"form", "input"} or kind.form is not Form.NONE
        assert not any(key.startswith("on") or key == "style" for key in attributes)
        for key in ("src", "href", "action", "srcset", "poster"):
            target = attributes.get(key)
            assert target is None or target.startswith(("?", "data:")) or not target


def test_the_policy_names_the_style_of_the_page() -> None:
    page = PAGES.render(kinds.ERROR, Visit("r"))
    style = re.search(r"<style>(.*?)</style>", html(page), re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert page.policy.endswith(f"; style-src 'sha256-{digest}'")


ASKING = [kind for kind in kinds.ALL if kind.form is not Form.NONE]


@pytest.mark.parametrize("kind", ASKING, ids=lambda kind: kind.name)
def test_a_form_goes_to_the_address_of_its_page(kind: PageKind) -> None:
    page = PAGES.render(kind, Visit("r", nonce="n0nce"), MOMENT)
    found = Tags(html(page)).found
    (form,) = (attributes for name, attributes in found if name == "form")
    assert form == {"method": "post", "autocomplete": "off"}
    fields = [attributes for name, attributes in found if name == "input"]
    assert fields[0] == {"type": "hidden", "name": "nonce", "value": "n0nce"}
    assert len(fields) == (2 if kind.form is Form.PASSWORD else 1)
    assert "form-action 'self';" in page.policy


@pytest.mark.parametrize("kind", ASKING[1:], ids=lambda kind: kind.name)
def test_the_password_is_labelled_told_about_and_not_kept(kind: PageKind) -> None:
    found = Tags(html(PAGES.render(kind, Visit("r"), MOMENT))).found
    (label,) = (attributes for name, attributes in found if name == "label")
    (field,) = (one for _, one in found if one.get("type") == "password")
    assert label == {"for": field["id"]}
    assert field["autocomplete"] == "off"
    (told,) = (one for _, one in found if one.get("id") == field["aria-describedby"])
    assert told["class"] == "message"
    is_wrong = kind is kinds.WRONG_PASSWORD
    assert ("aria-invalid" in field, "autofocus" in field) == (is_wrong, is_wrong)


@pytest.mark.parametrize("kind", ASKING[:2], ids=lambda kind: kind.name)
def test_openings_that_are_left_are_told_if_they_are_limited(kind: PageKind) -> None:
    limited = html(PAGES.render(kind, Visit("r"), None, 3))
    unlimited = html(PAGES.render(kind, Visit("r")))
    assert "can still be opened: 3</p>" in limited
    assert "can still be opened" not in unlimited


def test_a_form_may_lead_to_the_viewers_of_the_site() -> None:
    viewers = ("https://images.example", "https://ohif.example:8443")
    pages = Pages(Site(viewers=viewers))
    assert (
        "form-action 'self' https://images.example https://ohif.example:8443;"
        in pages.render(kinds.ASK, Visit("r")).policy
    )
    assert "form-action 'none';" in pages.render(kinds.EXPIRED, Visit("r")).policy


def test_a_template_that_leaves_out_the_form_is_found(tmp_path: Path) -> None:
    assert PAGES.without_form() == []
    (tmp_path / "ask.html").write_text("{{ title }}")
    assert Pages(Site(), templates=tmp_path).without_form() == [kinds.ASK]


def test_all_languages_can_be_chosen_and_the_present_one_is_marked() -> None:
    links = [
        attributes
        for name, attributes in Tags(render(lang="fr")).found
        if name == "a" and "hreflang" in attributes
    ]
    assert [link["href"] for link in links] == [f"?lang={tag}" for tag in TAGS]
    assert [link["lang"] for link in links] == TAGS
    assert [link["lang"] for link in links if "aria-current" in link] == ["fr"]


@pytest.mark.parametrize(
    ("lang", "accept", "tag"),
    [
        ("", "", "en"),
        ("", "de", "de"),
        ("", "de-AT,de;q=0.9,en;q=0.8", "de"),
        ("", "DE-ch", "de"),
        ("", "ja, nl;q=0.3, en;q=0.1", "nl"),
        ("", "ja, *", "en"),
        ("", "de;q=0, fr", "fr"),
        ("", "ar-EG", "ar"),
        ("it", "de", "it"),
        ("IT", "de", "it"),
        ("xx", "de", "de"),
        ("../../etc", "pt-BR", "pt"),
        ("en_US", "es", "es"),
        ("\x00", "\xff", "en"),
    ],
)
def test_the_reader_gets_the_language_that_fits_best(
    lang: str, accept: str, tag: str
) -> None:
    assert PAGES.language(Visit("r", lang, accept)).tag == tag


def test_other_readers_get_the_language_of_the_site() -> None:
    pages = Pages(Site(language="DE"))
    assert pages.language(Visit("r", accept_language="ja")).tag == "de"
    assert pages.language(Visit("r", accept_language="fr")).tag == "fr"


def test_a_site_cannot_speak_a_language_that_is_not_there() -> None:
    with pytest.raises(ConfigurationError, match=r"SITE_LANGUAGE: .* ar"):
        Pages(Site(language="tlh"))


@pytest.mark.parametrize(
    ("tag", "zone", "parts"),
    [
        ("en", "UTC", ["March 3, 2026", "11:30", "PM (UTC)."]),
        ("de", "Europe/Berlin", ["4. März 2026", "00:30 (MEZ)"]),
        ("en", "Europe/Berlin", ["March 4, 2026", "12:30", "AM (GMT+01:00)"]),
        ("fr", "Asia/Kolkata", ["4 mars 2026", "05:00 (UTC+05:30)"]),
        ("ar", "UTC", ["3 مارس 2026", "11:30", "(UTC)"]),
    ],
)
def test_an_instant_is_told_in_the_time_of_the_site(
    tag: str, zone: str, parts: list[str]
) -> None:
    page = render(lang=tag, timezone=ZoneInfo(zone))
    assert [part for part in parts if part not in page] == []


def test_the_site_has_a_name_and_a_logo() -> None:
    page = render(name="Clinic <A> & B", logo="data:image/png;base64,AA==")
    assert (
        "<title>This link has expired \u2013 Clinic &lt;A&gt; &amp; B</title>" in page
    )
    assert '<span dir="auto">Clinic &lt;A&gt; &amp; B</span>' in page
    assert '<img src="data:image/png;base64,AA==" alt="">' in page


def test_a_site_without_name_has_a_translated_one() -> None:
    assert (
        "<title>Dieser Link ist abgelaufen \u2013 Medizinische Bilder</title>"
        in render(lang="de")
    )


def test_the_colour_of_the_site_is_in_the_style() -> None:
    assert "--accent: #7a1f4d;" in render(colour="#7a1f4d")


def test_the_contact_is_a_link_that_names_the_reference() -> None:
    page = render(contact=contact_parts("Desk, +49 30 1234567, x@clinic.example"))
    assert (
        'Desk, <a href="tel:+49301234567" dir="ltr">+49 30 1234567</a>, '
        '<a href="mailto:x@clinic.example?subject=Reference%3A%20ref" dir="ltr">'
        "x@clinic.example</a>"
    ) in page


def test_without_a_contact_there_is_no_box_for_it() -> None:
    assert "Do you need help?" not in render()


OWN = OwnText("Too <late>", "Sorry, <b>ended</b> on {date}.\nCall 100 % {us}.")


def test_own_texts_replace_ours_and_are_escaped() -> None:
    page = render(texts={"EXPIRED_TOKEN": OWN})
    assert '<h1 dir="auto">Too &lt;late&gt;</h1>' in page
    assert (
        '<p class="message own" id="message" dir="auto">'
        "Sorry, &lt;b&gt;ended&lt;/b&gt; on March 3,"
    ) in page
    assert "Call 100 % {us}.</p>" in page
    assert "What you can do" not in page


def test_own_messages_may_be_html_if_the_site_says_so() -> None:
    page = render(texts={"EXPIRED_TOKEN": OWN}, texts_are_html=True)
    assert (
        '<div class="message" id="message" dir="auto">Sorry, <b>ended</b> on March 3,'
    ) in page
    assert "<title>Too &lt;late&gt; \u2013" in page
    assert "Too &lt;late&gt;</h1>" in page


def test_an_own_title_leaves_our_message_and_advice() -> None:
    page = render(texts={"EXPIRED_TOKEN": OwnText(title="Over")}, lang="de")
    assert '<h1 dir="auto">Over</h1>' in page
    assert "Er war bis 3. März 2026" in page
    assert "Was Sie tun können" in page


def test_own_texts_are_for_their_own_page() -> None:
    page = render(kinds.INVALID, texts={"EXPIRED_TOKEN": OWN}, texts_are_html=True)
    assert "This link is incomplete or incorrect</h1>" in page


def test_a_site_may_replace_one_page(tmp_path: Path) -> None:
    (tmp_path / "expired.html").write_text(
        '{% extends "default/page.html" %}{% block advice %}<p>{{ title }}!</p>'
        "{% endblock %}"
    )
    own = {"EXPIRED_TOKEN": OwnText("<Late>")}
    assert "<p>&lt;Late&gt;!</p>" in render(templates=tmp_path, texts=own)
    assert "What you can do" in render(kinds.INVALID, templates=tmp_path)


def test_a_site_may_replace_all_pages_style_and_icons(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(
        "<style>{{ css|safe }}</style>{{ language.tag }}"
        '{% include "icons/" ~ kind.name ~ ".svg" %}'
    )
    (tmp_path / "page.css").write_text("a { color: {{ light.accent }} }")
    (tmp_path / "icons").mkdir()
    (tmp_path / "icons" / "expired.svg").write_text("<svg/>")
    pages = Pages(Site(colour="#1f6091"), templates=tmp_path)
    page = pages.render(kinds.EXPIRED, Visit("r", "de"), MOMENT)
    assert html(page) == "<style>a { color: #1f6091 }</style>de<svg/>"
    digest = hashlib.sha256(b"a { color: #1f6091 }").digest()
    assert base64.b64encode(digest).decode() in page.policy


def test_whole_pages_of_the_predecessor_are_sent_as_they_are(tmp_path: Path) -> None:
    own = b"<h1 style='color: red'>{{ Gone }} \xff</h1>"
    (tmp_path / "expired-token.html").write_bytes(own)
    page = Pages(Site(), templates=tmp_path).render(kinds.EXPIRED, Visit("r", "de"))
    assert page.body == own
    assert page.language is None
    assert page.policy.endswith("; img-src data:; style-src 'unsafe-inline'")
    assert "This link is incomplete" in render(kinds.INVALID, templates=tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("page.html", b"\n{% if %}", "page.html, line 2: "),
        ("expired.html", b"{{ nobody }}", "'nobody' is undefined"),
        ("expired.html", b'{% extends "none.html" %}', "none.html"),
        ("page.html", b"\xff", "utf-8"),
        ("page.css", b"{{ nothing.accent }}", "'nothing' is undefined"),
    ],
)
def test_a_template_that_cannot_be_used_stops_the_start(
    name: str, content: bytes, problem: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        Pages(Site(), templates=tmp_path)
    (line,) = caught.value.problems
    assert line.startswith("LANDING_TEMPLATES_DIR: ")
    assert problem in line


def add_language(folder: Path, name: str, content: str) -> None:
    path = folder / name / "LC_MESSAGES"
    path.mkdir(parents=True)
    (path / "landing.po").write_text(content)


HEADER = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'


def test_a_site_may_add_a_language_and_change_words(tmp_path: Path) -> None:
    add_language(
        tmp_path,
        "pt_BR",
        HEADER + 'msgid "This link has expired"\nmsgstr "Este link venceu"\n\n'
        'msgid "Try again"\nmsgstr ""\n\n#, fuzzy\nmsgid "Language"\nmsgstr "Falso"\n',
    )
    add_language(
        tmp_path, "en", HEADER + 'msgid "Medical images"\nmsgstr "My clinic"\n'
    )
    brazil = render(lang="pt-BR", locales=tmp_path)
    assert '<html lang="pt-BR" dir="ltr">' in brazil
    assert "Este link venceu</h1>" in brazil
    assert "Português (Brasil)" in brazil
    assert "Falso" not in brazil
    assert "\u2013 My clinic</title>" in render(locales=tmp_path)
    assert "Este link expirou</h1>" in render(lang="pt", locales=tmp_path)


@pytest.mark.parametrize(
    ("name", "content"),
    [("zz_ZZ", HEADER), ("not a language", HEADER), ("pl", 'msgid "unterminated\n')],
)
def test_a_translation_that_cannot_be_read_stops_the_start(
    name: str, content: str, tmp_path: Path
) -> None:
    add_language(tmp_path, name, content)
    with pytest.raises(ConfigurationError, match=f"{name}/LC_MESSAGES/landing.po"):
        Pages(Site(), locales=tmp_path)
