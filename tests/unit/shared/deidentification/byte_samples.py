"""DICOM bytes by hand, rules and gates as simple as can be: for the byte codec."""

import struct
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from orthanc_share.deidentification.actions import Action, Code, Element
from orthanc_share.deidentification.gate import Facts, Outcome, Reason, Verdict
from orthanc_share.deidentification.part10 import InstanceRewriter, rewrite

CT = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
IMPLICIT = "1.2.840.10008.1.2"
BIG = "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
JPEG_LS = "1.2.840.10008.1.2.4.80"
JPEG_2000 = "1.2.840.10008.1.2.4.90"
RLE = "1.2.840.10008.1.2.5"

SECRET = b"QZCANARY"
"""What must never be in an output."""

UNDEFINED = 0xFFFFFFFF
_LONG = frozenset(
    ["OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"]
)


@dataclass(frozen=True)
class Writer:
    """Writes elements; independent of the code under test."""

    explicit: bool = True
    order: str = "<"

    def tag(self, tag: int) -> bytes:
        """Return the bytes of a tag."""
        return struct.pack(f"{self.order}HH", tag >> 16, tag & 0xFFFF)

    def el(
        self, tag: int, vr: str, value: bytes | str | int = b"", length: int = -1
    ) -> bytes:
        """Return an element; `length` is for those that lie about theirs."""
        if isinstance(value, int):
            value = struct.pack(self.order + {"US": "H", "UL": "I"}[vr], value)
        if isinstance(value, str):
            value = value.encode()
            value += b"" if len(value) % 2 == 0 else b"\0" if vr == "UI" else b" "
        length = len(value) if length < 0 else length
        if not self.explicit:
            head = struct.pack(f"{self.order}I", length)
        elif vr in _LONG:
            head = vr.encode() + struct.pack(f"{self.order}HI", 0, length)
        else:
            head = vr.encode() + struct.pack(f"{self.order}H", length)
        return self.tag(tag) + head + value

    def item(self, *elements: bytes, delimited: bool = False) -> bytes:
        """Return an item, of defined length or with a delimiter."""
        body = b"".join(elements)
        length = UNDEFINED if delimited else len(body)
        end = self.tag(0xFFFEE00D) + bytes(4) if delimited else b""
        return self.tag(0xFFFEE000) + struct.pack(f"{self.order}I", length) + body + end

    def sequence(
        self, tag: int, *items: bytes, delimited: bool = False, vr: str = "SQ"
    ) -> bytes:
        """Return a sequence, of defined length or with a delimiter."""
        body = b"".join(items)
        if not delimited:
            return self.el(tag, vr, body)
        end = self.tag(0xFFFEE0DD) + bytes(4)
        return self.el(tag, vr, body + end, UNDEFINED)


LITTLE = Writer()
IMPLICIT_WRITER = Writer(explicit=False)
BIG_WRITER = Writer(order=">")

WRITERS = {EXPLICIT: LITTLE, IMPLICIT: IMPLICIT_WRITER, BIG: BIG_WRITER}


def meta(syntax: str = EXPLICIT, *more: bytes) -> bytes:
    """Return preamble and file meta information, with secrets in both."""
    group = b"".join(
        (
            LITTLE.el(0x00020002, "UI", CT),
            LITTLE.el(0x00020003, "UI", "1.2.3"),
            LITTLE.el(0x00020010, "UI", syntax),
            LITTLE.el(0x00020016, "AE", SECRET),
            *more,
        )
    )
    length = LITTLE.el(0x00020000, "UL", len(group))
    return SECRET * 16 + b"DICM" + length + group


Numbers = Mapping[str, int]
"""Elements of a small image that are other than usual."""


def head(writer: Writer = LITTLE, numbers: Numbers = MappingProxyType({})) -> bytes:
    """Return the elements of a small image before its pixels."""
    us = {
        "samples": (0x00280002, 1), "rows": (0x00280010, 2), "columns": (0x00280011, 2),
        "allocated": (0x00280100, 16), "stored": (0x00280101, 16),
        "high_bit": (0x00280102, 15), "signed": (0x00280103, 0),
    }  # fmt: skip
    return b"".join(
        (
            writer.el(0x00080016, "UI", CT),
            writer.el(0x00080018, "UI", "1.2.3"),
            writer.el(0x00100010, "PN", SECRET),
            *(
                writer.el(tag, "US", numbers.get(name, default))
                for name, (tag, default) in us.items()
            ),
        )
    )


def image(
    syntax: str = EXPLICIT,
    pixels: bytes = bytes(8),
    after: bytes = b"",
    numbers: Numbers = MappingProxyType({}),
) -> bytes:
    """Return a small image as a file."""
    writer = WRITERS.get(syntax, LITTLE)
    dataset = head(writer, numbers) + writer.el(0x7FE00010, "OW", pixels) + after
    if syntax == DEFLATED:
        deflate = zlib.compressobj(wbits=-15)
        dataset = deflate.compress(dataset) + deflate.flush()
    return meta(syntax) + dataset


def encapsulated(
    syntax: str, *fragments: bytes, table: bytes = b"", frames: int = 1, vr: str = "OB",
) -> bytes:  # fmt: skip
    """Return a file whose pixels are encapsulated."""
    dataset = head(LITTLE)
    if frames != 1:
        at = dataset.index(LITTLE.tag(0x00280010))
        number = LITTLE.el(0x00280008, "IS", str(frames))
        dataset = dataset[:at] + number + dataset[at:]
    items = b"".join(LITTLE.item(one) for one in (table, *fragments))
    value = items + LITTLE.tag(0xFFFEE0DD) + bytes(4)
    pixels = LITTLE.el(0x7FE00010, vr, value, UNDEFINED)
    return meta(syntax) + dataset + pixels


_ACTIONS = {
    **dict.fromkeys((0x00080016, 0x00080018, 0x00081155, 0x0020000D), Action.UID),
    **dict.fromkeys((0x00080008, 0x00080060, 0x00089007, 0x0008103E), Action.TEXT),
    **dict.fromkeys((0x00081140, 0x00540220, 0x0040A730, 0x52009230), Action.RECURSE),
    **dict.fromkeys((0x00080100, 0x00080102, 0x00080104), Action.CODE),
    **dict.fromkeys((0x00080119, 0x00080120), Action.CODE),
    **dict.fromkeys((0x00280002, 0x00280010, 0x00280011, 0x00280100), Action.KEEP),
    **dict.fromkeys((0x00280101, 0x00280102, 0x00280103), Action.KEEP),
    **dict.fromkeys((0x00283006, 0x00181164, 0x00104000, 0x00189073), Action.KEEP),
    0x00280004: Action.TEXT,
    0x00280008: Action.TEXT,
    0x00080020: Action.EMPTY,
    0x00080030: Action.DUMMY,
    0x00081110: Action.DUMMY,
    0x0008010F: Action.TEXT,
}

_CODES = {
    ("113100", "DCM"): Code("113100", "DCM", "Our meaning"),
    ("a-code-that-is-long", "DCM"): Code("a-code-that-is-long", "DCM", "Long"),
    ("urn:oid:1.2", ""): Code("urn:oid:1.2", "", "Urn"),
}


@dataclass
class SimpleRules:
    """Rules that fit on a page; everything they do not name is dropped."""

    actions: Mapping[int, Action] = field(default_factory=lambda: _ACTIONS)
    added: Sequence[Element] = ()
    need: Collection[int] = ()
    seen: list[dict[int, str]] = field(default_factory=list)

    def decide(self, tag: int, vr: str) -> Action:
        """Return what `actions` says."""
        del vr
        return self.actions.get(tag, Action.DROP)

    def dummy(self, tag: int, vr: str) -> tuple[str, ...]:
        """Return a time."""
        del tag, vr
        return ("000000",)

    def length_max(self, tag: int, vr: str) -> int:
        """Return a small number."""
        del tag, vr
        return 16

    def uid(self, uid: str) -> str:
        """Return the UID itself if it is one of the standard."""
        return uid if uid.startswith("1.2.840.10008.") else mapped(uid)

    def text(self, tag: int, vr: str, values: Sequence[str]) -> tuple[str, ...] | None:
        """Return texts of capital letters and digits."""
        del tag, vr
        harmless = all(value.isascii() and value.upper() == value for value in values)
        return tuple(values) if harmless and SECRET.decode() not in values else None

    def code(self, value: str, scheme: str) -> Code | None:
        """Return one of three codes."""
        return _CODES.get((value, scheme))

    def additions(self, facts: Mapping[int, str]) -> Sequence[Element]:
        """Return `added`, and remember what was asked."""
        self.seen.append(dict(facts))
        return self.added

    @property
    def additions_need(self) -> Collection[int]:
        """Return `need`."""
        return self.need


def mapped(uid: str) -> str:
    """Return what `SimpleRules.uid` makes of a UID."""
    return f"2.25.{zlib.crc32(uid.encode())}"


@dataclass
class SimpleGate:
    """A gate that says what it is told to say, and remembers what it was told."""

    outcome: Outcome = Outcome.ALLOWED
    needs: frozenset[int] = frozenset()
    needs_nested: frozenset[int] = frozenset()
    needs_items: Mapping[int, frozenset[int]] = field(default_factory=dict)
    asked: list[Facts] = field(default_factory=list)

    def judge(self, facts: Facts) -> Verdict:
        """Return `outcome`."""
        self.asked.append(facts)
        return Verdict(self.outcome, Reason.CLEAN)


def rewritten(data: bytes, transfer_syntax: str | None = None) -> bytes:
    """Return `data` as the simple rules want it, with the gate open."""
    return rewrite(data, SimpleRules(), SimpleGate(), transfer_syntax=transfer_syntax)


def dataset(*elements: bytes, syntax: str = EXPLICIT) -> bytes:
    """Return what the simple rules make of a bare dataset of `elements`."""
    return rewritten(b"".join(elements), syntax)


def in_pieces(data: bytes, size: int) -> Iterable[bytes]:
    """Return `data` in pieces of `size` bytes."""
    return (data[at : at + size] for at in range(0, len(data), size))


def feed_silently(rewriter: InstanceRewriter, data: bytes, size: int) -> None:
    """Feed `data` in pieces to a rewriter that must not give out anything."""
    for piece in in_pieces(data, size):
        assert rewriter.feed(piece) == []
    rewriter.finish()
