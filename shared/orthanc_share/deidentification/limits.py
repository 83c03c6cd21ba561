"""What an object may cost, and how the codec says that it needs more of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What an object may cost.

    Args:
        head: Bytes before the pixels; they are held in memory.
        depth: Sequences within sequences.
        elements: Elements before the pixels, in all sequences.
    """

    head: int = 64 * 2**20
    depth: int = 64
    elements: int = 1_000_000


class IncompleteError(Exception):
    """More bytes are needed before it can be said what the data are.

    Args:
        needed: How many there must be at least, from the start.
    """

    def __init__(self, needed: int) -> None:
        super().__init__()
        self.needed = needed
