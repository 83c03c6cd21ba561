"""What the pages show and do; how they look is shown in `tests/e2e`."""

import base64
import html
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from landing import colours
from landing.site import DEFAULT_COLOUR
from orthanc_share.store import census
from tests.support.manage import (
    ANNA,
    BEN,
    ORTHANC_ID,
    STUDY,
    Person,
    fill,
    managed,
)
from tests.support.service import NOW, MovableClock, basic
from tests.support.settings import PUBLIC
from token_service.manage import listing, pages as pages_module
from token_service.manage.pages import Pages
from token_service.manage.visit import Visit

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
UP_TO_A_YEAR = ["3600", "86400", "604800", "2592000", "7776000", "31536000"]
STYLE = Path(pages_module.__file__).parent / "static" / "manage.css"


def link_in(answer: httpx.Response) -> str:
    """Return the link on a page that shows one."""
    found = re.search(r"<textarea id=\"link\"[^>]*>([^<]*)</textarea>", answer.text)
    assert found is not None, answer.text
    return html.unescape(found[1])


def api(base: str, path: str) -> httpx.Response:
    """Ask the API."""
    return httpx.get(f"{base}{path}", headers={"Authorization": basic(*ANNA)})


def test_the_list_is_one_step_away(base: str) -> None:
    answer = httpx.get(f"{base}/manage")
    assert (answer.status_code, answer.headers["location"]) == (308, "manage/")


def test_every_page_is_safe(anna: Person) -> None:
    share = f"shares/{anna.created()}"
    paths = ("", "create", share, f"{share}/change", f"{share}/revoke", "nothing")
    answers = [anna.get(path) for path in paths]
    anna.post("logout")
    for answer in [*answers, anna.get("login")]:
        headers = answer.headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["cache-control"] == "no-store"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-content-type-options"] == "nosniff"


def test_no_page_holds_a_script_a_style_or_a_foreign_address(anna: Person) -> None:
    share = f"shares/{anna.created()}"
    for path in ("", "create", share, f"{share}/change", f"{share}/revoke"):
        text = anna.get(path).text
        assert (
            re.search(r"<script(?! src=\"[./]*static/)|<style| style=| on\w+=", text)
            is None
        )
        addresses = re.findall(r"(?:href|src|action)=\"([^\"]*)\"", text)
        assert all(not re.match(r"https?:|//|/", one) for one in addresses)


@pytest.mark.parametrize("name", ["manage.css", "manage.js"])
def test_our_files_are_for_everybody_and_kept_by_browsers(base: str, name: str) -> None:
    answer = httpx.get(f"{base}/manage/static/{name}")
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("text/")


@pytest.mark.parametrize("name", ["", "pages.py", "../pages.py", "x/manage.css"])
def test_there_are_no_other_files(base: str, name: str) -> None:
    path = f"/manage/static/{name}".replace("..", "%2e%2e")
    assert httpx.get(f"{base}{path}").status_code == 404
    assert httpx.post(f"{base}/manage/static/manage.css").status_code == 404


def test_the_colours_are_those_of_the_landing_page() -> None:
    style = STYLE.read_text()
    light, _, dark = style.partition("prefers-color-scheme: dark")
    for text, card in ((light, colours.LIGHT_CARD), (dark, colours.DARK_CARD)):
        found = colours.scheme(DEFAULT_COLOUR, card)
        for name in ("accent", "tint", "button", "on_button"):
            line = f"--{name.replace('_', '-')}: {getattr(found, name)};"
            assert line in text
        assert f"--card: {card};" in text


def test_a_new_share_is_shown_with_its_link_this_once(base: str, anna: Person) -> None:
    answer = anna.create(title="For Dr. Lindqvist", max_openings="3", password="123456")
    assert answer.status_code == 200
    assert link_in(answer).startswith(f"{PUBLIC}/welcome/s/")
    assert "Send the password another way." in answer.text
    assert "123456" not in answer.text
    picture = re.search(r"data:image/png;base64,([^\"]*)", answer.text)
    assert picture is not None
    assert base64.b64decode(picture[1]).startswith(b"\x89PNG")
    share_id = re.search(r"shares/([\w-]{22})", answer.text)
    assert share_id is not None
    kept = api(base, f"/shares/{share_id[1]}").json()
    assert (kept["title"], kept["max-openings"], kept["has-password"]) == (
        "For Dr. Lindqvist",
        3,
        True,
    )
    assert kept["creator"] == "anna"
    shown = anna.get(f"shares/{share_id[1]}")
    assert f"{PUBLIC}/welcome" not in shown.text


def test_a_link_that_is_short_already_is_shown_as_it_is(tmp_path: Path) -> None:
    with managed(tmp_path, link_style="short") as base:
        anna = Person(base)
        anna.sign_in()
        answer = anna.create()
        assert link_in(answer).startswith(f"{PUBLIC}/welcome/s/")
        assert "Send the password another way." not in answer.text
        share_id = anna.created()
        assert "one more" not in anna.get(f"shares/{share_id}").text


def test_without_a_landing_page_the_long_link_is_shown_without_a_code(
    tmp_path: Path,
) -> None:
    with managed(tmp_path, public_landing_root=None) as base:
        anna = Person(base)
        anna.sign_in()
        answer = anna.create()
        assert len(link_in(answer)) > 300
        assert "data:image/png" not in answer.text
        refused = anna.create(max_openings="1")
        assert refused.status_code == 422
        assert "A limit or a password needs a landing page" in refused.text
        share_id = anna.created()
        assert "Get a link" not in anna.get(f"shares/{share_id}").text
        assert anna.post(f"shares/{share_id}/link").status_code == 422


@pytest.mark.parametrize(
    ("studies", "expected"),
    [
        (STUDY, [{"dicom-uid": STUDY}]),
        (
            f" {STUDY} {ORTHANC_ID}\r\n",
            [{"dicom-uid": STUDY, "orthanc-id": ORTHANC_ID}],
        ),
        (f"{STUDY}\r\n\r\n1.2.3", [{"dicom-uid": STUDY}, {"dicom-uid": "1.2.3"}]),
        (f"{STUDY}, 1.2.3", [{"dicom-uid": STUDY}, {"dicom-uid": "1.2.3"}]),
    ],
)
def test_studies_are_given_by_either_id(
    base: str, anna: Person, studies: str, expected: list[dict[str, str]]
) -> None:
    share_id = anna.created(studies=studies)
    kept = api(base, f"/shares/{share_id}").json()
    listed = kept.get("studies") or kept["resources"]
    assert [
        {k: v for k, v in one.items() if v and k.endswith(("uid", "id"))}
        for one in listed
    ] == expected


@pytest.mark.parametrize(
    ("fields", "name", "message"),
    [
        ({"studies": ""}, "studies", "at least one resource"),
        ({"studies": "no study"}, "studies", "dicom-uid"),
        ({"studies": "1" * 65}, "studies", "Give one study on each line"),
        ({"type": "nothing"}, "type", "Choose one of the viewers."),
        ({"type": ""}, "type", "Choose one of the viewers."),
        ({"type": "meddream-viewer-publication"}, "type", "is not set up"),
        ({"anonymized": "yes"}, "type", "does not offer anonymized shares"),
        ({"title": "x" * 256}, "title", "At most 255 characters"),
        ({"title": "a\x07b"}, "title", "At most 255 characters"),
        ({"duration": "17"}, "duration", "Choose one of the times."),
        ({"duration": "long"}, "duration", "Choose one of the times."),
        ({"expires": "soon"}, "expires", "Give a date and a time"),
        ({"expires": "2001-01-01T00:00"}, "expires", "lies in the past"),
        ({"max_openings": "0"}, "max-openings", "from 1 to 1000000"),
        ({"max_openings": "²"}, "max-openings", "from 1 to 1000000"),
        ({"max_openings": "many"}, "max-openings", "from 1 to 1000000"),
        ({"max_openings": "9" * 30}, "max-openings", "from 1 to 1000000"),
        ({"password": "short"}, "password", "6 to 128 characters"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_above(
    anna: Person, fields: dict[str, str], name: str, message: str
) -> None:
    answer = anna.create(**fields)
    assert answer.status_code == 422
    assert "Something is not right yet" in answer.text
    assert f'<a href="#{name}">' in answer.text
    field = answer.text.partition(f'id="{name}" name="{name}"')[2]
    assert f'{name}-error" ' in field or f'{name}-error"' in field.partition(">")[0]
    assert message in field.partition("</div>")[0]
    assert "short" not in answer.text
    assert "Not right yet:" in answer.text


def test_what_was_filled_in_stays(anna: Person) -> None:
    answer = anna.create(title="Kept & shown", studies="no study", duration="604800")
    assert 'value="Kept &amp; shown"' in answer.text
    assert '<option value="604800" selected>' in answer.text
    assert "no study</textarea>" in answer.text


def test_an_end_wins_over_a_duration(base: str, anna: Person) -> None:
    share_id = anna.created(expires="2026-12-24T18:00", duration="0")
    kept = api(base, f"/shares/{share_id}").json()
    assert kept["expires"].startswith("2026-12-24T18:00:00")


def test_the_study_can_be_in_the_address(anna: Person) -> None:
    assert f"{STUDY}</textarea>" in anna.get("create", study=STUDY).text


@pytest.mark.parametrize(
    ("settings", "offered", "chosen"),
    [
        ({}, [*UP_TO_A_YEAR, "0"], "2592000"),
        ({"max_share_duration": "7d"}, ["3600", "86400", "604800"], "3600"),
        ({"max_share_duration": "1m"}, [""], ""),
        ({"default_share_duration": "2d"}, ["", *UP_TO_A_YEAR, "0"], ""),
        ({"allow_unlimited_shares": False}, UP_TO_A_YEAR, "2592000"),
    ],
)  # fmt: skip
def test_only_times_that_are_allowed_are_offered(
    tmp_path: Path, settings: dict[str, Any], offered: list[str], chosen: str
) -> None:
    with managed(tmp_path, **settings) as base:
        anna = Person(base)
        anna.sign_in()
        form = anna.get("create").text.partition('id="duration"')[2]
        options = re.findall(
            r'<option value="(\d*)"( selected)?', form.partition("</select>")[0]
        )
        assert [value for value, _ in options] == offered
        assert [value for value, mark in options if mark] == [chosen]
        assert anna.create(duration=chosen).status_code == 200


def test_a_site_with_nothing_set_up_says_so(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"public_orthanc_root": None, "public_ohif_root": None}
    with managed(tmp_path, **settings) as base:
        anna = Person(base)
        anna.sign_in()
        assert "No viewer is set up" in anna.get("create").text


def test_images_can_be_shown_de_identified_where_that_is_set_up(
    tmp_path: Path,
) -> None:
    settings: dict[str, Any] = {
        "public_anonymized_orthanc_root": f"{PUBLIC}/anon-shares/",
        "server_identifier": "a",
        "anonymized_server_identifier": "b",
        "deidentification_key": "Vb8nJ3rXqL5wYt2KzHs7GdMf4PcUe9Ra6TiQo1Zx",
    }
    with managed(tmp_path, **settings) as base:
        anna = Person(base)
        anna.sign_in()
        assert 'name="anonymized"' in anna.get("create").text
        share_id = anna.created(anonymized="yes")
        assert "de-identified" in anna.get(f"shares/{share_id}").text


def test_a_share_gets_more_links_each_written_down(base: str, anna: Person) -> None:
    share_id = anna.created(password="123456")
    answers = [anna.post(f"shares/{share_id}/link") for _ in range(2)]
    links = {link_in(answer) for answer in answers}
    assert len(links) == 2
    assert "Send the password another way." in answers[0].text
    events = api(base, f"/shares/{share_id}/events").json()["events"]
    assert [one["event"] for one in events] == ["changed"] * 3 + ["created"]
    assert {one["actor"] for one in events} == {"anna"}


def test_only_what_was_changed_is_changed(base: str, anna: Person) -> None:
    share_id = anna.created(title="First", expires="2026-12-24T18:00", max_openings="2")
    path = f"shares/{share_id}/change"
    form = anna.get(path).text
    assert 'value="First"' in form
    assert 'value="2026-12-24T18:00"' in form
    assert "no-password" not in form
    same = {"title": "First", "expires": "2026-12-24T18:00", "max_openings": "2"}
    assert anna.post(path, **same).headers["location"] == f"../{share_id}"
    assert len(api(base, f"/shares/{share_id}/events").json()["events"]) == 2
    changed = {"title": "", "expires": "", "max_openings": "", "password": "123456"}
    assert anna.post(path, **changed).status_code == 303
    kept = api(base, f"/shares/{share_id}").json()
    found = [
        kept[name] for name in ("title", "expires", "max-openings", "has-password")
    ]
    assert found == [None, None, None, True]
    assert "no-password" in anna.get(path).text
    anna.post(path, no_password="yes")
    assert api(base, f"/shares/{share_id}").json()["has-password"] is False


def test_what_cannot_be_changed_so_is_said(anna: Person) -> None:
    share_id = anna.created()
    answer = anna.post(f"shares/{share_id}/change", expires="2001-01-01T00:00")
    assert answer.status_code == 422
    assert "lies in the past" in answer.text
    answer = anna.post(f"shares/{share_id}/change", max_openings="-1", expires="x")
    assert answer.text.count("-error") >= 4


def test_a_share_is_revoked_after_a_question(base: str, anna: Person) -> None:
    share_id = anna.created(title="To be gone")
    path = f"shares/{share_id}/revoke"
    asked = anna.get(path).text
    assert "Revoke this share?" in asked
    assert "To be gone" in asked
    assert api(base, f"/shares/{share_id}").json()["status"] == "active"
    answer = anna.post(path, reason="The wrong study")
    assert (answer.status_code, answer.headers["location"]) == (303, f"../{share_id}")
    shown = anna.get(f"shares/{share_id}").text
    assert "The wrong study" in shown
    assert "Extend or change" not in shown
    assert api(base, f"/shares/{share_id}").json()["revoked"]["by"] == "anna"
    assert anna.post(path).status_code == 303
    for action in ("change", "link"):
        refused = anna.post(f"shares/{share_id}/{action}", title="new")
        assert refused.status_code == 409
        assert "The share was revoked" in refused.text


def test_a_reason_that_is_too_long_is_refused(base: str, anna: Person) -> None:
    share_id = anna.created()
    answer = anna.post(f"shares/{share_id}/revoke", reason="x" * 256)
    assert answer.status_code == 422
    assert 'href="#reason"' in answer.text
    assert api(base, f"/shares/{share_id}").json()["status"] == "active"


def test_the_list_is_searched_narrowed_and_sorted(tmp_path: Path) -> None:
    ids = fill(tmp_path, NOW)
    with managed(tmp_path) as base:
        anna = Person(base)
        anna.sign_in()

        def listed(**query: str) -> list[str]:
            found = re.findall(r'shares/([\w-]{22})"', anna.get(**query).text)
            return [
                name for one in found for name, known in ids.items() if one == known
            ]

        assert listed(text="knee lind") == ["used"]
        assert listed(text="nothing") == []
        assert "No share is like this." in anna.get(text="nothing").text
        assert listed(status="revoked") == ["revoked"]
        assert listed(status="nonsense", sort="x", order="y") == listed()
        assert listed(creator="ben") == ["anonymized", "used-up"]
        assert len(listed(study=STUDY)) == len(ids)
        assert listed(study="1.2.3") == []
        assert listed(sort="last-opened")[:2] == ["used", "used-up"]
        assert listed(order="asc") == listed()[::-1]
        text = anna.get(status="active", creator="anna").text
        assert '<a href="?creator=anna">All</a>' in text
        assert 'aria-current="true">Active <span class="count">3</span>' in text
        assert 'name="status" value="active"' in text
        assert 'value="anna"' in text


def test_an_empty_list_says_so(anna: Person) -> None:
    assert "There are no shares yet." in anna.get().text


def test_a_long_list_has_pages(anna: Person, clock: MovableClock) -> None:
    for number in range(27):
        anna.create(title=f"share {number}")
        clock.move(1)
    first = anna.get(sort="created").text
    assert first.count('scope="row"') == 25
    assert "First page" not in first
    following = re.search(r'href="([^"]*)" rel="next"', first)
    assert following is not None
    second = anna.get(html.unescape(following[1])).text
    assert second.count('scope="row"') == 2
    assert "Next page" not in second
    assert "First page" in second


def test_there_is_a_limit_to_counting(
    anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (census, listing):
        monkeypatch.setattr(module, "COUNTED_MAX", 1)
    anna.create()
    assert '<span class="count">1</span>' in anna.get().text
    anna.create()
    assert '<span class="count">1+</span>' in anna.get().text


def test_a_share_shows_what_it_is_and_what_became_of_it(tmp_path: Path) -> None:
    ids = fill(tmp_path, NOW)
    with managed(tmp_path) as base:
        anna = Person(base)
        anna.sign_in()
        text = anna.get(f"shares/{ids['used']}").text
        for expected in (
            "MRI of the knee, for Dr. Lindqvist",
            STUDY,
            ORTHANC_ID,
            "34 of 60",
            "Oct 7, 2026, 12:00\u202fPM UTC",
            "<td>8</td><td>0</td>",
            "Openings: Oct 8, 2026: 2; Oct 9, 2026: 5;",
            "198.51.100.7",
            "Wrong password",
        ):
            assert expected in text
        assert text.count("<rect x=") == 8 + text.count('<rect x="3" y="3"')
        following = re.search(r'href="\?(cursor=[^"]*)#events"', text)
        assert following is not None
        second = anna.get(f"shares/{ids['used']}?{following[1]}").text
        assert "Latest" in second
        assert "Earlier" in second
        assert (
            "Case of Friday&#39;s conference"
            in anna.get(f"shares/{ids['not-yet']}").text
        )
        assert "Starts" in anna.get(f"shares/{ids['not-yet']}").text
        assert "No openings." in anna.get(f"shares/{ids['endless']}").text


@pytest.mark.parametrize(
    ("languages", "expected", "tag"),
    [
        ("de-DE,de;q=0.9,en;q=0.8", "02.11.2026, 12:00 UTC", "de-DE"),
        ("fr", "2 nov. 2026, 12:00 UTC", "fr"),
        ("tlh, xx;q=0.5", "Nov 2, 2026, 12:00\u202fPM UTC", "en"),
        (",;q=,*", "Nov 2, 2026, 12:00\u202fPM UTC", "en"),
        ("../../etc/passwd,en-US", "Nov 2, 2026, 12:00\u202fPM UTC", "en-US"),
    ],
)
def test_times_are_in_the_language_of_the_browser_and_say_utc(
    base: str, languages: str, expected: str, tag: str
) -> None:
    anna = Person(base, accept_language=languages)
    anna.sign_in()
    text = anna.get(f"shares/{anna.created()}").text
    assert f'<time datetime="2026-11-02T12:00:00+00:00" lang="{tag}"' in text
    assert expected in text


@pytest.mark.parametrize("field", ["title", "reason", "user agent", "label", "search"])
def test_what_somebody_typed_is_text_and_nothing_else(
    base: str, anna: Person, field: str
) -> None:
    if field == "user agent":
        anna.http.headers["User-Agent"] = EVIL
    if field == "label":
        body = {"studies": [{"dicom-uid": STUDY}], "type": "stone-viewer-publication"}
        headers = {"Authorization": basic(*BEN)}
        made = httpx.put(f"{base}/shares", json=body | {"id": EVIL}, headers=headers)
        share_id = made.json()["share-id"]
    else:
        share_id = anna.created(title=EVIL if field == "title" else "")
    if field == "reason":
        anna.post(f"shares/{share_id}/revoke", reason=EVIL)
    texts = [
        anna.get().text,
        anna.get(f"shares/{share_id}").text,
        anna.get(f"shares/{share_id}/change").text,
        anna.get(f"shares/{share_id}/revoke").text,
    ]
    if field == "search":
        texts.append(anna.get(text=EVIL, creator=EVIL, study=EVIL).text)
        texts.append(anna.get("create", study=EVIL).text)
    assert any(html.escape(EVIL) in html.escape(html.unescape(one)) for one in texts)
    for text in texts:
        assert "<script>" not in text
        assert "<img src=x" not in text
        assert "\"'><" not in text


def test_all_texts_of_ours_can_be_translated() -> None:
    """Each text that a page shows goes through the translation, or is data."""
    folder = Path(pages_module.__file__).parent / "templates"
    for path in folder.glob("*.html"):
        bare = re.sub(
            r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", " ", path.read_text(), flags=re.DOTALL
        )
        # What macros write into tags stands outside of them here.
        bare = re.sub(r"\baria-\w+=\"[^\"]*\"|\bselected\b|\bchecked\b", " ", bare)
        shown = re.sub(r"<[^>]*>", " ", bare)
        assert re.findall(r"[A-Za-z]{2,}", shown) == [], path.name
        attributes = re.findall(r'(?:alt|placeholder|aria-label)="([^"]*)"', bare)
        assert all(not text.strip() for text in attributes), path.name


def test_a_translation_reaches_the_page() -> None:
    scope = {"type": "http", "method": "GET", "headers": [], "scheme": "http"}
    visit = Visit(scope=scope, path="x", query={}, cookies={}, address="")
    pages = Pages(translate=lambda text: f"⟦{text}⟧")
    page = pages.render("message", visit, heading="One", message="Two", way=("", "3"))
    for text in ("One", "Two", "3", "Shares of images"):
        assert f"⟦{text}⟧" in bytes(page.body).decode()
