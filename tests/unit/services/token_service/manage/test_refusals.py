"""What is not allowed, not there or not reachable gets a page that says so."""

import logging
from pathlib import Path

import httpx
import pytest

from orthanc_share.store.errors import StoreUnavailableError
from orthanc_share.store.store import Store
from tests.support.manage import ANNA, STUDY, Person, managed
from tests.support.service import basic
from tests.support.settings import token_service_settings
from tests.unit.shared.web.asgi import http_scope, receiving, run
from token_service.app import create_app
from token_service.manage import chart

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def number_of_shares(person: Person) -> int:
    """Return how many shares the list shows."""
    return person.get().text.count('scope="row"')


@pytest.mark.parametrize("token", [None, "", "0" * 64, "ünï", "\udcff"])
def test_a_form_without_the_token_of_the_session_changes_nothing(
    anna: Person, token: str | None
) -> None:
    fields = {"studies": STUDY, "type": "stone-viewer-publication", "duration": "0"}
    if token is not None:
        fields["token"] = token.encode("utf-8", "replace").decode()
    answer = anna.http.post("create", data=fields)
    assert answer.status_code == 403
    assert "The form was not one of ours" in answer.text
    assert number_of_shares(anna) == 0


def test_the_token_of_another_session_is_not_taken(base: str, anna: Person) -> None:
    other = Person(base)
    other.sign_in()
    anna.token = other.token
    assert anna.create().status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none", ""])
def test_a_form_of_another_site_is_not_taken(anna: Person, site: str) -> None:
    anna.http.headers["Sec-Fetch-Site"] = site
    answer = anna.create()
    assert answer.status_code == 403
    assert "not one of ours" in answer.text
    anna.http.headers["Sec-Fetch-Site"] = "same-origin"
    assert anna.create().status_code == 200


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "", None])
def test_only_forms_are_taken(anna: Person, kind: str | None) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    content = f"token={anna.token}".encode()
    assert anna.http.post("create", content=content, headers=headers).status_code == 415


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"token=%ff", 400),
        (b"\xff", 400),
        (b"&".join(b"a=b" for _ in range(60)), 400),
        (b"a=" + b"b" * 70_000, 413),
        (b"a=" + b"b" * 2_000_000, 413),
    ],
)
def test_a_form_that_cannot_be_read_is_refused(
    anna: Person, content: bytes, status: int
) -> None:
    assert anna.http.post("create", content=content, headers=FORM).status_code == status


@pytest.mark.parametrize("query", ["a=%ff", "&".join(["a=b"] * 60)])
def test_a_query_that_cannot_be_read_is_refused(base: str, query: str) -> None:
    answer = httpx.get(f"{base}/manage/?{query}")
    assert answer.status_code == 400
    assert "cannot be read" in answer.text


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(base: str, method: str) -> None:
    for path in ("/manage", "/manage/", "/manage/shares/x"):
        answer = httpx.request(method, f"{base}{path}")
        assert answer.status_code == 405
        assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "shares/x/link", "POST"),
        ("GET", "logout", "POST"),
        ("POST", "", "GET"),
        ("POST", "shares/x", "GET"),
    ],
)
def test_a_page_says_which_method_it_takes(
    anna: Person, method: str, path: str, allow: str
) -> None:
    answer = anna.http.request(method, path, headers=FORM)
    assert (answer.status_code, answer.headers["allow"]) == (405, allow)
    assert "<h1>Not this way</h1>" in answer.text


def test_head_is_like_get_and_creates_nothing(anna: Person) -> None:
    assert anna.http.head("").status_code == 200
    assert anna.http.head("create").status_code == 200
    assert number_of_shares(anna) == 0


@pytest.mark.parametrize(
    "path",
    [
        "nothing",
        "share",
        "share/link",
        "shares",
        "shares/",
        "shares/x/y/z",
        "shares/x/nothing",
        "shares/" + "x" * 65,
        "shares/%00",
        "shares/x%0A",
        "shares/<script>",
        "shares/*",
        "create/",
        "static",
    ],
)
def test_an_unknown_page_says_so(anna: Person, path: str) -> None:
    answer = anna.get(path)
    assert answer.status_code == 404
    assert "There is no such page" in answer.text


def test_an_unknown_share_says_so(anna: Person) -> None:
    for path in ("", "/change", "/revoke"):
        answer = anna.get(f"shares/unknown{path}")
        assert answer.status_code == 404
        assert "There is no such share" in answer.text
    for path in ("change", "revoke", "link"):
        assert anna.post(f"shares/unknown/{path}").status_code == 404


@pytest.mark.parametrize(
    "cursor", ["garbage", "created.desc.x.y", "1.2.3", "\x00", "9" * 999]
)
def test_a_cursor_of_nobody_is_refused(anna: Person, cursor: str) -> None:
    assert anna.get(cursor=cursor).status_code == 400
    answer = anna.get(f"shares/{anna.created()}", cursor=cursor)
    assert answer.status_code == 400
    assert "begin with its first page" in answer.text


def test_a_form_that_comes_too_late_changes_nothing(anna: Person) -> None:
    anna.http.cookies.clear()
    answer = anna.create()
    assert answer.status_code == 403
    assert "not signed in any more" in answer.text


def test_without_a_registry_the_page_says_so(tmp_path: Path) -> None:
    with managed(tmp_path, registry=False) as base:
        for path in ("/manage/", "/manage/create", "/manage/?a=%ff"):
            answer = httpx.get(f"{base}{path}")
            assert answer.status_code == 404
            assert "There is no registry" in answer.text
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert httpx.post(f"{base}/manage/create").status_code == 404
        assert httpx.get(f"{base}/manage").status_code == 308
        assert httpx.get(f"{base}/manage/static/manage.css").status_code == 200


def test_without_the_database_the_page_says_so(tmp_path: Path) -> None:
    nowhere = "postgresql://user:password@127.0.0.1:9/none"
    with managed(tmp_path, database_url=nowhere) as base:
        for answer in (
            httpx.get(f"{base}/manage/"),
            httpx.get(f"{base}/manage/login"),
            httpx.post(f"{base}/manage/login", data={"user": "anna"}),
        ):
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) > 0
            assert "The database does not answer" in answer.text
            assert "password@" not in answer.text


def test_a_database_that_goes_away_is_told_too(
    anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> None:
        raise StoreUnavailableError

    monkeypatch.setattr(Store, "list_shares", away)
    assert anna.get().status_code == 503


def test_what_no_rule_foresaw_is_told_to_the_log_only(
    anna: Person, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("canary")

    path = f"shares/{anna.created()}"
    monkeypatch.setattr(chart, "bars", broken)
    with caplog.at_level(logging.ERROR):
        answer = anna.get(path)
    assert answer.status_code == 500
    assert "canary" not in answer.text
    assert "Something went wrong here" in answer.text
    assert "unexpected error" in caplog.text


def test_nothing_secret_reaches_the_log(
    base: str, anna: Person, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        answer = anna.create(title="canary-title", password="canary-password")
        anna.get(text="canary-text")
        person = Person(base)
        person.sign_in(password="canary-login")
        person.sign_in()
    # httpx is the test's own, and uvicorn's access log is off in a service.
    others = ("http", "uvicorn.access")
    ours = [one for one in caplog.records if not one.name.startswith(others)]
    told = "\n".join(repr(record.__dict__) for record in ours)
    assert "share created" in told
    for secret in (
        "canary",
        anna.token,
        *anna.http.cookies.values(),
        *person.http.cookies.values(),
    ):
        assert secret not in told
    assert "/welcome/s/" in answer.text
    assert "/welcome/" not in told


@pytest.mark.anyio
async def test_who_goes_away_while_he_sends_a_form_gets_no_answer(
    tmp_path: Path,
) -> None:
    settings = token_service_settings(
        registry=True, data_dir=tmp_path, users=dict([ANNA])
    )
    scope = http_scope("/manage/login", "POST", FORM.items())
    assert await run(create_app(settings), scope, receiving()) == []


def test_the_api_stays_as_it_was(base: str) -> None:
    headers = {"Authorization": basic("anna", "wrong")}
    assert httpx.get(f"{base}/shares", headers=headers).status_code == 401
