"""A small site that leaks, or does not, and an Orthanc behind it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.server import serve

UIDS = ("1.2.276.0.99.1", "1.2.276.0.99.2", "1.2.276.0.99.3")
"""UIDs of study, series and instance in Orthanc."""

PSEUDONYMS = ("2.25.1111111111", "2.25.2222222222", "2.25.3333333333")
"""The same, as the anonymizer shows them."""

METADATA = {
    "00080016": {"vr": "UI", "Value": ["1.2.840.10008.5.1.4.1.1.2"]},
    "00280008": {"vr": "IS", "Value": [3]},
    "00100010": {"vr": "PN", "Value": [{"Alphabetic": "DOEFAMILY^JANEGIVEN"}]},
    "00100020": {"vr": "LO", "Value": ["PATIENT-12345"]},
    "00100030": {"vr": "DA", "Value": ["18501231"]},
    "00080030": {"vr": "TM", "Value": ["1030"]},
    "0008002A": {"vr": "DT", "Value": ["18491130235959"]},
    "00081190": {"vr": "UR", "Value": ["http://orthanc/dicom-web/studies"]},
    "00080104": {"vr": "LO", "Value": ["A code meaning"]},
    "00180050": {"vr": "DS", "Value": [3.5]},
    "00081140": {
        "vr": "SQ",
        "Value": [
            {
                "00081155": {"vr": "UI", "Value": ["1.2.276.0.99.4"]},
                "00282000": {"vr": "OB", "BulkDataURI": "http://o/i/bulk/00282000"},
            }
        ],
    },
}
"""What Orthanc knows of the instance, beside its UIDs."""


@dataclass
class Shown:
    """What a site answers.

    Args:
        uids: Of study, series and instance.
        known: Metadata of the instance.
        asked: Methods and paths that were asked for, in order.
        patient: Orthanc's id of the patient.
        is_empty: It shows no study.
        is_broken: It answers 502.
        fails_after: It answers so many requests, then 502.
    """

    uids: tuple[str, str, str]
    known: dict[str, object]
    asked: list[tuple[str, str]] = field(default_factory=list)
    patient: str = "the-pseudonym-id"
    is_empty: bool = False
    is_broken: bool = False
    fails_after: int | None = None

    def dataset(self) -> dict[str, object]:
        """Return the metadata of the instance."""
        tags = ("0020000D", "0020000E", "00080018")
        uids = {
            tag: {"vr": "UI", "Value": [uid]}
            for tag, uid in zip(tags, self.uids, strict=True)
        }
        return {**uids, **self.known}

    async def answer(self, request: Request) -> Response:
        """Answer like DICOMweb and Orthanc, as far as the explorer asks."""
        self.asked.append((request.method, request.url.path))
        fails = self.fails_after is not None and len(self.asked) > self.fails_after
        if self.is_broken or fails:
            return Response(status_code=502)
        if request.url.path == "/tools/lookup":
            uid = (await request.body()).decode()
            known = [{"ID": f"{uid}-id"}] if uid in self.uids else []
            return JSONResponse(known)
        if request.url.path.startswith("/studies/"):
            return JSONResponse({"ParentPatient": self.patient})
        study, series, _instance = self.uids
        paths = {"/dicom-web/studies", f"/dicom-web/studies/{study}/series"}
        paths |= {f"/dicom-web/studies/{study}/metadata"}
        paths |= {f"/dicom-web/studies/{study}/series/{series}/metadata"}
        if request.method == "GET" and request.url.path in paths:
            found = [] if self.is_empty else [self.dataset()]
            text = json.dumps(found)
            return Response(text, media_type="application/dicom+json")
        return Response(status_code=404)


@contextmanager
def running(shown: Shown) -> Iterator[str]:
    """Run a site; yield its address."""
    methods = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]
    route = Route("/{path:path}", shown.answer, methods=methods)
    with serve(Starlette(routes=[route])) as url:
        yield url


def orthanc() -> Shown:
    """Return what the raw Orthanc shows."""
    return Shown(UIDS, METADATA, patient="the-patient-id")


def clean() -> Shown:
    """Return what an anonymizer shows that lets nothing through."""
    return Shown(PSEUDONYMS, {"00080060": {"vr": "CS", "Value": ["CT"]}})
