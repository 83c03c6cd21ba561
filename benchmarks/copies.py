"""A share's first download, next to a copy that Orthanc de-identifies and sends."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from benchmarks.bench import Bench, WrongAnswerError
from benchmarks.comparison import MEGABYTES, Comparison, in_turns
from benchmarks.download import Want, download
from benchmarks.report import Report
from benchmarks.samples import Sample
from benchmarks.servers import Server
from benchmarks.site import anonymizer, in_share, orthanc
from benchmarks.tokens import anonymized_token
from benchmarks.transfer import Downloads, ct_series
from demo.calls import call

SPEED_UP = 4.0
"""Least ratio that is wanted."""

COMPRESSION_MAX = 10
"""No ZIP of the samples is smaller than their pixels divided by this."""

_ZIP = "application/zip"


def wado_copies(bench: Bench, report: Report) -> None:
    """Measure WADO-RS of a series of a new share, and of a copy."""
    _against_copies(bench, report, "WADO-RS", _shared_series, _copied_series)


def archive_copies(bench: Bench, report: Report) -> None:
    """Measure the ZIP of a series of a new share, and of a copy."""
    _against_copies(bench, report, "ZIP", _shared_archive, _copied_archive)


Find = Callable[[Server, str], Want]
"""What to download: of a share by its token, of a copy by its path in Orthanc."""


def _against_copies(
    bench: Bench, report: Report, name: str, shared: Find, copied: Find
) -> None:
    sample = ct_series(bench)
    with orthanc(bench, sample) as upstream, anonymizer(bench, upstream) as ours:

        def get() -> bool:
            # A new share: nothing is remembered of it.
            want = shared(ours, anonymized_token(sample))
            return download(ours, want).is_right(sample.pixel_bytes)

        copies = Copies(upstream, sample, copied)
        servers, amount = [ours, upstream], sample.pixel_bytes
        measured = in_turns(
            Downloads(servers, get, amount, 0.0),
            Downloads(servers, copies.get, amount, 0.0, copies.delete),
            bench.plan.rounds,
        )
    title = f"{name}, new share of {sample.images} CT of 0.5 MB"
    against = f"Orthanc's anonymize, then {name}"
    report.comparisons.append(
        Comparison(title, against, SPEED_UP, *measured, MEGABYTES)
    )


class Copies:
    """De-identified copies that Orthanc makes of a series.

    Args:
        server: The Orthanc.
        sample: What is copied.
        find: Tells what to download.
    """

    def __init__(self, server: Server, sample: Sample, find: Find) -> None:
        self._server = server
        self._source = f"/series/{sample.series_id}/anonymize"
        self._least = sample.pixel_bytes // COMPRESSION_MAX
        self._find = find
        self._paths: list[str] = []

    def get(self) -> bool:
        """Make a copy and download it; tell whether that went well."""
        path: str = _answered(self._server, "POST", self._source, {})["Path"]
        self._paths.append(path)
        want = self._find(self._server, path)
        return download(self._server, want).is_right(self._least)

    def delete(self) -> None:
        """Delete all copies, as a site must when a share has expired."""
        while self._paths:
            _answered(self._server, "DELETE", self._paths.pop())


def _shared_series(server: Server, token: str) -> Want:
    return Want(in_share(server, token), token)


def _shared_archive(server: Server, token: str) -> Want:
    uid = in_share(server, token).rpartition("/")[2].encode()
    found = _answered(server, "POST", "/tools/lookup", uid, token=token)
    return Want(f"{found[0]['Path']}/archive", token, _ZIP)


def _copied_series(server: Server, path: str) -> Want:
    series = _answered(server, "GET", path)
    study = _answered(server, "GET", f"/studies/{series['ParentStudy']}")
    uids = (
        study["MainDicomTags"]["StudyInstanceUID"],
        series["MainDicomTags"]["SeriesInstanceUID"],
    )
    return Want("/dicom-web/studies/{}/series/{}".format(*uids))


def _copied_archive(_server: Server, path: str) -> Want:
    return Want(f"{path}/archive", accept=_ZIP)


def _answered(
    server: Server, method: str, path: str, body: Any = None, **headers: str
) -> Any:
    url = server.url + path.removeprefix("/")
    reply = call(method, url, body, headers=headers)
    if reply.status != HTTPStatus.OK:
        raise WrongAnswerError(f"{method} was refused ({reply.status}).")
    return reply.json()
