"""From a request to the resources it touches (protocol of the plugin, `AssessUri`)."""

import re
from dataclasses import dataclass

from demo.orthanc.request import Request
from demo.orthanc.resources import Chain, Resources, UnknownResourceError

DICOMWEB = "/dicom-web"
"""Root of the DICOMweb plugin."""

_ID = "[0-9a-f]{8}(?:-[0-9a-f]{8}){4}"
_UID = "[0-9.]+"
_STUDY = f"{DICOMWEB}/studies/(?P<study>{_UID})"
_SERIES = f"{_STUDY}/series/(?P<series>{_UID})"
_INSTANCE = f"{_SERIES}/instances/(?P<instance>{_UID})"

_ORTHANC_ROUTES = (
    ("patient", re.compile(f"/patients/(?P<id>{_ID})(?:/.*)?")),
    ("study", re.compile(f"/studies/(?P<id>{_ID})(?:/.*)?")),
    ("series", re.compile(f"/series/(?P<id>{_ID})(?:/.*)?")),
    ("instance", re.compile(f"/instances/(?P<id>{_ID})(?:/.*)?")),
    ("series", re.compile(f"/web-viewer/(?:is-stable-)?series/(?P<id>{_ID}).*")),
    ("series", re.compile(f"/wsi/(?:pyramids|tiles)/(?P<id>{_ID}).*")),
    ("instance", re.compile(f"/web-viewer/instances/[^/]*?-(?P<id>{_ID})_\\d+")),
    ("series", re.compile(f"/osimis-viewer/series/(?P<id>{_ID}).*")),
    ("study", re.compile(f"/osimis-viewer/studies/(?P<id>{_ID}).*")),
    (
        "instance",
        re.compile(f"/osimis-viewer/(?:images|custom-command)/(?P<id>{_ID}).*"),
    ),
)

_SHOWN = "rendered|thumbnail|metadata"
_DICOMWEB_ROUTES = (
    ("study", re.compile(f"{_STUDY}(?:/(?:series|instances|{_SHOWN}))?")),
    ("series", re.compile(f"{_SERIES}(?:/(?:instances|{_SHOWN}))?")),
    ("instance", re.compile(f"{_INSTANCE}(?:/(?:{_SHOWN}|frames/.*|bulk/.*))?")),
)

_QIDO = re.compile(f"{DICOMWEB}/(?:studies|series|instances)")
_QIDO_ARGUMENTS = {
    "0020000d": "study",
    "studyinstanceuid": "study",
    "0020000e": "series",
    "seriesinstanceuid": "series",
    "00080018": "instance",
    "sopinstanceuid": "instance",
    "00100020": "patient",
    "patientid": "patient",
}
_QIDO_LEVELS = (
    ("instance", ("instance", "series", "study")),
    ("series", ("series", "study")),
    ("study", ("study",)),
    ("patient", ("patient",)),
)

_ARCHIVES = re.compile(r"/tools/create-(?:archive|media|media-extended)")


@dataclass(frozen=True)
class Touched:
    """What a request touches.

    Attributes:
        chains: One for each resource; none means that the path names no resource and
            the level is `system`.
    """

    chains: tuple[Chain, ...] = ()


def touched(request: Request, resources: Resources) -> Touched:
    """Return what `request` touches.

    Raises:
        UnknownResourceError: A resource is named that Orthanc does not have.
    """
    for level, pattern in _ORTHANC_ROUTES:
        if match := pattern.fullmatch(request.path):
            return Touched((resources.chain(level, match["id"]),))
    for level, pattern in _DICOMWEB_ROUTES:
        if match := pattern.fullmatch(request.path):
            return Touched((resources.by_dicom(level, match.groupdict()),))
    if _QIDO.fullmatch(request.path):
        return _queried(request, resources)
    if _ARCHIVES.fullmatch(request.path):
        return _archived(request, resources)
    return Touched()


def queried_ids(request: Request) -> dict[str, str]:
    """Return the DICOM ids in the arguments of a QIDO-RS query, level to id.

    Orthanc takes a tag in any spelling, so `0020,000D`, `0020000d` and
    `StudyInstanceUID` are one argument here too.

    Raises:
        UnknownResourceError: One level is named twice: it would be unclear which of
            the ids Orthanc looks for.
    """
    named: dict[str, str] = {}
    for name, value in request.arguments.items():
        level = _QIDO_ARGUMENTS.get(re.sub("[,-]", "", name.lower()))
        if level is None:
            continue
        if level in named:
            raise UnknownResourceError(level)
        named[level] = value
    return {level: v for level, v in named.items() if v and "*" not in v}


def _queried(request: Request, resources: Resources) -> Touched:
    """Return the deepest resource that a QIDO-RS query names completely."""
    named = queried_ids(request)
    for level, needed in _QIDO_LEVELS:
        if all(part in named for part in needed):
            uids = {part: named[part] for part in needed}
            return Touched((resources.by_dicom(level, uids),))
    return Touched()


def _archived(request: Request, resources: Resources) -> Touched:
    """Return the resources of an archive; all that exist must be granted."""
    chains = []
    for orthanc_id in request.arguments.get("resources", "").split(","):
        try:
            chains.append(resources.by_any_level(orthanc_id))
        except UnknownResourceError:
            continue
    if not chains:
        raise UnknownResourceError("any")
    return Touched(tuple(chains))
