"""One timer for many that are waited for equally long."""

from collections.abc import Callable

from suite.deadlines import Deadlines

LIMIT = 10.0


class LoopByHand:
    """A loop whose time passes when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[tuple[float, Callable[[], object]]] = []

    def time(self) -> float:
        """Return where it stands."""
        return self.now

    def call_later(self, delay: float, callback: Callable[[], object]) -> None:
        """Keep a timer; nobody stops one."""
        self.timers.append((self.now + delay, callback))

    def pass_to(self, instant: float) -> None:
        """Call what is due until then."""
        while due := [timer for timer in self.timers if timer[0] <= instant]:
            first = min(due, key=lambda timer: timer[0])
            self.timers.remove(first)
            self.now = first[0]
            first[1]()
        self.now = instant


def test_each_is_over_at_its_own_time_by_one_timer() -> None:
    loop, over = LoopByHand(), list[str]()
    deadlines = Deadlines(loop, LIMIT, over.append)
    deadlines.add("first")
    loop.pass_to(4.0)
    deadlines.add("second")
    deadlines.add("first")  # it is waited for already
    assert len(loop.timers) == 1
    loop.pass_to(9.9)
    assert not over
    loop.pass_to(10.0)
    assert over == ["first"]
    loop.pass_to(13.9)
    assert over == ["first"]
    loop.pass_to(14.0)
    assert over == ["first", "second"]
    assert not loop.timers


def test_who_is_discarded_is_never_over() -> None:
    loop, over = LoopByHand(), list[str]()
    deadlines = Deadlines(loop, LIMIT, over.append)
    deadlines.add("first")
    deadlines.discard("first")
    deadlines.discard("nobody")
    loop.pass_to(5.0)
    deadlines.add("second")
    loop.pass_to(14.9)
    assert not over
    loop.pass_to(15.0)
    assert over == ["second"]


def test_who_is_added_while_another_ends_has_a_timer() -> None:
    loop, over = LoopByHand(), list[str]()

    def end(waited_for: str) -> None:
        over.append(waited_for)
        if waited_for == "first":
            deadlines.add("second")

    deadlines = Deadlines(loop, LIMIT, end)
    deadlines.add("first")
    loop.pass_to(10.0)
    assert len(loop.timers) == 1
    loop.pass_to(20.0)
    assert over == ["first", "second"]
