"""Sequences, items and coded entries as the byte codec rewrites them."""

import pytest

from orthanc_share.deidentification.actions import Action, DeidentificationError
from orthanc_share.deidentification.gate import UNREADABLE
from orthanc_share.deidentification.limits import Limits
from orthanc_share.deidentification.part10 import rewrite
from tests.unit.shared.deidentification.byte_samples import (
    EXPLICIT,
    IMPLICIT_WRITER,
    LITTLE,
    SECRET,
    UNDEFINED,
    WRITERS,
    SimpleGate,
    SimpleRules,
    Writer,
    dataset,
    mapped,
)

in_every_encoding = pytest.mark.parametrize(("syntax", "w"), WRITERS.items())
either_length = pytest.mark.parametrize("delimited", [False, True])
REFERENCED = 0x00081140
CODED = 0x00540220
NAME = LITTLE.el(0x00100010, "PN", SECRET)
AFTER = LITTLE.el(0x0020000D, "UI", "1.9")
AFTER_MADE = LITTLE.el(0x0020000D, "UI", mapped("1.9"))


def _uid(w: Writer, uid: str) -> bytes:
    return w.el(0x00081155, "UI", uid)


@in_every_encoding
@either_length
def test_the_rules_hold_in_every_item(
    syntax: str, w: Writer, *, delimited: bool
) -> None:
    inner = w.sequence(
        REFERENCED, w.item(_uid(w, "1.5"), delimited=delimited), delimited=delimited
    )
    outer = w.sequence(
        REFERENCED,
        w.item(inner, _uid(w, "1.2"), delimited=delimited),
        w.item(delimited=delimited),
        w.item(w.el(0x00080020, "DA", "18050101"), _uid(w, "1.3")),
        delimited=delimited,
    )
    after = w.el(0x0020000D, "UI", "1.9")
    assert dataset(outer, after, syntax=syntax) == w.sequence(
        REFERENCED,
        w.item(
            w.sequence(REFERENCED, w.item(_uid(w, mapped("1.5")))),
            _uid(w, mapped("1.2")),
        ),
        w.item(),
        w.item(w.el(0x00080020, "DA"), _uid(w, mapped("1.3"))),
    ) + w.el(0x0020000D, "UI", mapped("1.9"))


@in_every_encoding
@either_length
def test_a_dropped_sequence_leaves_nothing(
    syntax: str, w: Writer, *, delimited: bool
) -> None:
    item = w.item(w.el(0x00100010, "PN", SECRET), delimited=delimited)
    dropped = w.sequence(0x00081115, item, delimited=delimited)
    after = w.el(0x00280010, "US", 5)
    assert dataset(dropped, after, syntax=syntax) == after


@pytest.mark.parametrize("action", [Action.EMPTY, Action.DUMMY])
def test_what_replaces_a_sequence_of_undefined_length_is_empty(action: Action) -> None:
    rules = SimpleRules(actions={0x00081110: action})
    data = LITTLE.sequence(0x00081110, LITTLE.item(NAME), delimited=True)
    made = rewrite(data, rules, SimpleGate(), transfer_syntax=EXPLICIT)
    assert made == LITTLE.sequence(0x00081110)


@pytest.mark.parametrize("syntax", [EXPLICIT, "1.2.840.10008.1.2.2"])
@either_length
def test_what_un_holds_is_in_implicit_vr(syntax: str, *, delimited: bool) -> None:
    w = WRITERS[syntax]
    implicit = IMPLICIT_WRITER
    items = implicit.item(
        _uid(implicit, "1.5"), implicit.el(0x00100010, "PN", SECRET),
        delimited=delimited,
    )  # fmt: skip
    body = items + (implicit.tag(0xFFFEE0DD) + bytes(4) if delimited else b"")
    length = UNDEFINED if delimited else len(body)
    made = dataset(w.el(REFERENCED, "UN", body, length), syntax=syntax)
    expected = implicit.item(_uid(implicit, mapped("1.5")))
    assert made == w.el(REFERENCED, "UN", expected)


@pytest.mark.parametrize("vr", ["OB", "OW"])
def test_encapsulated_data_that_are_dropped_are_walked_over(vr: str) -> None:
    fragments = LITTLE.item() + LITTLE.item(SECRET) + LITTLE.tag(0xFFFEE0DD) + bytes(4)
    icon = LITTLE.el(0x00291010, vr, fragments, UNDEFINED)
    kept = LITTLE.el(0x00283006, vr, fragments, UNDEFINED)
    assert dataset(kept, icon) == b""


def test_pixels_within_a_sequence_are_dropped() -> None:
    rules = SimpleRules(
        actions={0x52009230: Action.RECURSE, 0x7FE00010: Action.KEEP, 1: Action.KEEP}
    )
    item = LITTLE.item(LITTLE.el(0x7FE00010, "OB", SECRET))
    data = LITTLE.sequence(0x52009230, item)
    made = rewrite(data, rules, SimpleGate(), transfer_syntax=EXPLICIT)
    assert made == LITTLE.sequence(0x52009230, LITTLE.item())


def _code(w: Writer, value: str, scheme: str, meaning: bytes | str) -> bytes:
    scheme_part = w.el(0x00080102, "SH", scheme) if scheme else b""
    long = len(value) > 16
    urn = value.startswith("urn:")
    short = b"" if long or urn else w.el(0x00080100, "SH", value)
    tail = w.el(0x00080119, "UC", value) if long else b""
    tail = w.el(0x00080120, "UR", value) if urn else tail
    return short + scheme_part + w.el(0x00080104, "LO", meaning) + tail


@in_every_encoding
@pytest.mark.parametrize(
    ("value", "scheme", "meaning"),
    [
        ("113100", "DCM", "Our meaning"),
        ("a-code-that-is-long", "DCM", "Long"),
        ("urn:oid:1.2", "", "Urn"),
    ],
)
def test_a_known_code_gets_our_meaning(
    syntax: str, w: Writer, value: str, scheme: str, meaning: str
) -> None:
    item = w.item(_code(w, value, scheme, SECRET), _uid(w, "1.5"))
    made = dataset(w.sequence(CODED, item), syntax=syntax)
    expected = w.item(_code(w, value, scheme, meaning), _uid(w, mapped("1.5")))
    assert made == w.sequence(CODED, expected)


def test_a_code_without_a_meaning_gets_one() -> None:
    item = LITTLE.item(
        LITTLE.el(0x00080100, "SH", "113100"), LITTLE.el(0x00080102, "SH", "DCM")
    )
    expected = LITTLE.item(_code(LITTLE, "113100", "DCM", "Our meaning"))
    assert dataset(LITTLE.sequence(CODED, item)) == LITTLE.sequence(CODED, expected)


@pytest.mark.parametrize(
    "parts",
    [
        _code(LITTLE, "99SECRET", "DCM", SECRET),
        _code(LITTLE, "113100", "99LOCAL", SECRET),
        _code(LITTLE, "", "DCM", SECRET),
        LITTLE.el(0x00080104, "LO", SECRET),
        LITTLE.el(0x00080100, "SH", b"113100\\QZ"),
    ],
)
@either_length
def test_an_item_with_an_unknown_code_is_left_out(
    parts: bytes, *, delimited: bool
) -> None:
    good = LITTLE.item(_code(LITTLE, "113100", "DCM", "Our meaning"))
    bad = LITTLE.item(parts, _uid(LITTLE, "1.5"), NAME, delimited=delimited)
    data = LITTLE.sequence(CODED, bad, good, bad, delimited=delimited)
    assert dataset(data, NAME[:0]) == LITTLE.sequence(CODED, good)


def test_elements_between_the_parts_of_a_code_keep_their_place() -> None:
    item = LITTLE.item(
        LITTLE.el(0x00080102, "SH", "DCM"),
        LITTLE.el(0x00080104, "LO", SECRET),
        LITTLE.el(0x0008010F, "CS", "29"),
        LITTLE.el(0x00080119, "UC", "a-code-that-is-long"),
    )
    expected = LITTLE.item(
        LITTLE.el(0x00080102, "SH", "DCM"),
        LITTLE.el(0x00080104, "LO", "Long"),
        LITTLE.el(0x0008010F, "CS", "29"),
        LITTLE.el(0x00080119, "UC", "a-code-that-is-long"),
    )
    assert dataset(LITTLE.sequence(CODED, item)) == LITTLE.sequence(CODED, expected)


def test_parts_of_a_code_in_the_main_dataset_are_dropped() -> None:
    assert dataset(_code(LITTLE, "113100", "DCM", SECRET)) == b""


def _nest(depth: int) -> bytes:
    data = b""
    for _ in range(depth):
        data = LITTLE.sequence(REFERENCED, LITTLE.item(data, delimited=True))
    return data


def test_sequences_may_be_nested_64_deep_and_no_deeper() -> None:
    assert len(dataset(_nest(64))) == 64 * 20
    with pytest.raises(DeidentificationError, match="nested"):
        dataset(_nest(65))


def test_the_elements_of_all_sequences_are_counted() -> None:
    data = LITTLE.sequence(REFERENCED, *[LITTLE.item(_uid(LITTLE, "1.2"))] * 3)
    for elements, passes in ((4, True), (3, False)):
        limits = Limits(elements=elements)
        rules, gate = SimpleRules(), SimpleGate()
        if passes:
            rewrite(data, rules, gate, limits=limits, transfer_syntax=EXPLICIT)
            continue
        with pytest.raises(DeidentificationError, match="too many elements"):
            rewrite(data, rules, gate, limits=limits, transfer_syntax=EXPLICIT)


REGIONS = 0x00186011
BURNED_IN = 0x00280301
FRAME_TYPE = 0x00089007


@in_every_encoding
@either_length
@pytest.mark.parametrize("kept", [False, True])
def test_the_gate_learns_what_sequences_hold(
    syntax: str, w: Writer, *, delimited: bool, kept: bool
) -> None:
    actions = {REGIONS: Action.RECURSE, 0x52009230: Action.RECURSE} if kept else {}
    gate = SimpleGate(
        needs=frozenset({0x00080060, 0x00104000}),
        needs_nested=frozenset({FRAME_TYPE}),
        needs_items={REGIONS: frozenset({0x00186018, 0x0018601A})},
    )
    left = w.el(0x00186018, "UL", 7)
    frame = w.sequence(
        0x00189226,
        w.item(w.el(FRAME_TYPE, "CS", "DERIVED\\MIP"), delimited=delimited),
        delimited=delimited,
    )
    data = b"".join(
        (
            w.el(0x00080060, "CS", "US"),
            w.el(FRAME_TYPE, "CS", "TOP"),
            w.el(0x00104000, "OB", SECRET),
            w.sequence(
                REGIONS,
                w.item(left, w.sequence(0x00186021, w.item(left), delimited=delimited)),
                w.item(),
                w.item(w.el(0x0018601A, "UL", 9), delimited=delimited),
                delimited=delimited,
            ),
            w.sequence(0x52009230, w.item(left, frame), w.item(frame)),
        )
    )
    rewrite(data, SimpleRules(actions=actions), gate, transfer_syntax=syntax)
    (facts,) = gate.asked
    modality = {0x00080060: ("US",), 0x00020010: (syntax,)}
    remark = UNREADABLE if syntax != "1.2.840.10008.1.2" else (SECRET.decode(),)
    assert facts.values == {**modality, 0x00104000: remark}
    assert facts.nested == {FRAME_TYPE: ("DERIVED", "MIP") * 2}
    assert facts.items == {REGIONS: [{0x00186018: ("7",)}, {}, {0x0018601A: ("9",)}]}


def test_the_gate_learns_numbers_as_texts() -> None:
    needs = frozenset({0x00280010, 0x00189073, 0x00280009, 0x00280011, 0x00080080})
    gate = SimpleGate(needs=needs)
    data = b"".join(
        (
            LITTLE.el(0x00080080, "LO", b""),
            LITTLE.el(0x00189073, "FD", bytes.fromhex("000000000000e03f")),
            LITTLE.el(0x00280009, "AT", LITTLE.tag(0x00181063)),
            LITTLE.el(0x00280010, "US", b"\1\0\2\0"),
            LITTLE.el(0x00280011, "US", b"\1"),
        )
    )
    rewrite(data, SimpleRules(), gate, transfer_syntax=EXPLICIT)
    assert gate.asked[0].values == {
        0x00020010: (EXPLICIT,),
        0x00080080: (),
        0x00189073: ("0.5",),
        0x00280009: ("00181063",),
        0x00280010: ("1", "2"),
        0x00280011: UNREADABLE,
    }
