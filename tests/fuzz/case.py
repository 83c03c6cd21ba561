"""What a target gives to the fuzzer."""

from collections.abc import Callable
from typing import NamedTuple


class Case(NamedTuple):
    """One input.

    Args:
        name: Of the seed that it was made of.
        data: Its bytes.
        judge: Returns whether the input was accepted; raises if a rule is broken.
    """

    name: str
    data: bytes
    judge: Callable[[], bool]
