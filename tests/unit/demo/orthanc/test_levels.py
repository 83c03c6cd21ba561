"""Each path names the resources that the C++ plugin finds in it."""

import pytest

from demo.orthanc.levels import touched
from demo.orthanc.request import Request
from demo.orthanc.resources import Found, Resources, UnknownResourceError
from tests.unit.demo.orthanc.fakes import (
    INSTANCE,
    OTHER_STUDY,
    PATIENT,
    SERIES,
    STUDY,
    FakeOrthanc,
    orthanc_id,
)

CHAIN = (
    Found("patient", PATIENT, "P"),
    Found("study", STUDY, "1.2"),
    Found("series", SERIES, "1.2.3"),
    Found("instance", INSTANCE, "1.2.3.4"),
)


@pytest.fixture
def resources() -> Resources:
    return Resources(FakeOrthanc())


def request(path: str, **arguments: str) -> Request:
    named = {name.replace("_", ","): value for name, value in arguments.items()}
    return Request.of(path, "get", {}, named)


@pytest.mark.parametrize(
    ("path", "depth"),
    [
        (f"/patients/{PATIENT}", 1),
        (f"/studies/{STUDY}/archive", 2),
        (f"/series/{SERIES}", 3),
        (f"/instances/{INSTANCE}/frames/0/preview", 4),
        (f"/web-viewer/series/{SERIES}", 3),
        (f"/web-viewer/is-stable-series/{SERIES}", 3),
        (f"/web-viewer/instances/jpeg95-{INSTANCE}_0", 4),
        (f"/wsi/tiles/{SERIES}/1/2/3", 3),
        (f"/osimis-viewer/studies/{STUDY}/annotations", 2),
        (f"/osimis-viewer/series/{SERIES}", 3),
        (f"/osimis-viewer/images/{INSTANCE}/0/high-quality", 4),
        ("/dicom-web/studies/1.2/metadata", 2),
        ("/dicom-web/studies/1.2/series/1.2.3/rendered", 3),
        ("/dicom-web/studies/1.2/series/1.2.3/instances/1.2.3.4/frames/1", 4),
    ],
)
def test_a_resource_comes_with_all_it_belongs_to(
    path: str, depth: int, resources: Resources
) -> None:
    assert touched(request(path), resources).chains == (CHAIN[:depth],)


@pytest.mark.parametrize(
    ("path", "arguments", "depth"),
    [
        ("studies", {"StudyInstanceUID": "1.2"}, 2),
        ("series", {"0020000d": "1.2"}, 2),
        ("series", {"0020_000D": "1.2", "seriesinstanceuid": "1.2.3"}, 3),
        (
            "instances",
            {"0020000D": "1.2", "0020000E": "1.2.3", "SOPInstanceUID": "1.2.3.4"},
            4,
        ),
        ("studies", {"PatientID": "P", "limit": "5"}, 1),
        ("instances", {"0020000D": "1.2", "SOPInstanceUID": "1.2.3.4"}, 2),
    ],
)
def test_a_query_touches_the_deepest_resource_it_names_completely(
    path: str, arguments: dict[str, str], depth: int, resources: Resources
) -> None:
    found = touched(request(f"/dicom-web/{path}", **arguments), resources)
    assert found.chains == (CHAIN[:depth],)


@pytest.mark.parametrize(
    ("path", "arguments"),
    [
        ("/tools/find", {}),
        ("/studies", {}),
        ("/dicom-web/studies", {}),
        ("/dicom-web/studies", {"StudyInstanceUID": "1.*"}),
        ("/dicom-web/series", {"SeriesInstanceUID": "1.2.3"}),
        ("/dicom-web/servers", {}),
        ("/studies/no-id", {}),
    ],
)
def test_any_other_path_touches_no_resource(
    path: str, arguments: dict[str, str], resources: Resources
) -> None:
    assert touched(request(path, **arguments), resources).chains == ()


@pytest.mark.parametrize(
    ("path", "arguments"),
    [
        (f"/studies/{orthanc_id('f')}", {}),
        (f"/instances/{orthanc_id('f')}", {}),
        ("/dicom-web/studies/1.7", {}),
        ("/dicom-web/studies/9.9", {}),  # two patients have this study
        ("/dicom-web/studies/9.9/series/1.2.3", {}),  # the series of another study
        ("/dicom-web/studies", {"StudyInstanceUID": "1.2,9.9"}),
        ("/dicom-web/series", {"StudyInstanceUID": "1.2", "0020_000D": "9.9"}),
        ("/tools/create-archive", {"resources": "nothing"}),
        ("/tools/create-media", {}),
    ],
)
def test_what_is_not_there_or_not_clear_is_refused(
    path: str, arguments: dict[str, str], resources: Resources
) -> None:
    with pytest.raises(UnknownResourceError):
        touched(request(path, **arguments), resources)


def test_an_archive_touches_each_resource_in_it(resources: Resources) -> None:
    listed = f"{STUDY},gone,{OTHER_STUDY}"
    found = touched(request("/tools/create-archive", resources=listed), resources)
    assert [chain[-1].orthanc_id for chain in found.chains] == [STUDY, OTHER_STUDY]


def test_orthanc_is_asked_once_about_each_resource() -> None:
    orthanc = FakeOrthanc()
    resources = Resources(orthanc)
    for _ in range(3):
        touched(request(f"/instances/{INSTANCE}"), resources)
    assert len(orthanc.gets) == len(set(orthanc.gets)) == 4
