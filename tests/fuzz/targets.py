"""What must hold of every file and frame, however damaged, with the real policy."""

import random
from collections.abc import Iterator

from typing_extensions import override

from orthanc_share.deidentification.actions import DeidentificationError
from orthanc_share.deidentification.frames import frame_blanker
from orthanc_share.deidentification.gate import Facts, Outcome, Reason, Verdict
from orthanc_share.deidentification.part10 import InstanceRewriter
from orthanc_share.deidentification.pixel_cells import PixelLayout
from orthanc_share.deidentification.pixel_gate import PixelGate
from orthanc_share.deidentification.plan import Plan
from orthanc_share.deidentification.policy import build_policy
from orthanc_share.deidentification.profile import Profile
from orthanc_share.domain.octets import Octets
from tests.fuzz.case import Case
from tests.fuzz.json_target import json_case
from tests.fuzz.mutation import mutated
from tests.fuzz.seeds import SECRET, SEEDS, Seed

GROWTH_MAX = 16_384
"""Bytes by which an output may be longer than its input: markers and long UIDs."""

_SIZES = (1 << 20, 1 << 20, 64, 5)
_LAYOUT = PixelLayout(4, 4, 1, 2, 16, 12, 11)
_SEED_DATA = [seed.data for seed in SEEDS]


class _OpenGate(PixelGate):
    """Judges as the real gate does, and lets everything pass."""

    @override
    def judge(self, facts: Facts) -> Verdict:
        super().judge(facts)
        return Verdict(Outcome.ALLOWED, Reason.CLEAN)


_POLICY = build_policy(Profile(), b"k" * 32, "fuzz")
_PLAN = Plan(_POLICY)
_GATE = _OpenGate(Profile())


def byte_case(chance: random.Random) -> Case:
    """Return a damaged object or frame."""
    seed = chance.choice(SEEDS)
    data = mutated(chance, seed.data, _SEED_DATA)
    size = chance.choice(_SIZES)
    return Case(seed.name, data, lambda: judge_bytes(seed, data, size))


def judge_bytes(seed: Seed, damaged: bytes, size: int = 1 << 20) -> bool:
    """Tell whether the codec accepts an input; see `Case.judge`."""
    data = seed.wrap(damaged)
    made = _outcome(seed, data, size, _PLAN)
    if size < _SIZES[0]:
        # What earlier objects have taught the plan makes no difference.
        afresh = _outcome(seed, data, size, Plan(_POLICY))
        assert _plain(afresh) == _plain(made), "what came before decides"
    if isinstance(made, DeidentificationError):
        return _refused(made)
    assert SECRET not in made, "a secret passed"
    assert len(made) <= len(damaged) + GROWTH_MAX, "too long an output"
    if not seed.is_frame and size < _SIZES[0]:
        # What it wrote itself is well-formed: it is accepted, and stays as long.
        again = b"".join(_again(seed, made))
        assert SECRET not in again, "a secret passed"
    return True


def _refused(refusal: DeidentificationError) -> bool:
    assert "QZ" not in str(refusal), "a secret in a refusal"
    return False


def _outcome(
    seed: Seed, data: bytes, size: int, plan: Plan
) -> bytes | DeidentificationError:
    try:
        return b"".join(_made(seed, data, size, plan))
    except DeidentificationError as refusal:
        return refusal


def _plain(outcome: bytes | DeidentificationError) -> bytes | str:
    return str(outcome) if isinstance(outcome, DeidentificationError) else outcome


def _made(seed: Seed, data: bytes, size: int, plan: Plan) -> Iterator[Octets]:
    if seed.is_frame:
        assert seed.syntax is not None
        frame = frame_blanker(seed.syntax, _LAYOUT)
        for at in range(0, len(data), size):
            yield frame.feed(data[at : at + size])
        frame.finish()
        return
    yield from _rewritten(data, size, seed.syntax, plan)


def _again(seed: Seed, made: bytes) -> Iterator[Octets]:
    return _rewritten(made, 1 << 20, seed.syntax, _PLAN)


def _rewritten(
    data: bytes, size: int, syntax: str | None, plan: Plan
) -> Iterator[Octets]:
    rewriter = InstanceRewriter(_POLICY, _GATE, plan=plan, transfer_syntax=syntax)
    for at in range(0, len(data), size):
        yield from rewriter.feed(data[at : at + size])
    yield from rewriter.finish()


TARGETS = {"bytes": byte_case, "json": json_case}
"""What can be run, by name."""
