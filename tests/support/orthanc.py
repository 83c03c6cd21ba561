"""A real Orthanc from Debian with DICOMweb, our plugin and the sample studies."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from demo import orthanc_server
from demo.processes import free_port
from demo.sample_data import SampleStudy, orthanc_id
from tests.support.real import require

LOGIN = ("share-user", "change-me")
"""User and password with which the plugin calls the token-service."""


def require_orthanc() -> None:
    """Skip the test without Orthanc and its plugins, or fail as `require` does."""
    require("Orthanc")
    for package in orthanc_server.missing_parts():
        require(package)


@dataclass(frozen=True)
class Ids:
    """Identifiers of a sample study in Orthanc.

    Attributes:
        study_uid: StudyInstanceUID.
        series_uid: SeriesInstanceUID.
        instance_uid: SOPInstanceUID of the first image.
        patient: Orthanc's identifier of the patient.
        study: Orthanc's identifier of the study.
        series: Orthanc's identifier of the series.
        instance: Orthanc's identifier of the first image.
    """

    study_uid: str
    series_uid: str
    instance_uid: str
    patient: str
    study: str
    series: str
    instance: str

    @classmethod
    def of(cls, sample: SampleStudy) -> "Ids":
        """Return the identifiers that `sample` has in every Orthanc."""
        uids = (sample.study_uid, sample.series_uid, sample.uid("image/1"))
        path = (sample.patient_id, *uids)
        return cls(*uids, *(orthanc_id(*path[:depth]) for depth in (1, 2, 3, 4)))

    @cached_property
    def resource(self) -> dict[str, str]:
        """The study as `PUT /shares` and `PUT /tokens/{type}` name it."""
        return {
            "dicom-uid": self.study_uid,
            "orthanc-id": self.study,
            "level": "study",
        }


def shares_section(service_url: str, **options: Any) -> dict[str, Any]:
    """Return `Authorization` for an Orthanc for shares, as the deployment has it."""
    return {
        "WebServiceRootUrl": service_url,
        "WebServiceUsername": LOGIN[0],
        "WebServicePassword": LOGIN[1],
        "TokenHttpHeaders": ["api-key"],
        "StandardConfigurations": [
            "osimis-web-viewer",
            "stone-webviewer",
            "orthanc-explorer-2",
            "ohif",
        ],
        "CheckedLevel": "studies",
        **options,
    }


@contextmanager
def running_orthanc(
    folder: Path,
    samples: Path,
    authorization: Mapping[str, Any] | None = None,
    **setup: Any,
) -> Iterator[str]:
    """Run an Orthanc with the sample studies; yield its address, with a final slash."""
    chosen = orthanc_server.OrthancSetup(
        "test", folder, free_port(), authorization, **setup
    )
    with orthanc_server.running(chosen, samples):
        yield chosen.url


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A storage of Orthanc that holds the sample studies; made once for all tests."""
    require_orthanc()
    return orthanc_server.seed(tmp_path_factory.mktemp("samples") / "seed")
