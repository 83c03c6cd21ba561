"""The byte codec against pydicom: the same datasets, read, judged and written by it."""

import io
from collections.abc import Sequence as Values
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from pydicom import dcmread
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.filewriter import dcmwrite
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import UID

from orthanc_share.deidentification.actions import Action
from orthanc_share.deidentification.part10 import rewrite
from tests.unit.shared.deidentification.byte_samples import (
    BIG,
    EXPLICIT,
    IMPLICIT,
    SECRET,
    SimpleGate,
    SimpleRules,
)

texts = st.text("ABC 019_", min_size=1, max_size=12).map(str.strip)
uids = st.lists(st.integers(0, 999), min_size=2, max_size=4).map(
    lambda parts: ".".join(map(str, parts))
)
SECRET_TEXT = SECRET.decode()

LEAVES: dict[int, tuple[str, st.SearchStrategy[Any]]] = {
    0x00080008: ("CS", st.lists(texts, max_size=3)),
    0x00080020: ("DA", st.just("18050101")),
    0x00080030: ("TM", st.just("235711")),
    0x00080060: ("CS", texts),
    0x00081155: ("UI", uids),
    0x00100010: ("PN", st.just(SECRET_TEXT)),
    0x00181164: ("DS", st.sampled_from(["1", "-2.5", "3E4"])),
    0x00189073: ("FD", st.just(0.0) | st.floats(1e-28, 1e5) | st.floats(-1e5, -1e-28)),
    0x0020000D: ("UI", uids),
    0x00280010: ("US", st.integers(0, 65_535)),
    0x00280106: ("US", st.integers(0, 65_535)),
    0x00291010: ("LO", st.just(SECRET_TEXT)),
    0x0040A160: ("UT", st.just(SECRET_TEXT * 9)),
}
NESTED = (0x00081115, 0x00081140, 0x0040A730, 0x52009230)


@st.composite
def datasets(draw: st.DrawFn, depth: int = 3) -> Dataset:
    """Make a dataset with sequences in sequences, of either kind of length."""
    made = Dataset()
    for tag in draw(st.sets(st.sampled_from(sorted(LEAVES)))):
        vr, values = LEAVES[tag]
        made.add(DataElement(Tag(tag), vr, draw(values)))
    if depth == 0:
        return made
    for tag in draw(st.sets(st.sampled_from(NESTED), max_size=2)):
        items = draw(st.lists(datasets(depth - 1), max_size=2))
        for item in items:
            item.is_undefined_length_sequence_item = draw(st.booleans())
        made.add(DataElement(Tag(tag), "SQ", Sequence(items)))
        made[tag].is_undefined_length = draw(st.booleans())
    return made


def judged(source: Dataset, rules: SimpleRules) -> Dataset:
    """Return what the rules make of a dataset, written as plainly as can be."""
    made = Dataset()
    for element in source:
        action = rules.decide(element.tag, element.VR)
        value = element.value
        values = list(value) if element.VM > 1 else [value]
        if action is Action.KEEP:
            made.add(element)
        elif action is Action.RECURSE:
            items = [judged(item, rules) for item in value]
            made.add(DataElement(element.tag, "SQ", Sequence(items)))
        elif action is not Action.DROP:
            new = _new(action, element, [str(one) for one in values], rules)
            made.add(DataElement(element.tag, element.VR, new))
    return made


def _new(
    action: Action, element: DataElement, values: Values[str], rules: SimpleRules
) -> Values[str] | str:
    if action is Action.EMPTY or element.VM == 0:
        return ""
    if action is Action.DUMMY:
        return list(rules.dummy(element.tag, element.VR))
    if action is Action.UID:
        return [rules.uid(uid) for uid in values]
    return list(rules.text(element.tag, element.VR, values) or ())


def _written(made: Dataset, syntax: str) -> bytes:
    out = io.BytesIO()
    uid = UID(syntax)
    dcmwrite(
        out, made, implicit_vr=uid.is_implicit_VR, little_endian=uid.is_little_endian
    )
    return out.getvalue()


def _read(raw: bytes, syntax: str) -> Dataset:
    whole = bytes(128) + b"DICM" + _meta(syntax) + raw
    return dcmread(io.BytesIO(whole))


def _meta(syntax: str) -> bytes:
    raw = syntax.encode() + bytes(len(syntax) % 2)
    return b"\2\0\x10\0UI" + bytes((len(raw), 0)) + raw


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG])
@given(source=datasets())
@settings(max_examples=50)
def test_it_makes_of_any_dataset_what_pydicom_would(
    syntax: str, source: Dataset
) -> None:
    rules = SimpleRules(actions={**SimpleRules().actions, 0x00280106: Action.KEEP})
    raw = _written(source, syntax)
    made = rewrite(raw, rules, SimpleGate(), transfer_syntax=syntax)
    assert SECRET not in made
    assert _read(made, syntax) == _read(_written(judged(source, rules), syntax), syntax)
