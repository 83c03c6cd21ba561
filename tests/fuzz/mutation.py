"""Small damage to bytes and to JSON, in the places where parsers break."""

import random
import struct
from collections.abc import Callable, Sequence
from typing import Any

from tests.fuzz.elements import VRS, attribute, element, table

_BYTES = (0, 1, 2, 7, 8, 0x20, 0x51, 0x5C, 0x7F, 0x80, 0xD9, 0xDA, 0xE0, 0xFE, 0xFF)
_LENGTHS = (0, 1, 2, 3, 4, 8, 12, 0xFFFE, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF)
_WORDS = (
    b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0", b"\xfe\xff\xdd\xe0", b"\xe0\x7f\x10\x00",
    b"SQ\0\0", b"UN\0\0", b"OB\0\0", b"UI", b"LO", b"US", b"CS", b"\\", b"\xff\xd8",
    b"\xff\xd9", b"\xff\xda", b"\xff\xfe", b"\xff\x90", b"\xff\x93", b"\xff\x64",
)  # fmt: skip
_SLICE_MAX = 24

Mutator = Callable[[random.Random, bytearray, Sequence[bytes]], None]


def _flip(chance: random.Random, data: bytearray, _others: Sequence[bytes]) -> None:
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _set(chance: random.Random, data: bytearray, _others: Sequence[bytes]) -> None:
    data[chance.randrange(len(data))] = chance.choice(_BYTES)


def _length(chance: random.Random, data: bytearray, _others: Sequence[bytes]) -> None:
    form = chance.choice(("<I", "<H", ">I", ">H"))
    number = chance.choice(_LENGTHS) & (0xFFFF if form[1] == "H" else 0xFFFFFFFF)
    at = chance.randrange(len(data))
    packed = struct.pack(form, number)
    data[at : at + len(packed)] = packed


def _word(chance: random.Random, data: bytearray, _others: Sequence[bytes]) -> None:
    at, word = chance.randrange(len(data)), chance.choice(_WORDS)
    data[at : at + len(word) * chance.randrange(2)] = word


def _delete(chance: random.Random, data: bytearray, _others: Sequence[bytes]) -> None:
    at = chance.randrange(len(data))
    del data[at : at + chance.randrange(1, _SLICE_MAX)]


def _harmless(piece: bytes | bytearray) -> bytes:
    """Return a piece without letters: a secret copied into pixels would be pixels."""
    return bytes(byte for byte in piece if not ord("A") <= byte <= ord("Z"))


def _repeat(chance: random.Random, data: bytearray, _others: Sequence[bytes]) -> None:
    at = chance.randrange(len(data))
    data[at:at] = _harmless(data[at : at + chance.randrange(1, _SLICE_MAX)])


def _splice(chance: random.Random, data: bytearray, others: Sequence[bytes]) -> None:
    other = chance.choice(others)
    start = chance.randrange(len(other))
    at = chance.randrange(len(data))
    piece = _harmless(other[start : start + chance.randrange(1, _SLICE_MAX)])
    data[at : at + len(piece) * chance.randrange(2)] = piece


def _cut(chance: random.Random, data: bytearray, _others: Sequence[bytes]) -> None:
    del data[chance.randrange(1, len(data) + 1) :]


_MUTATORS: tuple[Mutator, ...] = (
    _flip, _flip, _set, _set, _length, _length, _word, _delete, _repeat, _splice, _cut,
)  # fmt: skip


def mutated(chance: random.Random, seed: bytes, others: Sequence[bytes]) -> bytes:
    """Return `seed` with one to four kinds of damage.

    Args:
        chance: Decides.
        seed: What is damaged.
        others: Where pieces may come from.
    """
    data = bytearray(seed)
    for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 4))):
        if data:
            chance.choice(_MUTATORS)(chance, data, others)
    return bytes(data)


_ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 1e308, 2**63, "", "QZ", "\0", [], {}, [[]], [{}],
    {"vr": "SQ"}, "SQ", "UN", "PN", {"Alphabetic": None}, "00100010",
)  # fmt: skip


def mutated_json(chance: random.Random, seed: Any) -> Any:
    """Return a JSON document that has something odd in one place, or something more."""
    if isinstance(seed, dict) and seed and chance.random() < _DEEPER:
        key = chance.choice(list(seed))
        if chance.random() < _PLAUSIBLE:
            return _plausible(chance, seed, key)
        changed = {**seed, key: mutated_json(chance, seed[key])}
        if chance.random() < _RENAMED:
            changed[chance.choice(_KEYS)] = changed.pop(key)
        return changed
    if isinstance(seed, list) and seed and chance.random() < _DEEPER:
        at = chance.randrange(len(seed))
        return [*seed[:at], mutated_json(chance, seed[at]), *seed[at + 1 :]]
    return chance.choice(_ODD)


_DEEPER = 0.9
_PLAUSIBLE = 0.5
_RENAMED = 0.1
_KEYS = ("vr", "Value", "InlineBinary", "BulkDataURI", "00080100", "x", "")


def _plausible(chance: random.Random, seed: dict[str, Any], key: str) -> dict[str, Any]:
    """Return a dataset with another element, or an attribute with another value."""
    if "vr" not in seed:
        more = table(chance) if chance.random() < _RENAMED else {}
        return {**seed, **more, **dict([element(chance)])}
    if key == "vr":
        return {**seed, "vr": chance.choice(VRS)}
    if isinstance(seed[key], list):
        items = seed[key]
        return {**seed, key: chance.choice((items * 2, items[::-1], items[1:]))}
    return attribute(chance, str(seed["vr"]), 1)
