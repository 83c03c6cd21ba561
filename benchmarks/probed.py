"""The anonymizer, with a probe in its event loop.

    python -m benchmarks.probed

serves what `orthanc-share serve anonymizer` serves, on a free port, by the same
server. A task sleeps for a millisecond, again and again, and notes how late it is woken
up: for so long the loop did something else, or was not given the processor, or waited
for Python's lock while a thread worked. `GET /probe` tells the longest delays since it
was asked the last time.
"""

import asyncio
import sys
import time
from dataclasses import asdict, dataclass

import msgspec
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from anonymizer.app import create_app
from suite.server import bind, run

PAUSE = 0.001
"""Seconds that the task sleeps; the loop's timers know nothing shorter."""

PATH = "/probe"
"""Where the result is."""


LONG = 0.02
"""Delays from here on are counted, in seconds."""


@dataclass
class Delays:
    """How late the task was woken up, in seconds.

    Args:
        count: How often it slept.
        longest: The longest delay.
        worked: The longest delay of those parts of delays in which this process had
            the processor: what the longest one would be on a machine of its own.
        over: How often it was later than `LONG`.
    """

    count: int = 0
    longest: float = 0.0
    worked: float = 0.0
    over: int = 0

    def note(self, delay: float, worked: float) -> None:
        """Take notice of a delay.

        Args:
            delay: The delay.
            worked: Processor time of all threads since the task fell asleep.
        """
        self.count += 1
        self.over += delay > LONG
        self.longest = max(self.longest, delay)
        self.worked = max(self.worked, min(delay, worked))


class Probed:
    """An application with a probe beside it.

    Args:
        app: The application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._delays = Delays()
        self._task: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the result, or what the application serves."""
        if self._task is None:
            self._task = asyncio.create_task(self._watch())
        if scope["type"] == "http" and scope["path"] == PATH:
            told, self._delays = self._delays, Delays()
            body = msgspec.json.encode(asdict(told))
            await Response(body, media_type="application/json")(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _watch(self) -> None:
        while True:
            slept, worked = time.perf_counter(), time.process_time()
            await asyncio.sleep(PAUSE)
            delay = time.perf_counter() - slept - PAUSE
            self._delays.note(delay, time.process_time() - worked)


def main() -> None:
    """Serve until a signal."""
    app = Probed(create_app())
    with bind("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        print(f"probed listens on http://127.0.0.1:{port}/", file=sys.stderr)
        run([(app, listening)])


if __name__ == "__main__":
    main()
