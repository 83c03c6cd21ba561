"""Orthanc plugin that asks the token-service about each request, for the native demo.

The authorization plugin that the deployment uses is written in C++ and not part of
Debian. This one asks the same questions (`POST /tokens/validate`, `/tokens/decode`,
`/user/get-profile`, `PUT /tokens/{type}`) in the same form, reads the same section
`Authorization` of Orthanc's configuration, and refuses with 403 whatever is not
granted, also when the service fails. It needs Debian's `orthanc-python` (Orthanc's
option `PythonScript`) and must stand before the DICOMweb plugin in `Plugins`, because
it takes over `GET /dicom-web/studies` (see `demo.orthanc.studylist`).

As in the deployment there are two Orthancs: one for the staff, which only gets `PUT
/auth/tokens/{type}` (options `WebServiceTokenCreationBaseUrl` and login; nothing is
filtered, keep it away from the public), and one for shares, where `WebServiceRootUrl`
is set and every request is checked. Debian's Orthanc keeps its index in SQLite, which
two processes cannot share, so the demo stores the sample studies in both.

With `"OrthancShareDemo": {"ViewerFolder": path, "ViewerConfiguration": path}` Orthanc
also serves the files of OHIF under `/ohif/`.
"""

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # Orthanc adds its own

import orthanc  # type: ignore[import-not-found]

from demo.orthanc.decision import STUDY_LIST, Gate
from demo.orthanc.options import read_options
from demo.orthanc.request import METHODS, Request
from demo.orthanc.resources import Resources, UnknownResourceError
from demo.orthanc.routes import Answer, Routes
from demo.orthanc.service import ServiceError, TokenService
from demo.orthanc.studylist import RefusedError, StudyList
from demo.orthanc.viewerfiles import HEADERS, PREFIX, ViewerFiles

_configuration = json.loads(orthanc.GetConfiguration())
_options = read_options(_configuration.get("Authorization", {}))
_service = TokenService(_options)
_gate = Gate(_options, _service, Resources(orthanc))
_routes = Routes(_options, _service)
_studies = StudyList(_options, _service, _gate, orthanc)


def _incoming(uri: str, **request: Any) -> bool:
    """Decide about a request; an error of any kind is a refusal."""
    try:
        method = METHODS[request["method"]]
        arguments = request.get("get", {})
        return _gate.allows(Request.of(uri, method, request["headers"], arguments))
    except UnknownResourceError:
        return False
    except ServiceError as error:
        orthanc.LogWarning(f"authorization: {error}")
        return False
    except Exception as error:  # noqa: BLE001
        # Orthanc would answer 500; the message may quote the request, so its type only
        orthanc.LogError(f"authorization: refused after {type(error).__name__}")
        return False


def _request(uri: str, request: dict[str, Any]) -> Request:
    arguments = request.get("get", {})
    return Request.of(uri, request["method"], request["headers"], arguments)


def _send(output: Any, answer: Answer) -> None:
    body = json.dumps(answer.document)
    if answer.status == 200:  # noqa: PLR2004
        output.AnswerBuffer(body, "application/json")
    else:
        output.SendHttpStatus(answer.status, body, len(body))


def _on_tokens(output: Any, uri: str, **request: Any) -> None:
    _send(output, _routes.tokens(_request(uri, request), request.get("body", b"")))


def _on_profile(output: Any, uri: str, **request: Any) -> None:
    _send(output, _routes.profile(_request(uri, request)))


def _on_studies(output: Any, uri: str, **request: Any) -> None:
    if request["method"] != "GET":
        _send(output, Answer(405, {"HttpStatus": 405, "Message": "GET only"}))
        return
    try:
        found = _studies.answer(_request(uri, request))
    except (RefusedError, UnknownResourceError):
        _send(output, Answer(403, {"HttpStatus": 403, "Message": "Forbidden"}))
        return
    output.AnswerBuffer(json.dumps(found), "application/dicom+json")


def _serve_viewer(viewer: dict[str, str]) -> None:
    files = ViewerFiles(
        Path(viewer["ViewerFolder"]), Path(viewer["ViewerConfiguration"])
    )

    def on_viewer(output: Any, uri: str, **request: Any) -> None:
        found = files.find(uri) if request["method"] == "GET" else None
        if found is None:
            _send(output, Answer(404, {"HttpStatus": 404, "Message": "Not found"}))
            return
        for name, value in HEADERS.items():
            output.SetHttpHeader(name, value)
        output.AnswerBuffer(found.content, found.media_type)

    orthanc.RegisterRestCallback(f"{PREFIX}(.*)", on_viewer)


orthanc.RegisterRestCallback("/auth/tokens/(.*)", _on_tokens)
orthanc.RegisterRestCallback("/auth/user/profile", _on_profile)
if _options.filters:
    orthanc.RegisterIncomingHttpRequestFilter(_incoming)
    orthanc.RegisterRestCallback(STUDY_LIST, _on_studies)
if "OrthancShareDemo" in _configuration:
    _serve_viewer(_configuration["OrthancShareDemo"])
