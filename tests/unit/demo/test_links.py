"""The demo notices when a link does not do what it says."""

from typing import Any

import pytest

from demo import links
from demo.calls import Reply
from demo.links import DOWNLOAD, PUBLICATION, Links, Service, check, make_links
from demo.processes import StartError
from demo.sample_data import CT_STUDY, OTHER_STUDY

ORTHANC = "http://orthanc/"
SERVICE = Service("http://service/", ("demo", "secret"))


class World:
    """Token-service, landing page, viewer and Orthanc, as one table of answers."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.making = 200
        self.landing = 303
        self.viewer = 200
        self.own = 200
        self.other = 403
        self.expired = [303, 410]

    def call(self, method: str, url: str, body: Any = None, **_more: Any) -> Reply:
        """Answer as `demo.calls.call`."""
        if method == "PUT":
            self.asked.append(body)
            kind = "expired" if body["validity-duration"] == 1 else "live"
            made = f'{{"url": "http://landing/{kind}?token=t", "token": "t"}}'
            return Reply(self.making, {}, made.encode())
        return Reply(self.status(url), {"location": "/viewer"}, b"")

    def status(self, url: str) -> int:
        """Return the status of a page."""
        if "/expired" in url:
            return self.expired.pop(0) if len(self.expired) > 1 else self.expired[0]
        table = {
            CT_STUDY.study_uid: self.own,
            OTHER_STUDY.study_uid: self.other,
            "/viewer": self.viewer,
            "/archive?token=t": self.viewer,
            "/live": self.landing,
        }
        return next(status for part, status in table.items() if part in url)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    monkeypatch.setattr(links, "call", world.call)
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    return world


def made(*, viewer: bool = True) -> Links:
    return make_links(SERVICE, ORTHANC, viewer=viewer)


def test_a_link_and_an_expired_one_are_made(world: World) -> None:
    found = made()
    assert [body["type"] for body in world.asked] == [PUBLICATION] * 2
    assert found.live[0].url == "http://landing/live?token=t"
    assert found.expired.url == "http://landing/expired?token=t"
    assert check(found, ORTHANC) == []


def test_without_viewer_the_link_is_a_download(world: World) -> None:
    found = made(viewer=False)
    assert found.share_type == DOWNLOAD
    archive = f"{ORTHANC}studies/{CT_STUDY.orthanc_id}/archive?token=t"
    assert found.live[0].url == archive
    assert world.asked[1]["type"] == "stone-viewer-publication"
    assert check(found, ORTHANC) == []


def test_a_service_that_refuses_stops_the_demo(world: World) -> None:
    world.making = 401
    with pytest.raises(StartError, match="401"):
        made()


@pytest.mark.parametrize(
    ("part", "answer", "problem"),
    [
        ("landing", 404, "opens nothing"),
        ("viewer", 502, "opens nothing"),
        ("own", 403, "the study cannot be read"),
        ("other", 200, "another study is not refused"),
        ("expired", [303], "is not gone"),
    ],
)
def test_whatever_is_wrong_is_told(
    part: str, answer: int | list[int], problem: str, world: World
) -> None:
    found = made()
    setattr(world, part, answer)
    (told,) = check(found, ORTHANC)
    assert problem in told


def test_tokens_and_passwords_are_not_shown(world: World) -> None:
    assert world.asked == []
    assert "token=t" not in repr(made())
    assert "secret" not in repr(SERVICE)
    assert "-u demo:secret" in SERVICE.curl(PUBLICATION)  # but for people who copy it
