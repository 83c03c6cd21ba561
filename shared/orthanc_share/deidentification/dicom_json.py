"""De-identification of the DICOM JSON Model (PS3.18 F.2).

The twin of the codec for files: what one drops, the other drops. All that goes out is
built anew from what the policy lets pass.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec

from orthanc_share.deidentification.actions import (
    Action,
    DeidentificationError,
    Element,
    Rules,
)
from orthanc_share.deidentification.codes import CODE_SEQUENCES, UNKNOWN
from orthanc_share.deidentification.json_tables import table_fits
from orthanc_share.deidentification.json_values import (
    ALL,
    BINARIES,
    DECIMALS,
    NUMBERS,
    Attribute,
    json_values,
    kept_binary,
    kept_numbers,
    texts_of,
    values_of,
)
from orthanc_share.deidentification.lookup_tables import DESCRIPTOR_OF

Dataset = dict[str, Any]
"""Elements by tag: eight upper-case hexadecimal digits."""

BulkURI = Callable[[str], str | None]
"""Gets the path of a binary element, returns the URL that serves it here.

The path names tags and items, counted from 1 as in the source: `7FE00010`,
`54000100/1/54001010`. None: it is not served, and the element is left out.
"""

DEPTH_MAX: Final = 64
"""Deepest nesting of sequences that is read."""

PIXELS: Final = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
"""Float, Double Float and Pixel Data: the gate judges them, not the policy."""

_KEY: Final = re.compile(r"[0-9A-F]{8}")
_FIRST_GROUP: Final = 0x0008
_LAST_GROUP: Final = 0x7FE0
"""The groups of a dataset, the last one only of the main dataset. Before them are
commands and file meta, after them what must not follow the pixels."""

_TAGS_KEPT: Final = 16_384  # keys; more than the dictionary of DICOM has
_PARTS: Final = 2  # the VR, and one form of the value

_CODE_VALUES: Final = {"00080100": "SH", "00080119": "UC", "00080120": "UR"}
"""Where the value of a code can be: the first that is not empty counts."""

_SCHEME: Final = "00080102"
_MEANING: Final = "00080104"

_decoder = msgspec.json.Decoder(list[dict[str, Any]])
_encoder = msgspec.json.Encoder()


def decode(document: bytes) -> list[Dataset]:
    """Return the datasets of a document as Orthanc answers it.

    Raises:
        DeidentificationError: It is no array of objects.
    """
    try:
        return _decoder.decode(document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DeidentificationError("The document is no DICOM JSON.") from error


def encode(datasets: Sequence[Mapping[str, Any]]) -> bytes:
    """Return the document of these datasets."""
    return _encoder.encode(datasets)


def deidentify_json(
    dataset: Mapping[str, Any], rules: Rules, bulk_uri: BulkURI
) -> Dataset:
    """Return the main dataset of an instance without the patient's identity.

    Args:
        dataset: As Orthanc tells it.
        rules: The policy of the share.
        bulk_uri: Where binaries are served; no address of the source passes.

    Raises:
        DeidentificationError: The dataset is malformed.
    """
    kept = _Codec(rules, bulk_uri).dataset(dataset, "", 0) or {}
    need = ((tag, kept.get(f"{tag:08X}")) for tag in rules.additions_need)
    facts = {tag: "\\".join(texts_of(one)) for tag, one in need if one is not None}
    kept.update(_elements(rules.additions(facts)))
    return dict(sorted(kept.items()))


def _elements(elements: Iterable[Element]) -> Iterable[tuple[str, Attribute]]:
    for tag, vr, values in elements:
        key = f"{tag:08X}"
        if vr == "SQ":
            items = [dict(_elements(_item(value))) for value in values]
            yield key, _sequence(items)
        else:
            yield key, json_values(vr, [str(value) for value in values])


def _item(value: str | Sequence[Element]) -> Sequence[Element]:
    if isinstance(value, str):
        raise TypeError("An item is a sequence of elements.")
    return value


def _sequence(items: list[Dataset]) -> Attribute:
    return {"vr": "SQ", "Value": items} if items else {"vr": "SQ"}


def elements_of(
    dataset: Mapping[str, Any], path: str = ""
) -> Iterator[tuple[str, int, Attribute]]:
    """Return key, tag and content of each element of a dataset, all well-formed.

    Args:
        dataset: A dataset or an item.
        path: Where it is, for the refusal.

    Raises:
        DeidentificationError: It is malformed.
    """
    for key, attribute in dataset.items():
        tag = _tag(key)
        if tag < 0:
            raise _malformed("a key is no tag", path)
        vr = attribute.get("vr") if type(attribute) is dict else None
        if type(vr) is not str or vr not in ALL:
            raise _malformed("an element has no VR", path)
        if len(attribute) > 1 and not _has_one_form(attribute):
            raise _malformed("an element has more than a value", path)
        yield key, tag, attribute


@lru_cache(_TAGS_KEPT)
def _tag(key: str) -> int:
    """Return the tag of a key; -1 if it is none."""
    return int(key, 16) if _KEY.fullmatch(key) else -1


def _has_one_form(attribute: Attribute) -> bool:
    """Tell whether there is one form of the value besides the VR, and nothing else."""
    known = (
        "Value" in attribute
        or "BulkDataURI" in attribute
        or "InlineBinary" in attribute
    )
    return known and len(attribute) == _PARTS


def items_of(attribute: Attribute) -> Iterator[Dataset]:
    """Return the items of a sequence.

    Raises:
        DeidentificationError: One is no dataset.
    """
    for item in values_of(attribute):
        if type(item) is not dict:
            raise DeidentificationError("An item of a sequence is no dataset.")
        yield item


def _malformed(what: str, path: str) -> DeidentificationError:
    return DeidentificationError(f"The dataset is malformed, {path or 'top'}: {what}.")


class _Codec:
    """One pass over one instance."""

    __slots__ = ("_bulk_uri", "_rules")

    def __init__(self, rules: Rules, bulk_uri: BulkURI) -> None:
        self._rules = rules
        self._bulk_uri = bulk_uri

    def dataset(
        self, source: Mapping[str, Any], path: str, depth: int
    ) -> Dataset | None:
        """Return the elements that stay; None: the item is left out."""
        decide = self._rules.decide
        kept: Dataset = {}
        parts: dict[str, str] = {}
        end = _LAST_GROUP if depth else _LAST_GROUP + 1
        for key, tag, attribute in elements_of(source, path):
            if not (_FIRST_GROUP <= tag >> 16 < end and tag & 0xFFFF):
                continue  # not for the policy: see `_FIRST_GROUP`
            vr = attribute["vr"]
            if tag in PIXELS:
                made = self._bulk(vr, path + key)
            elif (action := decide(tag, vr)) is Action.DROP:
                continue
            elif action is Action.CODE:
                parts[key] = "\\".join(texts_of(attribute))
                continue
            elif tag in DESCRIPTOR_OF and not table_fits(
                source, tag, attribute, main=not depth
            ):
                continue
            elif action is Action.RECURSE:
                made = self._items(tag, attribute, path + key, depth)
            else:
                made = self._element(action, tag, attribute, path + key)
            if made is not None:
                kept[key] = made
        return self._coded(kept, parts) if parts and depth else kept

    def _element(
        self, action: Action, tag: int, attribute: Attribute, path: str
    ) -> Attribute | None:
        vr = attribute["vr"]
        if action is Action.KEEP:
            return self._kept(tag, attribute, path)
        if action is Action.UID:
            uid = self._rules.uid
            texts = texts_of(attribute)
            return json_values(vr, [uid(text) if text else "" for text in texts])
        if action is Action.TEXT:
            return self._text(tag, attribute)
        if action is Action.DUMMY and vr not in BINARIES and vr != "SQ":
            return json_values(vr, self._rules.dummy(tag, vr))
        return {"vr": vr}

    def _kept(self, tag: int, attribute: Attribute, path: str) -> Attribute | None:
        """Return a number or a harmless binary; texts are not kept, but judged."""
        vr = attribute["vr"]
        is_number = vr in NUMBERS or vr in DECIMALS
        if not is_number and vr not in BINARIES:
            return None
        is_table = tag in DESCRIPTOR_OF
        if "BulkDataURI" in attribute:
            # Other numbers would have to be judged: they are few, and stand here.
            return self._bulk(vr, path) if is_table or not is_number else None
        length_max = self._rules.length_max(tag, vr)
        if is_number:
            values = values_of(attribute)
            return kept_numbers(vr, values, length_max, is_table=is_table)
        if "InlineBinary" in attribute:
            return kept_binary(vr, attribute, length_max)
        return {"vr": vr}

    def _bulk(self, vr: str, path: str) -> Attribute | None:
        uri = self._bulk_uri(path)
        return None if uri is None else {"vr": vr, "BulkDataURI": uri}

    def _text(self, tag: int, attribute: Attribute) -> Attribute:
        vr = attribute["vr"]
        texts = texts_of(attribute)
        return json_values(
            vr, (self._rules.text(tag, vr, texts) or ()) if any(texts) else ()
        )

    def _items(
        self, tag: int, attribute: Attribute, path: str, depth: int
    ) -> Attribute | None:
        if attribute["vr"] != "SQ":
            return None
        if depth == DEPTH_MAX:
            raise DeidentificationError("The dataset has too many nested sequences.")
        made = [
            self.dataset(item, f"{path}/{number}/", depth + 1)
            for number, item in enumerate(items_of(attribute), start=1)
        ]
        left = [item for item in made if item is not None]
        return self._unknown(tag) if made and not left else _sequence(left)

    def _unknown(self, tag: int) -> Attribute | None:
        """Return a sequence all of whose codes are left out; None: so is it."""
        parts = dict(zip(("00080100", _SCHEME), UNKNOWN, strict=True))
        code = self._coded({}, parts) if tag in CODE_SEQUENCES else None
        return None if code is None else _sequence([code])

    def _coded(self, kept: Dataset, parts: Mapping[str, str]) -> Dataset | None:
        """Return an item with its coded entry as the policy knows it."""
        key = next((key for key in _CODE_VALUES if parts.get(key)), None)
        if key is None:
            return None
        code = self._rules.code(parts[key], parts.get(_SCHEME, ""))
        if code is None:
            return None
        entry = {key: (_CODE_VALUES[key], code.value), _MEANING: ("LO", code.meaning)}
        if code.scheme:
            entry[_SCHEME] = ("SH", code.scheme)
        made = {one: json_values(vr, [text]) for one, (vr, text) in entry.items()}
        return dict(sorted((kept | made).items()))
