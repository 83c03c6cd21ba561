"""Every recorded creation of a token, sent as the plugin sends it."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.answers import complaints
from tests.support.replay import Line, case_of, lines, replay
from tests.support.service import NOW, Service
from tests.support.settings import PUBLIC
from tests.support.tokens import expiry_of

CREATIONS = [
    *lines("create"),
    *(
        line
        for line in lines("oe2-browser")
        if line.method == "PUT" and "/tok" in line.path
    ),
]
LANDING = f"{PUBLIC}/welcome/?token="

REFUSED = {
    "shares-stone-viewer-publication-empty-object": 422,
    "shares-nologin-stone-viewer-publication-resources-missing": 422,
    "legacy-five-urls-stone-viewer-publication-empty-resources": 422,
    "create-only-stone-viewer-publication-empty-list": 422,
    "create-only-stone-viewer-publication-resource-without-any-id": 422,
    "legacy-five-urls-stone-viewer-publication-series-level": 422,
    "create-only-stone-viewer-publication-level-instance": 422,
    "create-only-stone-viewer-publication-level-patient": 422,
    "create-only-stone-viewer-publication-level-series": 422,
    "create-only-stone-viewer-publication-level-system": 422,
    "create-only-stone-viewer-publication-unknown-level": 422,
    "legacy-five-urls-stone-viewer-publication-no-dicomuid": 422,
    "create-only-stone-viewer-publication-no-level-1": 422,
    "create-only-stone-viewer-publication-only-orthancid": 422,
    "create-only-stone-viewer-publication-dicomuid-with-odd-characters": 422,
    "create-only-stone-viewer-publication-expiration-date-is-no-date": 422,
    "create-only-stone-viewer-publication-expiration-date-number-becomes-text": 422,
    "create-only-stone-viewer-publication-expiration-date-in-the-past": 422,
    # Types that nobody knows, or that are other routes
    "all-levels-something-else": 422,
    "create-only-something-else": 422,
    "create-only-stone-viewer-publication": 422,  # STONE-viewer-publication
    "create-only-c3-bc": 422,
    "create-only-a-b": 422,
    "create-only-a-x-1": 422,
    "create-only-invalid": 422,
    "create-only-decode": 405,
    "create-only-validate": 405,
}
"""Status of the recorded requests that cannot be served."""

MADE = [line for line in CREATIONS if line.case not in REFUSED]


def expected_expiry(line: Line) -> datetime | None:
    """Return when the share of a line ends (protocol J.10)."""
    stated = line.body.get("expiration-date")
    if stated is not None:
        end = datetime.fromisoformat(stated).replace(microsecond=0)
        return end.replace(tzinfo=UTC) if end.tzinfo is None else end.astimezone(UTC)
    seconds = line.body.get("validity-duration")
    if seconds is None or seconds > 36525 * 86400:
        return None  # the plugin's uninitialised memory
    return NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "line",
    [one for one in MADE if one.has_login or "meddream" not in one.path],
    ids=case_of,
)
def test_a_share_is_made_with_the_link_and_the_expiry_that_were_asked_for(
    line: Line, asked: Service
) -> None:
    answer = replay(asked.base, line)
    assert complaints("create", answer) == []
    made = answer.json
    token, kind = made["token"], line.body["type"]
    if kind.endswith("-publication"):
        assert made["url"] == LANDING + token
    elif kind == "meddream-instant-link":
        assert made["url"].startswith(f"{PUBLIC}/meddream/?study=1.2.826.")
    else:
        assert made["url"] is None
    expected = expected_expiry(line)
    stated = made["request"]["expiration-date"]
    assert stated == (expected and expected.isoformat())
    if kind != "meddream-instant-link":
        assert expiry_of(token) == expected


@pytest.mark.parametrize(
    "line", [one for one in CREATIONS if one.case in REFUSED], ids=case_of
)
def test_what_cannot_be_served_is_a_problem_with_a_text(
    line: Line, asked: Service
) -> None:
    answer = replay(asked.base, line)
    assert answer.status == REFUSED[line.case]
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["detail"]


@pytest.mark.parametrize(
    "line",
    [one for one in MADE if not one.has_login and "meddream" in one.path],
    ids=case_of,
)
def test_meddream_where_it_is_not_set_up_is_a_problem(
    line: Line, open_service: Service
) -> None:
    answer = replay(open_service.base, line)
    assert answer.status == 422
    assert answer.json["code"] == "share_type_disabled"


@pytest.mark.parametrize(
    "line", [one for one in CREATIONS if not one.has_login], ids=case_of
)
def test_a_plugin_without_login_gets_401_where_a_login_is_wanted(
    line: Line, service: Service
) -> None:
    assert replay(service.base, line).status == 401


def test_every_refusal_is_one_of_the_recording() -> None:
    assert REFUSED.keys() <= {line.case for line in CREATIONS}
