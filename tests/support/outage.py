"""What a service without its database says, and waiting until it is back."""

import time
from collections.abc import Callable

from tests.support.replay import Answer

BACK_WITHIN = 60.0
"""Seconds after which a service that does not answer again is a failure."""


def is_unavailable(answer: Answer) -> bool:
    """Tell whether an answer says: later."""
    return (
        answer.status == 503
        and answer.headers["content-type"] == "application/problem+json"
        and answer.json["code"] == "store_unavailable"
        and int(answer.headers["retry-after"]) > 0
    )


def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + BACK_WITHIN
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)
