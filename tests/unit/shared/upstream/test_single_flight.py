"""Equal questions share one answer, for a while."""

import asyncio
import gc
from datetime import timedelta

import pytest

from orthanc_share.domain.errors import UpstreamError, UpstreamUnavailableError
from orthanc_share.upstream.single_flight import SingleFlight

pytestmark = pytest.mark.anyio


class Source:
    """Answers with a count, when it may, or with what is wrong."""

    def __init__(self) -> None:
        self.asked = 0
        self.error: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.now = 0.0
        self.flight: SingleFlight[str, int] = SingleFlight(
            lifetime=timedelta(seconds=120),
            failure_lifetime=timedelta(seconds=2),
            max_entries=2,
            monotonic=lambda: self.now,
        )

    async def ask(self) -> int:
        """Answer one question."""
        self.asked += 1
        answer = self.asked
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return answer

    async def get(self, key: str = "key") -> int:
        """Ask through the cache."""
        return await self.flight.get(key, self.ask)


@pytest.fixture
async def source() -> Source:
    return Source()


async def test_an_answer_is_kept_until_its_lifetime_ends(source: Source) -> None:
    assert await source.get() == 1
    source.now = 119.9
    assert await source.get() == 1
    source.now = 120
    assert await source.get() == 2


async def test_callers_at_the_same_time_share_one_question(source: Source) -> None:
    source.gate.clear()
    callers = [asyncio.create_task(source.get()) for _ in range(50)]
    await asyncio.sleep(0)
    source.gate.set()
    assert await asyncio.gather(*callers) == [1] * 50


async def test_keys_do_not_share_answers(source: Source) -> None:
    assert await source.get("a") == 1
    assert await source.get("b") == 2


async def test_a_caller_that_goes_away_leaves_the_others_their_answer(
    source: Source,
) -> None:
    source.gate.clear()
    first = asyncio.create_task(source.get())
    second = asyncio.create_task(source.get())
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    source.gate.set()
    assert await second == 1
    assert first.cancelled()


async def test_a_failure_that_nobody_waits_for_makes_no_noise(
    source: Source, caplog: pytest.LogCaptureFixture
) -> None:
    source.gate.clear()
    source.error = UpstreamError("down")
    caller = asyncio.create_task(source.get())
    await asyncio.sleep(0)
    (flying,) = source.flight._flying.values()
    caller.cancel()
    await asyncio.sleep(0)
    source.gate.set()
    await asyncio.wait({flying})
    del flying, caller
    gc.collect()
    assert caplog.text == ""
    with pytest.raises(UpstreamError, match="down"):
        await source.get()
    assert source.asked == 1


async def test_a_failure_is_repeated_for_a_short_time_only(source: Source) -> None:
    source.error = UpstreamUnavailableError("down")
    for source.now in (0, 1, 1.9):
        with pytest.raises(UpstreamUnavailableError, match="down"):
            await source.get()
    assert source.asked == 1
    source.now, source.error = 2, None
    assert await source.get() == 2


async def test_a_repeated_failure_does_not_grow(source: Source) -> None:
    source.error = UpstreamError("down")
    lengths = set()
    for _ in range(5):
        with pytest.raises(UpstreamError) as raised:
            await source.get()
        lengths.add(len(raised.traceback))
    assert max(lengths) < 10


async def test_a_programming_mistake_is_not_kept(source: Source) -> None:
    source.error = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        await source.get()
    source.error = None
    assert await source.get() == 2
    assert len(source.flight) == 1


async def test_there_are_never_more_answers_than_allowed(source: Source) -> None:
    for key in "abcd":
        await source.get(key)
    assert len(source.flight) == 2
    assert await source.get("d") == 4
    assert await source.get("a") == 5


async def test_answers_that_are_over_leave_the_memory(source: Source) -> None:
    await source.get("a")
    source.now = 120
    await source.get("b")
    assert len(source.flight) == 1


async def test_closing_gives_up_what_is_under_way(source: Source) -> None:
    source.gate.clear()
    caller = asyncio.create_task(source.get())
    await asyncio.sleep(0)
    await source.flight.aclose()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert len(source.flight) == 0


async def test_a_kept_answer_is_not_in_a_repr(source: Source) -> None:
    await source.get()
    entry = next(iter(source.flight._entries.values()))
    assert "outcome" not in repr(entry)
