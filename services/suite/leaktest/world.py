"""What a site shows: its studies, series and instances, by UID and by Orthanc id."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from suite.leaktest.transport import Site

DICOM_WEB = "/dicom-web"
"""Where DICOMweb is, below Orthanc's root and below the anonymizer's."""

_REASONS = {
    401: " (wrong login or token)",
    403: " (the token opens nothing here)",
    404: " (there is no such study, or no DICOMweb)",
}
_JSON = {"Accept": "application/dicom+json"}
_OK = 200


class UnexpectedAnswerError(Exception):
    """The site does not show its studies as expected. The text names the route."""


@dataclass(frozen=True)
class Instance:
    """An instance.

    Args:
        uid: SOPInstanceUID.
        id: Orthanc's id.
        sop_class: SOPClassUID.
        frames: Number of frames.
        path: Its DICOMweb path.
        bulk: Paths of bulk data that its metadata names, below `/bulk/`.
    """

    uid: str
    id: str
    sop_class: str
    frames: int
    path: str
    bulk: tuple[str, ...] = ()


@dataclass(frozen=True)
class Series:
    """A series."""

    uid: str
    id: str
    path: str
    instances: tuple[Instance, ...]


@dataclass(frozen=True)
class Study:
    """A study."""

    uid: str
    id: str
    patient: str
    path: str
    series: tuple[Series, ...]


@dataclass(frozen=True)
class World:
    """All that was found."""

    studies: tuple[Study, ...]
    metadata: tuple[dict[str, Any], ...] = field(default=(), repr=False)

    @property
    def series(self) -> Iterator[Series]:
        """All series."""
        return (series for study in self.studies for series in study.series)

    @property
    def instances(self) -> Iterator[Instance]:
        """All instances."""
        return (one for series in self.series for one in series.instances)

    @property
    def uids(self) -> set[str]:
        """All UIDs of the three levels."""
        found = {study.uid for study in self.studies}
        found |= {series.uid for series in self.series}
        return found | {instance.uid for instance in self.instances}

    @property
    def ids(self) -> set[str]:
        """All Orthanc ids."""
        found = {study.id for study in self.studies}
        found |= {study.patient for study in self.studies}
        found |= {series.id for series in self.series}
        return found | {instance.id for instance in self.instances}


def explore(site: Site, studies: Sequence[str] | None = None) -> World:
    """Return what the site shows.

    Args:
        site: Orthanc, or an anonymizer.
        studies: Only these StudyInstanceUIDs; None: all there are.

    Raises:
        UnexpectedAnswerError: It does not answer as DICOMweb says.
    """
    explorer = _Explorer(site)
    try:
        if studies is None:
            found = explorer.listed(f"{DICOM_WEB}/studies")
            studies = [_value(one, "0020000D") for one in found]
        made = tuple(explorer.study(uid) for uid in studies)
    except _NO_DICOM_JSON as error:
        raise UnexpectedAnswerError("an answer is no DICOM JSON.") from error
    return World(made, tuple(explorer.metadata))


_NO_DICOM_JSON = (AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What reading a document raises that is something else."""


class _Explorer:
    """Reads one study after the other."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.metadata: list[dict[str, Any]] = []

    def listed(self, path: str) -> list[dict[str, Any]]:
        """Return the DICOM JSON at a path."""
        answer = self._site.ask("GET", path, _JSON)
        if answer.status != _OK:
            shown = path.rsplit("/", maxsplit=1)[-1]
            why = _REASONS.get(answer.status, "")
            raise UnexpectedAnswerError(f".../{shown} answered {answer.status}{why}.")
        datasets: list[dict[str, Any]] = json.loads(answer.body)
        return datasets

    def study(self, uid: str) -> Study:
        """Return a study and all below it."""
        path = f"{DICOM_WEB}/studies/{uid}"
        orthanc_id = self._id(uid)
        patient = self._json(f"/studies/{orthanc_id}").get("ParentPatient", "")
        found = self.listed(f"{path}/series")
        series = (self._series(path, _value(one, "0020000E")) for one in found)
        return Study(uid, orthanc_id, patient, path, tuple(series))

    def _series(self, study: str, uid: str) -> Series:
        path = f"{study}/series/{uid}"
        metadata = self.listed(f"{path}/metadata")
        self.metadata += metadata
        instances = tuple(self._instance(path, one) for one in metadata)
        return Series(uid, self._id(uid), path, instances)

    def _instance(self, series: str, metadata: dict[str, Any]) -> Instance:
        uid = _value(metadata, "00080018")
        return Instance(
            uid=uid,
            id=self._id(uid),
            sop_class=_value(metadata, "00080016"),
            frames=int(_value(metadata, "00280008") or 1),
            path=f"{series}/instances/{uid}",
            bulk=tuple(_bulk(metadata)),
        )

    def _id(self, uid: str) -> str:
        answer = self._site.ask("POST", "/tools/lookup", body=uid.encode())
        found = json.loads(answer.body) if answer.status == _OK else []
        return str(found[0]["ID"]) if found else ""

    def _json(self, path: str) -> dict[str, Any]:
        answer = self._site.ask("GET", path)
        found = json.loads(answer.body) if answer.status == _OK else {}
        return found if isinstance(found, dict) else {}


def _value(dataset: dict[str, Any], tag: str) -> str:
    values = dataset.get(tag, {}).get("Value") or [""]
    return str(values[0])


def _bulk(dataset: dict[str, Any]) -> Iterator[str]:
    for attribute in dataset.values():
        uri = attribute.get("BulkDataURI", "")
        if "/bulk/" in uri:
            yield uri.split("/bulk/", 1)[1]
        for value in attribute.get("Value", ()):
            if isinstance(value, dict) and attribute.get("vr") == "SQ":
                yield from _bulk(value)
