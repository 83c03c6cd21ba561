"""The services' log as they would write it, collected for a test."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition
from typing import Any

from typing_extensions import override

from orthanc_share.web.logging import JsonFormatter

PATIENCE = 10.0
"""Seconds after which a line that does not come is a failure."""


class CollectedLog(logging.Handler):
    """Every line of the log; servers in other threads write it."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonFormatter())
        self._lines: list[str] = []
        self._changed = Condition()

    @override
    def emit(self, record: logging.LogRecord) -> None:
        with self._changed:
            self._lines.append(self.format(record))
            self._changed.notify_all()

    @property
    def text(self) -> str:
        """All lines so far."""
        with self._changed:
            return "\n".join(self._lines)

    def entries(
        self, message: str, number: int = 1, **members: object
    ) -> list[dict[str, Any]]:
        """Return all lines with this message and members, once there are so many.

        A service writes some lines after its answer, perhaps within the next test.
        """
        wanted = {"message": message, **members}
        with self._changed:
            assert self._changed.wait_for(
                lambda: len(self._with(wanted)) >= number, PATIENCE
            )
            return self._with(wanted)

    def _with(self, wanted: dict[str, object]) -> list[dict[str, Any]]:
        entries = [json.loads(line) for line in self._lines]
        return [entry for entry in entries if wanted.items() <= entry.items()]


@contextmanager
def collected_log() -> Iterator[CollectedLog]:
    """Collect the log of this process, at the lowest level."""
    root = logging.getLogger()
    level = root.level
    log = CollectedLog()
    root.addHandler(log)
    root.setLevel(logging.DEBUG)
    try:
        yield log
    finally:
        root.setLevel(level)
        root.removeHandler(log)
