"""Studies and series as DICOM JSON, made of what Orthanc's index tells of them.

What comes out of here is the original; it goes through the same policy as metadata
before it is shown.
"""

from collections.abc import Iterable
from typing import Final

from anonymizer.entries import InstanceEntry, SeriesEntry, StudyEntry, Tags
from orthanc_share.deidentification.actions import DeidentificationError
from orthanc_share.deidentification.dicom_json import Dataset, deidentify_json
from orthanc_share.deidentification.dictionary import vr
from orthanc_share.deidentification.json_values import Attribute, json_values
from orthanc_share.deidentification.policy import SharePolicy

STUDY_TAGS: Final = (
    "00080020",  # Study Date
    "00080030",  # Study Time
    "00080050",  # Accession Number
    "00080090",  # Referring Physician's Name
    "00081030",  # Study Description
    "00100010",  # Patient's Name
    "00100020",  # Patient ID
    "00100030",  # Patient's Birth Date
    "00100040",  # Patient's Sex
    "0020000D",  # Study Instance UID
    "00200010",  # Study ID
)
"""What QIDO-RS answers of a study. Source: PS3.18 table 10.6.3-3."""

SERIES_TAGS: Final = (
    "00080021",  # Series Date
    "00080031",  # Series Time
    "00080060",  # Modality
    "0008103E",  # Series Description
    "00180015",  # Body Part Examined
    "0020000E",  # Series Instance UID
    "00200011",  # Series Number
)
"""What QIDO-RS answers of a series. Source: PS3.18 table 10.6.3-4."""

INSTANCE_TAGS: Final = ("00080018", "00200013")
"""SOP Instance UID and Instance Number: all that the index knows of an instance."""


def described_study(study: StudyEntry, policy: SharePolicy) -> Dataset:
    """Return a study as it is shown."""
    return _shown(_original(study.tags, STUDY_TAGS), policy)


def described_series(series: SeriesEntry, policy: SharePolicy) -> Dataset:
    """Return a series, with its study, as it is shown."""
    return _shown(_series(series), policy)


def described_instance(instance: InstanceEntry, policy: SharePolicy) -> Dataset:
    """Return an instance as it is shown where its own dataset cannot be."""
    numbers = {"00200013": str(instance.number)} if instance.has_number else {}
    own = _original({"00080018": instance.real_uid, **numbers}, INSTANCE_TAGS)
    return _shown(_series(instance.series) | own, policy)


def _series(series: SeriesEntry) -> Dataset:
    study = _original(series.study.tags, STUDY_TAGS)
    return study | _original(series.tags, SERIES_TAGS)


def _original(tags: Tags, names: Iterable[str]) -> Dataset:
    told = ((name, tags[name]) for name in names if tags.get(name))
    elements = ((name, _element(name, text)) for name, text in told)
    return {name: element for name, element in elements if element is not None}


def _element(name: str, text: str) -> Attribute | None:
    try:
        return json_values(vr(int(name, 16)), text.split("\\"))
    except DeidentificationError:  # a number that is none
        return None


def _shown(original: Dataset, policy: SharePolicy) -> Dataset:
    # Nothing of it is binary, so that no address is asked for.
    return deidentify_json(original, policy, lambda _path: None)
