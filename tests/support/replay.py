"""The recorded questions of Orthanc's plugin, sent as the plugin sends them.

What the placeholders stand for is told in `tests/data/recordings/README.md`.
"""

import http.client
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

RECORDINGS = Path(__file__).parents[1] / "data" / "recordings"
"""Where the recordings are."""

PATIENCE = 10.0
"""Seconds after which the plugin gives up (protocol 0.2)."""

TOKEN = "{TOKEN}"
OTHER_TOKEN = "{OTHER_TOKEN}"

_HOP_HEADERS = {"host", "transfer-encoding"}


@dataclass(frozen=True)
class Line:
    """One line of a recording.

    Args:
        case: Its name, unique in its file.
        config: Name of the plugin's configuration.
        method: HTTP method of the plugin's request.
        path: Path of it, with arguments.
        headers: Headers of it, all of them.
        body: The JSON in it; None: no body, or `raw`.
        raw: The body as text where it is no JSON.
        trigger: What the client had asked of Orthanc.
    """

    case: str
    config: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    raw: str | None
    trigger: Mapping[str, Any] = field(repr=False)

    @property
    def has_login(self) -> bool:
        """Whether the plugin sends the login of the service."""
        return self.headers.get("Authorization", "").startswith("Basic c2hhcmU")

    @property
    def text(self) -> str | None:
        """The body as the plugin writes it: ASCII, compact, sorted."""
        if self.body is None:
            return self.raw
        return json.dumps(self.body, sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True)
class Answer:
    """What the service answered.

    Args:
        status: HTTP status.
        headers: Names in lower case.
        raw: The body.
    """

    status: int
    headers: Mapping[str, str]
    raw: bytes = field(repr=False)

    @property
    def json(self) -> Any:
        """The JSON in the body."""
        return json.loads(self.raw)


@dataclass(frozen=True)
class Study:
    """A study that occurs in the recordings, with everything below it.

    Args:
        dicom_uid: StudyInstanceUID.
        orthanc_id: Orthanc's id of the study.
        ids: All ids of the study, its patient, its series and instances.
    """

    dicom_uid: str
    orthanc_id: str
    ids: frozenset[str] = field(repr=False)


@cache
def lines(name: str) -> Sequence[Line]:
    """Return the requests of the recording `name`."""
    return [_line(entry) for entry in raw_lines(name)]


def raw_lines(name: str) -> list[dict[str, Any]]:
    """Return the lines of the recording `name` as they are written."""
    text = (RECORDINGS / f"{name}.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def _line(entry: dict[str, Any]) -> Line:
    request = entry["request"]
    return Line(
        case=entry["case"],
        config=entry["trigger"]["config"],
        method=request["method"],
        path=request["path"],
        headers=request["headers"],
        body=request.get("body"),
        raw=request.get("raw_body"),
        trigger=entry["trigger"],
    )


@cache
def studies() -> Sequence[Study]:
    """Return the studies of the recordings, the most used one first."""
    return [_study(entry) for entry in raw_lines("studies")]


def _study(entry: dict[str, Any]) -> Study:
    series = entry["series"]
    instances = [one for each in series for one in each["instances"]]
    named = [entry["patient"], entry["study"], *series, *instances]
    ids = {value for one in named for value in _ids(one)}
    return Study(
        entry["study"]["dicom-uid"], entry["study"]["orthanc-id"], frozenset(ids)
    )


def _ids(named: Mapping[str, Any]) -> list[str]:
    return [named[key] for key in ("dicom-uid", "orthanc-id") if key in named]


def case_of(line: Line) -> str:
    """Return the name of a line, for the list of tests."""
    return line.case


def study_of(line: Line) -> Study:
    """Return the study that a line asks about; the first one if it names none."""
    asked = line.body if isinstance(line.body, dict) else {}
    wanted = asked.get("orthanc-id") or asked.get("dicom-uid")
    trigger = str(line.trigger.get("path"))
    named = [study for study in studies() if wanted in study.ids]
    looked_at = [study for study in studies() if study.orthanc_id in trigger]
    return [*named, *looked_at, studies()[0]][0]


def replay(base: str, line: Line, token: str = "", other: str = "") -> Answer:
    """Send one recorded request on a connection of its own; return the answer.

    Args:
        base: Address of the service.
        line: What to send.
        token: Stands for `{TOKEN}`.
        other: Stands for `{OTHER_TOKEN}`.
    """
    host = urlsplit(base).netloc
    plain = {TOKEN: token, OTHER_TOKEN: other, "{HOST}": host}
    headers = {name: _filled(value, plain) for name, value in line.headers.items()}
    text = line.text
    body = None
    if text is not None:
        # In the text of the body the tokens are parts of JSON strings.
        quoted = {name: json.dumps(value)[1:-1] for name, value in plain.items()}
        body = _filled(text, quoted).encode("ascii")
    return send(base, line.method, _filled(line.path, plain), body, headers)


def send(
    base: str,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    chunked: bool = True,
) -> Answer:
    """Send one request as the plugin does: a new connection, the body in chunks."""
    host = urlsplit(base).netloc
    connection = http.client.HTTPConnection(host, timeout=PATIENCE)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", host)
        for name, value in (headers or {}).items():
            if name.lower() not in _HOP_HEADERS:
                connection.putheader(name, value.encode("latin-1"))
        if body is not None and chunked:
            connection.putheader("Transfer-Encoding", "chunked")
        elif body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body, encode_chunked=body is not None and chunked)
        answer = connection.getresponse()
        named = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, named, answer.read())
    finally:
        connection.close()


def _filled(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(name, value)
    return text
