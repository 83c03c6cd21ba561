"""The codec for files and the one for JSON: the same outcome for each element.

Datasets are drawn at random, with canaries wherever a text may be; each is written as
a file and as JSON, de-identified both ways, and what comes out is compared.
"""

import base64
import io
import json
import struct
from collections.abc import Mapping
from typing import Any, NamedTuple

import pydicom
from hypothesis import given, settings, strategies as st
from pydicom.dataset import Dataset

from orthanc_share.deidentification.dicom_json import deidentify_json, encode
from orthanc_share.deidentification.dictionary import ENTRIES
from orthanc_share.deidentification.gate import Facts, Outcome, Reason, Verdict
from orthanc_share.deidentification.json_tables import served_table_fits
from orthanc_share.deidentification.json_values import texts_of
from orthanc_share.deidentification.lookup_tables import DESCRIPTOR_OF
from orthanc_share.deidentification.part10 import rewrite
from orthanc_share.deidentification.policy import SharePolicy
from orthanc_share.deidentification.profile import Option, Profile
from tests.unit.shared.deidentification.images import CT, nowhere, policy_of

EXPLICIT = "1.2.840.10008.1.2.1"
CANARY = "QZCANARY"
DAY = "18450721"
TIME = "235747"
ROOT = "1.2.276.0.7238.99"
FORBIDDEN = ("QZ", DAY, TIME, ROOT)

LONG = frozenset("OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())  # noqa: SIM905
NUMBERS = {
    "US": "H", "SS": "h", "UL": "I", "SL": "i", "UV": "Q", "SV": "q", "FL": "f",
    "FD": "d",
}  # fmt: skip
BINARIES = {"OB": 2, "OW": 2, "UN": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}


class Allowing:
    """A gate that lets everything pass."""

    needs: frozenset[int] = frozenset()
    needs_nested: frozenset[int] = frozenset()
    needs_items: Mapping[int, frozenset[int]] = {}

    def judge(self, facts: Facts) -> Verdict:
        """Allow."""
        assert facts is not None
        return Verdict(Outcome.ALLOWED, Reason.CLEAN)


class Node(NamedTuple):
    """An element: texts, numbers, bytes, or datasets."""

    tag: int
    vr: str
    values: tuple[Any, ...]


Tree = tuple[Node, ...]


def file_of(tree: Tree) -> bytes:
    """Return the elements in Explicit VR Little Endian, written by hand."""
    return b"".join(map(_element, tree))


def _element(node: Node) -> bytes:
    tag, vr, values = node
    value: bytes
    match vr:
        case "SQ":
            items = map(file_of, values)
            value = b"".join(
                struct.pack("<HHI", 0xFFFE, 0xE000, len(one)) + one for one in items
            )
        case "AT":
            numbers = [int(one, 16) for one in values]
            value = b"".join(struct.pack("<HH", n >> 16, n & 0xFFFF) for n in numbers)
        case _ if vr in NUMBERS:
            value = b"".join(struct.pack(f"<{NUMBERS[vr]}", one) for one in values)
        case _ if vr in BINARIES:
            value = b"".join(values)
        case _:
            value = "\\".join(values).encode()
            value += (b"\0" if vr == "UI" else b" ") * (len(value) % 2)
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr.encode())
    length = struct.pack(
        "<HI" if vr in LONG else "<H", *(0, len(value))[vr not in LONG :]
    )
    return head + length + value


def json_of(tree: Tree) -> dict[str, Any]:
    """Return the elements as DICOM JSON."""
    return {f"{tag:08X}": _attribute(vr, values) for tag, vr, values in tree}


def _attribute(vr: str, values: tuple[Any, ...]) -> dict[str, Any]:
    if vr in BINARIES:
        data = b"".join(values)
        text = base64.b64encode(data).decode()
        return {"vr": vr, "InlineBinary": text} if data else {"vr": vr}
    match vr:
        case "SQ":
            shown: list[Any] = [json_of(item) for item in values]
        case "PN":
            shown = [{"Alphabetic": one} for one in values]
        case _:
            shown = list(values)
    return {"vr": vr, "Value": shown} if shown else {"vr": vr}


canaries = st.sampled_from([CANARY, f"{CANARY}^QZ", f"x {CANARY}"])
words = st.sampled_from(
    ["NO", "YES", "CT", "ORIGINAL", "PRIMARY", "HFS", "M", "DCM", "SRT", "T-D3000"]
)
uids = st.sampled_from([f"{ROOT}.1", f"{ROOT}.2.18450721.235747", CT, EXPLICIT, ""])
decimals = st.sampled_from(["0.5", "7", "-1.25", "1e-3", CANARY])
TEXTS = {
    "UI": uids,
    "DA": st.just(DAY),
    "TM": st.just(TIME),
    "DT": st.just(DAY + TIME),
    "AS": st.sampled_from(["045Y", "099Y"]),
    "DS": decimals,
    "IS": st.sampled_from(["7", "-3", "0", CANARY]),
    "CS": words | canaries,
    "SH": words | canaries,
}


def values_of(vr: str, items: st.SearchStrategy[Tree]) -> st.SearchStrategy[Any]:
    """Return values of a VR."""
    match vr:
        case "SQ":
            return st.lists(items, max_size=2).map(tuple)
        case "AT":
            return st.lists(st.sampled_from(["00181063", "00280010"]), max_size=2)
        case _ if vr in NUMBERS:
            whole = vr not in {"FL", "FD"}
            numbers = st.integers(0, 127) if whole else st.sampled_from([0.5, -2.0])
            return st.lists(numbers, max_size=3)
        case _ if vr in BINARIES:
            return st.lists(st.just(b"\x01" * BINARIES[vr]), max_size=3)
        case "LT" | "ST" | "UR" | "UT":  # a backslash is a letter of these
            return st.lists(canaries, max_size=1)
        case _:
            return st.lists(TEXTS.get(vr, canaries), max_size=2)


KNOWN = [
    (tag, vr)
    for tag, entry in ENTRIES.items()
    for vr in entry.vr.split(" or ")
    if 0x00080000 < tag < 0x7FE00000 and tag & 0xFFFF
]
CODES = [(0x00080100, "SH"), (0x00080102, "SH"), (0x00080104, "LO")]
SEQUENCES = [(tag, "SQ") for tag, vr in KNOWN if vr == "SQ"]
VRS = sorted({vr for _, vr in KNOWN if vr != "NONE"} | {"UN"})
COMMON = [
    (0x00080016, "UI"), (0x00080060, "CS"), (0x00080008, "CS"), (0x0008103E, "LO"),
    (0x00100010, "PN"), (0x00100040, "CS"), (0x00101010, "AS"), (0x00200011, "IS"),
    (0x00080020, "DA"), (0x00080030, "TM"), (0x0008002A, "DT"), (0x00280030, "DS"),
]  # fmt: skip

kinds = (
    st.sampled_from([kind for kind in KNOWN if kind[1] in VRS])
    | st.sampled_from(COMMON)
    | st.sampled_from(CODES)
    | st.sampled_from(SEQUENCES)
    | st.tuples(st.sampled_from([tag for tag, _ in KNOWN]), st.sampled_from(VRS))
    | st.tuples(st.integers(0x00090010, 0x00091010), st.sampled_from(VRS))
)


@st.composite
def trees(draw: st.DrawFn, depth: int = 3) -> Tree:
    """Draw a dataset."""
    drawn = draw(st.dictionaries(kinds.map(lambda kind: kind[0]), kinds, max_size=6))
    used = {tag: vr for tag, vr in drawn.values() if depth or vr != "SQ"}
    inner = trees(depth - 1) if depth else st.just(())
    return tuple(
        Node(tag, vr, tuple(draw(values_of(vr, inner))))
        for tag, vr in sorted(used.items())
    )


IDENTITY = (
    Node(0x00080016, "UI", (CT,)),
    Node(0x00080018, "UI", (f"{ROOT}.4",)),
)
IDENTITIES = {Option.RETAIN_DEVICE_IDENTITY, Option.RETAIN_INSTITUTION_IDENTITY}
"""Options that keep texts as they are; the canary is one."""

SHIFTING = policy_of(Profile(options=frozenset(Option) - IDENTITIES))
POLICIES = [policy_of(Profile()), SHIFTING]


def whole(tree: Tree) -> Tree:
    """Return a dataset that has its UIDs."""
    own = {node.tag: node for node in (*tree, *IDENTITY)}
    return tuple(own[tag] for tag in sorted(own))


def plain(dataset: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a dataset says, however its numbers are written."""
    return {key: (one["vr"], *_plain(one)) for key, one in dataset.items()}


def _plain(attribute: Mapping[str, Any]) -> tuple[Any, ...]:
    if attribute["vr"] == "SQ":
        return tuple(plain(item) for item in attribute.get("Value", ()))
    if "InlineBinary" in attribute:
        return (attribute["InlineBinary"],)
    texts = texts_of(dict(attribute))
    if attribute["vr"] in {"DS", "IS", "FL", "FD"}:
        return tuple(float(text) if text else None for text in texts)
    return tuple(texts)


def read(file: bytes) -> dict[str, Any]:
    """Return what pydicom finds in a file, as JSON."""
    found: Dataset = pydicom.dcmread(io.BytesIO(file))
    shown: dict[str, Any] = json.loads(found.to_json(suppress_invalid_tags=False))
    return shown


@settings(max_examples=60, deadline=None)
@given(trees(), st.sampled_from(POLICIES))
def test_both_codecs_agree_and_no_canary_survives(
    tree: Tree, policy: SharePolicy
) -> None:
    dataset = whole(tree)
    source = bytes(128) + b"DICM" + _meta() + file_of(dataset)
    file = rewrite(source, policy, Allowing())
    document = deidentify_json(json_of(dataset), policy, nowhere)
    assert plain(read(file)) == plain(document)
    for output in (masked(file), masked(encode([document]))):
        for canary in FORBIDDEN:
            # Shifted dates keep the time of day (PS3.15 E.3.6).
            assert canary not in output or (canary, policy) == (TIME, SHIFTING)


SEGMENTED = range(0x00281221, 0x00281224)
TABLES = [*DESCRIPTOR_OF, *SEGMENTED]
RAMP = range(0, 65_536, 256)
CURVES = [
    struct.pack("<4H", 1, 2, 3, 4),
    struct.pack("<256H", *RAMP),
    struct.pack("<256H", *(n >> 8 for n in RAMP)),
    bytes(n >> 8 for n in RAMP),
]
WORDS = [
    CANARY.encode(),
    "DOE^JOHN".encode("utf-16-le"),
    b"DOE^JOHN",
    b"Jo\xe9 \xc4n^\xfc",
]
TEXT_IN_CURVE = [
    curve[: 2 * at] + word + curve[2 * at + len(word) :]
    for curve in CURVES[1:]
    for word in WORDS
    for at in (0, 20, 60)
]


@st.composite
def tables(draw: st.DrawFn) -> tuple[Tree, bytes]:
    """Draw an image with a table, honest or not, at the right place or not."""
    data = draw(st.sampled_from([*CURVES, *WORDS, *TEXT_IN_CURVE]))
    tag, vr = draw(st.sampled_from(TABLES)), draw(st.sampled_from(["OW", "US", "OB"]))
    bits = draw(st.sampled_from([8, 12, 16]))
    entries = draw(st.sampled_from([len(data), len(data) // 2, 3]))
    photometric = draw(st.sampled_from(["PALETTE COLOR", "MONOCHROME2"]))
    value = struct.unpack(f"<{len(data) // 2}H", data) if vr == "US" else (data,)
    descriptor = Node(DESCRIPTOR_OF.get(tag, tag - 0x120), "US", (entries, 0, bits))
    tree: Tree = (descriptor, Node(tag, vr, tuple(value)))
    if draw(st.booleans()):
        tree = (Node(0x00283010, "SQ", (tree,)),)
    image = (*IDENTITY, Node(0x00280004, "CS", (photometric,)), *tree)
    return tuple(sorted(image, key=lambda node: node.tag)), data


@settings(max_examples=400, deadline=None)
@given(tables())
def test_a_table_comes_out_of_all_routes_or_of_none(drawn: tuple[Tree, bytes]) -> None:
    """In a file, in JSON as bytes or numbers, and by the URL that JSON may have."""
    dataset, data = drawn
    source = bytes(128) + b"DICM" + _meta() + file_of(dataset)
    file, document = rewrite(source, POLICIES[0], Allowing()), json_of(dataset)
    inline = deidentify_json(document, POLICIES[0], nowhere)
    assert plain(read(file)) == plain(inline)
    served: list[str] = []
    deidentify_json(elsewhere(document), POLICIES[0], served.append)
    got = [data for path in served if served_table_fits(document, path, data)]
    assert bool(got) is (data in file)
    if data not in CURVES:
        assert data not in file
        for output in (file, encode([inline]), *got):
            assert not any(word in output for word in WORDS)


def elsewhere(dataset: dict[str, Any]) -> dict[str, Any]:
    """Return DICOM JSON whose tables are at a URL."""
    return {key: _elsewhere(key, one) for key, one in dataset.items()}


def _elsewhere(key: str, attribute: dict[str, Any]) -> dict[str, Any]:
    if int(key, 16) in TABLES:
        return {"vr": attribute["vr"], "BulkDataURI": "http://upstream/"}
    if attribute["vr"] != "SQ":
        return attribute
    return {"vr": "SQ", "Value": [elsewhere(item) for item in attribute["Value"]]}


def _meta() -> bytes:
    return file_of((Node(0x00020010, "UI", (EXPLICIT,)),))


def masked(output: bytes) -> str:
    """Return an output without its pseudonyms, whose digits may be anything."""
    text = output.decode("latin-1")
    return "".join(piece.lstrip("0123456789") for piece in text.split("2.25."))
