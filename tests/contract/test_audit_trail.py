"""The audit trail over HTTP: listed, and followed from event to event."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from orthanc_share.store.chain import START
from orthanc_share.store.store import open_store
from orthanc_share.store.verifying import Anchor
from tests.support.logs import collected_log
from tests.support.managed import Managed, managed
from tests.support.postgres import PostgreSQL
from tests.support.service import NOW, OTHER_STUDY, STUDY, resource
from tests.support.settings import USER
from tests.unit.shared.store.samples import drop_guards, run_sql
from token_service.routes import audit

BEGINNING = str(Anchor(0, START))
ANOTHER = "f" * 64


@dataclass(frozen=True)
class Trail:
    """A running service, and the address of its database.

    Args:
        site: The service.
        url: Of the database.
    """

    site: Managed
    url: str

    def events(self, query: str = "") -> list[dict[str, Any]]:
        """Return the first page of events."""
        found: list[dict[str, Any]]
        found = self.site.good("GET", f"/audit/events?{query}")["events"]
        return found

    def numbers(self, query: str) -> list[int]:
        """Return the numbers of the events of the first page."""
        return [one["seq"] for one in self.events(query)]

    def verdict(self, **members: Any) -> dict[str, Any]:
        """Return what is said of the trail."""
        return self.site.good("POST", "/audit/verify", members)

    def forge(self, *statements: str) -> None:
        """Change the database as its administrator could."""

        async def change() -> None:
            async with open_store(self.url) as store:
                await drop_guards(store)
                await run_sql(store, *statements)

        asyncio.run(change())


@pytest.fixture(params=["sqlite", "postgresql"])
def trail(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Trail]:
    """Run a service whose trail is empty."""
    url = f"sqlite:///{tmp_path / 'orthanc-share.sqlite'}"
    settings: dict[str, Any] = {}
    if request.param == "postgresql":
        server: PostgreSQL = request.getfixturevalue("postgres")
        url = settings["database_url"] = server.new_database()
    with managed(tmp_path, **settings) as site:
        yield Trail(site, url)


def test_events_of_all_shares_are_listed_earliest_first(trail: Trail) -> None:
    one = trail.site.share(id="order 7")
    trail.site.clock.now = NOW + timedelta(hours=1)
    other = trail.site.share(resources=[resource(OTHER_STUDY)])
    trail.site.good("DELETE", f"/shares/{one}")
    first, second, third = trail.events()
    assert first | {"hash": ""} == {
        "seq": 1,
        "at": "2026-11-02T12:00:00+00:00",
        "event": "created",
        "share": one,
        "actor": USER[0],
        "address": "127.0.0.1",
        "user-agent": first["user-agent"],
        "studies": [STUDY.dicom_uid],
        "reason": None,
        "details": first["details"],
        "hash": "",
    }
    assert (second["share"], second["seq"]) == (other, 2)
    assert (third["event"], third["share"]) == ("revoked", one)


def test_events_are_chosen_by_time_share_and_study(trail: Trail) -> None:
    one = trail.site.share()
    trail.site.clock.now = NOW + timedelta(hours=1)
    trail.site.share(resources=[resource(OTHER_STUDY)])
    trail.site.clock.now = NOW + timedelta(hours=2)
    trail.site.good("DELETE", f"/shares/{one}")
    assert trail.numbers("since=2026-11-02T13:00:00Z") == [2, 3]
    assert trail.numbers("until=2026-11-02T13:00:00Z") == [1]
    assert trail.numbers("since=2026-11-02T14:30:00%2B01:00") == [3]
    assert trail.numbers(f"share={one}") == [1, 3]
    assert trail.numbers("share=nothing") == []
    assert trail.numbers(f"study={OTHER_STUDY.dicom_uid}") == [2]
    both = f"study={STUDY.dicom_uid}&share={one}&since=2026-11-02T12:30:00Z"
    assert trail.numbers(both) == [3]


def test_events_are_read_page_by_page_and_none_is_left_out(trail: Trail) -> None:
    for _ in range(5):
        trail.site.share()
    pages: list[dict[str, Any]] = []
    query = "limit=2"
    while not pages or pages[-1]["next"]:
        pages.append(trail.site.good("GET", f"/audit/events?{query}"))
        query = f"limit=2&cursor={pages[-1]['next']}"
    found = [[one["seq"] for one in page["events"]] for page in pages]
    assert found == [[1, 2], [3, 4], [5]]


@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=501", "limit=x", "since=x", "until=2026-13-01", "share="),
        *("study=", "study=abc", "study=*", "study=1..2", "shares=x", "cursor=x"),
        "cursor=1",
    ],
)
def test_a_wrong_question_is_refused(query: str, trail: Trail) -> None:
    answer = trail.site.get(f"/audit/events?{query}")
    assert answer.status == 422
    assert answer.json["detail"]


def test_hashed_studies_are_found_by_their_uid(tmp_path: Path) -> None:
    key = "wQ7mZ2rXc9LtK4vB8nY1sHd6GfUp3EaJ"  # made up, for tests only
    with managed(tmp_path, audit_key=SecretStr(key), audit_studies="hashed") as site:
        share = site.share()
        uid = STUDY.dicom_uid
        (found,) = site.good("GET", f"/audit/events?study={uid}")["events"]
        assert found["share"] == share
        assert uid not in str(found)
        assert site.good("POST", "/audit/verify", {})["intact"] is True


def test_an_untouched_trail_is_intact(trail: Trail) -> None:
    intact = {"intact": True, "more": False, "seq": None, "problem": None}
    assert trail.verdict() == intact | {"anchor": BEGINNING}
    trail.site.share()
    trail.site.share()
    last = trail.events()[-1]
    anchor = f"2:{last['hash']}"
    assert trail.verdict() == intact | {"anchor": anchor}
    assert trail.verdict(anchors=[anchor, BEGINNING]) == intact | {"anchor": anchor}
    assert trail.verdict(after=anchor) == intact | {"anchor": anchor}
    without_body = trail.site.service.call("POST", "/audit/verify")
    assert without_body.json == intact | {"anchor": anchor}


def test_a_long_trail_is_followed_part_by_part(
    trail: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "STEP_MAX", 2)
    for _ in range(5):
        trail.site.share()
    noted = f"4:{trail.events()[3]['hash']}"
    first = trail.verdict(anchors=[noted])
    second = trail.verdict(after=first["anchor"], anchors=[noted])
    third = trail.verdict(after=second["anchor"], anchors=[noted])
    assert first["anchor"].startswith("2:")
    assert second["anchor"] == noted
    assert third["anchor"].startswith("5:")
    assert [one["more"] for one in (first, second, third)] == [True, True, False]
    trail.forge("UPDATE audit_event SET actor = 'mallory' WHERE seq = 5")
    assert trail.verdict(after=BEGINNING)["intact"] is True
    verdict = trail.verdict(after=noted)
    assert (verdict["intact"], verdict["seq"]) == (False, 5)


def test_a_changed_event_is_found_and_noted_in_the_log(trail: Trail) -> None:
    for _ in range(3):
        trail.site.share()
    trail.forge("UPDATE audit_event SET actor = 'mallory' WHERE seq = 2")
    with collected_log() as log:
        verdict = trail.verdict()
    assert verdict == {
        "intact": False,
        "anchor": None,
        "more": False,
        "seq": 2,
        "problem": "an event was changed, or put in another place",
    }
    (line,) = log.entries("audit trail broken")
    assert (line["level"], line["event"], line["caller"]) == ("error", 2, USER[0])


@pytest.mark.parametrize("seq", [1, 7], ids=["another", "gone"])
def test_what_somebody_made_up_raises_no_alarm(trail: Trail, seq: int) -> None:
    with collected_log() as log:
        trail.verdict(anchors=[f"{seq}:{ANOTHER}"])
    (line,) = log.entries("audit trail broken")
    assert line["level"] == "warning"


@pytest.mark.parametrize("place", ["after", "anchors"])
def test_what_was_noted_and_is_another_or_gone_is_found(
    place: str, trail: Trail
) -> None:
    trail.site.share()
    for anchor, seq in ((f"1:{ANOTHER}", 1), (f"7:{ANOTHER}", 2), (f"0:{ANOTHER}", 0)):
        given = anchor if place == "after" else [anchor]
        verdict = trail.verdict(**{place: given})
        assert (verdict["intact"], verdict["seq"]) == (False, seq)
        assert "noted" in verdict["problem"]


@pytest.mark.parametrize(
    "body",
    [
        {"after": ""},
        {"after": "1"},
        {"after": "x:y"},
        {"after": f"-1:{ANOTHER}"},
        {"after": 1},
        {"after": None},
        {"after": {"seq": 1, "hash": "x"}},
        {"anchors": "x"},
        {"anchors": None},
        {"anchors": [""]},
        {"anchors": [1]},
        {"anchors": [[BEGINNING]]},
        {"anchors": [BEGINNING] * 1001},
        {"after": f"2:{ANOTHER}", "anchors": [f"1:{ANOTHER}"]},
        {"anchor": BEGINNING},
    ],
    ids=json.dumps,
)
def test_a_wrong_request_is_refused(body: dict[str, Any], trail: Trail) -> None:
    answer = trail.site.service.call("POST", "/audit/verify", body)
    assert answer.status == 422
    assert answer.json["detail"]
