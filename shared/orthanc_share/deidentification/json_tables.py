"""Look-up tables in DICOM JSON: kept only if they are what their descriptor says."""

from collections.abc import Mapping
from typing import Any, Final

from orthanc_share.deidentification.actions import DeidentificationError
from orthanc_share.deidentification.json_values import (
    NUMBERS,
    PADDING,
    Attribute,
    inline_binary,
    kept_numbers,
    values_of,
)
from orthanc_share.deidentification.lookup_tables import (
    DESCRIPTOR_OF,
    PALETTES,
    fits,
    lengths,
)

PHOTOMETRIC: Final = "00280004"
_WORD: Final = 2  # bytes
_WORD_MAX: Final = 0xFFFF
_DESCRIPTOR_LENGTH: Final = 6  # bytes


def table_fits(
    dataset: Mapping[str, Any], tag: int, attribute: Attribute, *, main: bool
) -> bool:
    """Tell whether a table may be kept.

    Of a table that is somewhere else (`BulkDataURI`) only the descriptor is judged;
    `served_table_fits` judges the rest when it is asked for.

    Args:
        dataset: The dataset or item that it is in, as it is in the source.
        tag: One of `DESCRIPTOR_OF`.
        attribute: The table.
        main: Whether that is the main dataset.

    Raises:
        DeidentificationError: It is malformed.
    """
    if not _has_its_place(dataset, tag, main=main):
        return False
    descriptor = _descriptor(dataset, tag)
    if "BulkDataURI" in attribute:
        return bool(lengths(descriptor))
    return fits(tag, descriptor, _data(attribute))


def served_table_fits(dataset: Mapping[str, Any], path: str, data: bytes) -> bool:
    """Tell whether a binary may be served under a path that `BulkURI` was asked for.

    Args:
        dataset: The main dataset of the instance, as it is in the source.
        path: Where the binary is in it.
        data: The binary; what is no table always fits.

    Raises:
        DeidentificationError: The dataset is malformed.
    """
    *steps, key = path.split("/")
    tag = int(key, 16)
    if tag not in DESCRIPTOR_OF:
        return True
    for sequence, number in zip(steps[::2], steps[1::2], strict=True):
        items = _values(dataset, sequence, "SQ")
        dataset = items[int(number) - 1] if int(number) <= len(items) else {}
        if type(dataset) is not dict:
            raise DeidentificationError("An item of a sequence is no dataset.")
    return _has_its_place(dataset, tag, main=not steps) and fits(
        tag, _descriptor(dataset, tag), data
    )


def _values(dataset: Mapping[str, Any], key: str, vr: str) -> list[Any]:
    """Return the values of an element, which nobody has looked at yet.

    None if it has another VR: then it does not stay, and nothing that it vouches for.
    """
    attribute = dataset.get(key, {})
    if type(attribute) is not dict:
        raise DeidentificationError("An element is no object.")
    values = values_of(attribute)
    return values if attribute.get("vr") == vr else []


def _has_its_place(dataset: Mapping[str, Any], tag: int, *, main: bool) -> bool:
    """Tell whether a dataset or item may have this table."""
    if tag not in PALETTES:
        return not main
    return main and _has_palette(dataset)


def _has_palette(dataset: Mapping[str, Any]) -> bool:
    words = _values(dataset, PHOTOMETRIC, "CS")
    texts = [word.strip(PADDING) for word in words if type(word) is str]
    return texts == ["PALETTE COLOR"]


def _descriptor(dataset: Mapping[str, Any], tag: int) -> list[int]:
    """Return the descriptor, nothing if it is no list of numbers."""
    key = f"{DESCRIPTOR_OF[tag]:08X}"
    for vr in ("US", "SS"):
        values = _values(dataset, key, vr)
        if values and kept_numbers(vr, values, _DESCRIPTOR_LENGTH) is not None:
            return values
    return []


def _data(attribute: Attribute) -> bytes:
    """Return the bytes of a table, which may be told as numbers."""
    if "InlineBinary" in attribute:
        return inline_binary(attribute)
    values = values_of(attribute) if attribute["vr"] in NUMBERS else []
    if not all(type(one) is int and 0 <= one <= _WORD_MAX for one in values):
        return b""
    return b"".join(value.to_bytes(_WORD, "little") for value in values)
