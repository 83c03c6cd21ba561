"""Processor time of de-identifying images, next to pydicom with the same policy."""

from collections.abc import Callable, Sequence
from statistics import median

from benchmarks.bench import Bench, WrongAnswerError
from benchmarks.comparison import Comparison, Unit, in_turns
from benchmarks.download import OnCore
from benchmarks.load import Measurement
from benchmarks.pydicom_way import pydicom_way, tags
from benchmarks.report import Limit, Report
from benchmarks.samples import Sample
from benchmarks.tokens import DEIDENTIFICATION_KEY
from orthanc_share.deidentification.part10 import InstanceRewriter
from orthanc_share.deidentification.pixel_gate import PixelGate
from orthanc_share.deidentification.plan import Plan
from orthanc_share.deidentification.policy import SharePolicy, build_policy
from orthanc_share.deidentification.profile import Profile
from orthanc_share.domain.octets import Octets

IMAGES_MAX = 50
"""Different images: each is as new to the rewriter as in a series of so many."""

PIECE = 65_536
"""Bytes that are fed at a time, as they come from a socket."""

SPEED_UP = 8.0
"""Least ratio that is wanted."""

MILLISECONDS_MAX = 1.0
"""Most processor time for one image that is wanted."""

IMAGES = Unit("images/s of CPU")
"""Images in a second of processor time."""

Way = Callable[[bytes], object]
"""De-identifies one file."""


def heads(bench: Bench, report: Report) -> None:
    """Measure the processor time for one CT image of 0.5 MB."""
    files = list(Sample("heads", min(IMAGES_MAX, bench.plan.rewrites)).files())
    policy = build_policy(Profile(), DEIDENTIFICATION_KEY.encode(), "benchmark")
    theirs = pydicom_way(policy)
    if tags(b"".join(Ours(policy)(files[0]))) != tags(theirs(files[0])):
        raise WrongAnswerError("pydicom and we do not keep the same attributes.")
    count = bench.plan.rewrites
    measured = in_turns(
        # A new series each round: the first image of it finds nothing prepared.
        lambda: _measure(bench, Ours(policy), files, count),
        lambda: _measure(bench, theirs, files, max(1, count // 10)),
        bench.plan.rounds,
    )
    name = "de-identifying a CT of 0.5 MB"
    against = "pydicom: read, the same policy, write"
    report.comparisons.append(Comparison(name, against, SPEED_UP, *measured, IMAGES))
    first = [_measure(bench, Ours(policy), files, 1) for _ in range(count)]
    report.limits.append(
        Limit(
            name=f"processor time of {name}",
            value=1_000 * median(one.cpu_each for one in measured[0]),
            limit=MILLISECONDS_MAX,
            unit="ms",
            detail="mean of a series; the first one "
            f"{1_000 * median(one.cpu_each for one in first):.2f} ms",
        )
    )


class Ours:
    """The rewriter, as the service uses it for one share.

    Args:
        policy: Of the share.
    """

    def __init__(self, policy: SharePolicy) -> None:
        self._policy = policy
        self._gate = PixelGate(policy.profile)
        self._plan = Plan(policy)

    def __call__(self, file: bytes) -> list[Octets]:
        """Return the pieces of a file that go out."""
        rewriter = InstanceRewriter(self._policy, self._gate, plan=self._plan)
        pieces: list[Octets] = []
        for at in range(0, len(file), PIECE):
            pieces += rewriter.feed(file[at : at + PIECE])
        return pieces + rewriter.finish()


def _measure(bench: Bench, way: Way, files: Sequence[bytes], count: int) -> Measurement:
    def work() -> None:
        for number in range(count):
            way(files[number % len(files)])

    worker = OnCore(bench.server_core, work)
    worker.start()
    worker.wait()
    # Others on this core take time, but no processor time.
    spent = worker.cpu_seconds
    return Measurement(count, spent, spent, 0.0, 0, 0)
