"""Real viewers and client libraries read a de-identified share."""

import io
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from dicomtrolley.core import QueryLevels  # type: ignore[import-untyped]
from dicomtrolley.qido_rs import HierarchicalQuery, QidoRS  # type: ignore[import-untyped]
from dicomtrolley.wado_rs import WadoRS  # type: ignore[import-untyped]
from dicomweb_client.api import DICOMwebClient
from pydicom import Dataset, dcmread
from requests import Session

from demo.links import PUBLICATION, WEEK
from demo.run import Running
from demo.sample_data import CT_STUDY, MR_STUDY, SampleStudy
from tests.e2e.test_browser import GREY_LEVELS, WAIT
from tests.support.browser import open_page, screenshot_path
from tests.support.deidentified import Seen, Site, names_of, running_site
from tests.support.orthanc import Ids
from tests.support.real import require

CT, MR = Ids.of(CT_STUDY), Ids.of(MR_STUDY)

WORDS = ("DEMO", "Head CT", "Head MR", "1970", "20250115", "Demo hospital")
"""What of the sample patients a page could show."""


@pytest.mark.parametrize("study", [CT_STUDY, MR_STUDY], ids=lambda study: study.key)
def test_ohif_shows_the_images_of_an_anonymized_link(
    study: SampleStudy, demo: Running, tmp_path: Path
) -> None:
    """From the link through landing to the images; the overlay has the pseudonym."""
    made = demo.service.share(study, PUBLICATION, WEEK, anonymized=True)
    bodies: list[tuple[str, bytes]] = []
    failed: list[tuple[int, str]] = []
    with open_page(viewport={"width": 1280, "height": 800}) as (page, hosts):

        def note(answer: Any) -> None:
            if "/anon-shares/" in answer.url:
                if answer.status >= 400:
                    failed.append((answer.status, answer.url))
                elif "json" in answer.headers.get("content-type", ""):
                    bodies.append((answer.url, answer.body()))

        page.on("response", note)
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
    assert not failed
    # OHIF looks for earlier studies of the patient, by the pseudonym.
    assert any("00100020=ANON-" in url for url, _body in bodies)
    for _url, body in bodies:
        assert not [name for name in names_of(study) if name.encode() in body]
    assert set(hosts) == {"127.0.0.1"}


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


def written(dataset: Dataset) -> bytes:
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def test_dcmdump_and_pydicom_accept_the_files(seen: Seen, tmp_path: Path) -> None:
    dcmdump = require("dcmdump")
    reply = seen.ask(f"instances/{seen.id(CT.instance)}/file")
    file = tmp_path / "image.dcm"
    file.write_bytes(reply.body)
    done = subprocess.run(
        [str(dcmdump), "--quiet", str(file)], capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    dataset = dcmread(io.BytesIO(reply.body))
    assert dataset.pixel_array.shape == (256, 256)
    assert dataset.PatientIdentityRemoved == "YES"
    assert not [name for name in names_of() if name in str(dataset)]


def test_the_token_in_a_link_names_no_study(demo: Running) -> None:
    made = demo.service.share(CT_STUDY, PUBLICATION, WEEK, anonymized=True)
    query = parse_qs(urlsplit(made["url"]).query)
    assert query["token"] == [made["token"]]
    assert not [name for name in names_of() if name in made["url"]]
