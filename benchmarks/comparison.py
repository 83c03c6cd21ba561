"""Two servers under the same load, in turns, and the ratios of their rates."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.load import Measurement


@dataclass(frozen=True)
class Unit:
    """In what rates are told.

    Args:
        name: Of the rate.
        size: How much of an amount it is.
    """

    name: str
    size: float = 1.0


REQUESTS = Unit("requests/s")
"""Requests in a second."""

MEGABYTES = Unit("MB/s", 1e6)
"""Megabytes (10^6 bytes) in a second."""


@dataclass(frozen=True)
class Comparison:
    """What a comparison showed.

    Args:
        name: What was measured.
        against: The reference.
        target: Least ratio that is wanted.
        ours: One measurement a round.
        reference: One measurement a round, taken next to that of `ours`.
        unit: Of the rates.
    """

    name: str
    against: str
    target: float
    ours: Sequence[Measurement]
    reference: Sequence[Measurement]
    unit: Unit = REQUESTS

    @property
    def ratios(self) -> list[float]:
        """Our rate divided by the reference's, for each round."""
        pairs = zip(self.ours, self.reference, strict=True)
        return [ours.rate / reference.rate for ours, reference in pairs]

    @property
    def ratio(self) -> float:
        """The median of `ratios`."""
        return median(self.ratios)

    @property
    def cpu_ratio(self) -> float:
        """The median ratio of the processor time that one request or byte takes.

        Other programs on the machine disturb it less than the rates. It is the
        reference's time divided by ours, so that both ratios mean the same.
        """
        pairs = zip(self.ours, self.reference, strict=True)
        return median(reference.cpu_each / ours.cpu_each for ours, reference in pairs)

    @property
    def rates(self) -> tuple[float, float]:
        """The median rates of ours and of the reference, in the unit."""
        sides = (self.ours, self.reference)
        ours, reference = (median(one.rate for one in side) for side in sides)
        return ours / self.unit.size, reference / self.unit.size

    @property
    def busy(self) -> tuple[float, float]:
        """How busy server and load generator kept their cores, 1 for wholly."""
        measured = (*self.ours, *self.reference)
        seconds = sum(one.seconds for one in measured)
        server = sum(one.cpu_seconds for one in measured) / seconds
        return server, sum(one.load_seconds for one in measured) / seconds

    @property
    def is_met(self) -> bool:
        """Whether the target is reached."""
        return self.ratio >= self.target

    @property
    def broken(self) -> int:
        """Broken connections of both servers."""
        return sum(one.broken for one in (*self.ours, *self.reference))

    @property
    def failures(self) -> int:
        """Answers that were missing or refused, of both servers."""
        return sum(one.failures for one in (*self.ours, *self.reference))


Measure = Callable[[], Measurement]
"""Puts a load on a server for one round."""


def in_turns(
    ours: Measure, reference: Measure, rounds: int
) -> tuple[list[Measurement], list[Measurement]]:
    """Return the measurements of so many rounds; who is first alternates."""
    mine, theirs = [], []
    for number in range(rounds):
        if number % 2:
            theirs.append(reference())
            mine.append(ours())
        else:
            mine.append(ours())
            theirs.append(reference())
    return mine, theirs
