"""De-identification of the DICOM JSON Model."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pytest

from orthanc_share.deidentification.actions import (
    Action,
    Code,
    DeidentificationError,
    Element,
)
from orthanc_share.deidentification.dicom_json import (
    DEPTH_MAX,
    decode,
    deidentify_json,
    encode,
)
from tests.unit.shared.deidentification.images import nowhere

PUBLIC = "https://share.example/bulk/"


class Rules:
    """Rules that a test writes down."""

    def __init__(
        self,
        actions: Mapping[int, Action],
        added: Sequence[Element] = (),
        need: Collection[int] = (),
    ) -> None:
        self.actions = actions
        self.added = added
        self.additions_need = need
        self.facts: Mapping[int, str] = {}
        self.asked: list[tuple[int, str]] = []

    def decide(self, tag: int, vr: str) -> Action:
        """Return the action written down, and remember the question."""
        self.asked.append((tag, vr))
        return self.actions.get(tag, Action.DROP)

    def dummy(self, tag: int, vr: str) -> tuple[str, ...]:
        """Return something that is not the value."""
        return ("1",) if vr in {"IS", "US"} else ("DUMMY", f"{tag:08X}")

    def length_max(self, tag: int, vr: str) -> int:
        """Return 8, if the element was asked about before."""
        assert (tag, vr) in self.asked
        return 8

    def uid(self, uid: str) -> str:
        """Return something that is not the UID."""
        return f"2.25.{len(uid)}"

    def text(self, tag: int, vr: str, values: Sequence[str]) -> tuple[str, ...] | None:
        """Return the values, unless one is bad."""
        assert (tag, vr) in self.asked
        return None if "bad" in values else tuple(values)

    def code(self, value: str, scheme: str) -> Code | None:
        """Return our meaning of all codes but one."""
        if value == "unknown":
            return None
        return Code(value, scheme, "Our Meaning")

    def additions(self, facts: Mapping[int, str]) -> Sequence[Element]:
        """Return what is written down, and remember the facts."""
        self.facts = facts
        return self.added


def made(
    dataset: dict[str, Any],
    actions: Mapping[int, Action],
    uris: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    return deidentify_json(dataset, Rules(actions), (uris or {}).get)


def element(vr: str, *values: Any) -> dict[str, Any]:
    return {"vr": vr, "Value": list(values)}


def one(action: Action, attribute: dict[str, Any]) -> Any:
    """Return what one element becomes, None if it is dropped."""
    return made({"00180001": attribute}, {0x00180001: action}).get("00180001")


def test_what_is_dropped_is_not_there() -> None:
    assert one(Action.DROP, element("LO", "QZ")) is None


@pytest.mark.parametrize("vr", ["LO", "SQ", "OB", "US"])
def test_what_is_emptied_has_its_vr_only(vr: str) -> None:
    assert one(Action.EMPTY, element(vr, "QZ")) == {"vr": vr}


def test_dummies_replace_any_value() -> None:
    assert one(Action.DUMMY, element("LO", "QZ")) == element("LO", "DUMMY", "00180001")
    assert one(Action.DUMMY, {"vr": "IS"}) == element("IS", 1)
    assert one(Action.DUMMY, {"vr": "LO", "BulkDataURI": "http://orthanc/"}) == (
        element("LO", "DUMMY", "00180001")
    )


@pytest.mark.parametrize("vr", ["SQ", "OB", "UN"])
def test_sequences_and_binaries_have_no_dummy(vr: str) -> None:
    assert one(Action.DUMMY, {"vr": vr}) == {"vr": vr}


def test_uids_are_mapped_one_by_one() -> None:
    uids = element("UI", "1.2", None, "1.2.3 ")
    assert one(Action.UID, uids) == element("UI", "2.25.3", None, "2.25.5")
    assert one(Action.UID, {"vr": "UI"}) == {"vr": "UI"}


def test_texts_are_what_the_rules_return() -> None:
    assert one(Action.TEXT, element("CS", "A", None)) == element("CS", "A", None)
    assert one(Action.TEXT, element("DS", 0.5, "7")) == element("DS", 0.5, 7)
    assert one(Action.TEXT, element("CS", "bad")) == {"vr": "CS"}
    assert one(Action.TEXT, {"vr": "CS"}) == {"vr": "CS"}


def test_numbers_are_kept_if_they_fit() -> None:
    assert one(Action.KEEP, element("US", 1, 2)) == element("US", 1, 2)
    assert one(Action.KEEP, element("US", 1, 2, 3, 4, 5)) is None
    assert one(Action.KEEP, element("US", "QZ")) is None


def test_decimals_are_kept_if_they_are_some() -> None:
    assert one(Action.KEEP, element("DS", 1.5, None)) == element("DS", 1.5, None)
    assert one(Action.KEEP, element("IS", "7")) == element("IS", 7)
    assert one(Action.KEEP, element("DS", "QZ")) is None
    assert one(Action.KEEP, element("IS", 1.5)) is None
    assert one(Action.KEEP, element("DS", 1, 2, 3, 4, 5)) is None


@pytest.mark.parametrize("vr", ["LO", "PN", "SQ"])
def test_texts_are_never_kept_unseen(vr: str) -> None:
    assert one(Action.KEEP, element(vr, "1")) is None


def test_binaries_are_kept_if_they_fit() -> None:
    kept = {"vr": "OW", "InlineBinary": "AAAA/w=="}
    assert one(Action.KEEP, kept) == kept
    assert one(Action.KEEP, {"vr": "OW"}) == {"vr": "OW"}
    assert one(Action.KEEP, {"vr": "OW", "InlineBinary": "A" * 16}) is None


BULK = 0x00420011
INNER = 0x54001010
OUTER = 0x54000100


def test_bulk_data_are_at_our_address_or_nowhere() -> None:
    theirs = {"vr": "OW", "BulkDataURI": "http://orthanc.example/real-uid"}
    nested = {"vr": "SQ", "Value": [{}, {"54001010": theirs}]}
    source = {"00420011": theirs, "00420013": theirs, "54000100": nested}
    actions = {
        BULK: Action.KEEP,
        0x00420013: Action.KEEP,
        OUTER: Action.RECURSE,
        INNER: Action.KEEP,
    }
    asked = ("00420011", "54000100/2/54001010")
    uris = {path: PUBLIC + path for path in asked}
    assert made(source, actions, uris) == {
        "00420011": {"vr": "OW", "BulkDataURI": PUBLIC + "00420011"},
        "54000100": {
            "vr": "SQ",
            "Value": [
                {},
                {
                    "54001010": {
                        "vr": "OW",
                        "BulkDataURI": PUBLIC + "54000100/2/54001010",
                    }
                },
            ],
        },
    }


def test_texts_that_are_bulk_data_are_not_read() -> None:
    theirs = {"vr": "UT", "BulkDataURI": "http://orthanc.example/"}
    assert one(Action.TEXT, theirs) == {"vr": "UT"}
    assert one(Action.UID, theirs | {"vr": "UI"}) == {"vr": "UI"}


@pytest.mark.parametrize("key", ["7FE00010", "7FE00008", "7FE00009"])
def test_pixels_are_at_our_address_or_nowhere(key: str) -> None:
    for source in (
        {"vr": "OW", "BulkDataURI": "http://orthanc.example/"},
        {"vr": "OW", "InlineBinary": "AAAA"},
    ):
        here = {"vr": "OW", "BulkDataURI": PUBLIC}
        assert made({key: source}, {}, {key: PUBLIC}) == {key: here}
        assert made({key: source}, {}) == {}


@pytest.mark.parametrize(
    "key",
    [
        "00000002", "00020010", "00040005", "00080000", "00060002", "7FE10010",
        "FFFAFFFA", "FFFCFFFC", "FFFEE000",
    ],
)  # fmt: skip
def test_the_rules_are_not_asked_about_what_no_dataset_shows(key: str) -> None:
    rules = Rules({int(key, 16): Action.KEEP})
    assert deidentify_json({key: element("US", 1)}, rules, nowhere) == {}
    assert rules.asked == []


def test_nested_pixels_are_dropped() -> None:
    icon = {"7FE00010": {"vr": "OW", "InlineBinary": "AAAA"}}
    source = {"54000100": element("SQ", icon)}
    assert made(source, {OUTER: Action.RECURSE}, {"54000100/1/7FE00010": PUBLIC}) == {
        "54000100": element("SQ", {})
    }


def test_sequences_keep_their_items_even_if_empty() -> None:
    assert one(Action.RECURSE, element("SQ", {}, {})) == element("SQ", {}, {})
    assert one(Action.RECURSE, {"vr": "SQ"}) == {"vr": "SQ"}
    assert one(Action.RECURSE, {"vr": "UN", "InlineBinary": "AAAA"}) is None


CODING = {
    0x00080100: Action.CODE,
    0x00080102: Action.CODE,
    0x00080104: Action.CODE,
    0x00080119: Action.CODE,
    0x00080120: Action.CODE,
    0x00080117: Action.UID,
    0x0008010B: Action.TEXT,
    0x00080006: Action.TEXT,
    0x00400001: Action.TEXT,
    OUTER: Action.RECURSE,
}


def coded(**elements: dict[str, Any]) -> Any:
    """Return what a sequence becomes whose item has these elements."""
    item = {key.removeprefix("_"): value for key, value in elements.items()}
    return made({"54000100": element("SQ", item)}, CODING).get("54000100")


def test_codes_are_written_with_our_meaning() -> None:
    entry = coded(
        _00080100=element("SH", "T-1"),
        _00080102=element("SH", "SRT"),
        _00080104=element("LO", "QZ^NAME"),
        _0008010B=element("CS", "Y"),
        _00080117=element("UI", "1.2"),
        _00400001=element("LO", "kept"),
    )
    assert entry == element(
        "SQ",
        {
            "00080100": element("SH", "T-1"),
            "00080102": element("SH", "SRT"),
            "00080104": element("LO", "Our Meaning"),
            "0008010B": element("CS", "Y"),
            "00080117": element("UI", "2.25.3"),
            "00400001": element("LO", "kept"),
        },
    )


def test_an_item_whose_code_is_unknown_is_left_out() -> None:
    bad = {"00080100": element("SH", "unknown"), "00400001": element("LO", "QZ")}
    good = {"00080100": element("SH", "T-1")}
    written = made({"54000100": element("SQ", bad, good, bad)}, CODING)
    assert len(written["54000100"]["Value"]) == 1


@pytest.mark.parametrize(
    "item",
    [
        {"_00080100": element("SH", "unknown"), "_00400001": element("LO", "QZ")},
        {"_00080104": element("LO", "QZ")},
        {"_00080100": {"vr": "SH"}},
    ],
)
def test_a_sequence_of_which_no_item_is_left_is_dropped(item: dict[str, Any]) -> None:
    assert coded(**item) is None


@pytest.mark.parametrize(
    ("key", "vr"), [("00080100", "SH"), ("00080119", "UC"), ("00080120", "UR")]
)
def test_a_code_is_written_where_it_was(key: str, vr: str) -> None:
    item = {key: element(vr, "T-1")}
    assert made({"54000100": element("SQ", item)}, CODING)["54000100"] == element(
        "SQ", {"00080104": element("LO", "Our Meaning")} | item
    )


def test_a_code_outside_of_an_item_is_dropped() -> None:
    source = {"00080100": element("SH", "T-1"), "00400001": element("LO", "kept")}
    assert made(source, CODING) == {"00400001": element("LO", "kept")}


def test_additions_replace_what_was_there_in_the_order_of_tags() -> None:
    item = (Element(0x00080100, "SH", ("113100",)),)
    rules = Rules(
        {0x00080060: Action.TEXT, 0x00200011: Action.TEXT, 0x00100010: Action.TEXT},
        (
            Element(0x00100010, "PN", ("Anonymous",)),
            Element(0x00120064, "SQ", (item,)),
            Element(0x00120063, "SQ", ()),
        ),
        (0x00080060, 0x00200011, 0x00200012),
    )
    source = {
        "00200011": element("IS", 3),
        "00100010": element("PN", {"Alphabetic": "QZ"}),
        "00080060": element("CS", "CT"),
    }
    result = deidentify_json(source, rules, nowhere)
    assert rules.facts == {0x00080060: "CT", 0x00200011: "3"}
    assert list(result.items()) == [
        ("00080060", element("CS", "CT")),
        ("00100010", element("PN", {"Alphabetic": "Anonymous"})),
        ("00120063", {"vr": "SQ"}),
        ("00120064", element("SQ", {"00080100": element("SH", "113100")})),
        ("00200011", element("IS", 3)),
    ]


def test_an_addition_with_a_text_where_an_item_belongs_is_our_mistake() -> None:
    rules = Rules({}, (Element(0x00120064, "SQ", ("text",)),))
    with pytest.raises(TypeError):
        deidentify_json({}, rules, nowhere)


@pytest.mark.parametrize(
    "malformed",
    [
        {"PatientName": element("PN", "QZ")},
        {"0010001": element("PN", "QZ")},
        {"0010001a": element("PN", "QZ")},
        {"00100010": "QZ"},
        {"00100010": {}},
        {"00100010": {"vr": "XX"}},
        {"00100010": {"vr": ["PN"]}},
        {"00100010": {"vr": "PN", "QZ": 1}},
        {"00100010": {"vr": "PN", "Value": [], "BulkDataURI": ""}},
        {"54000100": element("SQ", "QZ")},
        {"54000100": element("SQ", None)},
        {"54000100": {"vr": "SQ", "Value": "QZ"}},
        {"00400001": {"vr": "LO", "Value": "QZ"}},
        {"00400001": element("LO", ["QZ"])},
    ],
)
def test_what_is_malformed_is_refused_and_not_repeated(
    malformed: dict[str, Any],
) -> None:
    with pytest.raises(DeidentificationError) as refusal:
        made(malformed, CODING)
    assert "QZ" not in str(refusal.value)
    assert "Patient" not in str(refusal.value)


def test_a_nesting_without_end_is_refused() -> None:
    def nested(depth: int) -> dict[str, Any]:
        item: dict[str, Any] = {}
        for _ in range(depth):
            item = {"54000100": element("SQ", item)}
        return item

    assert made(nested(DEPTH_MAX), CODING) == nested(DEPTH_MAX)
    with pytest.raises(DeidentificationError):
        made(nested(DEPTH_MAX + 1), CODING)


def test_documents_are_arrays_of_datasets() -> None:
    datasets = [{"00100010": {"vr": "PN"}}]
    assert decode(encode(datasets)) == datasets
    for document in (b"{}", b"[1]", b"[{]", b"\xff", b"[" * 100_000, b'["\xff"]'):
        with pytest.raises(DeidentificationError):
            decode(document)
