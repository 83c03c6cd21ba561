"""The conformance statement of a profile, made from the rules themselves (PS3.2)."""

from collections.abc import Iterable, Iterator, Mapping

from orthanc_share.deidentification.actions import Action
from orthanc_share.deidentification.dictionary import ENTRIES, SAFE_PRIVATE, Entry
from orthanc_share.deidentification.markers import BASIC, OPTION_CODES
from orthanc_share.deidentification.profile import Option, Profile
from orthanc_share.deidentification.rulings import rulings
from orthanc_share.deidentification.table import EDITION, REPEATING, TABLE, Column, Row
from orthanc_share.deidentification.unlisted import Ruling

_DONE = {
    Action.DROP: "removed",
    Action.EMPTY: "emptied",
    Action.DUMMY: "replaced by a dummy",
    Action.KEEP: "kept",
    Action.UID: "UIDs replaced, consistently within a share",
    Action.TEXT: "kept after a check, or changed",
    Action.CODE: "known codes kept",
    Action.RECURSE: "kept, with the same rules inside",
}
_ALWAYS = """\
- Removed: private elements but for those listed, unknown tags, groups below 0008, 50xx
  and 60xx, whatever has another VR than in PS3.6, whatever follows Pixel Data.
- File Meta Information and preamble: written anew.
- Written into every object: Specific Character Set ISO_IR 192; Patient's Name
  Anonymous; Patient ID `ANON-` and 8 letters or digits that only this share has; Series
  Description, cleaned or made of Modality and Series Number; Patient Identity Removed,
  De-identification Method and its Code Sequence, Longitudinal Temporal Information
  Modified."""


def conformance_table(profile: Profile) -> str:
    """Return what a profile does to each attribute, as Markdown.

    Every attribute of PS3.15 Table E.1-1 has a line, and every other attribute of the
    dictionary of which anything is kept.
    """
    return "\n".join(
        [
            f"# De-identification: PS3.15 {EDITION}, Basic Profile",
            "",
            *_profile_lines(profile),
            _ALWAYS,
            "",
            *_table(
                ("Tag", "Attribute", "VR", "PS3.15", "Reason", "What is done"),
                _rows(rulings(profile.options)),
            ),
            "",
        ]
    )


def _profile_lines(profile: Profile) -> Iterator[str]:
    yield f"- DCM {BASIC[0]} {BASIC[1]}"
    for option in Option:
        code, meaning = OPTION_CODES[option]
        state = "on" if option in profile.options else "off"
        yield f"- DCM {code} {meaning} (`{option}`): {state}"
    permits = ", ".join(sorted(profile.allowed_modalities)) or "none"
    yield f"- Images that are not shown: {profile.blocked}"
    yield f"- Kinds of images that the site permits: {permits}"
    yield f"- Masks: {len(profile.masks)}"
    looked = "on; what it reads is not shown" if profile.ocr else "off"
    yield f"- Images are looked at for text (`ocr`): {looked}"


def _rows(known: Mapping[tuple[int, str], Ruling]) -> Iterator[tuple[str, ...]]:
    listed = {tag: row for tag, row in TABLE.items() if tag not in ENTRIES}
    lines = [
        (f"{tag:08X}", _line(tag, ENTRIES.get(tag) or SAFE_PRIVATE[tag], vr, ruling))
        for (tag, vr), ruling in known.items()
        if tag in TABLE or ruling.action is not Action.DROP
    ]
    lines += [(f"{tag:08X}", _unknown(row)) for tag, row in listed.items()]
    lines += [(tag, _unknown(row)) for tag, row in REPEATING.items()]
    for tag, line in sorted(lines):
        yield (f"({tag[:4]},{tag[4:]})", *line)


def _line(tag: int, entry: Entry, vr: str, ruling: Ruling) -> tuple[str, ...]:
    row = TABLE.get(tag)
    letter = row[Column.BASIC] if row else "-"
    return entry.name, vr, letter, ruling.reason, _DONE[ruling.action]


def _unknown(row: Row) -> tuple[str, ...]:
    done = _DONE[Action.DROP]
    return "", "", row[Column.BASIC], "not in the dictionary", done


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
