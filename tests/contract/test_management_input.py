"""What managing shares makes of bad bodies and queries: a reason, never an error."""

import json
from collections.abc import Iterator
from urllib.parse import quote, urlencode

import pytest

from tests.contract.test_bad_input import (
    ABSENT,
    BAD_VALUES,
    NO_OBJECT,
    TEN_MEGABYTES,
    UNREADABLE,
    changed,
)
from tests.support.managed import Managed, managed
from tests.support.replay import Answer

ONE = "/shares/{share}"
BODIES = {
    ("PATCH", ONE): (
        *("title", "expiration-date", "validity-duration", "max-openings", "password"),
    ),
    ("DELETE", ONE): ("reason",),
    ("POST", "/shares/revoke"): (
        *("study", "creator", "created-before", "reason", "dry-run"),
    ),
    ("POST", "/links/look"): ("token", "code", "view"),
    ("POST", "/links/open"): ("token", "code", "password", "address", "user-agent"),
    ("POST", "/shares/tallies"): ("tallies", "views"),
    ("POST", "/audit/verify"): ("after", "anchors"),
}
"""Members of the bodies."""

TALLY = {"share-id": "x", "granted": 1, "denied": 1, "reasons": ["expired"]}
VIEW = {"id": "x", "share-id": "x", "at": "2026-11-02T12:00:00Z"}
QUERIES = {
    "/shares": (
        *("status", "creator", "study", "text", "sort", "order", "limit", "cursor"),
    ),
    f"{ONE}/events": ("limit", "cursor"),
    "/shares/news": ("cursor",),
    "/audit/events": ("since", "until", "share", "study", "limit", "cursor"),
}
"""Members of the queries."""

BAD_TEXTS = (
    *("", " ", "x", "-1", "0", "1.5", "+1", "1_0", " 1", "٣", "9" * 30, "null", "true"),
    *("active,expired", "ACTIVE", "%", "\x00", "\r\n", "../..", "x" * 5000, "🙈", "*"),
    *("created.desc.1.x", "created.desc.99999999999999999999.x", "1.1", "1.1.1", "."),
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Managed]:
    """Run a service with a registry."""
    with managed(tmp_path_factory.mktemp("input")) as started:
        yield started


@pytest.fixture(scope="module")
def share(site: Managed) -> str:
    """Return the id of a share."""
    return site.share()


def is_clear(answer: Answer) -> bool:
    """Tell whether an answer is good, or a problem that says what is wrong."""
    if answer.status == 200:
        return answer.headers["content-type"] == "application/json"
    is_problem = answer.headers["content-type"] == "application/problem+json"
    known = {400, 404, 409, 422}
    return is_problem and answer.status in known and bool(answer.json["detail"])


@pytest.mark.parametrize("bad", BAD_VALUES)
@pytest.mark.parametrize("route", BODIES, ids=" ".join)
def test_a_bad_member_is_refused_with_a_reason(
    route: tuple[str, str], bad: str, site: Managed
) -> None:
    method, path = route
    share = site.share()
    for name in BODIES[route]:
        body = changed(
            {"study": "none"} if "revoke" in path else {}, name, BAD_VALUES[bad]
        )
        answer = site.service.call(method, path.replace("{share}", share), body)
        assert is_clear(answer), (name, answer.status, answer.raw[:200])


WRONG_TYPES = ("true", "real", "list of lists", "object")


@pytest.mark.parametrize("bad", WRONG_TYPES)
@pytest.mark.parametrize("route", BODIES, ids=" ".join)
def test_a_member_of_a_wrong_type_is_422(
    route: tuple[str, str], bad: str, site: Managed, share: str
) -> None:
    method, path = route
    for name in BODIES[route]:
        if name == "dry-run" and bad == "true":
            continue
        body = {name: BAD_VALUES[bad]}
        answer = site.service.call(method, path.replace("{share}", share), body)
        assert answer.status == 422, name
        assert str(BAD_VALUES[bad]) not in answer.json["detail"]


@pytest.mark.parametrize("bad", BAD_VALUES)
def test_a_bad_report_is_refused_with_a_reason(bad: str, site: Managed) -> None:
    for kind, good in (("tallies", TALLY), ("views", VIEW)):
        for name in good:
            for body in (
                {kind: [changed(good, name, BAD_VALUES[bad])]},
                {kind: [good | {"reasons": [BAD_VALUES[bad]]}]}
                if BAD_VALUES[bad] is not ABSENT
                else {kind: []},
            ):
                answer = site.service.call("POST", "/shares/tallies", body)
                assert is_clear(answer), (name, answer.status, answer.raw[:200])


def test_a_report_of_too_much_is_refused(site: Managed) -> None:
    for body in ({"tallies": [TALLY] * 1001}, {"views": [VIEW] * 1001}):
        assert site.service.call("POST", "/shares/tallies", body).status == 422


@pytest.mark.parametrize("body", [*UNREADABLE, *NO_OBJECT])
@pytest.mark.parametrize("route", BODIES, ids=" ".join)
def test_a_body_that_cannot_be_read_is_a_problem(
    route: tuple[str, str], body: str, site: Managed
) -> None:
    method, path = route
    share = site.share()
    raw = {**UNREADABLE, **NO_OBJECT}[body]
    answer = site.service.call(method, path.replace("{share}", share), raw)
    if body == "empty" and (method == "DELETE" or path == "/audit/verify"):
        assert answer.status == 200  # it needs no body
        return
    assert answer.status == (400 if body in UNREADABLE else 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert site.shown(share)["status"] == "active"


@pytest.mark.parametrize("chunked", [True, False])
@pytest.mark.parametrize("route", BODIES, ids=" ".join)
def test_a_body_of_ten_megabytes_is_a_problem(
    route: tuple[str, str], site: Managed, share: str, *, chunked: bool
) -> None:
    method, path = route
    body = {"reason": "x" * TEN_MEGABYTES}
    answer = site.service.call(
        method, path.replace("{share}", share), body, chunked=chunked
    )
    assert answer.status == 413
    assert answer.json["code"] == "body_too_large"
    assert site.shown(share)["status"] == "active"


@pytest.mark.parametrize("path", QUERIES)
@pytest.mark.parametrize("text", BAD_TEXTS)
def test_a_bad_query_is_refused_with_a_reason(
    path: str, text: str, site: Managed, share: str
) -> None:
    for name in QUERIES[path]:
        query = urlencode({name: text})
        answer = site.get(f"{path.replace('{share}', share)}?{query}")
        assert is_clear(answer), (name, answer.status, answer.raw[:200])
        if name in {"limit", "status", "sort", "order"}:
            assert answer.status == 422, name


@pytest.mark.parametrize("number", ["0", "501", "-5", "1e2", "0x10", ""])
def test_a_page_has_a_length(number: str, site: Managed, share: str) -> None:
    for path in ("/shares", f"/shares/{share}/events", "/audit/events"):
        assert site.get(f"{path}?limit={number}").status == 422
        assert site.get(f"{path}?limit=500").status == 200


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("status=active&status=active", 422),
        ("status=active&st%61tus=expired", 422),
        ("unknown=1", 422),
        ("limit=5&Limit=5", 422),
        ("status", 422),
        ("text=%FF", 400),
        ("%FF=1", 400),
        ("text=%C3", 400),
        ("&".join(f"a{number}=1" for number in range(200)), 400),
        ("&&&", 200),
        ("", 200),
        ("text=%00", 200),
    ],
)
def test_a_query_says_each_thing_once_and_in_utf_8(
    query: str, status: int, site: Managed
) -> None:
    answer = site.get(f"/shares?{query}")
    assert answer.status == status
    assert is_clear(answer)


def test_what_was_sent_is_not_repeated(site: Managed, share: str) -> None:
    canary = "canary-1.2.3"
    answers = [
        site.get(f"/shares?{canary}=1"),
        site.get(f"/shares?status={canary}"),
        site.get(f"/shares?cursor={canary}"),
        site.get(f"/shares/{canary}"),
        site.get(f"/audit/events?study={canary}"),
        site.service.call("POST", "/audit/verify", {"after": canary}),
        site.service.call("PATCH", f"/shares/{share}", {canary: canary}),
        site.service.call("PATCH", f"/shares/{share}", {"title": [canary]}),
        site.service.call("PATCH", f"/shares/{share}", {"password": canary * 30}),
        site.service.call("POST", "/links/open", {"token": [canary]}),
        site.service.call("POST", "/links/open", {"token": canary, "code": canary}),
        site.service.call("POST", "/links/look", {"token": canary}),
        site.service.call("POST", "/shares/revoke", {"study": canary * 30}),
    ]
    for answer in answers:
        assert canary.encode() not in answer.raw


@pytest.mark.parametrize("body", [{}, {"token": None}, {"token": "a", "code": "b"}])
def test_a_link_is_one_thing(body: dict[str, str], site: Managed) -> None:
    for path in ("/links/look", "/links/open"):
        assert site.service.call("POST", path, body).status == 422


@pytest.mark.parametrize("link", ["", "x", "\x00", "🙈" * 50, "x" * 100_000, "a.b.c"])
def test_a_link_that_is_none_is_refused_as_one(link: str, site: Managed) -> None:
    for kind in ("token", "code"):
        for path in ("/links/look", "/links/open"):
            told = site.good("POST", path, {kind: link})
            assert (told["outcome"], told["reason"]) == ("refused", "invalid")


def test_whatever_a_visitor_gives_for_a_password_is_wrong(site: Managed) -> None:
    for guess in ("", " ", "x" * 100_000, "\x00", "🙈"):
        token = site.service.made(password="correct horse")["token"]
        told = site.good("POST", "/links/open", {"token": token, "password": guess})
        assert told["reason"] == "wrong-password"


def test_creation_takes_what_can_be_kept(site: Managed) -> None:
    members = ("title", "not-before", "max-openings", "password", "id")
    for bad, value in BAD_VALUES.items():
        for name in members:
            if value is ABSENT:
                continue
            answer = site.service.create(**{name: value})
            assert is_clear(answer), (name, bad, answer.raw[:200])
            if answer.status == 200:
                assert site.shown(answer.json["share-id"])["status"] in {
                    *("active", "not-yet"),
                }


def test_text_of_any_script_is_kept_as_it_is(site: Managed) -> None:
    title = "Überweisung 転院 🙈 \N{RIGHT-TO-LEFT MARK}"
    share = site.share(title=title)
    assert site.shown(share)["title"] == title.strip()
    assert share in site.ids(f"text={quote('überweisung 転院')}")
    raw = json.dumps({"title": "e\u0301"}).encode()
    assert site.service.call("PATCH", f"/shares/{share}", raw).status == 200
