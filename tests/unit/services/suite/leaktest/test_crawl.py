"""A crawl counts what it asks, and tells on which route what came out."""

import pytest

from suite.leaktest.collect import collected
from suite.leaktest.crawl import crawl
from suite.leaktest.needles import Kind, Needle
from suite.leaktest.odd import FOREIGN_MAX, foreign_requests
from suite.leaktest.requests import Ask
from suite.leaktest.routes import Route
from suite.leaktest.scan import Scanner
from suite.leaktest.transport import site
from suite.leaktest.world import Instance, Series, Study, World
from tests.unit.services.suite.leaktest.site import clean, running

SECRET = Needle("QZSECRET", Kind.TEXT, "PatientName")
METADATA = "/dicom-web/studies/2.25.1111111111/metadata"


@pytest.mark.parametrize("filling", ["", "x" * 2000])
def test_a_leak_is_counted_on_its_route(filling: str) -> None:
    shown = clean()
    shown.known["00100010"] = {"vr": "PN", "Value": [f"{filling} QZSECRET"]}
    asks = [Ask("metadata", METADATA), Ask("metadata", METADATA), Ask("none", "/none")]
    with running(shown) as url, site(url) as asked:
        outcome = crawl(asked, asks, Scanner([SECRET]))
    assert outcome.found_on("metadata") == 2
    assert outcome.found_on("none") == 0
    assert outcome.answered == {"metadata"}
    assert outcome.requests == {"metadata": 2, "none": 1}
    assert outcome.statuses == {("metadata", 200): 2, ("none", 404): 1}
    assert outcome.scanned > 2 * len(filling)
    assert "QZSECRET" not in repr(outcome)


def test_foreign_requests_end_at_their_limit() -> None:
    instances = tuple(
        Instance(f"1.2.{n}", f"id-{n}", "1.2.840.10008.5.1.4.1.1.2", 1, f"/{n}")
        for n in range(2 * FOREIGN_MAX)
    )
    series = Series("1.3", "series-id", "/series", instances)
    world = World((Study("1.4", "study-id", "patient-id", "/study", (series,)),))
    asks = list(foreign_requests(world, [Route("/instances/{id}")]))
    assert len(asks) == FOREIGN_MAX


def test_what_is_no_text_is_not_collected() -> None:
    nothing = {"vr": "LO", "Value": [None, {"Alphabetic": None}]}
    no_vr = {"Value": ["a text without a VR"]}
    world = World((), ({"00100020": nothing, "00100021": no_vr},))
    assert not collected(world)


def test_short_parts_of_a_name_are_looked_for_as_a_whole_only() -> None:
    name = {"vr": "PN", "Value": ["Li^Wu"]}
    assert [one.value for one in collected(World((), ({"00100010": name},)))] == [
        "Li^Wu"
    ]
