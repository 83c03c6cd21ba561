"""What must hold of every document of DICOM JSON, however damaged."""

import base64
import random
import re
import struct
from collections.abc import Iterator
from typing import Any

from orthanc_share.deidentification.actions import DeidentificationError
from orthanc_share.deidentification.dicom_json import decode, deidentify_json, encode
from orthanc_share.deidentification.json_facts import facts_of_json
from orthanc_share.deidentification.json_tables import served_table_fits
from orthanc_share.deidentification.pixel_gate import PixelGate
from orthanc_share.deidentification.policy import SharePolicy, build_policy
from orthanc_share.deidentification.profile import Option, Profile
from tests.fuzz.case import Case
from tests.fuzz.documents import DOCUMENTS
from tests.fuzz.elements import SECRET, UPSTREAM
from tests.fuzz.mutation import mutated, mutated_json

_SECRET = SECRET.encode()
_HOST = UPSTREAM.encode()
_WIDE = SECRET.encode("utf-16-le")
_TEXT = (_SECRET * 52)[:512]  # as long as a table of 256 words
_FORMS = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d", "SV": "q",
          "UV": "Q"}  # fmt: skip
_VERBATIM = {Option.RETAIN_DEVICE_IDENTITY, Option.RETAIN_INSTITUTION_IDENTITY}
_PROFILES = (Profile(), Profile(options=frozenset(Option) - _VERBATIM))
_POLICIES = [build_policy(profile, b"k" * 32, "fuzz") for profile in _PROFILES]
_GATE = PixelGate(Profile())
_OPENED = re.compile(rb"QZC|ANAR|RYQZ")
GROWTH_MAX = 16_384
"""Bytes by which an output may be longer than twice its input: markers, long UIDs."""


def json_case(chance: random.Random) -> Case:
    """Return a damaged document of DICOM JSON."""
    document: Any = chance.choice(DOCUMENTS)
    rules = chance.choice(_POLICIES)
    if chance.random() < 0.1:
        raw = mutated(chance, encode(document), [b'{"vr":"SQ"}'])
    else:
        for _ in range(chance.choice((1, 1, 2, 3, 5))):
            document = mutated_json(chance, document)
        raw = encode(document)
    return Case("JSON text", raw, lambda: judge_json(raw, rules))


def judge_json(raw: bytes, rules: SharePolicy = _POLICIES[0]) -> bool:
    """Tell whether the codec accepts a document; see `Case.judge`."""
    try:
        document = decode(raw)
    except DeidentificationError as refusal:
        return _refused(refusal)
    passed = [_passes(dataset, rules) for dataset in document]
    return all(passed)


def _refused(refusal: DeidentificationError) -> bool:
    assert "QZ" not in str(refusal), "a secret in a refusal"
    return False


def _passes(dataset: dict[str, Any], rules: SharePolicy) -> bool:
    served: list[str] = []

    def bulk_uri(path: str) -> str:
        served.append(path)
        return f"/bulk/{path}"

    try:
        made = deidentify_json(dataset, rules, bulk_uri)
        _GATE.judge(facts_of_json(dataset, _GATE))
        for path in served:
            if path not in {"7FE00008", "7FE00009", "7FE00010"}:
                assert not served_table_fits(dataset, path, _TEXT), "a text is served"
    except DeidentificationError as refusal:
        return _refused(refusal)
    text = encode([made])
    assert len(text) <= 2 * len(encode([dataset])) + GROWTH_MAX, "too long an output"
    _look_into(text, made)
    # What it wrote itself is well-formed, and as good as it was.
    again = deidentify_json(decode(text)[0], rules, bulk_uri)
    assert again.keys() == made.keys(), "its own output is judged otherwise"
    return True


def _look_into(text: bytes, made: dict[str, Any]) -> None:
    assert _SECRET not in text, "a secret passed"
    assert _HOST not in text, "an address of Orthanc passed"
    for data in _hidden(made):
        assert not _OPENED.search(data.replace(b"\0", b"")), (
            "a secret passed in numbers"
        )


def _hidden(dataset: dict[str, Any]) -> Iterator[bytes]:
    """Give the bytes of all binaries and numbers."""
    for attribute in dataset.values():
        if "InlineBinary" in attribute:
            yield base64.b64decode(attribute["InlineBinary"])
        values, form = attribute.get("Value", ()), _FORMS.get(attribute["vr"])
        if form is not None:
            yield from (struct.pack(f"{o}{len(values)}{form}", *values) for o in "<>")
        if attribute["vr"] == "SQ":
            for item in values:
                yield from _hidden(item)
