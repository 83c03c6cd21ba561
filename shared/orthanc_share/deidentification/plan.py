"""What the rules of one share make of element headers and values, worked out once.

The images of a series repeat most of their headers, so whatever the rules answer is
kept, within bounds: rules are pure.
"""

import operator
import re
import struct
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, TypeVar

from orthanc_share.deidentification import dictionary
from orthanc_share.deidentification.actions import Action, Rules
from orthanc_share.deidentification.gate import Gate
from orthanc_share.deidentification.passages import Passages
from orthanc_share.deidentification.watch import Wants
from orthanc_share.deidentification.wire import (
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    LONG_HEADER,
    LONG_VRS,
    NESTING,
    SHORT_VRS,
    UNITS,
    Unpack,
    Wire,
    malformed,
    texts,
)

Step = tuple[int, str, Action, Unpack, int, int, int, int]
"""What is done at an element header: tag, VR, action; how to read the length, where it
stands and where the value starts, in bytes from the tag; for `Action.KEEP` the unit of
the length and the longest one."""

_Key = TypeVar("_Key")
_Answer = TypeVar("_Answer")

_KEPT_MAX: Final = 8192  # answers per cache
_READINGS_MAX: Final = 4  # for files, and for images that are masked
_RAW_MAX: Final = 128  # bytes; longer elements are seldom repeated
_FORBIDDEN_GROUPS: Final = frozenset({0x0000, 0x0002, 0xFFFE, 0xFFFF, 1, 3, 5, 7})
"""Groups that no dataset may have: commands, file meta, delimiters, and those that
PS3.5 7.8.1 forbids."""


_JUDGED: Final = frozenset({"AT", "DS", "IS"})
"""VRs of kept elements whose values must be looked at."""

_DECIMAL: Final = re.compile(r"([+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?)?", re.ASCII)
_DECIMAL_MAX: Final = 16  # characters of a value of VR DS


def _decimal(values: Sequence[str]) -> bool:
    """Tell whether all values are numbers in decimals, or empty."""
    return all(
        len(value) <= _DECIMAL_MAX and _DECIMAL.fullmatch(value) for value in values
    )


def _known_tag(value: str) -> bool:
    """Tell whether eight hexadecimal digits are a tag of the dictionary."""
    return vr_of(int(value, 16)) != "UN"


def vr_of(tag: int) -> str:
    """Return the VR that the dictionary gives a tag, `UN` where there is none.

    Of those that depend on other elements it is the first: they are equally long.
    """
    return dictionary.vr(tag)[:2]


def _keep(kept: dict[_Key, _Answer], key: _Key, raw: bytes, answer: _Answer) -> None:
    """Keep an answer to `raw`, within bounds."""
    if len(raw) > _RAW_MAX:
        return
    if len(kept) >= _KEPT_MAX:
        kept.clear()
    kept[key] = answer


class Reading(NamedTuple):
    """How the heads of all objects of a share are read.

    Args:
        wants: What is noted of them.
        passages: What they have in common.
    """

    wants: Wants
    passages: Passages


class Coder:
    """The rules of one share in one encoding.

    Args:
        rules: The policy.
        wire: The encoding, of what is read and of what is written.

    Attributes:
        steps: What is done at an element header, by its first bytes.
        pieces: What is written for an element, by its bytes.
    """

    def __init__(self, rules: Rules, wire: Wire) -> None:
        self.rules = rules
        self.wire = wire
        self.key_width = 6 if wire.explicit else 4
        self.steps: dict[bytes, Step] = {}
        self.pieces: dict[bytes, bytes] = {}
        self._facts: dict[bytes, tuple[str, ...] | None] = {}
        self._additions: dict[tuple[tuple[int, str], ...], dict[int, bytes]] = {}
        self._tag: Unpack = struct.Struct(f"{wire.order}HH").unpack_from
        self._u16: Unpack = struct.Struct(f"{wire.order}H").unpack_from
        self._u32: Unpack = struct.Struct(f"{wire.order}I").unpack_from
        self.item_header: Unpack = struct.Struct(f"{wire.order}HHI").unpack_from
        self.readings: list[Reading] = []

    def reading(self, gate: Gate, more: frozenset[int]) -> Reading:
        """Return how heads are read for a gate.

        Args:
            gate: What it needs is noted; it must never need anything else.
            more: Elements of the main dataset to note besides.
        """
        needs = (gate.needs, gate.needs_nested, gate.needs_items, more)
        for known in self.readings:
            if all(map(operator.is_, known.wants.of, needs)):
                return known
        reading = Reading(Wants(*needs), Passages(self.key_width))
        if len(self.readings) < _READINGS_MAX:
            self.readings.append(reading)
        return reading

    def step(self, key: bytes, at: int) -> Step:
        """Return what is done at an element header, and keep it in `steps`.

        Args:
            key: Its first bytes: the tag, and the VR where the encoding has it.
            at: Where it stands, for the refusal.

        Raises:
            DeidentificationError: No dataset may have it.
        """
        group, element = self._tag(key, 0)
        if group in _FORBIDDEN_GROUPS:
            raise malformed("a tag of a forbidden group", at)
        tag = group << 16 | element
        step = self._judged(tag, *self._form(tag, key[4:], at))
        _keep(self.steps, key, key, step)
        return step

    def _form(self, tag: int, name: bytes, at: int) -> tuple[str, Unpack, int, int]:
        """Return VR, and how the length is read."""
        if not self.wire.explicit:
            return vr_of(tag), self._u32, 4, 8
        if name in SHORT_VRS:
            return name.decode(), self._u16, 6, 8
        if name in LONG_VRS:
            return name.decode(), self._u32, 8, LONG_HEADER
        raise malformed("an unknown VR", at)

    def _judged(
        self, tag: int, vr: str, unpack: Unpack, length_at: int, value_at: int
    ) -> Step:
        action = self.rules.decide(tag, vr) if tag & 0xFFFF else Action.DROP
        unit, length_max = 1, 0
        if action is Action.KEEP:
            unit, length_max = UNITS.get(vr, 1), self.rules.length_max(tag, vr)
            if vr in _JUDGED:  # by `_kept`
                action = Action.TEXT
            elif vr not in UNITS:
                action = Action.DROP
        elif action is Action.RECURSE and vr not in NESTING:
            action = Action.DROP
        return tag, vr, action, unpack, length_at, value_at, unit, length_max

    def facts(self, vr: str, raw: bytes, value_at: int) -> tuple[str, ...] | None:
        """Return the values of an element as texts; see `Wire.facts`.

        Args:
            vr: Its VR.
            raw: The whole element.
            value_at: Where its value starts in it.
        """
        if raw in self._facts:
            return self._facts[raw]
        found = self.wire.facts(vr, raw[value_at:])
        _keep(self._facts, raw, raw, found)
        return found

    def values(self, element: bytes | None) -> tuple[str, ...] | None:
        """Return the values of a written element; None: it is not there."""
        if not element:
            return None
        key = element[: self.key_width]
        step = self.steps.get(key) or self.step(key, 0)
        return self.facts(step[1], element, step[5])

    def piece(self, step: Step, raw: bytes) -> bytes | str:
        """Return what is written for an element that is no sequence, and keep it.

        Args:
            step: What is done with it.
            raw: The whole element.

        Returns:
            A text: the value of a part of a coded entry.
        """
        tag, vr, action, _, _, value_at, _, _ = step
        if action is Action.CODE:
            return "\\".join(texts(vr, raw[value_at:]))
        if action is Action.TEXT or action is Action.UID:
            made = self._rewritten(tag, vr, action, raw[value_at:])
        else:
            made = self.fixed(tag, vr, action)
        _keep(self.pieces, raw, raw, made)
        return made

    def fixed(self, tag: int, vr: str, action: Action) -> bytes:
        """Return what is written for an element whatever it holds."""
        if action is Action.EMPTY:
            return self.wire.header(tag, vr, 0)
        return self._dummy(tag, vr) if action is Action.DUMMY else b""

    def _rewritten(self, tag: int, vr: str, action: Action, raw: bytes) -> bytes:
        if vr in _JUDGED and self.rules.decide(tag, vr) is Action.KEEP:
            return self._kept(tag, vr, raw)
        values = texts(vr, raw)
        written: tuple[str, ...] | None = ()
        if action is Action.UID:
            written = tuple(map(self._uid, values))
        elif any(values):
            written = self.rules.text(tag, vr, values)
        return self.wire.element(tag, vr, self.wire.value(vr, written or ()))

    def _kept(self, tag: int, vr: str, raw: bytes) -> bytes:
        """Return an element of `Action.KEEP` if its values are what its VR says.

        Eight letters would do as two tags; those that name something are none.
        """
        values = self.wire.facts(vr, raw)
        if values is None or len(raw) > self.rules.length_max(tag, vr):
            return b""
        good = all(map(_known_tag, values)) if vr == "AT" else _decimal(values)
        return self.wire.element(tag, vr, self.wire.value(vr, values)) if good else b""

    def _uid(self, uid: str) -> str:
        return self.rules.uid(uid) if uid else uid

    def _dummy(self, tag: int, vr: str) -> bytes:
        value = self.wire.value(vr, self.rules.dummy(tag, vr))
        return self.wire.element(tag, vr, value)

    def additions(self, facts: Mapping[int, str]) -> Mapping[int, bytes]:
        """Return what the rules add to the main dataset, by tag."""
        key = tuple(facts.items())
        made = self._additions.get(key)
        if made is None:
            added = self.rules.additions(facts)
            made = {element.tag: self.wire.encode(element) for element in added}
            _keep(self._additions, key, b"", made)
        return made


class Plan:
    """The rules of one share in every encoding; all its instances may use one.

    Args:
        rules: The policy.
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._coders = {
            wire: Coder(rules, wire)
            for wire in (EXPLICIT_LITTLE, EXPLICIT_BIG, IMPLICIT_LITTLE)
        }

    def coder(self, wire: Wire) -> Coder:
        """Return the rules in one encoding."""
        return self._coders[wire]

    @property
    def nested(self) -> Coder:
        """The encoding inside of UN, whatever is around it. Source: PS3.5 6.2.2."""
        return self._coders[IMPLICIT_LITTLE]
