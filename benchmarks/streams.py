"""What many downloads at once do to the anonymizer: memory, and its event loop."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec

from benchmarks.bench import Bench, WrongAnswerError
from benchmarks.download import Download, OnCore, Want, download, fetch
from benchmarks.machine import cores
from benchmarks.probed import LONG, PATH, Delays
from benchmarks.report import Limit, Report
from benchmarks.samples import Sample
from benchmarks.servers import Server, module
from benchmarks.site import anonymizer, in_share, instance_in, orthanc, settings
from benchmarks.tokens import anonymized_token
from benchmarks.transfer import ct_multiframe, ct_series

MEMORY_MAX = 200.0
"""Largest resident memory that is wanted, in MB."""

BLOCKED_MAX = 50.0
"""Longest time for which the event loop may do something else, in ms."""

PAUSE = 0.05
"""Seconds for which every other client rests after each megabyte: 20 MB/s at most."""


@contextmanager
def streams(server: Server, sample: Sample, count: int) -> Iterator[list[Download]]:
    """Let clients download an image, every other one slowly, until all have it.

    Args:
        server: The anonymizer.
        sample: The image.
        count: Number of clients; each has a share of its own.

    Yields:
        What they got, complete after the block.
    """
    taken: list[Download] = []

    def client(number: int) -> OnCore:
        token = anonymized_token(sample)
        want = Want(instance_in(server, in_share(server, token), token), token)
        pause = PAUSE * (number % 2)
        return OnCore(cores()[1], lambda: taken.append(download(server, want, pause)))

    clients = [client(number) for number in range(count)]
    for one in clients:
        one.start()
    try:
        yield taken
    finally:
        for one in clients:
            one.wait()


def memory(bench: Bench, report: Report) -> None:
    """Read the resident memory while clients download large images."""
    sample, count = ct_multiframe(bench), bench.plan.streams
    with orthanc(bench, sample) as upstream, anonymizer(bench, upstream) as server:
        before = server.resident_megabytes()
        with streams(server, sample, count) as taken:
            pass
        peak, after = server.peak_megabytes(), server.resident_megabytes()
    report.other_failures += _wrong(taken, sample)
    report.limits.append(
        Limit(
            name=f"anonymizer's resident memory, {_clients(sample, count)}",
            value=peak,
            limit=MEMORY_MAX,
            unit="MB",
            detail="largest since its start (VmHWM), half of the clients slow; "
            f"{before:.0f} MB before, {after:.0f} MB after",
        )
    )


def event_loop(bench: Bench, report: Report) -> None:
    """Read the probe while clients download and others ask for a series or metadata."""
    sample, count = ct_multiframe(bench), bench.plan.streams
    images = ct_series(bench)
    described = Sample("described", bench.plan.described, size=64)
    with (
        orthanc(bench, sample, images, described) as upstream,
        module("probed", bench.server_core, more=settings(upstream)) as server,
    ):
        _delays(server)
        asked = 0
        with streams(server, sample, count) as taken:
            while len(taken) < count or not asked:
                _ask_for_metadata(server, described)
                report.other_failures += _wrong([_series(server, images)], images)
                asked += 1
        found = _delays(server)
    report.other_failures += _wrong(taken, sample)
    load = f"{_clients(sample, count)}, {asked} series and as many study metadata"
    report.limits.append(
        Limit(
            name=f"anonymizer's longest wait for its event loop, {load}",
            value=1_000 * found.longest,
            limit=BLOCKED_MAX,
            unit="ms",
            detail=f"of {images.images} and {described.images} instances; by a task "
            f"that wakes up every ms, {found.count:,} times; {found.over} waits over "
            f"{1_000 * LONG:.0f} ms",
        )
    )
    report.limits.append(
        Limit(
            name="the longest of these waits while the anonymizer had the processor",
            value=1_000 * found.worked,
            limit=BLOCKED_MAX,
            unit="ms",
            detail="without the time that other programs took",
        )
    )


def _clients(sample: Sample, count: int) -> str:
    return f"{count} clients with {sample.pixel_bytes / 1e6:.0f} MB each"


def _wrong(taken: Sequence[Download], sample: Sample) -> int:
    return sum(not one.is_right(sample.pixel_bytes) for one in taken)


def _delays(server: Server) -> Delays:
    return msgspec.json.decode(fetch(server, Want(PATH)).body, type=Delays)


def _series(server: Server, sample: Sample) -> Download:
    # A new share: nothing is remembered of it.
    token = anonymized_token(sample)
    return download(server, Want(in_share(server, token), token))


def _ask_for_metadata(server: Server, sample: Sample) -> None:
    # A new share: nothing is remembered of it.
    token = anonymized_token(sample)
    study = in_share(server, token).partition("/series/")[0]
    answer = fetch(server, Want(f"{study}/metadata", token, "application/dicom+json"))
    if len(msgspec.json.decode(answer.body)) != sample.images:
        raise WrongAnswerError("Metadata are not of all instances.")
