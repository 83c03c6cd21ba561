"""The anonymizer before a real Orthanc that holds a hostile corpus: nothing gets out.

`tests/support/corpus` says what is tried. Everything that identifies is known there
value by value, so that each answer can be searched for all of it.
"""

import io
import logging
from collections.abc import Iterator

import pytest
from pydicom import dcmread

from anonymizer.routes import ROUTES as SERVED
from orthanc_share.deidentification.identifiers import SharePseudonyms
from orthanc_share.domain.share import Flavour
from suite.leaktest.crawl import Leak, Outcome, crawl
from suite.leaktest.needles import Haystack
from suite.leaktest.odd import foreign_requests, odd_requests
from suite.leaktest.requests import (
    every_accept,
    every_query,
    narrow,
    requests,
    sample,
    sensitive_bulk,
)
from suite.leaktest.routes import (
    DICOM_WEB_ROUTES,
    FOREIGN_ROUTES,
    HEADER_ACCEPTS,
    ROUTES,
    SERVED_ROUTES,
    Route,
)
from suite.leaktest.scan import Answer, Scanner
from suite.leaktest.world import World, explore
from tests.support.corpus.study import Shown
from tests.support.leaks import (
    LeakSite,
    blocked_but_shown,
    kept_elements,
    leak_site,
    oracles,
    own_uids,
    share_id,
)
from tests.support.logs import CollectedLog, collected_log
from tests.support.settings import DEIDENTIFICATION_KEY

NOT_IN_ORTHANC = (
    "thumbnail",
    "ohif-dicom-json",
    "osimis-viewer",
    "/dicom-web/series",
    "/dicom-web/instances",
)
"""Routes of plugins, or of versions, that Debian's Orthanc has not."""

WITHOUT_IDENTITY = ("rendered", "preview", "/raw", "/pdf", "/system", "/frames/")
"""Routes on which even Orthanc tells no canary of the corpus, but in pixels."""

CLEAN_STATUSES = {200, 206, 304, 400, 401, 403, 404, 405, 406, 501}


@pytest.fixture(scope="module")
def log() -> Iterator[CollectedLog]:
    with collected_log() as lines:
        yield lines


@pytest.fixture(scope="module")
def site(
    log: CollectedLog, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LeakSite]:
    assert log.text is not None
    with leak_site(tmp_path_factory.mktemp("leaks")) as running:
        yield running


@pytest.fixture(scope="module")
def scanner(site: LeakSite) -> Scanner:
    return site.scanner()


@pytest.fixture(scope="module")
def shown(site: LeakSite) -> World:
    """What the share shows."""
    return explore(site.share())


def told(leaks: list[Leak]) -> str:
    """Return what came out where, each value once."""
    lines = {leak.to_text(shows_value=True) for leak in leaks}
    return "\n".join(sorted(lines)[:50])


def test_the_share_shows_the_study_and_no_other(site: LeakSite, shown: World) -> None:
    assert len(shown.studies) == 1
    assert len(list(shown.instances)) == len(list(site.raw.instances))
    assert shown.uids.isdisjoint(site.raw.uids | site.second.uids)
    assert shown.ids.isdisjoint(site.raw.ids | site.second.ids)


def test_orthanc_takes_the_whole_corpus(site: LeakSite) -> None:
    assert not site.refused


def test_the_same_search_finds_something_on_the_routes_of_the_raw_orthanc(
    site: LeakSite, scanner: Scanner
) -> None:
    """Positive control: a scanner that finds nothing would look like success."""
    routes = [route for route in ROUTES if tells_identity(route)]
    outcome = crawl(site.orthanc, requests(narrow(site.second), routes), scanner)
    silent = [one.template for one in routes if not outcome.found_on(one.template)]
    assert not silent


def test_the_raw_orthanc_gives_every_canary_away(site: LeakSite) -> None:
    """What is never there cannot leak: the corpus must have arrived in Orthanc."""
    needles = site.corpus.patient.canaries.needles
    visible = [n for n in needles if not any(name in n.source for name in PACKED)]
    whole = site.orthanc.ask("GET", site.raw.studies[0].path, ANY_SYNTAX)
    found = {needle.value for needle in Haystack(visible).find(whole.body)}
    assert {needle.value for needle in visible} <= found


PACKED = ("sink deflated", "pdf/page", "long/LT", "/drawn", ", wide")
"""Canaries that are not to be seen as they are, or only in a picture."""

ANY_SYNTAX = {"Accept": HEADER_ACCEPTS[0]}


def tells_identity(route: Route) -> bool:
    silent = (*NOT_IN_ORTHANC, *WITHOUT_IDENTITY)
    return not any(part in route.template for part in silent)


def test_no_route_lets_a_canary_through(
    site: LeakSite, shown: World, scanner: Scanner
) -> None:
    outcome = crawl(site.share(), requests(shown), scanner)
    assert not outcome.leaks, told(outcome.leaks)
    assert {spec.template for spec in SERVED} - outcome.answered == WITHOUT_SAMPLE
    # 502: what Orthanc itself cannot decode.
    assert statuses(outcome) <= {200, 404, 406, 502}
    foreign = {route.template for route in FOREIGN_ROUTES}
    answers = {one for one in outcome.statuses if one[0] in foreign}
    assert answers == {(template, 404) for template in foreign}


WITHOUT_SAMPLE: set[str] = set()
"""Routes that have nothing to show of the corpus."""


def test_no_query_lets_a_canary_through(
    site: LeakSite, shown: World, scanner: Scanner
) -> None:
    outcome = crawl(site.share(), every_query(sample(shown)), scanner)
    assert not outcome.leaks, told(outcome.leaks)


def test_the_routes_of_the_service_are_those_that_are_searched() -> None:
    served = {(method, one.template) for one in SERVED for method in one.methods}
    assert {(method_of(route), route.template) for route in SERVED_ROUTES} == served
    assert len(served) == len(SERVED_ROUTES)
    foreign = {(method_of(route), route.template) for route in FOREIGN_ROUTES}
    assert foreign.isdisjoint(served)


def method_of(route: Route) -> str:
    return "POST" if route.bodies else "GET"


def test_no_media_type_lets_a_canary_through(
    site: LeakSite, shown: World, scanner: Scanner
) -> None:
    below = [route for route in DICOM_WEB_ROUTES if "{instance}" in route.template]
    outcome = crawl(site.share(), every_accept(sample(shown), below), scanner)
    assert not outcome.leaks, told(outcome.leaks)
    small = narrow(explore(site.small_share()))
    outcome = crawl(site.small_share(), every_accept(small), scanner)
    assert not outcome.leaks, told(outcome.leaks)


def test_no_element_can_be_had_as_bulk_data_by_its_path(
    site: LeakSite, shown: World, scanner: Scanner
) -> None:
    outcome = crawl(site.share(), sensitive_bulk(sample(shown)), scanner)
    assert not outcome.leaks, told(outcome.leaks)


def test_odd_requests_get_clean_refusals(site: LeakSite, scanner: Scanner) -> None:
    small = explore(site.small_share())
    outcome = crawl(site.small_share(), odd_requests(small), scanner)
    assert not outcome.leaks, told(outcome.leaks)
    assert statuses(outcome) <= CLEAN_STATUSES


@pytest.mark.parametrize("of", ["the share", "another patient"])
def test_real_ids_open_nothing(of: str, site: LeakSite, scanner: Scanner) -> None:
    foreign = site.raw if of == "the share" else site.second
    bodies: set[bytes] = set()

    def note(_ask: object, answer: Answer) -> None:
        if answer.status == 200:
            bodies.add(answer.body)

    asks = [ask for ask in foreign_requests(foreign) if ask.path != "/tools/find"]
    outcome = crawl(site.share(), asks, scanner, note)
    assert not outcome.leaks, told(outcome.leaks)
    assert bodies <= {b"[]"}
    assert statuses(outcome) <= CLEAN_STATUSES


def statuses(outcome: Outcome) -> set[int]:
    return {status for _template, status in outcome.statuses}


def test_filters_tell_nothing_of_the_original(site: LeakSite) -> None:
    """A filter on a name is no oracle: right and wrong guesses look alike."""
    assert not list(oracles(site.share(), site.corpus.patient))


def test_allowed_pixels_are_those_of_the_source_and_others_are_not_there(
    site: LeakSite, shown: World
) -> None:
    names = SharePseudonyms(DEIDENTIFICATION_KEY.encode(), share_id("first"))
    by_uid = {instance.uid: instance for instance in shown.instances}
    share = site.share()
    assert not list(blocked_but_shown(share, site.corpus.patient, shown))
    for file in site.corpus.patient.files:
        instance = by_uid[names.uid(file.uid)]
        body = share.ask("GET", f"/instances/{instance.id}/file").body
        made = dcmread(io.BytesIO(body))
        assert made.SOPInstanceUID == instance.uid
        assert made.SeriesInstanceUID == names.uid(file.series)
        assert made.StudyInstanceUID == shown.studies[0].uid
        if file.shown is Shown.BLOCKED:
            assert made.DerivationDescription.startswith("Image not shown."), file.name
        elif file.shown is Shown.ALLOWED and not file.is_refused:
            expected = file.pixels or little_endian(file.content)
            assert little_endian(body) == expected, file.name


def little_endian(file: bytes) -> bytes:
    """Return the decoded pixels of a file."""
    # What a decoder logs of the source here is not the service's doing.
    logging.disable()
    try:
        pixels = dcmread(io.BytesIO(file)).pixel_array
    finally:
        logging.disable(logging.NOTSET)
    return pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()


def test_no_element_that_has_to_go_is_as_it_was(site: LeakSite, shown: World) -> None:
    """Numbers of two bytes and sequences, too, which are no canaries."""
    assert not list(kept_elements(site, site.share(), shown))


def test_two_shares_of_one_study_have_no_id_in_common(
    site: LeakSite, shown: World
) -> None:
    other = explore(site.share("second"))
    first_uids, second_uids = own_uids(shown), own_uids(other)
    assert first_uids > shown.uids  # references and frames of reference too
    assert len(first_uids) == len(second_uids)
    assert first_uids.isdisjoint(second_uids)
    assert len(other.uids) == len(shown.uids)
    assert shown.uids.isdisjoint(other.uids)
    assert shown.ids.isdisjoint(other.ids)
    first = site.share().ask("GET", "/dicom-web/studies").body
    second = site.share("second").ask("GET", "/dicom-web/studies").body
    assert b"ANON-" in first
    assert first[first.index(b"ANON-") :][:13] not in second


def test_a_standard_share_opens_nothing_here(site: LeakSite, shown: World) -> None:
    token = site.token("standard", Flavour.STANDARD)
    bare = site.bare()
    for route in ROUTES:
        ask = next(requests(shown, [route]))
        headers = {**ask.headers, "token": token}
        answer = bare.ask(ask.method, ask.path, headers, ask.body)
        assert answer.status == (404 if route in FOREIGN_ROUTES else 403)


def test_the_log_names_nobody(
    site: LeakSite, log: CollectedLog, scanner: Scanner, shown: World
) -> None:
    """It runs last: the log is that of all tests before."""
    site.share().ask("GET", f"{shown.studies[0].path}/metadata?token=odd")
    assert log.text
    found = scanner.scan_bytes(log.text.encode())
    assert not [finding.needle for finding in found]
