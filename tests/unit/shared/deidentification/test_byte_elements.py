"""What the byte codec makes of each element, in each encoding."""

import pytest

from orthanc_share.deidentification.actions import (
    Action,
    DeidentificationError,
    Element,
)
from orthanc_share.deidentification.part10 import rewrite
from tests.unit.shared.deidentification.byte_samples import (
    EXPLICIT,
    IMPLICIT,
    LITTLE,
    SECRET,
    WRITERS,
    SimpleGate,
    SimpleRules,
    Writer,
    dataset,
    mapped,
)

in_every_encoding = pytest.mark.parametrize(("syntax", "w"), WRITERS.items())
MODALITY = LITTLE.el(0x00080060, "CS", "CT")


@in_every_encoding
def test_a_dropped_element_is_not_written(syntax: str, w: Writer) -> None:
    assert dataset(w.el(0x00100010, "PN", SECRET), syntax=syntax) == b""


@in_every_encoding
def test_an_empty_element_has_no_value(syntax: str, w: Writer) -> None:
    made = dataset(w.el(0x00080020, "DA", "18050101"), syntax=syntax)
    assert made == w.el(0x00080020, "DA")


@in_every_encoding
def test_a_dummy_replaces_any_value(syntax: str, w: Writer) -> None:
    made = dataset(w.el(0x00080030, "TM", "235711"), syntax=syntax)
    assert made == w.el(0x00080030, "TM", "000000")


@in_every_encoding
def test_numbers_are_kept_byte_for_byte(syntax: str, w: Writer) -> None:
    rows = w.el(0x00280010, "US", 512)
    assert dataset(rows, syntax=syntax) == rows


@in_every_encoding
@pytest.mark.parametrize("raw", [b"1.2.3\0", b"1.2.3", b"1.2.3 ", b" 1.2.3"])
def test_a_uid_is_mapped_whatever_its_padding(
    syntax: str, w: Writer, raw: bytes
) -> None:
    made = dataset(w.el(0x0020000D, "UI", raw), syntax=syntax)
    assert made == w.el(0x0020000D, "UI", mapped("1.2.3"))


def test_each_of_several_uids_is_mapped_and_empty_ones_stay_empty() -> None:
    made = dataset(LITTLE.el(0x0020000D, "UI", "1.2\\\\1.3"))
    assert made == LITTLE.el(0x0020000D, "UI", f"{mapped('1.2')}\\\\{mapped('1.3')}")


@in_every_encoding
def test_texts_are_what_the_rules_return(syntax: str, w: Writer) -> None:
    made = dataset(w.el(0x00080008, "CS", "ORIGINAL \\PRIMARY"), syntax=syntax)
    assert made == w.el(0x00080008, "CS", "ORIGINAL\\PRIMARY")


@pytest.mark.parametrize("value", ["lower case", SECRET, b"\xe9\xe9", b"", b"  "])
def test_a_text_that_cannot_be_shown_is_empty(value: str | bytes) -> None:
    made = dataset(LITTLE.el(0x00080008, "CS", value))
    assert made == LITTLE.el(0x00080008, "CS")


@pytest.mark.parametrize("vr", ["ST", "LT", "UT", "UR"])
def test_a_backslash_is_a_letter_where_there_is_one_value(vr: str) -> None:
    kept = LITTLE.el(0x0008103E, vr, "A\\B ")
    assert dataset(kept) == kept
    assert dataset(LITTLE.el(0x0008103E, vr, b" \0")) == LITTLE.el(0x0008103E, vr)


@pytest.mark.parametrize("length", [1, 3, 18])
def test_numbers_of_a_wrong_length_are_dropped(length: int) -> None:
    assert dataset(LITTLE.el(0x00280010, "US", b"Q" * length)) == b""


@pytest.mark.parametrize("vr", ["LO", "PN", "CS", "UI", "SH"])
def test_a_text_is_never_kept_as_it_is(vr: str) -> None:
    assert dataset(LITTLE.el(0x00104000, vr, SECRET)) == b""


@pytest.mark.parametrize(("vr", "value"), [("DS", "0.5\\-1.5E2 \\"), ("IS", "+12")])
def test_decimals_are_kept(vr: str, value: str) -> None:
    made = dataset(LITTLE.el(0x00181164, vr, value))
    assert made == LITTLE.el(0x00181164, vr, value.replace(" ", ""))


@pytest.mark.parametrize(
    "value",
    [SECRET, b"1\\QZ", b"0." + b"1" * 20, b"\xb2", b"1\\2\\3\\4\\5\\6\\7\\8\\9 "],
)
def test_what_is_no_decimal_or_too_long_is_dropped(value: bytes) -> None:
    assert dataset(LITTLE.el(0x00181164, "DS", value)) == b""


@in_every_encoding
def test_a_number_that_is_a_text_is_dropped(syntax: str, w: Writer) -> None:
    rules = SimpleRules(actions={0x00189073: Action.KEEP})
    for value, kept in ((SECRET, False), (bytes(8), True), (bytes(4) + SECRET, False)):
        data = w.el(0x00189073, "FD", (value * 2)[:16])
        made = rewrite(data, rules, SimpleGate(), transfer_syntax=syntax)
        assert made == (data if kept else b"")


def test_a_kept_tag_is_one_of_the_dictionary() -> None:
    rules = SimpleRules(actions={0x00280009: Action.KEEP})
    for value, kept in (
        (LITTLE.tag(0x00181063), True),
        (LITTLE.tag(0x00181063) * 2, True),
        (SECRET, False),
        (LITTLE.tag(0x00181063) + SECRET[:4], False),
        (SECRET[:6], False),
        (LITTLE.tag(0x00181063) * 5, False),
    ):
        data = LITTLE.el(0x00280009, "AT", value)
        made = rewrite(data, rules, SimpleGate(), transfer_syntax=EXPLICIT)
        assert made == (data if kept else b"")


def test_a_sequence_needs_the_vr_of_one() -> None:
    item = LITTLE.item(LITTLE.el(0x00081155, "UI", "1.2"))
    assert dataset(LITTLE.el(0x00081140, "OB", item)) == b""
    assert dataset(LITTLE.el(0x00081140, "LO", SECRET)) == b""


@pytest.mark.parametrize("tag", [0x00080000, 0x00280000, 0x00110000])
def test_group_lengths_are_dropped(tag: int) -> None:
    rules = SimpleRules(actions={tag: Action.KEEP})
    data = LITTLE.el(tag, "UL", 4)
    assert rewrite(data, rules, SimpleGate(), transfer_syntax=EXPLICIT) == b""


@pytest.mark.parametrize("action", [Action.EMPTY, Action.DUMMY])
def test_what_replaces_a_sequence_or_bytes_is_empty(action: Action) -> None:
    for vr in ("SQ", "OB", "OW", "UN"):
        rules = SimpleRules(actions={0x00081110: action})
        item = LITTLE.item(LITTLE.el(0x00100010, "PN", SECRET))
        data = LITTLE.el(0x00081110, vr, item)
        made = rewrite(data, rules, SimpleGate(), transfer_syntax=EXPLICIT)
        assert made == LITTLE.el(0x00081110, vr)


def test_odd_lengths_are_made_even() -> None:
    made = dataset(LITTLE.el(0x00080008, "CS", b"ABC"), MODALITY)
    assert made == LITTLE.el(0x00080008, "CS", b"ABC ") + MODALITY


ADDED = (
    Element(0x00080005, "CS", ("ISO_IR 192",)),
    Element(0x00100020, "LO", ("ANON", "B")),
    Element(0x00120064, "SQ", ((Element(0x00080100, "SH", ("1131",)),),)),
    Element(0x00180050, "US", ("1", "2")),
    Element(0x00189073, "FD", ("0.5",)),
    Element(0x00280009, "AT", ("00181063",)),
    Element(0x00281408, "OW", ("anything",)),
)


@in_every_encoding
def test_additions_replace_and_come_in_the_order_of_tags(
    syntax: str, w: Writer
) -> None:
    rules = SimpleRules(added=ADDED, need=(0x00080060, 0x00280010, 0x00100010))
    data = (
        w.el(0x00080005, "CS", "ISO_IR 100")
        + w.el(0x00080060, "CS", "MR")
        + w.el(0x00280010, "US", 512)
    )
    made = rewrite(data, rules, SimpleGate(), transfer_syntax=syntax)
    fd = bytes.fromhex("000000000000e03f")
    assert made == b"".join(
        (
            w.el(0x00080005, "CS", "ISO_IR 192"),
            w.el(0x00080060, "CS", "MR"),
            w.el(0x00100020, "LO", "ANON\\B"),
            w.sequence(0x00120064, w.item(w.el(0x00080100, "SH", "1131"))),
            w.el(0x00180050, "US", b"\0\1\0\2" if w.order == ">" else b"\1\0\2\0"),
            w.el(0x00189073, "FD", fd[::-1] if w.order == ">" else fd),
            w.el(0x00280009, "AT", w.tag(0x00181063)),
            w.el(0x00280010, "US", 512),
            w.el(0x00281408, "OW"),
        )
    )
    assert rules.seen == [{0x00080060: "MR", 0x00280010: "512"}]


@pytest.mark.parametrize(
    "element",
    [
        Element(0x00180050, "US", (SECRET.decode(),)),
        Element(0x00180050, "US", ("70000",)),
        Element(0x00280009, "AT", ("no tag",)),
        Element(0x00100010, "PN", ("é",)),
        Element(0x00120064, "SQ", ("text",)),
        Element(0x00100010, "LO", ("x" * 65_536,)),
    ],
)
def test_what_the_policy_cannot_mean_is_refused(element: Element) -> None:
    rules = SimpleRules(added=(element,))
    with pytest.raises(DeidentificationError) as refused:
        rewrite(MODALITY, rules, SimpleGate(), transfer_syntax=EXPLICIT)
    assert SECRET.decode() not in str(refused.value)
    assert refused.value.__cause__ is None


def test_what_was_worked_out_for_one_value_holds_for_no_other() -> None:
    for value in ("AAAA", "BBBB", "AAAA"):
        element = LITTLE.el(0x00080008, "CS", value)
        assert dataset(element) == element
    same = LITTLE.el(0x00080008, "CS", "AAAA")
    other = LITTLE.el(0x00089007, "CS", "AAAA")
    assert dataset(same, other) == same + other


def test_implicit_vr_takes_the_vr_of_the_dictionary() -> None:
    w = WRITERS[IMPLICIT]
    unknown = w.el(0x00090010, "LO", SECRET)
    smallest = w.el(0x00280106, "US", 7)  # US or SS
    rules = SimpleRules(actions={0x00280106: Action.KEEP, 0x00090010: Action.TEXT})
    made = rewrite(unknown + smallest, rules, SimpleGate(), transfer_syntax=IMPLICIT)
    assert made == w.el(0x00090010, "UN") + smallest
