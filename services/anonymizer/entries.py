"""What a share holds, with the names that it has outside and those that it has inside.

Whatever is called `real_…` never leaves the service.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Protocol

Tags = Mapping[str, str]
"""Orthanc's main DICOM tags of the original, `GGGGEEEE` to value."""

STUDY_INSTANCE_UID = "0020000D"
SERIES_INSTANCE_UID = "0020000E"
SOP_INSTANCE_UID = "00080018"
MODALITY = "00080060"
SERIES_NUMBER = "00200011"
INSTANCE_NUMBER = "00200013"

_LAST = 1 << 31  # what has no number comes after all that have one


class Pseudonyms(Protocol):
    """The ids under which a share is seen."""

    def uid(self, uid: str) -> str:
        """Return the UID that stands for `uid`."""

    def orthanc_id(self, orthanc_id: str) -> str:
        """Return the Orthanc id that stands for `orthanc_id`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A study, series or instance.

    Args:
        uid: Its UID outside.
        id: Its Orthanc id outside.
        real_uid: Its UID in Orthanc.
        real_id: Its id in Orthanc.
        number: Series or instance number, for the order.
    """

    uid: str
    id: str
    real_uid: str = field(repr=False)
    real_id: str = field(repr=False)
    number: int = _LAST

    @property
    def has_number(self) -> bool:
        """Whether `number` is a real one."""
        return self.number != _LAST

    @property
    def order(self) -> tuple[int, str]:
        """What entries are sorted by: their number, then nothing that means a thing."""
        return self.number, self.uid


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InstanceEntry(Entry):
    """An instance.

    Args:
        series: Its series.
    """

    series: "SeriesEntry" = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SeriesEntry(Entry):
    """A series.

    Args:
        study: Its study.
        modality: Its modality, as Orthanc has it.
        tags: Its main DICOM tags.
        is_whole: Whether all of its instances are in the share.
        instances: Those in the share, in order.
    """

    study: "StudyEntry" = field(repr=False)
    modality: str
    is_whole: bool
    tags: Tags = field(repr=False)
    instances: list[InstanceEntry] = field(repr=False, default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StudyEntry(Entry):
    """A study.

    Args:
        patient_id: Orthanc id of the patient, outside.
        tags: Its main DICOM tags, those of the patient among them.
        series: Those in the share, in order.
    """

    patient_id: str
    tags: Tags = field(repr=False)
    series: list[SeriesEntry] = field(repr=False, default_factory=list)

    @property
    def instances(self) -> Iterator[InstanceEntry]:
        """The instances of all series, in order."""
        for series in self.series:
            yield from series.instances


AnyEntry = StudyEntry | SeriesEntry | InstanceEntry


class Snapshot:
    """All that a share held at one moment. What is not in it does not exist.

    Args:
        studies: The studies, in the order of the share.
    """

    def __init__(self, studies: Sequence[StudyEntry]) -> None:
        self.studies = tuple(studies)
        self._by_path: dict[tuple[str, ...], AnyEntry] = {}
        self._by_uid: dict[str, AnyEntry] = {}
        self._by_id: dict[str, AnyEntry] = {}
        for path, entry in self._all():
            self._by_path.setdefault(path, entry)
            self._by_id.setdefault(entry.id, entry)
        # Where one UID was given to two things, the upper one has it.
        for path, entry in sorted(self._by_path.items(), key=lambda one: len(one[0])):
            self._by_uid.setdefault(path[-1], entry)

    @property
    def instances(self) -> Iterator[InstanceEntry]:
        """The instances of all studies, in order."""
        for study in self.studies:
            yield from study.instances

    def entry_at(self, *path: str) -> AnyEntry | None:
        """Return what has these (outside) UIDs: of study, series, instance."""
        return self._by_path.get(path)

    def entry_of_uid(self, uid: str) -> AnyEntry | None:
        """Return what has this (outside) UID."""
        return self._by_uid.get(uid)

    def instances_of_uid(self, uid: str) -> Iterator[InstanceEntry]:
        """Yield the instances with this (outside) UID, of which there is one."""
        return (one for one in self.instances if one.uid == uid)

    def entry_of_orthanc_id(self, orthanc_id: str) -> AnyEntry | None:
        """Return what has this (outside) Orthanc id."""
        return self._by_id.get(orthanc_id)

    def studies_of_patient(self, patient_id: str) -> list[StudyEntry]:
        """Return the studies of the patient with this (outside) Orthanc id."""
        return [study for study in self.studies if study.patient_id == patient_id]

    def _all(self) -> Iterator[tuple[tuple[str, ...], AnyEntry]]:
        for study in self.studies:
            yield (study.uid,), study
            for series in study.series:
                yield (study.uid, series.uid), series
                for one in series.instances:
                    yield (study.uid, series.uid, one.uid), one


@dataclass(frozen=True, slots=True)
class StudyDocuments:
    """What Orthanc tells of a study, or of those parts of it that are shared.

    Args:
        study: Of `/studies/{id}?short`.
        series: Of `/studies/{id}/series?expand&short`.
        instances: Of `/studies/{id}/instances?expand&short`.
        whole: Orthanc ids of the series of which all instances are shared.
    """

    study: Any
    series: list[Any]
    instances: list[Any]
    whole: frozenset[str]

    def __add__(self, other: "StudyDocuments") -> "StudyDocuments":
        """Return the union of two parts of one study."""
        return StudyDocuments(
            self.study,
            _union(self.series, other.series),
            _union(self.instances, other.instances),
            self.whole | other.whole,
        )


def _union(one: list[Any], other: list[Any]) -> list[Any]:
    return list({told["ID"]: told for told in (*one, *other)}.values())


def build_study(documents: StudyDocuments, pseudonyms: Pseudonyms) -> StudyEntry:
    """Return the entry of a study.

    Args:
        documents: What Orthanc tells of it.
        pseudonyms: Make the names outside.

    Raises:
        LookupError, TypeError, ValueError, AttributeError: Orthanc told nonsense.
    """
    told = documents.study
    tags = _tags(told, "MainDicomTags") | _tags(told, "PatientMainDicomTags")
    study = StudyEntry(
        **_names(told["ID"], tags[STUDY_INSTANCE_UID], pseudonyms),
        patient_id=pseudonyms.orthanc_id(_text(told["ParentPatient"])),
        tags=tags,
    )
    by_real_id = {}
    for one in documents.series:
        series = _series(one, study, pseudonyms, documents.whole)
        by_real_id[series.real_id] = series
        study.series.append(series)
    for one in documents.instances:
        # A series that came a moment after the list of series: with the next snapshot.
        found = by_real_id.get(one["ParentSeries"])
        if found is not None:
            found.instances.append(_instance(one, found, pseudonyms))
    study.series.sort(key=attrgetter("order"))
    for series in study.series:
        series.instances.sort(key=attrgetter("order"))
    return study


def _series(
    told: Any, study: StudyEntry, pseudonyms: Pseudonyms, whole: frozenset[str]
) -> SeriesEntry:
    tags = _tags(told, "MainDicomTags")
    return SeriesEntry(
        **_names(told["ID"], tags[SERIES_INSTANCE_UID], pseudonyms),
        number=_number(tags.get(SERIES_NUMBER)),
        study=study,
        modality=tags.get(MODALITY, ""),
        tags=tags,
        is_whole=told["ID"] in whole,
    )


def _instance(told: Any, series: SeriesEntry, pseudonyms: Pseudonyms) -> InstanceEntry:
    tags = _tags(told, "MainDicomTags")
    return InstanceEntry(
        **_names(told["ID"], tags[SOP_INSTANCE_UID], pseudonyms),
        number=_number(tags.get(INSTANCE_NUMBER)),
        series=series,
    )


def _names(real_id: Any, real_uid: str, pseudonyms: Pseudonyms) -> dict[str, Any]:
    return {
        "id": pseudonyms.orthanc_id(_text(real_id)),
        "uid": pseudonyms.uid(real_uid),
        "real_id": real_id,
        "real_uid": real_uid,
    }


def _tags(told: Any, member: str) -> dict[str, str]:
    """Return main DICOM tags as `?short` gives them, `gggg,eeee` to value."""
    return {
        name.replace(",", "").upper(): _text(value)
        for name, value in told[member].items()
    }


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _number(text: str | None) -> int:
    try:
        return int(text or "")
    except ValueError:
        return _LAST
