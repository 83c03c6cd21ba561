"""The reference for single images: our policy, applied the way pydicom is used."""

import io
from collections.abc import Callable, Collection
from typing import Any

from pydicom import dcmread, dcmwrite
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.multival import MultiValue

from orthanc_share.deidentification.actions import Action, Element
from orthanc_share.deidentification.policy import SharePolicy

_PIXELS = 0x7FE00010


def pydicom_way(policy: SharePolicy) -> Callable[[bytes], bytes]:
    """Return what reads a file, applies the policy to each element, and writes it."""

    def deidentify(file: bytes) -> bytes:
        dataset = dcmread(io.BytesIO(file))
        syntax = dataset.file_meta.TransferSyntaxUID
        _apply(policy, dataset)
        found = [tag for tag in policy.additions_need if tag in dataset]
        facts = {tag: "\\".join(_texts(dataset[tag].value)) for tag in found}
        for element in policy.additions(facts):
            dataset.add(_made(element))
        dataset.preamble = bytes(128)
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = syntax
        written = io.BytesIO()
        dcmwrite(written, dataset, enforce_file_format=True)
        return written.getvalue()

    return deidentify


def tags(file: bytes) -> Collection[int]:
    """Return the tags of the main dataset of a file."""
    return {int(element.tag) for element in dcmread(io.BytesIO(file))}


def _apply(policy: SharePolicy, dataset: Dataset) -> None:
    for element in list(dataset):
        tag, vr = int(element.tag), str(element.VR)
        action = policy.decide(tag, vr)
        if tag == _PIXELS or action in {Action.KEEP, Action.CODE}:
            continue
        if action is Action.DROP:
            del dataset[element.tag]
        elif action is Action.RECURSE:
            element.value = [item for item in element.value if _keeps(policy, item)]
        else:
            element.value = _value(policy, action, element)


def _keeps(policy: SharePolicy, item: Dataset) -> bool:
    """Apply the policy to an item; tell whether it may stay."""
    _apply(policy, item)
    if "CodeValue" not in item:
        return True
    code = policy.code(item.CodeValue, item.get("CodingSchemeDesignator", ""))
    if code is None:
        return False
    item.CodeMeaning = code.meaning
    return True


def _value(policy: SharePolicy, action: Action, element: DataElement) -> Any:
    tag, vr = int(element.tag), str(element.VR)
    if action is Action.EMPTY:
        return None
    if action is Action.DUMMY:
        return list(policy.dummy(tag, vr))
    values = _texts(element.value)
    if action is Action.UID:
        return [policy.uid(value) for value in values]
    return list(policy.text(tag, vr, values) or ()) or None


def _texts(value: Any) -> list[str]:
    if value is None or value == "":
        return []
    return list(map(str, value)) if isinstance(value, MultiValue) else [str(value)]


def _made(element: Element) -> DataElement:
    if element.vr != "SQ":
        return DataElement(element.tag, element.vr, list(element.values))
    items = []
    for item in element.values:
        dataset = Dataset()
        for inner in item:
            if isinstance(inner, Element):
                dataset.add(_made(inner))
        items.append(dataset)
    return DataElement(element.tag, "SQ", items)
