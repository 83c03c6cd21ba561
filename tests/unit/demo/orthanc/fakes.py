"""An Orthanc with two studies, as far as the plugin asks it anything."""

import json
from typing import Any


def orthanc_id(letter: str) -> str:
    """Return an identifier of the right form."""
    return "-".join([letter * 8] * 5)


PATIENT, STUDY, SERIES, INSTANCE = map(orthanc_id, "1234")
OTHER_PATIENT, OTHER_STUDY = map(orthanc_id, "56")
TWIN_PATIENT, TWIN_STUDY = map(orthanc_id, "78")


def _resource(tags: dict[str, str], parent: str = "", above: str = "") -> Any:
    return {"MainDicomTags": tags, **({parent: above} if parent else {})}


class OrthancError(Exception):
    """What the module raises for everything."""


class FakeOrthanc:
    """Answers from a table; `searches` keeps what `/tools/find` was asked."""

    def __init__(self) -> None:
        self.searches: list[Any] = []
        self.gets: list[str] = []
        self.table: dict[str, Any] = {
            f"/patients/{PATIENT}": _resource({"PatientID": "P"}),
            f"/studies/{STUDY}": _resource(
                {"StudyInstanceUID": "1.2"}, "ParentPatient", PATIENT
            ),
            f"/series/{SERIES}": _resource(
                {"SeriesInstanceUID": "1.2.3"}, "ParentStudy", STUDY
            ),
            f"/instances/{INSTANCE}": _resource(
                {"SOPInstanceUID": "1.2.3.4"}, "ParentSeries", SERIES
            ),
            f"/patients/{OTHER_PATIENT}": _resource({"PatientID": "Q"}),
            f"/studies/{OTHER_STUDY}": _resource(
                {"StudyInstanceUID": "9.9"}, "ParentPatient", OTHER_PATIENT
            ),
            f"/patients/{TWIN_PATIENT}": _resource({}),
            f"/studies/{TWIN_STUDY}": _resource(
                {"StudyInstanceUID": "9.9"}, "ParentPatient", TWIN_PATIENT
            ),
            f"/studies/{STUDY}/series": [
                {"MainDicomTags": {"Modality": "MR"}, "Instances": ["a", "b"]},
                {"MainDicomTags": {}, "Instances": ["c"]},
            ],
        }
        self.lookup = {
            "1.2": [("Study", STUDY)],
            "1.2.3": [("Series", SERIES), ("Study", OTHER_STUDY)],
            "1.2.3.4": [("Instance", INSTANCE)],
            "9.9": [("Study", OTHER_STUDY), ("Study", TWIN_STUDY)],
            "P": [("Patient", PATIENT)],
        }

    def RestApiGet(self, uri: str) -> bytes:  # noqa: N802
        """GET."""
        self.gets.append(uri)
        if uri not in self.table:
            raise OrthancError(-1, "Internal error")
        return json.dumps(self.table[uri]).encode()

    def RestApiPost(self, uri: str, body: bytes | str) -> bytes:  # noqa: N802
        """POST: `/tools/lookup` or `/tools/find`."""
        if uri == "/tools/lookup":
            hits = self.lookup.get(str(body), [])
            return json.dumps(
                [{"Type": kind, "ID": id_} for kind, id_ in hits]
            ).encode()
        self.searches.append(json.loads(body))
        return json.dumps(
            [
                {
                    "ID": STUDY,
                    "MainDicomTags": {"StudyInstanceUID": "1.2", "StudyDate": ""},
                    "PatientMainDicomTags": {"PatientName": "A^B"},
                }
            ]
        ).encode()
