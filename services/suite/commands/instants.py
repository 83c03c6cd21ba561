"""Instants and spans of time as people write them on a command line."""

from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter, ValidationError

from orthanc_share.config.values import Duration
from orthanc_share.domain.clock import to_utc
from orthanc_share.domain.lifetime import ABSURD_DURATION
from suite.commands.output import fail

NEVER = "never"
"""Stands for an end that does not come."""

_DURATION = TypeAdapter[timedelta](Duration)


def instant(text: str, option: str) -> datetime:
    """Return an instant in ISO 8601; without offset it is UTC, a date its beginning.

    What is none ends the program with a line that names `option`.
    """
    try:
        return to_utc(datetime.fromisoformat(text))
    except ValueError:
        fail(f"{option} should be ISO 8601: 2026-12-31 or 2026-12-31T18:00+01:00.")


def end_of(until: str | None, lasting: str | None, option: str) -> dict[str, Any]:
    """Return the members of a request that say when a share ends; none if nothing does.

    Args:
        until: An instant, or `never`.
        lasting: A span from now on, of `--for`.
        option: The option with the instant.
    """
    if until is not None and lasting is not None:
        fail(f"Give {option} or --for, not both.")
    if lasting is not None:
        return {"validity-duration": int(_span(lasting).total_seconds())}
    if until is None:
        return {}
    if until == NEVER:
        return {"validity-duration": 0}
    return {"expiration-date": instant(until, option).isoformat()}


def _span(text: str) -> timedelta:
    try:
        found = _DURATION.validate_python(text)
    except ValidationError:
        fail("--for should be a number with s, m, h, d or w, such as 12h or 30d.")
    # Services take absurd ones as if nothing had been said.
    if not timedelta(0) < found <= ABSURD_DURATION:
        fail("--for should be longer than nothing and at most a century.")
    return found
