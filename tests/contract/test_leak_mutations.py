"""Mutation control: whichever rule of the policy is switched off, a canary comes out.

Each element of the corpus's kitchen sink is written into a small image of its own, as a
file and as DICOM JSON; with the policy nothing of it may be in the output, and with the
one rule for it switched off the canary must be there. A rule whose absence nobody
noticed would not be tested.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from typing import Any

import pytest

from orthanc_share.deidentification.actions import Action, DeidentificationError
from orthanc_share.deidentification.dicom_json import deidentify_json, encode
from orthanc_share.deidentification.gate import BlockedInstanceError, Facts, Reason
from orthanc_share.deidentification.part10 import rewrite
from orthanc_share.deidentification.pixel_gate import (
    IMAGE_TYPE,
    SOP_CLASS,
    TRANSFER_SYNTAX,
    PixelGate,
)
from orthanc_share.deidentification.policy import SharePolicy, build_policy
from orthanc_share.deidentification.profile import Profile
from suite.leaktest.needles import Haystack, Needle
from suite.leaktest.scan import Scanner
from tests.support.by_element import (
    NUMBERS,
    is_identifying,
    kept_in_file,
    kept_in_json,
)
from tests.support.corpus.build import corpus
from tests.support.corpus.canaries import Canaries
from tests.support.corpus.gate_cases import gate_cases
from tests.support.corpus.json_model import dicom_json
from tests.support.corpus.sink import GATE, attributes
from tests.support.corpus.study import CT, CorpusFile, Patient, image, plane
from tests.support.corpus.writer import El, Items, part10
from tests.support.mutants import (
    TEXTS,
    GateWithout,
    KeepsCodes,
    KeepsPrivate,
    KeepsUids,
    OpenGate,
    Without,
)
from tests.support.pixel_routes import Source

KEY = b"a key of tests, of thirty-two bytes or more"
PIXEL_GATE = PixelGate(Profile())
POLICY = build_policy(Profile(), KEY, "a-share")
PSEUDONYMS = POLICY.pseudonyms
BINARIES = {"OB", "OD", "OF", "OL", "OV", "OW", "UN"}


def head() -> dict[int, El]:
    """Return an image that is shown."""
    layout, _pixels = image()
    patient = Patient("mutations")
    return patient.head("small", CT, "CT") | plane() | layout


def small(elements: Items) -> bytes:
    """Return an image that is shown, with these elements."""
    whole = head()
    return part10(
        Patient("mutations").meta(whole, "small"),
        (whole | {el.tag: el for el in elements}).values(),
        "1.2.840.10008.1.2.1",
    )


def sinks(vrs: set[str]) -> Iterator[tuple[El, Canaries]]:
    """Give each attribute of the dictionary of one of the VRs, with its canary."""
    made = Canaries("texts")
    for el in attributes(made, "texts", GATE):
        values, made.needles = made.needles, []
        if el.vr in vrs and values:  # numbers that may be known have none
            own = Canaries(f"{el.tag:08X}")
            own.needles = values
            yield el, own


def test_each_rule_for_a_text_is_needed() -> None:
    """No text, number or binary comes out, and each does without its rule."""
    unneeded, leaking = [], []
    count = 0
    for el, own in sinks(TEXTS | NUMBERS | BINARIES | {"UI"}):
        count += 1
        file, haystack = small([el]), Haystack(own.needles)
        if any(haystack.find(rewrite(file, POLICY, PIXEL_GATE))):
            leaking.append(f"{el.tag:08X}")
        mutant = Without({el.tag}, PSEUDONYMS)
        if not any(haystack.find(rewrite(file, mutant, PIXEL_GATE))):
            unneeded.append(f"{el.tag:08X}")
    assert count > 800
    assert not leaking
    # What the policy itself writes, or the codecs drop whatever the policy says.
    assert set(unneeded) <= WRITTEN_ANEW | OTHERWISE_GUARDED


WRITTEN_ANEW = {
    *("00100010", "00120063", "00280303", "00120062", "00120064"),  # PS3.15 E.1.1
    *("00080100", "00080102", "00080104", "00080119", "00080120"),  # codes
}


def shown(dataset: dict[str, Any], rules: SharePolicy) -> bytes:
    """Return what the codec for JSON makes of a dataset."""
    return encode([deidentify_json(dataset, rules, lambda path: f"/bulk/{path}")])


def test_each_rule_for_an_element_in_json_is_needed() -> None:
    """The same for DICOM JSON, binaries included, which base64 hides from no one."""
    unneeded, leaking = [], []
    count = 0
    for el, own in sinks(TEXTS | NUMBERS | BINARIES | {"UI"}):
        count += 1
        scanner = Scanner(own.needles)
        dataset = dict(sorted((_usual_json() | dicom_json([el])).items()))
        if scanner.scan_bytes(shown(dataset, POLICY)):
            leaking.append(f"{el.tag:08X}")
        if not scanner.scan_bytes(shown(dataset, Without({el.tag}, PSEUDONYMS))):
            unneeded.append(f"{el.tag:08X}")
    assert count > 850
    assert not leaking
    assert set(unneeded) <= WRITTEN_ANEW | OTHERWISE_GUARDED


OTHERWISE_GUARDED = {
    *("00281201", "00281202", "00281203", "00283006"),  # as look-up tables
    *("FFFAFFFA", "FFFCFFFC"),  # behind the pixels
}
"""What the codec stops as well, whatever the policy says; it has tests of its own."""


Kept = Callable[[list[El], SharePolicy], set[int]]
"""Which of some elements are still there after de-identification."""


def in_file(elements: list[El], rules: SharePolicy) -> set[int]:
    source = small(elements)
    made = rewrite(source, rules, PIXEL_GATE)
    return set(kept_in_file(source, made, [el.tag for el in elements]))


def in_json(elements: list[El], rules: SharePolicy) -> set[int]:
    source = dict(sorted((_usual_json() | dicom_json(elements)).items()))
    (made,) = json.loads(shown(source, rules))
    return set(kept_in_json(source, made, [el.tag for el in elements]))


@cache
def _usual_json() -> dict[str, Any]:
    return dicom_json(el for el in head().values() if el.tag != 0x7FE00010)


def numbers_and_sequences() -> list[El]:
    """Return them all; items hold no code, for want of which they are left out too."""
    made = Canaries("by element")
    every = attributes(made, "by element", GATE)
    item = [El(0x00081155, "UI", made.uid("by element"))]
    return [
        El(el.tag, "SQ", [item]) if el.vr == "SQ" else el
        for el in every
        if el.vr in NUMBERS | {"SQ"} and f"{el.tag:08X}" not in WRITTEN_ANEW
    ]


CODECS = pytest.mark.parametrize("kept", [in_file, in_json])


@CODECS
def test_each_rule_of_ps3_15_for_a_number_or_a_sequence_is_needed(kept: Kept) -> None:
    """Size, weight, age, pregnancy, GPS; sequences: the element itself tells."""
    rows = [el for el in numbers_and_sequences() if is_identifying(el.tag)]
    assert {el.vr for el in rows} == {"AS", "DS", "IS", "SQ", "US"}
    assert len(rows) > 80
    leaking = [f"{el.tag:08X}" for el in rows if kept([el], POLICY)]
    assert not leaking
    mutants = ((el, Without({el.tag}, PSEUDONYMS)) for el in rows)
    unneeded = [f"{el.tag:08X}" for el, mutant in mutants if not kept([el], mutant)]
    assert set(unneeded) <= OTHERWISE_GUARDED


@CODECS
def test_each_number_and_sequence_that_nothing_names_is_dropped(kept: Kept) -> None:
    """All at once: whether one of them is there does not depend on the others."""
    dropped = [
        el
        for el in numbers_and_sequences()
        if not is_identifying(el.tag) and POLICY.decide(el.tag, el.vr) is Action.DROP
    ]
    assert {el.vr for el in dropped} >= {"DS", "FD", "FL", "IS", "SQ", "UL", "US"}
    assert len(dropped) > 1000
    assert not kept(dropped, POLICY)
    tags = {el.tag for el in dropped}
    unneeded = tags - kept(dropped, Without(tags, PSEUDONYMS))
    assert not {f"{tag:08X}" for tag in unneeded}


MUTANTS: dict[str, SharePolicy] = {
    "uids": KeepsUids(Profile(), PSEUDONYMS),
    "codes": KeepsCodes(Profile(), PSEUDONYMS),
    "private elements": KeepsPrivate(Profile(), PSEUDONYMS),
    "names within sequences": Without({0x00209170, 0x00100010}, PSEUDONYMS),
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


@pytest.fixture(scope="module")
def nested() -> tuple[dict[str, Any], Haystack]:
    """A dataset with all attributes in sequences in sequences, codes beside them."""
    made = Canaries("nested")
    inner = [el for el in attributes(made, "nested", GATE) if el.tag not in CODES]
    inner.append(El(0x00091010, "LO", made.text("nested/private")))
    code = [El(tag, "SH", made.text("nested/code")) for tag in sorted(CODES)]
    items = [inner, [El(0x00081140, "SQ", [inner, code])], code]
    sequences = [El(tag, "SQ", items) for tag in (0x00209170, 0x00082218)]
    return dicom_json(sequences), Haystack(made.needles)


CODES = {0x00080100, 0x00080102, 0x00080104, 0x00080119, 0x00080120}


@pytest.mark.parametrize("rule", MUTANTS)
def test_each_rule_for_a_kind_of_element_in_json_is_needed(
    rule: str, nested: tuple[dict[str, Any], Haystack]
) -> None:
    dataset, haystack = nested
    assert not any(haystack.find(shown(dataset, POLICY)))
    assert any(haystack.find(shown(dataset, MUTANTS[rule])))


ALLOWING = {Reason.CLEAN, Reason.MASK_RULE, Reason.ULTRASOUND_REGIONS}
LOOKED_AT = {Reason.TEXT_IN_PIXELS, Reason.NOT_LOOKED_AT}
"""Found by the service; `test_looking` has their mutants."""

ELSEWHERE = ALLOWING | LOOKED_AT | {Reason.TRANSFER_SYNTAX}


@cache
def cases() -> dict[Reason, tuple[CorpusFile, Profile]]:
    return gate_cases()


@pytest.mark.parametrize("reason", [one for one in Reason if one not in ELSEWHERE])
def test_each_reason_of_the_gate_is_needed(reason: Reason) -> None:
    """Each alone keeps pixels back, and the leak test finds them without it."""
    file, profile = cases()[reason]
    with pytest.raises(BlockedInstanceError) as caught:
        rewrite(file.content, POLICY, PixelGate(profile))
    assert caught.value.verdict.reason is reason
    mutant = GateWithout(reason, profile)
    assert Source(file).is_in(rewrite(file.content, POLICY, mutant))


def test_what_cannot_be_cleaned_is_refused_without_the_gate_too() -> None:
    """Its rule for transfer syntaxes is a second wall: the codec is the first."""
    (file,) = (one for one in corpus().patient.files if one.name == "jpeg xl of 1")
    facts = Facts({SOP_CLASS: (file.sop_class,), TRANSFER_SYNTAX: (file.syntax,)})
    typed = Facts({**facts.values, IMAGE_TYPE: ("ORIGINAL", "PRIMARY")})
    assert PIXEL_GATE.judge(typed).reason is Reason.TRANSFER_SYNTAX
    with pytest.raises(DeidentificationError):
        rewrite(file.content, POLICY, OpenGate())
