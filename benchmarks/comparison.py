"""Two servers under the same load, in turns, and the ratios of their rates."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.load import Measurement


@dataclass(frozen=True)
class Comparison:
    """What a comparison showed.

    Args:
        name: What was measured.
        against: The reference.
        target: Least ratio that is wanted.
        ours: One measurement a round.
        reference: One measurement a round, taken next to that of `ours`.
    """

    name: str
    against: str
    target: float
    ours: Sequence[Measurement]
    reference: Sequence[Measurement]

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
        """The median ratio of the processor time that one request takes.

        Other programs on the machine disturb it less than the rates. It is the
        reference's time divided by ours, so that both ratios mean the same.
        """
        pairs = zip(self.ours, self.reference, strict=True)
        return median(
            reference.cpu_microseconds / ours.cpu_microseconds
            for ours, reference in pairs
        )

    @property
    def rates(self) -> tuple[float, float]:
        """The median rates of ours and of the reference, requests a second."""
        return median(o.rate for o in self.ours), median(r.rate for r in self.reference)

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
