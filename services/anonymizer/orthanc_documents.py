"""Patients, studies, series and instances as Orthanc's REST interface tells of them.

Only the form is Orthanc's: ids are those outside, tags have gone through the policy.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from anonymizer.describing import (
    described_instance,
    described_series,
    described_study,
)
from anonymizer.entries import InstanceEntry, SeriesEntry, StudyEntry
from orthanc_share.deidentification.dicom_json import Dataset
from orthanc_share.deidentification.dictionary import ENTRIES
from orthanc_share.deidentification.json_values import texts_of
from orthanc_share.deidentification.policy import SharePolicy

Document = dict[str, Any]

PATIENT_TAGS: Final = ("00100010", "00100020", "00100030", "00100040")
"""Name, id, birth date and sex: `PatientMainDicomTags`."""

STUDY_TAGS: Final = ("00080020", "00080030", "00080050", "00081030", "0020000D")
"""Of a study, besides its patient."""

SERIES_TAGS: Final = (
    "00080021",
    "00080031",
    "00080060",
    "0008103E",
    "00180015",
    "0020000E",
    "00200011",
)
"""Of a series."""

INSTANCE_TAGS: Final = ("00080018", "00200013")
"""Of an instance."""

_STABLE: Final[Mapping[str, Any]] = {"IsStable": True, "Labels": []}


def named(dataset: Dataset, tags: Iterable[str]) -> dict[str, str]:
    r"""Return elements of a de-identified dataset, by keyword, values joined by `\\`.

    Args:
        dataset: As DICOM JSON.
        tags: Which ones; those that are not there or have no value are left out.
    """
    found = ((tag, dataset[tag]) for tag in tags if "Value" in dataset.get(tag, ()))
    return {
        ENTRIES[int(tag, 16)].keyword: "\\".join(texts_of(attribute))
        for tag, attribute in found
    }


def patient_document(studies: Sequence[StudyEntry], policy: SharePolicy) -> Document:
    """Return `/patients/{id}`: of the patient's studies only those in the share.

    Args:
        studies: They, at least one.
        policy: Of the share.
    """
    first = studies[0]
    return {
        **_STABLE,
        "ID": first.patient_id,
        "MainDicomTags": named(described_study(first, policy), PATIENT_TAGS),
        "Studies": [study.id for study in studies],
        "Type": "Patient",
    }


def study_document(
    study: StudyEntry, shown: Iterable[SeriesEntry], policy: SharePolicy
) -> Document:
    """Return `/studies/{id}`.

    Args:
        study: The study.
        shown: Its series but those that are hidden.
        policy: Of the share.
    """
    dataset = described_study(study, policy)
    return {
        **_STABLE,
        "ID": study.id,
        "MainDicomTags": named(dataset, STUDY_TAGS),
        "ParentPatient": study.patient_id,
        "PatientMainDicomTags": named(dataset, PATIENT_TAGS),
        "Series": [series.id for series in shown],
        "Type": "Study",
    }


def series_document(
    series: SeriesEntry, shown: Iterable[InstanceEntry], policy: SharePolicy
) -> Document:
    """Return `/series/{id}`.

    Args:
        series: The series.
        shown: Its instances but those that are hidden.
        policy: Of the share.
    """
    return {
        **_STABLE,
        "ExpectedNumberOfInstances": None,
        "ID": series.id,
        "Instances": [instance.id for instance in shown],
        "MainDicomTags": named(described_series(series, policy), SERIES_TAGS),
        "ParentStudy": series.study.id,
        "Status": "Unknown",
        "Type": "Series",
    }


def instance_document(instance: InstanceEntry, policy: SharePolicy) -> Document:
    """Return `/instances/{id}`."""
    dataset = described_instance(instance, policy)
    return {
        "ID": instance.id,
        "IndexInSeries": instance.number if instance.has_number else None,
        "Labels": [],
        "MainDicomTags": named(dataset, INSTANCE_TAGS),
        "ParentSeries": instance.series.id,
        "Type": "Instance",
    }
