"""The demo notices when a link does not do what it says."""

from dataclasses import replace
from typing import Any

import pytest

from demo import links
from demo.calls import Reply
from demo.links import DOWNLOAD, PUBLICATION, Links, Service, check, make_links
from demo.processes import StartError
from demo.sample_data import CT_STUDY, OTHER_STUDY
from demo.suite_server import Addresses

ADDRESSES = Addresses(
    landing="http://landing/",
    orthanc="http://orthanc/",
    ohif="http://ohif/",
    anonymizer="http://anonymizer/",
    orthanc_behind="http://behind/",
)
SERVICE = Service("http://service/", ("demo", "secret"))
STUDIES = b'[{"0020000D": {"Value": ["2.25.1"]}, "name": "Anonymous"}]'


class World:
    """Token-service, landing page, viewer and Orthancs, as one table of answers."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.making = 200
        self.landing = 303
        self.viewer = 200
        self.own = 200
        self.own_by_anonymized = 403
        self.other = 403
        self.hidden = 303
        self.anonymizer = 200
        self.seen = STUDIES
        self.found = b'[{"ID": "1-2"}]'
        self.expired = [303, 410]

    def call(self, method: str, url: str, body: Any = None, **more: Any) -> Reply:
        """Answer as `demo.calls.call`."""
        if method == "PUT":
            self.asked.append(body)
            kind = "expired" if body["validity-duration"] == 1 else "live"
            token = "t"
            if body["anonymized"]:
                kind, token = "hidden", "a"
            made = (
                f'{{"url": "http://landing/{kind}?token={token}", "token": "{token}"}}'
            )
            return Reply(self.making, {}, made.encode())
        if url == "http://anonymizer/dicom-web/studies":
            return Reply(self.anonymizer, {}, self.seen)
        if url == "http://anonymizer/tools/lookup":
            return Reply(200, {}, self.found)
        is_anonymized = more.get("headers") == {"Authorization": "Bearer a"}
        return Reply(self.status(url, is_anonymized), {"location": "/viewer"}, b"")

    def status(self, url: str, is_anonymized: bool) -> int:  # noqa: FBT001
        """Return the status of a page."""
        if "/expired" in url:
            return self.expired.pop(0) if len(self.expired) > 1 else self.expired[0]
        table = {
            CT_STUDY.study_uid: self.own_by_anonymized if is_anonymized else self.own,
            OTHER_STUDY.study_uid: self.other,
            "/viewer": self.viewer,
            "/archive?token=t": self.viewer,
            "/archive?token=a": self.hidden,
            "/live": self.landing,
            "/hidden": self.hidden,
        }
        return next(status for part, status in table.items() if part in url)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    monkeypatch.setattr(links, "call", world.call)
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    return world


def made(*, viewer: bool = True, with_nginx: bool = True) -> Links:
    addresses = ADDRESSES if viewer else replace(ADDRESSES, ohif=None)
    return make_links(SERVICE, addresses, with_nginx=with_nginx)


def test_links_and_an_expired_one_are_made(world: World) -> None:
    found = made()
    assert [body["type"] for body in world.asked] == [PUBLICATION] * 3
    assert [body["anonymized"] for body in world.asked] == [False, True, False]
    assert found.live[0].url == "http://landing/live?token=t"
    assert found.anonymized.url == "http://landing/hidden?token=a"
    assert found.expired.url == "http://landing/expired?token=t"
    assert check(found, ADDRESSES) == []


def test_without_viewer_the_links_are_downloads(world: World) -> None:
    world.hidden = 200
    found = made(viewer=False)
    assert found.share_type == DOWNLOAD
    archive = f"http://orthanc/studies/{CT_STUDY.orthanc_id}/archive?token=t"
    assert found.live[0].url == archive
    assert found.anonymized.url == "http://anonymizer/studies/1-2/archive?token=a"
    assert world.asked[2]["type"] == "stone-viewer-publication"
    assert check(found, ADDRESSES) == []


def test_without_nginx_ohif_cannot_read_the_anonymizer(world: World) -> None:
    world.hidden = 200
    found = made(with_nginx=False)
    assert found.share_type == PUBLICATION
    assert found.anonymized.url == "http://anonymizer/studies/1-2/archive?token=a"
    assert check(found, ADDRESSES) == []


def test_a_service_that_refuses_stops_the_demo(world: World) -> None:
    world.making = 401
    with pytest.raises(StartError, match="401"):
        made()


@pytest.mark.parametrize(("anonymizer", "found"), [(503, b"{}"), (200, b"[]")])
def test_an_anonymizer_that_shows_nothing_stops_the_demo(
    world: World, anonymizer: int, found: bytes
) -> None:
    world.anonymizer, world.found = anonymizer, found
    with pytest.raises(StartError, match="anonymizer"):
        made(viewer=False)


@pytest.mark.parametrize(
    ("part", "answer", "problem"),
    [
        ("landing", 404, "opens nothing"),
        ("own", 403, "the study cannot be read"),
        ("other", 200, "another study is not refused"),
        ("hidden", 404, "de-identified, in OHIF: opens nothing"),
        ("anonymizer", 503, "de-identified, in OHIF: the study cannot be read"),
        ("seen", b'"Anonymous DEMO^CT"', "the patient is named"),
        ("own_by_anonymized", 200, "the study itself is not refused"),
        ("expired", [303], "is not gone"),
    ],
)
def test_whatever_is_wrong_is_told(
    part: str, answer: Any, problem: str, world: World
) -> None:
    found = made()
    setattr(world, part, answer)
    (told,) = check(found, ADDRESSES)
    assert problem in told


def test_a_viewer_that_is_down_is_told_for_each_link(world: World) -> None:
    found = made()
    world.viewer = 502
    told = check(found, ADDRESSES)
    assert [one.rpartition(": ")[2] for one in told] == ["opens nothing"] * 2


def test_tokens_and_passwords_are_not_shown(world: World) -> None:
    assert world.asked == []
    assert "token=" not in repr(made())
    assert "secret" not in repr(SERVICE)
    assert "-u demo:secret" in SERVICE.curl(PUBLICATION)  # but for people who copy it
