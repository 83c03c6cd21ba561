"""An Orthanc that misbehaves: a clean error or a cut connection, never its bytes."""

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from pydicom import dcmread
from pydicom.uid import SecondaryCaptureImageStorage

from demo.sample_data import OTHER_STUDY
from tests.support.anonymized import (
    ANY_FILE,
    ANY_FRAME,
    Names,
    Running,
    Source,
    anonymizer_settings,
    as_json,
    dicom_json,
    file_of,
    leaks,
    real_path,
    real_series_path,
    running,
    running_anonymizer,
)
from tests.support.orthanc_double import (
    BOUNDARY,
    Answer,
    Reply,
    multipart,
    orthanc_double,
)

SOURCE = Source.sample()
NAMES = Names(SOURCE)
STUDY = f"studies/{SOURCE.study.orthanc_id}"
SERIES = real_series_path(SOURCE.datasets[0])
INSTANCE = real_path(SOURCE.datasets[0])
SHORT = timedelta(seconds=0.3)
DICOM_JSON = "application/dicom+json"

Change = Callable[[Reply], Reply]
Path = Callable[[Names], str]


class Site:
    """A running anonymizer before a stand-in that misbehaves.

    Args:
        started: The anonymizer.
    """

    def __init__(self, started: Running) -> None:
        self._started = started

    @property
    def names(self) -> Names:
        """The names in the present share."""
        return self._started.names

    def change(self, changes: Mapping[str, Answer]) -> None:
        """Let Orthanc answer otherwise, and begin a new share."""
        self._started.share(SOURCE, changes=changes)

    def get(self, path: Path, accept: str | None = None) -> httpx.Response | None:
        """Return an answer; None: the connection was cut in the middle of it."""
        fields = {} if accept is None else {"Accept": accept}
        try:
            answer = self._started.client.get(path(self.names), headers=fields)
        except httpx.RemoteProtocolError:
            return None
        assert not leaks(answer, SOURCE)
        return answer

    def got_before_the_cut(self, path: Path, accept: str) -> bytes:
        """Return what came of an answer that was cut."""
        got: list[bytes] = []
        fields = {"Accept": accept}
        with (
            self._started.client.stream(
                "GET", path(self.names), headers=fields
            ) as answer,
            pytest.raises(httpx.RemoteProtocolError),
        ):
            got.extend(answer.iter_raw())
        return b"".join(got)

    def leaves_after_the_first_piece(self, path: Path, accept: str) -> bool:
        """Read a piece, leave, and tell whether Orthanc notices."""
        left = self._started.orthanc.left
        left.clear()
        fields = {"Accept": accept, "Connection": "close"}
        client = self._started.client
        with client.stream("GET", path(self.names), headers=fields) as answer:
            next(answer.iter_raw())
        return left.wait(10)

    def was_asked(self, path: str) -> bool:
        """Tell whether Orthanc was asked for a path."""
        return path in self._started.orthanc.paths()


@pytest.fixture
def site(anonymizer: Running) -> Site:
    return Site(anonymizer)


@pytest.fixture(scope="module")
def impatient_site() -> Iterator[Site]:
    with running(orthanc_timeout=SHORT) as started:
        yield Site(started)


def good(path: str) -> Reply:
    answer = SOURCE.answers()[path]
    assert isinstance(answer, Reply)
    return answer


def cut_after(part: float) -> Change:
    """Return what cuts a body that announced its whole length."""

    def change(reply: Reply) -> Reply:
        body = reply.body[: int(len(reply.body) * part)]
        return replace(reply, body=body, length=len(reply.body))

    return change


def cut_without_length(reply: Reply) -> Reply:
    """Return a body that ends too early, as if that were its end."""
    return replace(reply, body=reply.body[: len(reply.body) // 2], length=-1)


def renamed(content_type: str) -> Change:
    return lambda reply: replace(reply, content_type=content_type)


def compressed(reply: Reply) -> Reply:
    return replace(reply, fields=(("Content-Encoding", "gzip"),))


def with_status(status: int) -> Change:
    return lambda reply: replace(reply, status=status)


def redirected(reply: Reply) -> Reply:
    elsewhere = (("Location", "http://127.0.0.1:1/DEMO-CT"),)
    return replace(reply, status=302, fields=elsewhere)


def reset(reply: Reply) -> Reply:
    return replace(cut_after(0.5)(reply), resets=True)


def hanging(reply: Reply) -> Reply:
    return replace(cut_after(0.0)(reply), hangs=True)


def dripping(reply: Reply) -> Reply:
    return replace(reply, drips=True)


def studies(_names: Names) -> str:
    return "/dicom-web/studies"


def instances(_names: Names) -> str:
    return "/dicom-web/instances"


def of_study(names: Names) -> str:
    return names.study_path


def of_series(names: Names) -> str:
    return names.series_path()


def of_instance(names: Names) -> str:
    return names.instance_path()


def below(path: Path, last: str) -> Path:
    return lambda names: f"{path(names)}/{last}"


OCTETS = "application/octet-stream"
FRAME = f"{INSTANCE}/frames/1"
ROUTES = [
    pytest.param(studies, None, STUDY, id="qido"),
    pytest.param(studies, None, f"{STUDY}/series", id="list-of-series"),
    pytest.param(studies, None, f"{STUDY}/instances", id="list-of-instances"),
    pytest.param(instances, None, f"{SERIES}/metadata", id="facts"),
    pytest.param(below(of_series, "metadata"), None, f"{SERIES}/metadata", id="json"),
    pytest.param(of_series, ANY_FILE, SERIES, id="series"),
    pytest.param(of_study, ANY_FILE, SERIES, id="study"),
    pytest.param(of_instance, ANY_FILE, INSTANCE, id="instance"),
    pytest.param(of_instance, "application/dicom", INSTANCE, id="single"),
    pytest.param(below(of_instance, "frames/1"), ANY_FRAME, FRAME, id="frames"),
    pytest.param(below(of_instance, "bulk/7FE00010"), OCTETS, FRAME, id="bulk"),
    pytest.param(
        below(of_instance, "rendered"), "image/png", f"{FRAME}/rendered", id="rendered"
    ),
]
"""Path outside, what is accepted, and the path in Orthanc that misbehaves."""

PICTURE = Reply(b"\x89PNG\r\n\x1a\n" + b"DEMO^CT" * 500, "image/png")


def misbehaving(upstream: str, change: Change) -> dict[str, Answer]:
    reply = PICTURE if upstream.endswith("rendered") else good(upstream)
    return {upstream: change(reply)}


@pytest.mark.parametrize(("path", "accept", "upstream"), ROUTES)
@pytest.mark.parametrize(
    ("change", "statuses"),
    [
        pytest.param(cut_after(0.0), {502}, id="cut-at-once"),
        pytest.param(cut_after(0.6), {502, None}, id="cut-later"),
        pytest.param(cut_without_length, {502, None}, id="ends-early"),
        pytest.param(reset, {502, None}, id="reset"),
        pytest.param(renamed("text/html"), {502}, id="another-type"),
        pytest.param(renamed(""), {502}, id="no-type"),
        pytest.param(compressed, {502}, id="compressed"),
        pytest.param(with_status(401), {502}, id="status-401"),
        pytest.param(with_status(204), {502}, id="status-204"),
        pytest.param(with_status(503), {502}, id="status-503"),
        pytest.param(redirected, {502}, id="redirect"),
        pytest.param(
            lambda reply: replace(reply, body=b"\0\xff DEMO^CT"), {502}, id="nonsense"
        ),
    ],
)
def test_what_orthanc_does_wrong_ends_here(  # noqa: PLR0917 - parameters
    path: Path,
    accept: str | None,
    upstream: str,
    change: Change,
    statuses: set[int | None],
    site: Site,
) -> None:
    site.change(misbehaving(upstream, change))
    answer = site.get(path, accept)
    assert site.was_asked(upstream)
    status = None if answer is None else answer.status_code
    assert status in statuses
    if answer is not None:
        assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize(("path", "accept", "upstream"), ROUTES)
def test_what_orthanc_cannot_do_is_an_error_or_done_otherwise(
    path: Path, accept: str | None, upstream: str, status: int, site: Site
) -> None:
    site.change(misbehaving(upstream, with_status(status)))
    answer = site.get(path, accept)
    assert answer is not None
    # Metadata of a series are asked for one by one; a picture cannot be had.
    last = upstream.rpartition("/")[2]
    assert answer.status_code == {"metadata": 200, "rendered": 406}.get(last, 502)


@pytest.mark.parametrize(("path", "accept", "upstream"), ROUTES)
@pytest.mark.parametrize(
    "change", [pytest.param(hanging, id="hangs"), pytest.param(dripping, id="drips")]
)
def test_an_orthanc_that_is_too_slow_is_given_up(
    path: Path, accept: str | None, upstream: str, change: Change, impatient_site: Site
) -> None:
    impatient_site.change(misbehaving(upstream, change))
    answer = impatient_site.get(path, accept)
    assert answer is None or answer.status_code == 504


def test_an_orthanc_that_is_not_there_is_said_to_be_away() -> None:
    with orthanc_double({}) as orthanc:
        url = orthanc.url
    with running_anonymizer(anonymizer_settings(url), SOURCE.token()) as client:
        answer = client.get("/dicom-web/studies")
        ready = client.get("/ready")
    assert answer.status_code == 502
    assert answer.headers["Retry-After"]
    assert ready.status_code == 503


@pytest.mark.parametrize(
    "content_type",
    [
        'multipart/related; type="application/dicom"',
        'multipart/related; type="application/dicom"; boundary=another',
        f'multipart/related; boundary="{"x" * 300}"',
        f"multipart/mixed; boundary={BOUNDARY}",
    ],
)
def test_a_wrong_boundary_is_an_error(content_type: str, site: Site) -> None:
    site.change(misbehaving(SERIES, renamed(content_type)))
    answer = site.get(of_series, ANY_FILE)
    assert answer is not None
    assert answer.status_code == 502


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(b"Content-Length: ", b"Content-Length: 1", id="longer"),
        pytest.param(b"Content-Length: 13", b"Content-Length: 1", id="shorter"),
        pytest.param(b"Content-Length: ", b"Content-Length: -", id="negative"),
        pytest.param(b"Content-Length: ", b"X-Length: ", id="none"),
        pytest.param(b"Content-Length: ", b"Content-Type: ", id="two-types"),
        pytest.param(b"MIME-Version: 1.0", b"a line without colon", id="no-field"),
        pytest.param(b"MIME-Version: 1.0", b"X: " + b"x" * 20_000, id="long-field"),
        pytest.param(b"\r\n\r\n", b"\n\n" * 20_000, id="no-end-of-fields"),
        pytest.param(
            b"Content-Type: application/dicom",
            b"Content-Type: application/pdf",
            id="another-kind",
        ),
        pytest.param(b"--" + BOUNDARY.encode(), b"-- DEMO^CT", id="no-boundary"),
        pytest.param(b"MIME-Version", b"x" * 400_000, id="endless-fields"),
        pytest.param(BOUNDARY.encode() + b"--", BOUNDARY.encode() + b"-D", id="no-end"),
    ],
)
def test_a_broken_multipart_body_is_an_error(
    old: bytes, new: bytes, site: Site
) -> None:
    whole = multipart([file_of(SOURCE.datasets[0])])
    broken = replace(whole, body=whole.body.replace(old, new, 1))
    assert broken != whole
    site.change({SERIES: broken})
    answer = site.get(of_series, ANY_FILE)
    assert answer is None or answer.status_code == 502


def test_a_second_part_that_is_broken_cuts_the_connection(site: Site) -> None:
    reply = good(SERIES)
    first, second, *rest = reply.body.split(b"Content-Length: ")
    broken = b"Content-Length: ".join([first, second, b"9" + rest[0], *rest[1:]])
    site.change({SERIES: replace(reply, body=broken)})
    got = site.got_before_the_cut(of_series, ANY_FILE)
    assert b"DICM" in got
    assert not any(canary in got for canary in SOURCE.canaries())


def test_files_that_were_not_asked_for_are_left_out(site: Site) -> None:
    site.change({INSTANCE: good(SERIES)})
    answer = site.get(of_instance, "application/dicom")
    assert answer is not None
    assert answer.status_code == 200
    assert answer.content.count(b"DICM") == 1


def test_another_file_in_place_of_the_one_asked_for_is_not_shown(site: Site) -> None:
    other = next(OTHER_STUDY.files())
    site.change({INSTANCE: multipart([other])})
    answer = site.get(of_instance, "application/dicom")
    assert answer is not None
    shown = dcmread(io.BytesIO(answer.content))
    assert shown.SOPInstanceUID == site.names.instance_uid()
    assert shown.SOPClassUID == SecondaryCaptureImageStorage
    assert b"DEMO^OTHER" not in answer.content


def test_the_client_that_leaves_takes_the_question_to_orthanc_with_it(
    site: Site,
) -> None:
    site.change({SERIES: replace(good(SERIES), length=10**9, hangs=True)})
    assert site.leaves_after_the_first_piece(of_series, ANY_FILE)


def test_metadata_of_another_study_are_not_shown(site: Site) -> None:
    other = dicom_json(next(OTHER_STUDY.datasets()))
    mixed = dicom_json(SOURCE.datasets[0]) | {"0020000D": other["0020000D"]}
    site.change({f"{SERIES}/metadata": as_json([other, mixed, 7], DICOM_JSON)})
    answer = site.get(below(of_series, "metadata"))
    assert answer is not None
    shown = answer.json()
    assert {one["00080018"]["Value"][0] for one in shown} == {
        site.names.instance_uid(number) for number in range(3)
    }
    # What Orthanc did not tell of keeps its place.
    assert all(one["00080060"]["Value"] == ["CT"] for one in shown)
    assert all("Image not shown" in one["00082111"]["Value"][0] for one in shown)
