"""What a share opens: one DICOM resource at one level, named by one or two ids."""

import re
from dataclasses import dataclass
from enum import StrEnum

from orthanc_share.domain.errors import InvalidResourceError

UID_LENGTH_MAX = 64
"""Longest UID, in characters. Source: DICOM PS3.5 9.1."""

PATIENT_ID_LENGTH_MAX = 64
"""Longest PatientID, in characters. Source: DICOM PS3.5 6.2, VR LO."""

_UID = re.compile(r"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))+", re.ASCII)
_ORTHANC_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{8}){4}", re.ASCII)


class Level(StrEnum):
    """A level of the DICOM model of the real world, and the plugin's `system`."""

    PATIENT = "patient"
    STUDY = "study"
    SERIES = "series"
    INSTANCE = "instance"
    SYSTEM = "system"


def is_uid(text: str) -> bool:
    """Tell whether `text` is a UID as PS3.5 9.1 wants it."""
    return len(text) <= UID_LENGTH_MAX and _UID.fullmatch(text) is not None


def is_orthanc_id(text: str) -> bool:
    """Tell whether `text` has the form of an Orthanc id: SHA-1 in five groups."""
    return _ORTHANC_ID.fullmatch(text) is not None


def _is_patient_id(text: str) -> bool:
    has_right_length = 0 < len(text) <= PATIENT_ID_LENGTH_MAX
    return has_right_length and "\\" not in text and text.isprintable()


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource of Orthanc; two ids must both belong to it.

    Args:
        level: Level of the resource; never `system`.
        dicom_uid: StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID or, at the
            patient level, PatientID.
        orthanc_id: Orthanc's identifier.

    Raises:
        InvalidResourceError: No id at all, a malformed one, or level `system`.
    """

    level: Level = Level.STUDY
    dicom_uid: str | None = None
    orthanc_id: str | None = None

    def __post_init__(self) -> None:
        if self.level is Level.SYSTEM:
            raise InvalidResourceError("The level 'system' cannot be shared.")
        if self.dicom_uid is None and self.orthanc_id is None:
            raise InvalidResourceError("A resource needs a dicom-uid or an orthanc-id.")
        if self.dicom_uid is not None and not self._has_valid_dicom_id(self.dicom_uid):
            raise InvalidResourceError("The dicom-uid is not a valid DICOM identifier.")
        if self.orthanc_id is not None and not is_orthanc_id(self.orthanc_id):
            raise InvalidResourceError("The orthanc-id is not a valid identifier.")

    def _has_valid_dicom_id(self, text: str) -> bool:
        return _is_patient_id(text) if self.level is Level.PATIENT else is_uid(text)

    def matches(
        self, level: str, dicom_uid: str | None, orthanc_id: str | None
    ) -> bool:
        """Tell whether the ids asked for name this resource.

        Every id that both sides have must be equal, and there must be one at least.
        """
        if level != self.level:
            return False
        agreed = False
        if dicom_uid and self.dicom_uid:
            if dicom_uid != self.dicom_uid:
                return False
            agreed = True
        if orthanc_id and self.orthanc_id:
            if orthanc_id != self.orthanc_id:
                return False
            agreed = True
        return agreed
