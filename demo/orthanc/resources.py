"""Resources of Orthanc: which patient, study and series something belongs to."""

import json
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

RESOURCES = {
    "instance": ("instances", "SOPInstanceUID", "ParentSeries"),
    "series": ("series", "SeriesInstanceUID", "ParentStudy"),
    "study": ("studies", "StudyInstanceUID", "ParentPatient"),
    "patient": ("patients", "PatientID", None),
}
"""Level to its route, its DICOM id and the member that names its parent."""

_ABOVE = {"instance": "series", "series": "study", "study": "patient"}


class OrthancApi(Protocol):
    """The part of the module `orthanc` that is used to find resources."""

    def RestApiGet(self, uri: str, /) -> bytes:  # noqa: N802
        """GET from Orthanc itself, in process; raises if the answer is no 200."""
        ...

    def RestApiPost(self, uri: str, body: bytes | str, /) -> bytes:  # noqa: N802
        """POST to Orthanc itself, in process; raises if the answer is no 200."""
        ...


class Found(NamedTuple):
    """A resource.

    Attributes:
        level: `patient`, `study`, `series` or `instance`.
        orthanc_id: Identifier in Orthanc.
        dicom_id: PatientID or UID.
    """

    level: str
    orthanc_id: str
    dicom_id: str


Chain = tuple[Found, ...]
"""A resource and all it belongs to, from the patient down."""


class UnknownResourceError(Exception):
    """Orthanc does not have it, or more than one."""


class Resources:
    """Finds resources in Orthanc.

    Chains are kept: an identifier in Orthanc is a hash of the DICOM ids of the
    resource and its parents, it cannot come to mean something else.
    """

    def __init__(self, api: OrthancApi) -> None:
        self._api = api
        self.chain = lru_cache(maxsize=10_000)(self._chain)

    def _chain(self, level: str, orthanc_id: str) -> Chain:
        """Return the resource with this identifier and its parents.

        Raises:
            UnknownResourceError: There is none.
        """
        route, tag, parent = RESOURCES[level]
        try:
            found = json.loads(self._api.RestApiGet(f"/{route}/{orthanc_id}"))
            dicom_id = found["MainDicomTags"].get(tag, "")
            above = () if parent is None else self.chain(_ABOVE[level], found[parent])
        except Exception as error:
            # The module raises its own OrthancException for everything
            raise UnknownResourceError(level) from error
        return (*above, Found(level, orthanc_id, dicom_id))

    def by_dicom(self, level: str, uids: dict[str, str]) -> Chain:
        """Return the one resource with the DICOM ids in `uids`, level to id.

        Raises:
            UnknownResourceError: There is none, or several (one UID, two patients).
        """
        answer: Any = json.loads(self._api.RestApiPost("/tools/lookup", uids[level]))
        kind = level.capitalize()
        chains = [self.chain(level, hit["ID"]) for hit in answer if hit["Type"] == kind]
        fits = [chain for chain in chains if _fits(chain, uids)]
        if len(fits) != 1:
            raise UnknownResourceError(level)
        return fits[0]

    def by_any_level(self, orthanc_id: str) -> Chain:
        """Return the resource with this identifier, whatever its level.

        Raises:
            UnknownResourceError: There is none.
        """
        for level in RESOURCES:
            try:
                return self.chain(level, orthanc_id)
            except UnknownResourceError:
                continue
        raise UnknownResourceError("any")


def _fits(chain: Chain, uids: dict[str, str]) -> bool:
    known = {found.level: found.dicom_id for found in chain}
    return all(known.get(level) == uid for level, uid in uids.items())
