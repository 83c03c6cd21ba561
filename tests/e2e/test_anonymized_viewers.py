"""Real viewers and client libraries read a de-identified share."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from dicomtrolley.core import QueryLevels  # type: ignore[import-untyped]
from dicomtrolley.qido_rs import HierarchicalQuery, QidoRS  # type: ignore[import-untyped]
from dicomtrolley.wado_rs import WadoRS  # type: ignore[import-untyped]
from dicomweb_client.api import DICOMwebClient
from pydicom import dcmread
from requests import Session

from demo.calls import call
from demo.links import PUBLICATION, WEEK
from demo.run import Running
from demo.sample_data import CT_STUDY, MR_STUDY, SampleStudy
from tests.e2e.test_browser import GREY_LEVELS, WAIT
from tests.support.browser import open_page, screenshot_path
from tests.support.deidentified import Seen, Site, names_of, running_site, written
from tests.support.multiframe import MULTIFRAME_STUDY, multiframe_image
from tests.support.orthanc import Ids
from tests.support.validators import dcmdump_errors

CT, MR = Ids.of(CT_STUDY), Ids.of(MR_STUDY)

WORDS = ("DEMO", "Head CT", "Head MR", "1970", "20250115", "Demo hospital")
"""What of the sample patients a page could show."""


@dataclass
class Traffic:
    """What the anonymizer answered to a page."""

    bodies: list[tuple[str, bytes]] = field(default_factory=list)
    pixels: list[tuple[str, str]] = field(default_factory=list)
    failed: list[tuple[int, str]] = field(default_factory=list)

    def note(self, answer: Any) -> None:
        """Note an answer, if it is one of the anonymizer's."""
        kind = answer.headers.get("content-type", "")
        if "/anon-shares/" not in answer.url:
            return
        if answer.status >= 400:
            self.failed.append((answer.status, answer.url))
        elif "json" in kind:
            self.bodies.append((answer.url, answer.body()))
        else:
            self.pixels.append((kind, answer.url))


@pytest.fixture(scope="module")
def volume(demo: Running) -> SampleStudy:
    """A study of one image with many frames, in Orthanc behind the anonymizer."""
    file = written(multiframe_image())
    (login,) = demo.behind.users.items()
    reply = call("POST", f"{demo.behind.url}instances", file, login=login)
    assert reply.status == 200, reply.body
    return MULTIFRAME_STUDY


def test_ohif_shows_a_ct_of_an_anonymized_link(demo: Running, tmp_path: Path) -> None:
    assert_shown(demo, CT_STUDY, tmp_path)


def test_ohif_shows_an_mr_of_an_anonymized_link(demo: Running, tmp_path: Path) -> None:
    assert_shown(demo, MR_STUDY, tmp_path)


def test_ohif_shows_the_frames_of_a_volume_of_an_anonymized_link(
    demo: Running, volume: SampleStudy, tmp_path: Path
) -> None:
    """Here OHIF also asks the server for its thumbnails, instead of drawing them."""
    traffic = assert_shown(demo, volume, tmp_path, thumbnails="thumbnail")
    frames = {url.partition("/frames/")[2] for _kind, url in traffic.pixels} - {""}
    assert frames == {str(number) for number in range(1, volume.slices + 1)}
    pictures = [url for kind, url in traffic.pixels if kind.startswith("image/")]
    assert any(url.partition("?")[0].endswith("/thumbnail") for url in pictures)


def configure(route: Any, thumbnails: str) -> None:
    """Answer OHIF's configuration with another way to make thumbnails."""
    answer = route.fetch()
    ours = 'thumbnailRendering: "wadors"'
    assert ours in answer.text()
    changed = answer.text().replace(ours, f'thumbnailRendering: "{thumbnails}"')
    route.fulfill(response=answer, body=changed)


def assert_shown(
    demo: Running, study: SampleStudy, tmp_path: Path, thumbnails: str = "wadors"
) -> Traffic:
    """Open a link, from landing to the images; the overlay has the pseudonym.

    Args:
        demo: Runs.
        study: What is shared.
        tmp_path: For the screenshot.
        thumbnails: OHIF's `thumbnailRendering`.
    """
    made = demo.service.share(study, PUBLICATION, WEEK, anonymized=True)
    traffic = Traffic()
    with open_page(viewport={"width": 1280, "height": 800}) as (page, hosts):
        page.on("response", traffic.note)
        page.route("**/app-config.js", lambda route: configure(route, thumbnails))
        page.goto(made["url"])
        page.wait_for_function(f"({GREY_LEVELS})() > 30", timeout=WAIT)
        page.wait_for_load_state("networkidle", timeout=WAIT)
        page.get_by_text("Patient", exact=True).click()
        page.wait_for_selector("text=ANON-", timeout=WAIT)
        page.screenshot(path=screenshot_path(f"ohif-anonymized-{study.key}", tmp_path))
        text = page.inner_text("body")
        address = page.url
    assert f"/{study.slices})" in text
    assert not [word for word in WORDS if word in text]
    assert not [uid for uid in names_of(study) if uid in address + made["url"]]
    assert not traffic.failed
    # OHIF looks for earlier studies of the patient, by the pseudonym.
    assert any("00100020=ANON-" in url for url, _body in traffic.bodies)
    for _url, body in traffic.bodies:
        assert not [name for name in names_of(study) if name.encode() in body]
    assert set(hosts) == {"127.0.0.1"}
    return traffic


@pytest.fixture(scope="module")
def site(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("viewers"), samples) as running:
        yield running


@pytest.fixture
def seen(site: Site) -> Seen:
    return site.share(CT)


@pytest.fixture
def client(seen: Seen) -> DICOMwebClient:
    return DICOMwebClient(f"{seen.url}dicom-web", headers={"token": seen.token})


def test_dicomweb_client_reads_the_share(seen: Seen, client: DICOMwebClient) -> None:
    (study,) = client.search_for_studies()
    assert study["00100010"]["Value"] == [{"Alphabetic": "Anonymous"}]
    study_uid, series_uid = seen.uid(CT.study_uid), seen.uid(CT.series_uid)
    assert study["0020000D"]["Value"] == [study_uid]
    metadata = client.retrieve_series_metadata(study_uid, series_uid)
    assert len(metadata) == CT_STUDY.slices
    files = client.retrieve_series(study_uid, series_uid)
    assert {one.SOPInstanceUID for one in files} == {
        one["00080018"]["Value"][0] for one in metadata
    }
    sources = {seen.uid(str(one.SOPInstanceUID)): one for one in CT_STUDY.datasets()}
    for one in files:
        assert one.PixelData == sources[one.SOPInstanceUID].PixelData
    instance_uid = seen.uid(CT.instance_uid)
    (frame,) = client.retrieve_instance_frames(
        study_uid, series_uid, instance_uid, [1],
        media_types=(("application/octet-stream", "*"),),
    )  # fmt: skip
    assert frame == sources[instance_uid].PixelData


def test_dicomtrolley_finds_and_downloads_the_share(seen: Seen) -> None:
    session = Session()
    session.headers["token"] = seen.token
    root = f"{seen.url}dicom-web"
    study_uid = seen.uid(CT.study_uid)
    with session:
        asked = HierarchicalQuery(
            query_level=QueryLevels.SERIES, StudyInstanceUID=study_uid
        )
        (study,) = QidoRS(session, root).find_studies(asked)
        assert study.uid == study_uid
        files = list(WadoRS(session, root).datasets([study]))
    assert len(files) == CT_STUDY.slices
    assert {str(one.PatientName) for one in files} == {"Anonymous"}


def downloaded(seen: Seen) -> list[bytes]:
    """Return the files of the share, as they came."""
    client = DICOMwebClient(f"{seen.url}dicom-web", headers={"token": seen.token})
    files = client.retrieve_series(seen.uid(CT.study_uid), seen.uid(CT.series_uid))
    return [written(one) for one in files[:3]]


def test_dcmdump_and_pydicom_accept_the_files(seen: Seen, tmp_path: Path) -> None:
    reply = seen.ask(f"instances/{seen.id(CT.instance)}/file")
    assert dcmdump_errors([reply.body], tmp_path) == ""
    dataset = dcmread(io.BytesIO(reply.body))
    assert dataset.pixel_array.shape == (256, 256)
    assert dataset.PatientIdentityRemoved == "YES"
    assert not [name for name in names_of() if name in str(dataset)]


def test_the_token_in_a_link_names_no_study(demo: Running) -> None:
    made = demo.service.share(CT_STUDY, PUBLICATION, WEEK, anonymized=True)
    query = parse_qs(urlsplit(made["url"]).query)
    assert query["token"] == [made["token"]]
    assert not [name for name in names_of() if name in made["url"]]
