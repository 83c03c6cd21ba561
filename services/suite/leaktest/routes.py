"""The routes of the anonymizer and some of Orthanc's, and how viewers ask them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from suite.leaktest.world import DICOM_WEB

HEADER_ACCEPTS = (
    'multipart/related; type="application/dicom"; transfer-syntax=*',
    'multipart/related; type="application/dicom"',
    'multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2.1',
    "multipart/related; type=application/octet-stream; transfer-syntax=*",
    'multipart/related; type="application/octet-stream"',
    'multipart/related; type="image/jpeg"; transfer-syntax=1.2.840.10008.1.2.4.50',
    'multipart/related; type="image/jp2"; transfer-syntax=*',
    'multipart/related; type="application/dicom+xml"',
    'multipart/related; type="*/*"',
    "application/dicom",
    "application/dicom+json",
    "application/json",
    "application/octet-stream",
    "application/pdf",
    "application/xml",
    "application/zip",
    "image/jpeg",
    "image/png",
    "image/gif",
    "video/mp4",
    "text/html",
    "*/*",
    "nonsense",
)
"""Every media type that an answer of DICOMweb can have, and some that it cannot."""

_DICOM = (HEADER_ACCEPTS[0],)
_FRAMES = (HEADER_ACCEPTS[3],)
_JSON = ("application/dicom+json",)
_PICTURE = ("image/jpeg", "image/png")
_ANY = ("*/*",)

SENSITIVE_PATHS = (
    "00100010",
    "00100020",
    "00080080",
    "0020000D",
    "00420011",
    "7FE00010",
    "7fe00010",
    "0040A730/1/0040A160",
    "0040a730/1/0040a160",
    "52009230/1/00209111/1/00209158",
    "00091002",
    "00291010",
    "54000100/1/54001010",
    "00282000",
    "60003000",
    "FFFAFFFA",
)
"""Paths of elements that hold identities, for routes of bulk data."""


@dataclass(frozen=True)
class Route:
    """A route, and how it is asked.

    Args:
        template: The path with parameters in braces.
        accepts: The media types that viewers ask it for.
        queries: Queries, with their question mark; the first is asked of everything.
        bodies: Contents of a POST.
    """

    template: str
    accepts: Sequence[str] = _ANY
    queries: Sequence[str] = ("",)
    bodies: Sequence[bytes] = ()


_STUDY = f"{DICOM_WEB}/studies/{{study}}"
_SERIES = f"{_STUDY}/series/{{series}}"
_INSTANCE = f"{_SERIES}/instances/{{instance}}"
BULK = f"{_INSTANCE}/bulk/{{tag_path}}"
"""The route of bulk data, which Orthanc has for every element."""

_QIDO = (
    "",
    "?includefield=all",
    "?includefield=00100010&includefield=00081030,00080090,00101010",
    "?limit=1&offset=0&fuzzymatching=true",
    "?PatientName=*",
    "?00100010=Q*&00100030=18000101-19000101",
    "?ModalitiesInStudy=CT&StudyDate=-",
)
_VIEWPORT = ("", "?viewport=128,128", "?window=600,1600,linear", "?quality=50")


def _with_picture(parent: str) -> tuple[Route, ...]:
    return (
        Route(f"{parent}/rendered", _PICTURE, _VIEWPORT),
        Route(f"{parent}/thumbnail", _PICTURE, ("", "?viewport=64,64")),
    )


DICOM_WEB_ROUTES: tuple[Route, ...] = (
    Route(f"{DICOM_WEB}/studies", _JSON, _QIDO),
    Route(f"{DICOM_WEB}/series", _JSON, _QIDO),
    Route(f"{DICOM_WEB}/instances", _JSON, _QIDO),
    Route(f"{_STUDY}/series", _JSON, _QIDO),
    Route(f"{_STUDY}/instances", _JSON, _QIDO),
    Route(f"{_SERIES}/instances", _JSON, _QIDO),
    Route(f"{_STUDY}/metadata", _JSON),
    Route(f"{_SERIES}/metadata", _JSON),
    Route(f"{_INSTANCE}/metadata", _JSON, ("", "?includefield=all")),
    Route(_STUDY, _DICOM),
    Route(_SERIES, _DICOM),
    Route(_INSTANCE, (*_DICOM, "application/dicom"), ("", "?accept=application/dicom")),
    Route(f"{_INSTANCE}/frames/{{frames}}", _FRAMES),
    *_with_picture(_STUDY),
    *_with_picture(_SERIES),
    *_with_picture(_INSTANCE),
    *_with_picture(f"{_INSTANCE}/frames/{{frame}}"),
    Route(BULK, ("application/octet-stream",)),
    Route(
        "/wado",
        ("application/dicom", "*/*"),
        tuple(
            "?requestType=WADO&studyUID={study}&seriesUID={series}&objectUID={instance}"
            f"&contentType={kind}"
            for kind in ("application/dicom", "image/jpeg", "image/png", "text/html")
        ),
    ),
)
"""DICOMweb: QIDO-RS, WADO-RS and WADO-URI."""

_FINDS = tuple(
    json.dumps(question).encode()
    for question in (
        {"Level": "Study", "Query": {}, "Expand": True},
        {"Level": "Instance", "Query": {"StudyInstanceUID": "*"}},
        {"Level": "Patient", "Query": {"PatientName": "*"}, "Expand": True},
        {
            "Level": "Series",
            "Query": {},
            "Expand": True,
            "Full": True,
            "RequestedTags": ["PatientName", "PatientBirthDate"],
        },
    )
)

ORTHANC_ROUTES: tuple[Route, ...] = (
    Route("/system"),
    Route("/patients/{id}"),
    Route("/studies/{id}", queries=("", "?requestedTags=PatientName;StudyDate")),
    Route("/studies/{id}/series", queries=("", "?expand")),
    Route("/studies/{id}/instances", queries=("", "?expand")),
    Route("/studies/{id}/archive"),
    Route("/studies/{id}/ohif-dicom-json"),
    Route("/series/{id}"),
    Route("/series/{id}/study"),
    Route("/series/{id}/instances"),
    Route("/series/{id}/archive"),
    Route("/instances/{id}"),
    Route("/instances/{id}/study"),
    Route("/instances/{id}/series"),
    Route("/instances/{id}/file"),
    Route("/tools/lookup", bodies=(b"{study}", b"{series}", b"{instance}")),
    Route("/tools/find", bodies=_FINDS),
    Route("/osimis-viewer/studies/{id}"),
    Route("/osimis-viewer/studies/{id}/annotations"),
    Route("/osimis-viewer/series/{id}"),
    *(
        Route(f"/osimis-viewer/images/{{id}}/{{index}}/{quality}-quality")
        for quality in ("low", "medium", "high", "pixeldata")
    ),
)
"""Orthanc's own interface, and that of Osimis's viewer."""

SERVED_ROUTES = (*DICOM_WEB_ROUTES, *ORTHANC_ROUTES)
"""What the anonymizer has, and nothing else."""

FOREIGN_ROUTES = (
    Route("/instances/{id}/pdf"),
    Route("/instances/{id}/tags", queries=("", "?simplify")),
    Route("/instances/{id}/simplified-tags"),
    Route("/instances/{id}/preview"),
    Route("/instances/{id}/frames/{index}/raw"),
    Route("/instances/{id}/frames/{index}/preview"),
)
"""What Orthanc and its plugins have besides, which must not be had here."""

ROUTES = (*SERVED_ROUTES, *FOREIGN_ROUTES)
"""Everything that is asked of everything that is shown."""
