"""Heads that have passages in common with those before: nothing comes of that."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings, strategies as st

from orthanc_share.deidentification.actions import Action, DeidentificationError
from orthanc_share.deidentification.limits import Limits
from orthanc_share.deidentification.part10 import rewrite
from orthanc_share.deidentification.passages import (
    NEW_MIN,
    RAW_MAX,
    SEEN_MAX,
    Found,
    Passage,
    Passages,
    Seen,
)
from orthanc_share.deidentification.plan import Plan
from orthanc_share.deidentification.wire import EXPLICIT_LITTLE
from tests.unit.shared.deidentification.byte_samples import (
    EXPLICIT,
    LITTLE,
    SECRET,
    WRITERS,
    SimpleGate,
    SimpleRules,
    Writer,
)

REFERENCED = 0x00081140
REGIONS = 0x52009230
FRAME_TYPE = 0x00089007
NAME = 0x00100010
TEXTS = range(0x00180000, 0x00180040, 2)
RULES = SimpleRules(
    {
        **SimpleRules().actions,
        **dict.fromkeys(TEXTS, Action.TEXT),
        0x00180100: Action.KEEP,
    }
)
NEEDS = frozenset({0x00180002, 0x00180010, NAME, FRAME_TYPE})
NESTED = frozenset({FRAME_TYPE})


def gate() -> SimpleGate:
    """Return a gate that always needs the same."""
    return SimpleGate(needs=NEEDS, needs_nested=NESTED, needs_items={REGIONS: NESTED})


def series(w: Writer, numbers: Sequence[int]) -> list[bytes]:
    """Return the head of an image: most elements are the same for all numbers."""
    first, second, third = numbers
    inner = w.item(w.el(0x00081155, "UI", "1"), w.el(FRAME_TYPE, "CS", f"TYPE{second}"))
    texts = [w.el(tag, "CS", f"T{tag % 7}") for tag in TEXTS]
    texts[first % len(texts)] = w.el(TEXTS[first % len(texts)], "CS", f"N{second}")
    del texts[third % len(texts) : third % len(texts) + third // 5]
    return [
        w.sequence(REFERENCED, w.item(w.el(0x00081155, "UI", f"1.{second}"))),
        w.el(NAME, "PN", SECRET),
        *texts,
        w.el(0x00180100, "UT" if w.explicit else "DS", "x" * (RAW_MAX // 2 + third)),
        w.el(0x00280008, "IS", "1"),
        w.sequence(REGIONS, inner) if first % 3 else b"",
    ]


numbers_of_images = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 12)),
    min_size=3,
    max_size=8,
)


@given(numbers_of_images, st.sampled_from(sorted(WRITERS)))
@settings(max_examples=200, deadline=None)
def test_what_came_before_makes_no_difference(
    images: Sequence[Sequence[int]], syntax: str
) -> None:
    plan, warm, cold = Plan(RULES), gate(), gate()
    for numbers in images:
        head = b"".join(series(WRITERS[syntax], numbers))
        made = rewrite(head, RULES, warm, plan=plan, transfer_syntax=syntax)
        assert made == rewrite(head, RULES, cold, transfer_syntax=syntax)
        assert SECRET not in made
        assert warm.asked == cold.asked


def taught(numbers: Sequence[int] = (0, 0, 0)) -> tuple[Plan, SimpleGate, list[bytes]]:
    """Return a plan that knows the passages of an image, and the image."""
    plan, asks, elements = Plan(RULES), gate(), series(LITTLE, numbers)
    for _ in range(3):
        rewrite(b"".join(elements), RULES, asks, plan=plan, transfer_syntax=EXPLICIT)
    reading = plan.coder(EXPLICIT_LITTLE).reading(asks, _wanted(plan, asks))
    assert any(len(one.parts) >= NEW_MIN for one in reading.passages.known.values())
    return plan, asks, elements


def _wanted(plan: Plan, asks: SimpleGate) -> frozenset[int]:
    """Return what the rewriter wants besides the gate, as it has told the plan."""
    (known,) = plan.coder(EXPLICIT_LITTLE).readings
    assert known.wants.of[0] is asks.needs
    return known.wants.of[3]


@pytest.mark.parametrize("place", [0, 1, 5, 34, 35])
def test_an_element_that_stands_twice_is_refused(place: int) -> None:
    plan, asks, elements = taught()
    twice = b"".join([*elements[: place + 1], *elements[place:]])
    with pytest.raises(DeidentificationError):
        rewrite(twice, RULES, asks, plan=plan, transfer_syntax=EXPLICIT)


def test_a_passage_behind_what_belongs_behind_it_is_refused() -> None:
    plan, asks, elements = taught()
    moved = b"".join([*elements[-3:], *elements[:-3]])
    with pytest.raises(DeidentificationError):
        rewrite(moved, RULES, asks, plan=plan, transfer_syntax=EXPLICIT)


def test_a_passage_that_is_cut_off_is_refused() -> None:
    plan, asks, elements = taught()
    head = b"".join(elements[:10])
    for end in range(1, len(head)):
        warm = _outcome(head[:end], asks, plan)
        assert warm == _outcome(head[:end], asks, Plan(RULES))


def _outcome(head: bytes, asks: SimpleGate, plan: Plan) -> bytes | str:
    try:
        return rewrite(head, RULES, asks, plan=plan, transfer_syntax=EXPLICIT)
    except DeidentificationError as refusal:
        return str(refusal)


def test_the_elements_of_a_passage_count() -> None:
    plan, asks, elements = taught()
    for value in ("A", "B", "C"):  # two passages, with it in between
        elements[18] = LITTLE.el(TEXTS[16], "CS", value)
        head = b"".join(elements)
        rewrite(head, RULES, asks, plan=plan, transfer_syntax=EXPLICIT)

    def limited(count: int) -> bytes:
        limits = Limits(elements=count)
        return rewrite(
            head, RULES, asks, limits=limits, plan=plan, transfer_syntax=EXPLICIT
        )

    count = 37  # with the one in a sequence
    assert limited(count)
    with pytest.raises(DeidentificationError, match="too many elements"):
        limited(count - 1)


def test_long_elements_and_what_is_noted_within_sequences_are_in_no_passage() -> None:
    plan, asks, _ = taught((1, 0, 0))
    reading = plan.coder(EXPLICIT_LITTLE).reading(asks, _wanted(plan, asks))
    tags = {one.tag for known in reading.passages.known.values() for one in known.parts}
    assert REFERENCED in tags
    assert REGIONS not in tags
    long = LITTLE.el(0x00180100, "UT", "x" * RAW_MAX)
    for _ in range(3):
        rewrite(long, RULES, asks, plan=plan, transfer_syntax=EXPLICIT)
    assert 0x00180100 in tags


def test_gates_that_need_something_else_share_no_passages() -> None:
    plan, _, elements = taught()
    head = b"".join(elements)
    for needs in (frozenset({tag}) for tag in TEXTS[:6]):
        other = SimpleGate(needs=needs)
        rewrite(head, RULES, other, plan=plan, transfer_syntax=EXPLICIT)
        assert needs <= other.asked[0].values.keys()
    # Those of the first ones are kept, however many come after them.
    assert len(plan.coder(EXPLICIT_LITTLE).readings) == 4


def seen(tag: int, letter: bytes = b"x") -> Seen:
    return Seen(tag, tag.to_bytes(4) + letter, b"", None, 1)


def test_too_many_elements_are_not_remembered() -> None:
    passages = Passages(4)
    head: list[Found] = [seen(tag) for tag in range(SEEN_MAX + 1)]
    for _ in range(3):
        passages.learn(head)
    assert not passages.known
    for start in range(0, 10 * SEEN_MAX, SEEN_MAX):
        passages.learn([seen(tag) for tag in range(start, start + SEEN_MAX)])
    assert len(passages.remembered) <= 2 * SEEN_MAX


def test_passages_are_looked_for_again_when_enough_has_become_the_same() -> None:
    passages = Passages(4)
    head: list[Found] = [seen(tag) for tag in range(20)]
    passages.learn(head)
    assert not passages.known
    head[7] = seen(7, b"y")
    passages.learn(head)
    first, second = passages.known.values()
    assert ([one.tag for one in first.parts], second.first) == ([*range(7)], 8)
    # Fewer are not worth while.
    passages.learn([first, seen(7, b"y"), second])
    assert len(passages.known) == 2
    # A whole passage has become another.
    again = [seen(tag, b"z") for tag in range(8)]
    passages.learn([*again, second])
    passages.learn([*again, second])
    (whole,) = passages.known.values()
    assert [one.tag for one in whole.parts] == [*range(20)]


def test_nothing_of_an_element_is_in_its_repr() -> None:
    one = Seen(NAME, SECRET, SECRET, (SECRET.decode(),), 1)
    assert SECRET.decode() not in repr(one) + repr(Passage([one]))
