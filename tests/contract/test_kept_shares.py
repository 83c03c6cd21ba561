"""Shares that are kept: what creation takes and refuses, and what revocation does."""

import asyncio
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from orthanc_share.store.records import Changes, Origin, StoredShare
from orthanc_share.store.store import Store, open_store
from tests.support.service import (
    NOW,
    PUBLICATION,
    STUDY,
    MovableClock,
    Service,
    resource,
    running,
)
from tests.support.tokens import codec
from token_service.registry_settings import DATABASE_FILE

STAFF = Origin("somebody")
PASSWORD = "a fine password"  # of nobody
LIMITS = [{"max-openings": 3}, {"password": PASSWORD}]


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def service(tmp_path: Path, clock: MovableClock) -> Iterator[Service]:
    with running(clock, registry=True, data_dir=tmp_path / "data") as made:
        yield made


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'data' / DATABASE_FILE}"


def stored(url: str, share_id: str) -> StoredShare:
    async def get() -> StoredShare:
        async with open_store(url) as store:
            return await store.shares.get(share_id)

    return asyncio.run(get())


def change(url: str, share_id: str, changes: Changes | None) -> None:
    """Change a share, or take it back, as another process would."""

    async def apply(store: Store) -> None:
        if changes is None:
            await store.revoker.revoke(share_id, now=NOW, origin=STAFF)
        else:
            await store.shares.change(share_id, changes, now=NOW, origin=STAFF)

    async def run() -> None:
        async with open_store(url) as store:
            await apply(store)

    asyncio.run(run())


def wait_for(service: Service, token: str, *, granted: bool) -> None:
    """Wait until the service has heard; five seconds are far too long."""
    for _ in range(100):
        if service.is_granted(token) is granted:
            return
        time.sleep(0.05)
    raise AssertionError


def test_a_share_is_kept_before_its_link_is_given_out(
    service: Service, url: str
) -> None:
    made = service.made(
        id="referral-0815",
        title="  Second opinion ",
        max_openings=3,
        password=PASSWORD,
        not_before="2026-11-03T00:00:00Z",
        validity_duration=864_000,
    )
    kept = stored(url, made["share-id"])
    assert kept.creator == "share-user"
    assert (kept.label, kept.title) == ("referral-0815", "Second opinion")
    assert kept.max_openings == 3
    assert kept.password_hash is not None
    assert kept.password_hash.startswith("$argon2id$")
    assert kept.share.not_before == NOW.replace(day=3, hour=0)
    assert kept.share.expires_at == NOW + timedelta(days=10)
    assert PASSWORD not in str(made)


def test_the_database_is_for_this_account_alone(service: Service, url: str) -> None:
    service.made()
    file = Path(url.removeprefix("sqlite:///"))
    assert file.parent.stat().st_mode & 0o077 == 0
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("limit", LIMITS)
def test_the_long_token_of_a_limited_share_opens_nothing_by_itself(
    service: Service, limit: dict[str, Any]
) -> None:
    made = service.made(**limit)
    assert not service.is_granted(made["token"])
    decoded = service.decode(made["token"])
    assert decoded["resources"] == []
    assert decoded["redirect-url"] is None
    share = codec().read(made["token"])
    view = codec().sign_view(share, "view-1", NOW, timedelta(hours=1))
    assert service.is_granted(view)


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("kind", ["viewer-instant-link", "download-instant-link"])
def test_a_link_that_nobody_would_ask_about_takes_no_limit(
    service: Service, limit: dict[str, Any], kind: str
) -> None:
    answer = service.create(kind, **limit)
    assert answer.status == 422
    assert answer.json["code"] == "limit_not_enforceable"


@pytest.mark.parametrize("limit", LIMITS)
def test_without_landing_page_or_registry_there_are_no_limits(
    tmp_path: Path, limit: dict[str, Any]
) -> None:
    without_page = {"registry": True, "data_dir": tmp_path, "public_landing_root": None}
    for settings in (without_page, {"registry": False}):
        with running(**settings) as service:
            answer = service.create(**limit)
        assert answer.status == 422
        assert answer.json["code"] == "limit_not_enforceable"


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("title", 7),
        ("title", "x" * 256),
        ("title", "line\nbreak"),
        ("title", "\ud800"),
        ("max-openings", 0),
        ("max-openings", -1),
        ("max-openings", 1_000_001),
        ("max-openings", "3"),
        ("max-openings", 2.5),
        ("max-openings", True),
        ("password", "short"),
        ("password", "x" * 129),
        ("password", 1234567),
        ("password", "\ud800" * 8),
        ("not-before", "soon"),
        ("not-before", 1_900_000_000),
    ],
)
def test_what_is_wrong_is_said_without_repeating_it(
    service: Service, member: str, value: Any
) -> None:
    answer = service.create(**{member.replace("-", "_"): value})
    assert answer.status in {400, 422}, answer.raw
    assert answer.json["code"] in {"invalid_request", "unreadable_body"}
    if isinstance(value, str) and member == "password":
        assert value.encode("utf-8", "replace") not in answer.raw


@pytest.mark.parametrize("path", ["/shares", f"/shares/{PUBLICATION}"])
@pytest.mark.parametrize(
    ("members", "meant"),
    [
        ({"max-openings": None, "max_openings": 3}, "max-openings"),
        ({"max-opening": 3}, "max-openings"),
        ({"maxOpenings": 3}, "max-openings"),
        ({"Password": PASSWORD}, "password"),
    ],
)
def test_a_limit_that_would_be_passed_over_is_refused(
    service: Service, path: str, members: dict[str, Any], meant: str
) -> None:
    body = {"type": PUBLICATION, "dicom-uid": STUDY.dicom_uid, **members}
    answer = service.call("PUT", path, body)
    assert answer.status == 422
    assert answer.json["code"] == "invalid_request"
    assert meant in answer.json["errors"][0]["message"]
    assert PASSWORD.encode() not in answer.raw
    assert service.call("GET", "/shares").json["shares"] == []


def test_the_plugins_words_are_looked_at_too(service: Service) -> None:
    body = {"resources": [resource()], "max-opening": 3}
    answer = service.call("PUT", f"/tokens/{PUBLICATION}", body)
    assert (answer.status, answer.json["code"]) == (422, "invalid_request")


def test_a_share_cannot_end_before_it_starts(service: Service) -> None:
    answer = service.create(not_before="2027-01-01", validity_duration=60)
    assert answer.status == 422
    assert answer.json["code"] == "invalid_lifetime"


def test_a_share_with_a_later_start_opens_nothing_before(
    service: Service, clock: MovableClock
) -> None:
    token = service.token(not_before="2026-11-03T00:00:00Z")
    assert not service.is_granted(token)
    clock.move(86_400)
    assert service.is_granted(token)


def test_a_revoked_share_opens_nothing_any_more(service: Service, url: str) -> None:
    made = service.made()
    assert service.is_granted(made["token"])
    change(url, made["share-id"], None)
    wait_for(service, made["token"], granted=False)
    decoded = service.decode(made["token"])
    assert (decoded["error-code"], decoded["resources"]) == ("expired", [])


def test_a_later_end_holds_for_links_that_are_out(
    service: Service, url: str, clock: MovableClock
) -> None:
    made = service.made(validity_duration=3600)
    clock.move(7200)
    assert not service.is_granted(made["token"])
    end = clock.now + timedelta(hours=1)
    change(url, made["share-id"], Changes(expires_at=end))
    wait_for(service, made["token"], granted=True)


def test_a_password_given_later_shuts_the_long_token(
    service: Service, url: str
) -> None:
    made = service.made()
    change(url, made["share-id"], Changes(password_hash="$argon2id$"))
    wait_for(service, made["token"], granted=False)


def test_decisions_are_kept_no_longer_than_a_revocation_may_take(
    tmp_path: Path,
) -> None:
    lag = timedelta(seconds=7)
    settings: dict[str, Any] = {"data_dir": tmp_path, "revocation_lag": lag}
    with running(registry=True, **settings) as service:
        token = service.token()
        asked = {"token-key": "token", "token-value": token}
        answer = service.ask(
            "/tokens/validate",
            asked | {"method": "get", "level": "study", "dicom-uid": "1.2.276.0.99.1"},
        )
    assert answer == {"granted": True, "validity": 7}


def test_short_links_hold_neither_token_nor_uid(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"data_dir": tmp_path, "link_style": "short"}
    with running(registry=True, **settings) as service:
        made = service.made()
        instant = service.made("viewer-instant-link")
    root, _, code = made["url"].rpartition("/")
    assert root == "https://share.example.org/welcome/s"
    assert len(code) == 22
    assert instant["url"] is None
    assert made["token"] not in made["url"]


def test_readiness_tells_of_the_registry(service: Service) -> None:
    ready = service.call("GET", "/ready")
    assert ready.json["dependencies"] == {"registry": "ok"}
