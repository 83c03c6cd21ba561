"""Mutation control: whichever rule of the policy is switched off, a canary comes out.

Each element of the corpus's kitchen sink is written into a small image of its own; with
the policy nothing of it may be in the output, and with the one rule for it switched off
the canary must be there. A rule whose absence nobody noticed would not be tested.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress

import pytest
from typing_extensions import override

from orthanc_share.deidentification.actions import (
    Action,
    Code,
    DeidentificationError,
)
from orthanc_share.deidentification.gate import (
    BlockedInstanceError,
    Facts,
    Outcome,
    Reason,
    Verdict,
)
from orthanc_share.deidentification.part10 import rewrite
from orthanc_share.deidentification.pixel_gate import PixelGate
from orthanc_share.deidentification.policy import SharePolicy, build_policy
from orthanc_share.deidentification.profile import Profile
from suite.leaktest.needles import Haystack, Needle
from tests.support.corpus.build import corpus
from tests.support.corpus.canaries import Canaries
from tests.support.corpus.sink import GATE, attributes
from tests.support.corpus.study import CT, Patient, image, plane
from tests.support.corpus.writer import El, Items, part10

KEY = b"a key of tests, of thirty-two bytes or more"
PIXEL_GATE = PixelGate(Profile())
TEXTS = {"AE", "CS", "DA", "DT", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UR", "UT"}
POLICY = build_policy(Profile(), KEY, "a-share")
LENGTH = 2**20


class Without(SharePolicy):
    """The policy without its rules for some elements: they pass as they are."""

    def __init__(self, tags: frozenset[int]) -> None:
        super().__init__(Profile(), POLICY.pseudonyms)
        self._tags = tags

    @override
    def decide(self, tag: int, vr: str) -> Action:
        if tag not in self._tags:
            return super().decide(tag, vr)
        if vr == "SQ":
            return Action.RECURSE
        return Action.TEXT if vr in TEXTS | {"UI"} else Action.KEEP

    @override
    def length_max(self, tag: int, vr: str) -> int:
        return LENGTH

    @override
    def text(self, tag: int, vr: str, values: Sequence[str]) -> tuple[str, ...] | None:
        return tuple(values) if tag in self._tags else super().text(tag, vr, values)


def small(elements: Items) -> bytes:
    """Return an image that is shown, with these elements."""
    patient = Patient("mutations")
    layout, _pixels = image()
    head = patient.head("small", CT, "CT") | plane() | layout
    return part10(
        patient.meta(head, "small"),
        (head | {el.tag: el for el in elements}).values(),
        "1.2.840.10008.1.2.1",
    )


def texts() -> Iterator[tuple[El, Canaries]]:
    """Give each attribute of the dictionary whose canary is a text, a date or a UID."""
    made = Canaries("texts")
    for el in attributes(made, "texts", GATE):
        values, made.needles = made.needles, []
        if el.vr in TEXTS | {"UI"}:
            own = Canaries(f"{el.tag:08X}")
            own.needles = values
            yield el, own


def test_each_rule_for_a_text_is_needed() -> None:
    """No text of the dictionary comes out, and each does without its rule."""
    unneeded, leaking = [], []
    count = 0
    for el, own in texts():
        count += 1
        file, haystack = small([el]), Haystack(own.needles)
        if any(haystack.find(rewrite(file, POLICY, PIXEL_GATE))):
            leaking.append(f"{el.tag:08X}")
        mutant = Without(frozenset({el.tag}))
        if not any(haystack.find(rewrite(file, mutant, PIXEL_GATE))):
            unneeded.append(f"{el.tag:08X}")
    assert count > 800
    assert not leaking
    # What the policy itself writes, or the codecs drop whatever the policy says.
    assert set(unneeded) <= WRITTEN_ANEW


WRITTEN_ANEW = {
    *("00100010", "00120063", "00280303", "00120062"),  # PS3.15 E.1.1
    *("00080100", "00080102", "00080104", "00080119", "00080120"),  # codes
}


class KeepsUids(SharePolicy):
    """Lets UIDs as they are."""

    @override
    def uid(self, uid: str) -> str:
        return uid


class KeepsCodes(SharePolicy):
    """Lets unknown codes as they are, with their value for a meaning."""

    @override
    def code(self, value: str, scheme: str) -> Code | None:
        return Code(value, scheme, value)


class KeepsPrivate(SharePolicy):
    """Lets private elements pass."""

    @override
    def decide(self, tag: int, vr: str) -> Action:
        if tag >> 16 & 1:
            return Action.TEXT if vr in TEXTS else Action.DROP
        return super().decide(tag, vr)

    @override
    def text(self, tag: int, vr: str, values: Sequence[str]) -> tuple[str, ...] | None:
        return tuple(values) if tag >> 16 & 1 else super().text(tag, vr, values)


PSEUDONYMS = POLICY.pseudonyms
MUTANTS: dict[str, SharePolicy] = {
    "uids": KeepsUids(Profile(), PSEUDONYMS),
    "codes": KeepsCodes(Profile(), PSEUDONYMS),
    "private elements": KeepsPrivate(Profile(), PSEUDONYMS),
    "names within sequences": Without(frozenset({0x00209170, 0x00100010})),
}


@pytest.mark.parametrize("rule", MUTANTS)
def test_each_rule_for_a_kind_of_element_is_needed(rule: str) -> None:
    patient = corpus().patient
    haystack = Haystack(patient.canaries.needles)
    files = [f.content for f in patient.files if not f.name.startswith("sink")]
    assert not any(found_in(haystack, files, POLICY))
    assert any(found_in(haystack, files, MUTANTS[rule]))


def found_in(
    haystack: Haystack, files: Sequence[bytes], rules: SharePolicy
) -> Iterator[Needle]:
    for file in files:
        with suppress(DeidentificationError):
            yield from haystack.find(rewrite(file, rules, PIXEL_GATE))


def test_the_gate_is_needed_for_text_in_pixels() -> None:
    blocked = [f for f in corpus().patient.files if f.name in {"sc", "ct screen", "us"}]
    assert len(blocked) == 3
    for file in blocked:
        assert file.pixels is not None
        with pytest.raises(BlockedInstanceError):
            rewrite(file.content, POLICY, PIXEL_GATE)
        assert file.pixels in rewrite(file.content, POLICY, OpenGate())


class OpenGate(PixelGate):
    """Lets everything pass."""

    def __init__(self) -> None:
        super().__init__(Profile())

    @override
    def judge(self, facts: Facts) -> Verdict:
        return Verdict(Outcome.ALLOWED, next(iter(Reason)))
