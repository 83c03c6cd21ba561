"""What the gate wants to know, read from the DICOM JSON of an instance."""

from collections.abc import Mapping
from typing import Any

from orthanc_share.deidentification.actions import DeidentificationError
from orthanc_share.deidentification.dicom_json import (
    DEPTH_MAX,
    elements_of,
    items_of,
)
from orthanc_share.deidentification.gate import UNREADABLE, Facts, Gate, Values
from orthanc_share.deidentification.json_values import (
    BINARIES,
    Attribute,
    texts_of,
)

_TRANSFER_SYNTAX = 0x00020010
_OPAQUE = BINARIES.keys() | {"SQ"}


def facts_of_json(
    dataset: Mapping[str, Any], gate: Gate, transfer_syntax: str | None = None
) -> Facts:
    """Return the facts of an instance, as the codec for files finds them.

    Args:
        dataset: The metadata of the instance, not yet de-identified.
        gate: Who wants to know.
        transfer_syntax: Its UID; None or empty: it is not known, and the codec for
            files judges.

    Raises:
        DeidentificationError: The dataset is malformed.
    """
    values: dict[int, list[str]] = {}
    nested: dict[int, list[str]] = {}
    items: dict[int, list[Values]] = {}
    if transfer_syntax:
        values[_TRANSFER_SYNTAX] = [transfer_syntax]
    needs, needs_items = gate.needs, gate.needs_items
    for _, tag, attribute in elements_of(dataset):
        if tag in needs:
            values[tag] = _texts(attribute)
        if attribute["vr"] != "SQ":
            continue
        if tag in needs_items:
            wanted = needs_items[tag]
            items[tag] = [_wanted(item, wanted) for item in items_of(attribute)]
        _collect(attribute, gate.needs_nested, nested, 1)
    return Facts(values, nested, items)


def _wanted(item: Mapping[str, Any], wanted: frozenset[int]) -> Values:
    found = elements_of(item)
    return {tag: _texts(attribute) for _, tag, attribute in found if tag in wanted}


def _collect(
    attribute: Attribute,
    wanted: frozenset[int],
    found: dict[int, list[str]],
    depth: int,
) -> None:
    """Add the values of the wanted elements of a sequence, whatever their depth."""
    if depth > DEPTH_MAX:
        raise DeidentificationError("The dataset has too many nested sequences.")
    for item in items_of(attribute):
        for _, tag, element in elements_of(item):
            if element["vr"] == "SQ":
                _collect(element, wanted, found, depth + 1)
            elif tag in wanted:
                found.setdefault(tag, []).extend(_texts(element))


def _texts(attribute: Attribute) -> list[str]:
    """Return the values of an element, or that it has none that can be read."""
    if "BulkDataURI" in attribute or attribute["vr"] in _OPAQUE:
        return list(UNREADABLE)
    return texts_of(attribute)
