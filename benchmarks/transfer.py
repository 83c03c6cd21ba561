"""How fast de-identified images arrive, next to nginx before the same Orthanc."""

import time
from collections.abc import Callable, Sequence

from benchmarks.bench import Bench
from benchmarks.comparison import MEGABYTES, Comparison, in_turns
from benchmarks.contents import expect_clean
from benchmarks.download import OnCore, Want, download, fetch
from benchmarks.load import Measurement
from benchmarks.machine import cores
from benchmarks.report import Report
from benchmarks.samples import Sample
from benchmarks.servers import Server
from benchmarks.site import (
    anonymizer,
    in_orthanc,
    in_share,
    instance_in,
    nginx,
    orthanc,
)
from benchmarks.tokens import anonymized_token

NGINX = "nginx before the same Orthanc"
"""What is behind the proxy is the same for both sides."""

TARGET = 0.8
"""Least ratio to nginx that is wanted."""


class Downloads:
    """Downloads the same again and again, for one round.

    Args:
        servers: Whose processor time counts.
        get: Downloads once, and tells whether all was right.
        amount: What one download is worth, in bytes.
        seconds: Least length of a round; at least one download is made.
        after: Tidies up after a round; its time does not count.
    """

    def __init__(
        self,
        servers: Sequence[Server],
        get: Callable[[], bool],
        amount: int,
        seconds: float,
        after: Callable[[], None] = lambda: None,
    ) -> None:
        self._servers = servers
        self._get = get
        self._amount = amount
        self._seconds = seconds
        self._after = after

    def __call__(self) -> Measurement:
        """Download for one round."""
        results: list[bool] = []
        client = OnCore(cores()[1], lambda: self._work(results))
        before, began = self._cpu_seconds(), time.perf_counter()
        client.start()
        client.wait()
        measured = Measurement(
            # What was wrong makes no rate, but a rate that can be divided by.
            amount=max(1, results.count(True) * self._amount),
            seconds=time.perf_counter() - began,
            cpu_seconds=self._cpu_seconds() - before,
            load_seconds=client.cpu_seconds,
            refused=0,
            broken=results.count(False),
        )
        self._after()
        return measured

    def _work(self, results: list[bool]) -> None:
        until = time.perf_counter() + self._seconds
        results.append(self._get())
        while time.perf_counter() < until:
            results.append(self._get())

    def _cpu_seconds(self) -> float:
        return sum(server.cpu_seconds() for server in self._servers)


def ct_series(bench: Bench) -> Sample:
    """Return the series under measurement."""
    return Sample("series", bench.plan.images)


def ct_multiframe(bench: Bench) -> Sample:
    """Return the multiframe image under measurement."""
    return Sample("multiframe", 1, frames=bench.plan.frames)


def series(bench: Bench, report: Report) -> None:
    """Measure WADO-RS of a series of CT images of 0.5 MB."""
    sample = ct_series(bench)
    name = f"WADO-RS, series of {sample.images} CT of 0.5 MB"
    report.comparisons.append(_against_nginx(bench, name, sample))


def multiframe(bench: Bench, report: Report) -> None:
    """Measure WADO-RS of a multiframe image."""
    sample = ct_multiframe(bench)
    name = f"WADO-RS, multiframe CT of {sample.pixel_bytes / 1e6:.0f} MB"
    report.comparisons.append(_against_nginx(bench, name, sample))


def _against_nginx(bench: Bench, name: str, sample: Sample) -> Comparison:
    with (
        orthanc(bench, sample) as upstream,
        anonymizer(bench, upstream) as ours,
        nginx(bench, upstream) as theirs,
    ):
        token = anonymized_token(sample)
        shared, original = in_share(ours, token), in_orthanc(sample)
        if sample.frames:
            shared = instance_in(ours, shared, token)
            original = instance_in(theirs, original)
        expect_clean(fetch(ours, Want(shared, token)), sample)
        measured = in_turns(
            _downloads(bench, ours, Want(shared, token), sample),
            _downloads(bench, theirs, Want(original), sample),
            bench.plan.rounds,
        )
    return Comparison(name, NGINX, TARGET, *measured, MEGABYTES)


def _downloads(bench: Bench, server: Server, want: Want, sample: Sample) -> Downloads:
    def get() -> bool:
        return download(server, want).is_right(sample.pixel_bytes)

    return Downloads([server], get, sample.pixel_bytes, bench.plan.seconds)
