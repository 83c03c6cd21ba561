"""QIDO-RS search for studies (PS3.18 10.6), limited to what the caller may see.

The filter cannot change a request, and Orthanc 1.10 offers no way to put constraints
on the DICOMweb plugin's searches. So this takes the place of its `GET
/dicom-web/studies` and answers from `POST /tools/find`.
"""

import json
from typing import Any

from demo.orthanc.decision import Gate, is_open_study_list
from demo.orthanc.levels import queried_ids
from demo.orthanc.options import Options
from demo.orthanc.request import Request
from demo.orthanc.resources import OrthancApi
from demo.orthanc.service import ServiceError, TokenService

ATTRIBUTES = {
    "StudyDate": ("00080020", "DA"),
    "StudyTime": ("00080030", "TM"),
    "AccessionNumber": ("00080050", "SH"),
    "ReferringPhysicianName": ("00080090", "PN"),
    "StudyDescription": ("00081030", "LO"),
    "PatientName": ("00100010", "PN"),
    "PatientID": ("00100020", "LO"),
    "PatientBirthDate": ("00100030", "DA"),
    "PatientSex": ("00100040", "CS"),
    "StudyInstanceUID": ("0020000D", "UI"),
    "StudyID": ("00200010", "SH"),
}
"""Keyword of each attribute that is searched and returned, to its tag and VR."""

_KEYWORDS = {tag.lower(): keyword for keyword, (tag, _) in ATTRIBUTES.items()} | {
    keyword.lower(): keyword for keyword in ATTRIBUTES
}

MAX_STUDIES = 1000
"""Greatest number of studies in one answer."""


class RefusedError(Exception):
    """The caller may see no study at all."""


class StudyList:
    """Answers searches for studies."""

    def __init__(
        self, options: Options, service: TokenService, gate: Gate, api: OrthancApi
    ) -> None:
        self._options = options
        self._service = service
        self._gate = gate
        self._api = api

    def answer(self, request: Request) -> list[dict[str, Any]]:
        """Return the studies as DICOM JSON (PS3.18 F.2).

        Raises:
            RefusedError: The caller may see no study.
        """
        query = _query(request)
        if is_open_study_list(request) and not self._gate.may_see_all(request):
            query["StudyInstanceUID"] = "\\".join(self._named_by_token(request))
        elif named := queried_ids(request).get("study"):
            query["StudyInstanceUID"] = named  # the filter has asked about it
        search = {
            "Level": "Study",
            "Expand": True,
            "Query": query,
            "Limit": min(_number(request, "limit") or MAX_STUDIES, MAX_STUDIES),
            "Since": _number(request, "offset"),
        }
        found = json.loads(self._api.RestApiPost("/tools/find", json.dumps(search)))
        return [self._study(study) for study in found]

    def _named_by_token(self, request: Request) -> list[str]:
        """Return the studies in the first token that names any.

        Only tokens in headers are looked at, as by the C++ plugin; unlike there,
        several studies in one token are all listed.
        """
        for token in request.tokens(self._options):
            if not token.in_header:
                continue
            try:
                resources = self._service.decode(token.key, token.value)["resources"]
                uids = [item["dicom-uid"] for item in resources if item["dicom-uid"]]
            except (ServiceError, KeyError, TypeError):
                raise RefusedError from None
            if uids:
                return [str(uid) for uid in uids]
        raise RefusedError

    def _study(self, study: dict[str, Any]) -> dict[str, Any]:
        series = json.loads(self._api.RestApiGet(f"/studies/{study['ID']}/series"))
        tags = {**study["PatientMainDicomTags"], **study["MainDicomTags"]}
        found = {
            tag: _element(vr, tags.get(keyword, ""))
            for keyword, (tag, vr) in ATTRIBUTES.items()
        }
        kinds = {each["MainDicomTags"].get("Modality", "OT") for each in series}
        images = sum(len(each["Instances"]) for each in series)
        found["00080061"] = {"vr": "CS", "Value": sorted(kinds)}
        found["00201206"] = {"vr": "IS", "Value": [len(series)]}
        found["00201208"] = {"vr": "IS", "Value": [images]}
        return found


def _element(vr: str, value: str) -> dict[str, Any]:
    if not value:
        return {"vr": vr}
    return {"vr": vr, "Value": [{"Alphabetic": value} if vr == "PN" else value]}


def _query(request: Request) -> dict[str, str]:
    """Return what to search for, keyword to value; unknown arguments are ignored."""
    named = {
        _KEYWORDS.get(name.lower().replace(",", "").replace("-", "")): value
        for name, value in request.arguments.items()
    }
    return {
        keyword: value
        for keyword, value in named.items()
        if keyword is not None and keyword != "StudyInstanceUID"
    }


def _number(request: Request, argument: str) -> int:
    value = request.arguments.get(argument, "")
    return int(value) if value.isascii() and value.isdigit() else 0
