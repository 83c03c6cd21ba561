"""Shares managed over HTTP, on both databases."""

import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from PIL import Image

from tests.support.managed import Managed, managed
from tests.support.postgres import PostgreSQL
from tests.support.replay import Answer, Study
from tests.support.service import NOW, OTHER_STUDY, STUDY, resource, running
from tests.support.settings import PUBLIC, USER

DAY = 86_400
NO_SHARE = "AbCdEfGhIjKlMnOpQrStUv"
PASSWORD = "correct horse"
IDS = {"dicom-uid": STUDY.dicom_uid, "orthanc-id": STUDY.orthanc_id}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Managed]:
    """Run a service with a registry."""
    settings: dict[str, Any] = {}
    if request.param == "postgresql":
        server: PostgreSQL = request.getfixturevalue("postgres")
        settings["database_url"] = server.new_database()
    with managed(tmp_path_factory.mktemp("registry"), **settings) as started:
        yield started


def study_of(uid: str) -> Study:
    """Return a study with another UID."""
    return Study(uid, STUDY.orthanc_id, frozenset())


def code(answer: Answer) -> tuple[int, str]:
    """Return status and code of a problem body."""
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json["detail"]
    return answer.status, str(answer.json.get("code"))


def test_a_share_shows_what_was_agreed_and_what_became_of_it(site: Managed) -> None:
    share = site.share(
        id="order 7",
        title="  Knee  ",
        max_openings=3,
        password=PASSWORD,
        validity_duration=DAY,
        not_before="2026-11-02T13:00:00+01:00",
    )
    assert site.shown(share) == {
        "id": share,
        "type": "stone-viewer-publication",
        "anonymized": False,
        "resources": [resource()],
        "title": "Knee",
        "label": "order 7",
        "creator": USER[0],
        "created": "2026-11-02T12:00:00+00:00",
        "not-before": "2026-11-02T12:00:00+00:00",
        "expires": "2026-11-03T12:00:00+00:00",
        "status": "active",
        "max-openings": 3,
        "openings-left": 3,
        "has-password": True,
        "notify-host": None,
        "opened": 0,
        "denied": 0,
        "granted": 0,
        "last-opened": None,
        "revoked": None,
    }


def test_an_opening_is_counted(site: Managed) -> None:
    made = site.service.made(max_openings=2)
    opened = site.good("POST", "/links/open", {"token": made["token"]})
    assert opened["outcome"] == "opened"
    shown = site.shown(made["share-id"])
    assert (shown["opened"], shown["openings-left"]) == (1, 1)
    assert shown["last-opened"] == "2026-11-02T12:00:00+00:00"


def test_no_answer_tells_a_secret(site: Managed) -> None:
    made = site.service.made(password=PASSWORD, title="x")
    share = made["share-id"]
    url = site.good("POST", f"/shares/{share}/link")["url"]
    link_code = url.rpartition("/")[2]
    answers = [
        site.get("/shares"),
        site.get(f"/shares/{share}"),
        site.get(f"/shares/{share}/events"),
        site.change(share, title="y", password="another horse"),
        site.change(share, max_openings=PASSWORD, password=PASSWORD),
        site.service.call("DELETE", f"/shares/{share}"),
    ]
    for answer in answers:
        for secret in (PASSWORD, "another horse", link_code, made["token"], "argon2"):
            assert secret.encode() not in answer.raw
        assert answer.headers["cache-control"] == "no-store"


def test_a_list_is_filtered(site: Managed) -> None:
    tag = "filtertag"
    plain = site.share(title=f"{tag} Ångström")
    other = site.share(title=tag, resources=[resource(OTHER_STUDY)])
    late = site.share(title=tag, not_before="2027-01-01T00:00:00Z")
    used = site.service.made(title=tag, max_openings=1)
    site.good("POST", "/links/open", {"token": used["token"]})
    gone = site.share(title=tag)
    site.good("DELETE", f"/shares/{gone}")
    found = f"text={tag}&"
    assert set(site.ids(f"{found}limit=500")) == {
        *(plain, other, late, used["share-id"], gone),
    }
    assert set(site.ids(f"{found}status=active")) == {plain, other}
    assert site.ids(f"{found}status=not-yet") == [late]
    assert site.ids(f"{found}status=used-up") == [used["share-id"]]
    assert site.ids(f"{found}status=revoked") == [gone]
    assert site.ids(f"{found}status=expired") == []
    assert site.ids(f"{found}study={OTHER_STUDY.dicom_uid}") == [other]
    assert site.ids(f"{found}study={OTHER_STUDY.orthanc_id}") == [other]
    assert other not in site.ids(f"{found}study={STUDY.dicom_uid}")
    assert len(site.ids(f"{found}creator={USER[0]}")) == 5
    assert site.ids(f"{found}creator=nobody") == []
    assert site.ids("text=%C3%A5ngstr") == [plain]
    assert site.ids(f"text={plain}") == [plain]


def test_a_list_is_sorted_and_read_page_by_page(site: Managed) -> None:
    tag = "pagetag"
    shares = [
        site.share(title=tag, validity_duration=number * DAY) for number in range(1, 8)
    ]
    for order, expected in (("asc", shares), ("desc", shares[::-1])):
        query = f"text={tag}&sort=expires&order={order}"
        assert site.ids(query) == expected
        read: list[str] = []
        cursor = ""
        while True:
            page = site.good("GET", f"/shares?{query}&limit=3{cursor}")
            assert len(page["shares"]) <= 3
            read += [share["id"] for share in page["shares"]]
            if page["next"] is None:
                break
            cursor = f"&cursor={page['next']}"
        assert read == expected
    default = site.ids(f"text={tag}")
    assert sorted(default) == sorted(shares)
    assert site.ids(f"text={tag}&sort=created&order=desc") == default


def test_a_cursor_is_of_its_list(site: Managed) -> None:
    for _ in range(2):
        site.share()
    cursor = site.good("GET", "/shares?limit=1")["next"]
    other = site.get(f"/shares?limit=1&sort=expires&cursor={cursor}")
    assert code(other) == (422, "invalid_cursor")
    share = site.share()
    other = site.get(f"/shares/{share}/events?cursor={cursor}")
    assert code(other) == (422, "invalid_cursor")


def test_events_tell_who_did_what_newest_first(site: Managed) -> None:
    made = site.service.made(max_openings=1)
    share = made["share-id"]
    headers = {"User-Agent": "Script/2"}
    site.service.call("PATCH", f"/shares/{share}", {"title": "x"}, headers)
    visitor = {"address": "192.0.2.7", "user-agent": "Browser/1"}
    for _ in range(2):
        site.service.call("POST", "/links/open", {"token": made["token"], **visitor})
    site.good("DELETE", f"/shares/{share}?reason=Sent%20to%20the%20wrong%20person")
    events = site.events(share)
    assert [one["event"] for one in events] == [
        *("revoked", "denied", "opened", "changed", "created"),
    ]
    revoked, denied, opened, changed, created = events
    assert revoked["reason"] == "Sent to the wrong person"
    assert (denied["reason"], denied["address"]) == ("used-up", "192.0.2.7")
    assert (opened["actor"], opened["user-agent"]) == (None, "Browser/1")
    assert (changed["actor"], changed["user-agent"]) == (USER[0], "Script/2")
    assert (changed["address"], changed["details"]) == ("127.0.0.1", {"title": True})
    assert (created["actor"], created["address"]) == (USER[0], "127.0.0.1")
    assert created["studies"] == [STUDY.dicom_uid]
    numbers = [one["seq"] for one in events]
    assert numbers == sorted(numbers, reverse=True)


def test_events_are_read_page_by_page(site: Managed) -> None:
    share = site.share()
    for number in range(4):
        assert site.change(share, title=f"title {number}").status == 200
    everything = site.events(share)
    read: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = site.good("GET", f"/shares/{share}/events?limit=2{cursor}")
        read += page["events"]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert read == everything
    assert len(read) == 5


def test_a_change_is_answered_with_the_share(site: Managed) -> None:
    share = site.share(title="Knee", validity_duration=DAY)
    changed = site.change(
        share, title="Hip", max_openings=5, password=PASSWORD, validity_duration=60
    ).json
    assert (changed["title"], changed["max-openings"]) == ("Hip", 5)
    assert (changed["has-password"], changed["openings-left"]) == (True, 5)
    assert changed["expires"] == "2026-11-02T12:01:00+00:00"
    assert site.shown(share) == changed
    instant = "2026-12-24T18:00:00+01:00"
    changed = site.change(share, expiration_date=instant, title=None).json
    assert (changed["expires"], changed["title"]) == ("2026-12-24T17:00:00+00:00", None)
    assert changed["max-openings"] == 5
    freed = site.change(share, max_openings=None, password=None).json
    assert (freed["max-openings"], freed["has-password"]) == (None, False)
    for never in ({"expiration_date": None}, {"validity_duration": 0}):
        assert site.change(share, validity_duration=60).json["expires"]
        assert site.change(share, **never).json["expires"] is None
    assert site.change(share).json == site.shown(share)


def test_a_password_that_was_set_later_is_asked_for(site: Managed) -> None:
    made = site.service.made()
    site.change(made["share-id"], password=PASSWORD)
    link = {"token": made["token"]}
    assert site.good("POST", "/links/look", link)["needs-password"] is True
    refused = site.good("POST", "/links/open", link | {"password": "guess"})
    assert (refused["reason"], refused["tries-left"]) == ("wrong-password", 4)
    opened = site.good("POST", "/links/open", link | {"password": PASSWORD})
    assert opened["outcome"] == "opened"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"expiration_date": "2026-11-02T12:00:00Z"}, "invalid_lifetime"),
        ({"expiration_date": "1999-01-01"}, "invalid_lifetime"),
        ({"expiration_date": "soon"}, "invalid_request"),
        ({"validity_duration": -1}, "invalid_request"),
        ({"validity_duration": 4_000_000_000}, "invalid_request"),
        ({"validity_duration": 60, "expiration_date": None}, "invalid_request"),
        ({"max_openings": 0}, "invalid_request"),
        ({"max_openings": 1_000_001}, "invalid_request"),
        ({"max_openings": True}, "invalid_request"),
        ({"max_openings": "3"}, "invalid_request"),
        ({"password": "short"}, "invalid_request"),
        ({"password": "x" * 129}, "invalid_request"),
        ({"password": 123456}, "invalid_request"),
        ({"title": "x" * 256}, "invalid_request"),
        ({"title": "a\nb"}, "invalid_request"),
        ({"title": "a\u0000b"}, "invalid_request"),
        ({"title": 1}, "invalid_request"),
        ({"titel": "x"}, "invalid_request"),
        ({"creator": "me"}, "invalid_request"),
    ],
)
def test_a_change_that_cannot_be_is_refused_and_changes_nothing(
    change: dict[str, Any], expected: str, site: Managed
) -> None:
    share = site.share(title="Knee", validity_duration=DAY)
    before = site.shown(share)
    assert code(site.change(share, **change)) == (422, expected)
    assert site.shown(share) == before


def test_a_misspelt_member_is_told_what_there_is(site: Managed) -> None:
    refused = site.change(site.share(), max_opening=1)
    assert "max-openings" in refused.json["detail"]
    refused = site.get("/shares?state=active")
    assert refused.json["errors"][0]["location"] == "query"
    assert "status" in refused.json["detail"]


def test_a_guard_needs_a_link_that_ends_at_the_landing_page(site: Managed) -> None:
    link = site.share(kind="viewer-instant-link")
    for guard in ({"max_openings": 1}, {"password": PASSWORD}):
        refused = site.change(link, **guard)
        assert code(refused) == (422, "limit_not_enforceable")


def test_what_was_revoked_stays_so(site: Managed) -> None:
    share = site.share()
    first = site.good("DELETE", f"/shares/{share}", {"reason": "Wrong study"})
    assert first["status"] == "revoked"
    assert first["revoked"] == {
        "at": "2026-11-02T12:00:00+00:00",
        "by": USER[0],
        "reason": "Wrong study",
    }
    again = site.good("DELETE", f"/shares/{share}?reason=Another")
    assert again == first
    assert len(site.events(share)) == 2
    assert code(site.change(share, title="x")) == (409, "share_revoked")
    link = site.service.call("POST", f"/shares/{share}/link")
    assert code(link) == (409, "share_revoked")


@pytest.mark.parametrize("body", [None, {}, {"reason": None}])
def test_a_revocation_needs_no_reason(body: Any, site: Managed) -> None:
    revoked = site.good("DELETE", f"/shares/{site.share()}", body)
    assert revoked["revoked"]["reason"] is None


def test_a_reason_is_given_once(site: Managed) -> None:
    share = site.share()
    twice = site.service.call("DELETE", f"/shares/{share}?reason=a", {"reason": "a"})
    assert code(twice) == (422, "invalid_request")
    assert site.shown(share)["status"] == "active"


def test_a_revoked_link_opens_nothing(site: Managed) -> None:
    made = site.service.made()
    link = {"token": made["token"]}
    view = site.good("POST", "/links/look", link)["view"]
    site.good("DELETE", f"/shares/{made['share-id']}")
    refused = site.good("POST", "/links/look", link)
    assert (refused["outcome"], refused["reason"]) == ("refused", "revoked")
    with_view = site.good("POST", "/links/look", link | {"view": view})
    assert with_view["reason"] == "revoked"
    assert site.good("POST", "/links/open", link)["reason"] == "revoked"


def test_many_are_revoked_by_what_they_have_in_common(site: Managed) -> None:
    study = "1.2.276.0.99.77"
    shares = [site.share(resources=[resource(study_of(study))]) for _ in range(3)]
    site.good("DELETE", f"/shares/{shares[0]}?reason=first")
    selection = {"study": study, "reason": "Retracted"}
    counted = site.good("POST", "/shares/revoke", selection | {"dry-run": True})
    assert counted == {"revoked": 2, "dry-run": True}
    assert site.shown(shares[1])["status"] == "active"
    revoked = site.good("POST", "/shares/revoke", selection)
    assert revoked == {"revoked": 2, "dry-run": False}
    reasons = [site.shown(share)["revoked"]["reason"] for share in shares]
    assert reasons == ["first", "Retracted", "Retracted"]
    assert site.good("POST", "/shares/revoke", selection)["revoked"] == 0


def test_all_that_is_given_must_be_true_of_a_share_that_is_revoked(
    site: Managed,
) -> None:
    study = "1.2.276.0.99.78"
    share = site.share(resources=[resource(study_of(study))])
    earlier = (NOW - timedelta(seconds=1)).isoformat()
    others: list[dict[str, Any]] = [
        {"study": study, "creator": "nobody"},
        {"study": study, "created-before": earlier},
        {"study": study, "created-before": NOW.isoformat()},
        {"study": "1.2.3.4.5", "creator": USER[0]},
    ]
    for selection in others:
        assert site.good("POST", "/shares/revoke", selection)["revoked"] == 0
    assert site.shown(share)["status"] == "active"
    later = (NOW + timedelta(seconds=1)).isoformat()
    exact = {"study": study, "creator": USER[0], "created-before": later}
    assert site.good("POST", "/shares/revoke", exact)["revoked"] == 1


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ({}, "invalid_selection"),
        ({"reason": "x", "dry-run": True}, "invalid_selection"),
        ({"study": None, "creator": None}, "invalid_selection"),
        ({"study": ""}, "invalid_request"),
        ({"creator": ""}, "invalid_request"),
        ({"study": "1.2.3", "dryrun": True}, "invalid_request"),
        ({"study": "1.2.3", "dry_run": True}, "invalid_request"),
        ({"study": "1.2.3", "dry-run": "yes"}, "invalid_request"),
        ({"study": "1.2.3", "dry-run": None}, "invalid_request"),
        ({"study": ["1.2.3"]}, "invalid_request"),
        ({"study": "x" * 65}, "invalid_request"),
        ({"created-before": "yesterday"}, "invalid_request"),
        ({"created-before": 5}, "invalid_request"),
        ({"study": "1.2.3", "reason": "a\tb"}, "invalid_request"),
        ({"study": "1.2.3", "reason": "x" * 256}, "invalid_request"),
    ],
)
def test_a_selection_that_may_mean_something_else_revokes_nothing(
    selection: dict[str, Any], expected: str, site: Managed
) -> None:
    share = site.share(resources=[resource(study_of("1.2.3"))])
    refused = site.service.call("POST", "/shares/revoke", selection)
    assert code(refused) == (422, expected)
    assert site.shown(share)["status"] == "active"


def test_a_new_link_opens_as_the_old_one_does(site: Managed) -> None:
    share = site.share(max_openings=2)
    urls = [site.good("POST", f"/shares/{share}/link")["url"] for _ in range(2)]
    codes = [url.removeprefix(f"{PUBLIC}/welcome/s/") for url in urls]
    assert len(set(codes)) == 2
    for left, link_code in zip((2, 1), codes, strict=True):
        looked = site.good("POST", "/links/look", {"code": link_code})
        assert (looked["share-id"], looked["left"]) == (share, left)
        opened = site.good("POST", "/links/open", {"code": link_code})
        assert opened["outcome"] == "opened"


@pytest.mark.parametrize("form", ["svg", "png"])
def test_a_qr_code_holds_a_new_link_and_nothing_of_the_patient(
    form: str, site: Managed
) -> None:
    share = site.share(title="Title")
    answer = site.get(f"/shares/{share}/qr.{form}")
    assert answer.status == 200
    media_type = {"svg": "image/svg+xml", "png": "image/png"}[form]
    assert answer.headers["content-type"] == media_type
    assert answer.headers["cache-control"] == "no-store"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert b"Title" not in answer.raw
    assert STUDY.dicom_uid.encode() not in answer.raw
    if form == "png":
        (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(answer.raw)))
        link_code = found.text.removeprefix(f"{PUBLIC}/welcome/s/")
        looked = site.good("POST", "/links/look", {"code": link_code})
        assert looked["share-id"] == share
    assert [one["event"] for one in site.events(share)] == ["changed", "created"]


def test_who_asks_whether_there_is_a_qr_code_makes_no_link(site: Managed) -> None:
    share = site.share()
    for form in ("svg", "png"):
        answer = site.service.call("HEAD", f"/shares/{share}/qr.{form}")
        assert (answer.status, answer.raw) == (200, b"")
    assert [one["event"] for one in site.events(share)] == ["created"]
    missing = site.service.call("HEAD", f"/shares/{NO_SHARE}/qr.svg")
    assert missing.status == 404


def test_a_link_that_a_page_does_not_open_has_no_code(site: Managed) -> None:
    share = site.share(kind="viewer-instant-link")
    for method, path in (("POST", "link"), ("GET", "qr.svg"), ("GET", "qr.png")):
        refused = site.service.call(method, f"/shares/{share}/{path}")
        assert code(refused) == (422, "no_short_link")


@pytest.mark.parametrize(
    "odd",
    [
        NO_SHARE,
        "",
        "a%2Fb",
        "a%2Fevents",
        "a/b/c",
        "%00",
        "%FF",
        "%E2%80%AE",
        "..",
        "x" * 300,
        "%25",
        "'%20OR%201=1--",
    ],
)
def test_an_id_that_nothing_has_is_not_found(odd: str, site: Managed) -> None:
    base = f"/shares/{odd}"
    asked = [
        ("GET", base, None),
        ("PATCH", base, {"title": "x"}),
        ("DELETE", base, None),
        ("GET", f"{base}/events", None),
        ("POST", f"{base}/link", None),
        ("GET", f"{base}/qr.svg", None),
        ("GET", f"{base}/qr.png", None),
    ]
    for method, path, body in asked:
        answer = site.service.call(method, path, body)
        # Of `a%2Fevents` and the like, the last part is what is asked for.
        if method != "GET" and path.endswith("events"):
            assert answer.status == 405
        else:
            assert code(answer) == (404, "share_not_found"), (method, path)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/shares", "GET, PUT"),
        ("DELETE", "/shares", "GET, PUT"),
        ("POST", "/shares/x", "DELETE, GET, PATCH, PUT"),
        ("PUT", "/shares/x/events", "GET"),
        ("GET", "/shares/x/link", "POST"),
        ("DELETE", "/shares/x/qr.svg", "GET"),
        ("POST", "/shares/x/qr.png", "GET"),
        ("GET", "/shares/revoke", "POST"),
        ("PUT", "/shares/revoke", "POST"),
        ("DELETE", "/shares/revoke", "POST"),
        ("PUT", "/shares/news", "GET"),
        ("PATCH", "/shares/tallies", "POST"),
        ("GET", "/shares/validate", "POST"),
        ("DELETE", "/shares/validate", "POST"),
        ("PATCH", "/shares/decode", "POST"),
        ("GET", "/shares/profile", "POST"),
        ("DELETE", "/shares/roles", "GET, PUT"),
        ("GET", "/links/look", "POST"),
        ("PUT", "/links/open", "POST"),
    ],
)
def test_another_method_names_the_right_ones(
    method: str, path: str, allowed: str, site: Managed
) -> None:
    answer = site.service.call(method, path)
    assert answer.status == 405
    assert answer.headers["allow"] == allowed


def test_the_plugins_paths_are_no_shares(site: Managed) -> None:
    service = site.service
    token = service.token()
    assert service.is_granted(token) is True
    decoded = service.ask("/shares/decode", {"token-value": token})
    assert decoded["token-type"] == "stone-viewer-publication"
    assert service.ask("/shares/profile", {"token-value": token})["permissions"] == []
    assert site.get("/shares/roles").json["roles"] == {}
    made = service.call("PUT", "/shares/ohif-viewer-publication", {"studies": [IDS]})
    assert made.json["request"]["type"] == "ohif-viewer-publication"
    assert site.shown(made.json["share-id"])["type"] == "ohif-viewer-publication"


def test_news_and_counts_are_for_the_other_services(site: Managed) -> None:
    made = site.service.made(validity_duration=DAY)
    share, before = made["share-id"], site.good("GET", "/shares/news")["cursor"]
    site.change(share, max_openings=9)
    page = site.good("GET", f"/shares/news?cursor={before}")
    told = {
        "share-id": share,
        "revoked": False,
        "needs-landing": True,
        "expires": "2026-11-03T12:00:00Z",
    }
    assert page["news"] == [told]
    assert (page["more"], page["fresh-start"]) == (False, False)
    report = {
        "tallies": [
            {"share-id": share, "granted": 7, "denied": 2, "reasons": ["expired"]},
            {"share-id": NO_SHARE, "granted": 1},
            {"share-id": "\u0000é", "denied": 1},
        ],
        "views": [
            {"id": "view-1", "share-id": share, "at": "1999-01-01T00:00:00Z"},
            {"id": "view-2", "share-id": share, "at": "2999-01-01T00:00:00Z"},
            {"id": "view-3", "share-id": NO_SHARE},
        ],
    }
    assert site.good("POST", "/shares/tallies", report) == {"tallies": 3, "views": 3}
    shown = site.shown(share)
    assert (shown["granted"], shown["denied"]) == (7, 2)
    other = site.share()
    report = {"views": [{"id": "view-4", "share-id": other, "at": None}]}
    for _ in range(2):
        site.good("POST", "/shares/tallies", report)
    assert site.shown(other)["opened"] == 1


def test_a_site_without_a_page_gives_no_further_links(tmp_path: Path) -> None:
    with managed(tmp_path, public_landing_root=None) as site:
        share = site.share()
        refused = site.service.call("POST", f"/shares/{share}/link")
        assert code(refused) == (422, "no_short_link")
        guarded = site.change(share, max_openings=1)
        assert code(guarded) == (422, "limit_not_enforceable")


def test_the_sites_rule_for_the_end_of_shares_holds_for_changes(tmp_path: Path) -> None:
    with managed(
        tmp_path,
        allow_unlimited_shares=False,
        default_share_duration=timedelta(days=1),
    ) as site:
        share = site.share()
        for never in ({"expiration_date": None}, {"validity_duration": None}):
            assert code(site.change(share, **never)) == (422, "invalid_lifetime")
        assert site.shown(share)["expires"] == "2026-11-03T12:00:00+00:00"
    with managed(tmp_path, max_share_duration=timedelta(days=2)) as site:
        for much in ({"validity_duration": 9 * DAY}, {"expiration_date": None}):
            changed = site.change(share, **much).json
            assert changed["expires"] == "2026-11-04T12:00:00+00:00"


def test_a_trusted_proxy_tells_the_address(tmp_path: Path) -> None:
    with managed(tmp_path, trusted_proxies="127.0.0.1") as site:
        share = site.share()
        headers = {"X-Forwarded-For": "203.0.113.5"}
        site.service.call("PATCH", f"/shares/{share}", {"title": "x"}, headers)
        changed, created = site.events(share)
    assert changed["address"] == "203.0.113.5"
    assert created["address"] == "127.0.0.1"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/shares"),
        ("GET", "/shares?limit=x"),
        ("GET", f"/shares/{NO_SHARE}"),
        ("GET", f"/shares/{NO_SHARE}/events"),
        ("PATCH", f"/shares/{NO_SHARE}"),
        ("DELETE", f"/shares/{NO_SHARE}"),
        ("POST", "/shares/revoke"),
        ("POST", f"/shares/{NO_SHARE}/link"),
        ("GET", f"/shares/{NO_SHARE}/qr.svg"),
        ("GET", f"/shares/{NO_SHARE}/qr.png"),
        ("GET", "/audit/events"),
        ("POST", "/audit/verify"),
        ("POST", "/links/look"),
        ("POST", "/links/open"),
        ("GET", "/shares/news"),
        ("POST", "/shares/tallies"),
    ],
)
def test_a_site_without_registry_says_so(method: str, path: str) -> None:
    with running() as service:
        answer = service.call(method, path, {} if method == "POST" else None)
        assert code(answer) == (404, "registry_off")
        assert "REGISTRY=off" in answer.json["detail"]
