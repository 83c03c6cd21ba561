"""Requests that no viewer makes: other methods, paths, headers, foreign ids."""

from collections.abc import Iterable, Iterator

from suite.leaktest.requests import Ask, requests
from suite.leaktest.routes import ROUTES, Route
from suite.leaktest.world import DICOM_WEB, World

METHODS = ("PUT", "DELETE", "POST", "PATCH", "HEAD", "OPTIONS", "TRACE", "PROPFIND")
"""Methods that no route but two takes."""

HEADERS: tuple[dict[str, str], ...] = (
    {"Forwarded": "host=evil.example;proto=https"},
    {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"},
    {"X-Forwarded-Prefix": "/evil", "X-Original-URL": "/instances"},
    {"Host": "evil.example"},
    {"Range": "bytes=0-1023"},
    {"Range": "bytes=-100"},
    {"If-None-Match": "*", "If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"},
    {"Accept-Encoding": "gzip, deflate, br"},
    {"Accept-Charset": "utf-16"},
    {"X-HTTP-Method-Override": "DELETE"},
    {"Cookie": "evil=1", "Origin": "https://evil.example"},
    {"Expect": "nonsense"},
)
"""Header fields that a server may reflect or obey."""

PATHS = (
    "/",
    "/app/explorer.html",
    "/changes",
    "/changes?limit=10",
    "/exports",
    "/instances",
    "/jobs",
    "/logs",
    "/metrics",
    "/metrics-prometheus",
    "/modalities",
    "/patients",
    "/patients?expand",
    "/peers",
    "/plugins",
    "/plugins/explorer.js",
    "/queries",
    "/series",
    "/statistics",
    "/storage-commitment",
    "/studies",
    "/studies?expand",
    "/tools",
    "/tools/dicom-conformance",
    "/tools/execute-script",
    "/tools/metrics",
    "/tools/now",
    f"{DICOM_WEB}",
    f"{DICOM_WEB}/",
    f"{DICOM_WEB}/servers",
    f"{DICOM_WEB}/info",
    f"{DICOM_WEB}/studies/",
    "/dicom-web//studies",
    "//dicom-web/studies",
    "/dicom-web/./studies",
    "/system/../studies",
    "/system/%2e%2e/studies",
    "/system/..%2fstudies",
    "/dicom-web%2fstudies",
    "/DICOM-WEB/STUDIES",
    "/dicom-web/studies;a=b",
    "/dicom-web/studies%00",
    "/dicom-web/studies%0d%0aX-Evil:%201",
    "/dicom-web/studies/%2e%2e/%2e%2e/instances",
    "/osimis-viewer/config.js",
    "/stone-webviewer/configuration.json",
    "/docs",
    "/openapi.json",
)
"""Paths of Orthanc and of its plugins, and spellings that may lead around a check."""

BELOW = (
    "{instance}/rendered/../metadata",
    "{instance}/%2e%2e/%2e%2e/metadata",
    "{instance}/metadata/",
    "{instance}//metadata",
    "{instance}/frames/0",
    "{instance}/frames/-1",
    "{instance}/frames/1,,2",
    "{instance}/frames/999999",
    "{instance}/frames/1/",
    "{instance}/bulk/",
    "{instance}/bulk/PatientName",
    "{instance}/bulk/00100010/",
    "{instance}/bulk/../metadata",
    "{instance}/bulk/00080018",
    "{instance}/bulk/7FE00010/1/00100010",
    "{instance}/tags",
    "{instance}/file",
    "{series}/metadata?includefield=all",
    "{series}/rendered?viewport=0,0",
    "{series}/rendered?viewport=99999999,99999999",
    "{series}/rendered?window=nan,inf,linear",
    "{series}/rendered?annotation=patient,technique",
    "{study}/media",
    "{study}/archive",
    "{study}/pixeldata",
    "{study}/zip",
)
"""What may stand below things in DICOMweb, and what may not."""

ORTHANC_BELOW = {
    "instances": (
        "attachments",
        "attachments/dicom/data",
        "attachments/dicom/info",
        "attachments/dicom/md5",
        "content",
        "content/0010-0010",
        "content/PatientName",
        "header",
        "image-uint8",
        "image-uint16",
        "matlab",
        "metadata",
        "metadata?expand",
        "metadata/RemoteIP",
        "metadata/ReceptionDate",
        "module",
        "module-patient",
        "module?simplify",
        "numpy",
        "patient",
        "rendered",
        "statistics",
        "simplified-tags",
        "frames",
        "frames/0",
        "frames/0/image-uint8",
        "frames/0/matlab",
        "frames/0/raw.gz",
        "frames/0/rendered",
        "frames/0/numpy",
        "attachments/1/data",
    ),
    "series": (
        *("media", "metadata?expand", "module", "numpy", "ordered-slices", "patient"),
        *("shared-tags", "statistics", "instances-tags", "attachments", "images"),
    ),
    "studies": (
        *("media", "metadata?expand", "module", "module-patient", "patient", "info"),
        *("shared-tags", "statistics", "instances-tags?simplify", "labels", "merge"),
        *("attachments", "series?expand", "instances?expand", "anonymize", "download"),
    ),
    "patients": (
        *("archive", "media", "studies", "studies?expand", "instances", "module"),
        *("protected", "series", "shared-tags", "statistics", "metadata?expand"),
    ),
}
"""What Orthanc has below its four levels and the anonymizer has not."""


def odd_requests(world: World) -> Iterator[Ask]:
    """Give requests that should find nothing, or nothing more than the usual ones."""
    yield from (Ask("odd path", path) for path in PATHS)
    yield from _below(world)
    first = [next(iter(requests(world, [route])), None) for route in ROUTES]
    for ask in filter(None, first):
        for method in METHODS:
            yield Ask(f"odd method {method}", ask.path, method, ask.headers, b"{}")
        for headers in HEADERS:
            yield Ask("odd header", ask.path, ask.method, {**ask.headers, **headers},
                      ask.body)  # fmt: skip


def _below(world: World) -> Iterator[Ask]:
    study = world.studies[0]
    series = study.series[0]
    instance = series.instances[0]
    for path in BELOW:
        filled = path.replace("{instance}", instance.path)
        filled = filled.replace("{series}", series.path).replace("{study}", study.path)
        yield Ask("odd path below", filled)
    ids = {
        "instances": instance.id,
        "series": series.id,
        "studies": study.id,
        "patients": study.patient,
    }
    for level, names in ORTHANC_BELOW.items():
        for name in names:
            yield Ask("odd path of Orthanc", f"/{level}/{ids[level]}/{name}")


def foreign_requests(foreign: World, routes: Iterable[Route] = ROUTES) -> Iterator[Ask]:
    """Give requests for what is not in the share, by its real names.

    Args:
        foreign: What Orthanc has, with real UIDs and ids: the study itself and others.
        routes: The routes.
    """
    for route in routes:
        if "{" in route.template or route.bodies or "{" in "".join(route.queries):
            usual = Route(route.template, route.accepts[:1], route.queries[:1],
                          route.bodies)  # fmt: skip
            for number, ask in enumerate(requests(foreign, [usual])):
                if number == FOREIGN_MAX:
                    break
                yield Ask("foreign id", ask.path, ask.method, ask.headers, ask.body)


FOREIGN_MAX = 4
"""Requests for foreign things on each route."""
