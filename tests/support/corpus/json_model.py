"""The elements of the corpus as DICOM JSON (PS3.18 F.2), as Orthanc would tell them."""

import base64
from collections.abc import Iterable
from typing import Any

from tests.support.corpus.writer import El

_SINGLE_TEXTS = {"LT", "ST", "UR", "UT"}


def dicom_json(elements: Iterable[El]) -> dict[str, Any]:
    """Return a dataset; binaries stand in it."""
    ordered = sorted(elements, key=lambda el: el.tag)
    return {f"{el.tag:08X}": {"vr": el.vr, **_value(el)} for el in ordered}


def _value(el: El) -> dict[str, Any]:
    if isinstance(el.value, bytes):
        return {"InlineBinary": base64.b64encode(el.value).decode()}
    if isinstance(el.value, str):
        is_single = el.vr in _SINGLE_TEXTS
        texts = [el.value] if is_single else el.value.split("\\")
        return {"Value": [_text(el.vr, text) for text in texts]}
    if el.vr in {"SQ", "UN"}:
        return {"Value": [dicom_json(item) for item in el.value]}  # type: ignore[arg-type]
    if el.vr == "AT":
        return {"Value": [f"{number:08X}" for number in el.value]}
    return {"Value": list(el.value)}


def _text(vr: str, text: str) -> Any:
    if vr == "PN":
        return {"Alphabetic": text}
    if vr in {"DS", "IS"}:
        try:
            return float(text) if vr == "DS" else int(text)
        except ValueError:
            return text
    return text
