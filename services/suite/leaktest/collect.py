"""What must not come out of the user's own studies: read from the raw Orthanc."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from suite.leaktest.needles import Kind, Needle
from suite.leaktest.world import World

LENGTH_MIN = 4
"""Texts with fewer letters occur everywhere."""

WORD_MIN = 3
"""Parts of a name with fewer letters are not looked for."""

_KINDS = {
    **dict.fromkeys(("DA", "DT"), Kind.DATE),
    "TM": Kind.TIME,
    "UI": Kind.UID,
    **dict.fromkeys(("AE", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"), Kind.TEXT),
}
_STANDARD_ROOT = "1.2.840.10008."
_LENGTHS_MIN = {Kind.TIME: 6, Kind.UID: 10}
_CODED_ENTRY = frozenset({"00080100", "00080102", "00080104"})
_ADDRESSES = frozenset({"00081190"})  # of the site itself
_PATIENT_TAGS = (
    *("00100010", "00100020", "00100030", "00080050", "0020000D", "0020000E"),
    "00080018",
)


def collected(world: World, exceptions: Collection[str] = ()) -> list[Needle]:
    """Return the values in the metadata of studies that identify, or may do so.

    Coded entries are left out: known codes come out, with their own meaning.

    Args:
        world: What the raw Orthanc shows.
        exceptions: Tags, eight hexadecimal digits, that the site's profile keeps.
    """
    left_out = {tag.upper() for tag in exceptions} | _CODED_ENTRY | _ADDRESSES
    found: dict[tuple[str, Kind], Needle] = {}
    for dataset in world.metadata:
        for needle in _of_dataset(dataset, left_out, ""):
            found.setdefault((needle.value, needle.kind), needle)
    for orthanc_id in world.ids:
        needle = Needle(orthanc_id, Kind.ORTHANC_ID, "Orthanc id")
        found[orthanc_id, needle.kind] = needle
    return list(found.values())


def _of_dataset(
    dataset: Mapping[str, Any], left_out: Collection[str], path: str
) -> Iterator[Needle]:
    for tag, attribute in dataset.items():
        if tag in left_out:
            continue
        values = attribute.get("Value", ())
        if attribute.get("vr") == "SQ":
            for item in values:
                yield from _of_dataset(item, left_out, f"{path}{tag}/")
        elif attribute.get("vr") in _KINDS:
            for value in _texts(values):
                yield from _of_value(value, attribute["vr"], path + tag)


def _texts(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):  # PN (PS3.18 F.2.2)
            yield from (part for part in value.values() if isinstance(part, str))


def _of_value(value: str, vr: str, source: str) -> Iterator[Needle]:
    kind = _KINDS[vr]
    text = value.strip()
    if kind is Kind.UID and text.startswith(_STANDARD_ROOT):
        return
    if len(text) >= _LENGTHS_MIN.get(kind, LENGTH_MIN):
        yield Needle(text, kind, source)
    if vr == "DT":
        yield Needle(text[:8], Kind.DATE, f"{source} day")
    if vr == "PN":
        yield from _words(text, source)


def _words(name: str, source: str) -> Iterator[Needle]:
    """Give the parts of a person's name; they may come out one by one."""
    for word in name.replace("=", "^").replace(" ", "^").split("^"):
        if len(word) > WORD_MIN and word != name:
            yield Needle(word, Kind.TEXT, f"{source} part")


def identities(world: World, needles: Sequence[Needle]) -> Iterator[Needle]:
    """Give the values that somebody might hash to make a pseudonym."""
    for orthanc_id in sorted(world.ids):
        yield Needle(orthanc_id, Kind.ORTHANC_ID, "Orthanc id")
    for uid in sorted(world.uids):
        yield Needle(uid, Kind.UID, "UID")
    for needle in needles:
        if any(tag in needle.source for tag in (*_PATIENT_TAGS, *_PATIENT_WORDS)):
            yield needle


_PATIENT_WORDS = ("PatientID", "PatientName", "PatientBirthDate", "AccessionNumber")
