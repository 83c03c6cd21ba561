"""DICOMweb of the anonymizer before a real Orthanc, read as users do."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from dicomweb_client import DICOMwebClient
from pydicom import dcmread

from demo.sample_data import CT_STUDY, MR_STUDY, OTHER_STUDY
from tests.support.anonymized import (
    ANY_FILE,
    Names,
    Source,
    anonymizer_settings,
    files_in,
    leaks,
    running_anonymizer,
)
from tests.support.orthanc import running_orthanc

SOURCE = Source(list(CT_STUDY.datasets()))
NAMES = Names(SOURCE)
OTHERS = [Source.sample(1, study) for study in (MR_STUDY, OTHER_STUDY)]


@pytest.fixture(scope="module")
def client(
    tmp_path_factory: pytest.TempPathFactory, samples: Path
) -> Iterator[httpx.Client]:
    """Return a client of an anonymizer, with the token of a share."""
    folder = tmp_path_factory.mktemp("orthanc")
    with (
        running_orthanc(folder, samples) as url,
        running_anonymizer(anonymizer_settings(url), SOURCE.token()) as started,
    ):
        yield started


@pytest.fixture
def web(client: httpx.Client) -> DICOMwebClient:
    """Return the client that Python users have."""
    return DICOMwebClient(
        f"{client.base_url}/dicom-web", headers={"token": client.headers["token"]}
    )


def test_orthanc_is_found_ready(client: httpx.Client) -> None:
    assert client.get("/ready").json()["dependencies"] == {"orthanc": "ok"}


def test_the_share_is_all_there_is(web: DICOMwebClient) -> None:
    (study,) = web.search_for_studies()
    assert study["0020000D"]["Value"] == [NAMES.study]
    (series,) = web.search_for_series(NAMES.study)
    assert series["0020000E"]["Value"] == [NAMES.series_uid()]
    instances = web.search_for_instances(NAMES.study, NAMES.series_uid())
    shown = [one["00080018"]["Value"][0] for one in instances]
    assert shown == [NAMES.instance_uid(number) for number in range(48)]


def test_metadata_and_files_agree(client: httpx.Client) -> None:
    told = client.get(f"{NAMES.series_path()}/metadata")
    files = client.get(NAMES.series_path(), headers={"Accept": ANY_FILE})
    assert not leaks(told, SOURCE)
    assert not leaks(files, SOURCE)
    by_uid = {one["00080018"]["Value"][0]: one for one in told.json()}
    pixels = {
        NAMES.instance_uid(number): bytes(dataset.PixelData)
        for number, dataset in enumerate(SOURCE.datasets)
    }
    assert len(by_uid) == 48
    for file in files_in(files):
        shown = by_uid.pop(file.SOPInstanceUID)
        described = json.loads(file.to_json(64, lambda _: ""))
        assert described.keys() == shown.keys()
        for name in ("0020000D", "0020000E", "00200052", "00100020", "00080016"):
            assert described[name] == shown[name]
        assert bytes(file.PixelData) == pixels[file.SOPInstanceUID]
    assert not by_uid


def test_python_clients_read_it(web: DICOMwebClient) -> None:
    names = (NAMES.study, NAMES.series_uid(), NAMES.instance_uid(7))
    pixels = bytes(SOURCE.datasets[7].PixelData)
    assert len(web.retrieve_study(NAMES.study)) == 48
    assert len(web.retrieve_series(*names[:2])) == 48
    assert web.retrieve_instance(*names).PixelData == pixels
    any_syntax = (("application/octet-stream", "*"),)
    for kinds in (None, any_syntax):
        assert web.retrieve_instance_frames(*names, [1], kinds) == [pixels]
    (told,) = [web.retrieve_instance_metadata(*names)]
    address = told["7FE00010"]["BulkDataURI"].partition("/anon-shares")[2]
    (bulk,) = web.retrieve_bulkdata(
        f"{web.base_url.partition('/dicom-web')[0]}{address}"
    )
    assert bulk == pixels
    assert web.retrieve_instance_rendered(*names, ("image/png",)).startswith(b"\x89PNG")


@pytest.mark.parametrize("kind", ["image/jpeg", "image/png"])
@pytest.mark.parametrize("last", ["rendered", "thumbnail"])
def test_pictures_of_every_level(last: str, kind: str, client: httpx.Client) -> None:
    for path in (
        NAMES.study_path,
        NAMES.series_path(),
        NAMES.instance_path(),
        f"{NAMES.instance_path()}/frames/1",
    ):
        answer = client.get(f"{path}/{last}", headers={"Accept": kind})
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == kind
        assert len(answer.content) > 100


def test_the_other_patients_do_not_exist(client: httpx.Client) -> None:
    for other in OTHERS:
        real = other.datasets[0]
        for uid in (real.StudyInstanceUID, NAMES.pseudonyms.uid(real.StudyInstanceUID)):
            for last in ("", "/metadata", "/series", "/rendered"):
                answer = client.get(f"/dicom-web/studies/{uid}{last}")
                assert answer.status_code == 404
        found = client.get("/dicom-web/studies", params={"PatientID": real.PatientID})
        assert found.json() == []


def test_wado_uri(client: httpx.Client) -> None:
    query = {
        "requestType": "WADO",
        "studyUID": NAMES.study,
        "seriesUID": NAMES.series_uid(),
        "objectUID": NAMES.instance_uid(),
    }
    picture = client.get("/wado", params=query)
    assert picture.headers["Content-Type"] == "image/jpeg"
    file = client.get("/wado", params=query | {"contentType": "application/dicom"})
    shown = dcmread(io.BytesIO(file.content))
    assert shown.PixelData == SOURCE.datasets[0].PixelData
    assert not leaks(file, SOURCE)
