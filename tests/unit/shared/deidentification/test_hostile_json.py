"""Whatever JSON comes: it is refused, or no canary is in what goes out."""

from typing import Any

from hypothesis import given, settings, strategies as st

from orthanc_share.deidentification.actions import DeidentificationError
from orthanc_share.deidentification.dicom_json import (
    Dataset,
    decode,
    deidentify_json,
    encode,
)
from orthanc_share.deidentification.gate import Verdict
from orthanc_share.deidentification.json_facts import facts_of_json
from orthanc_share.deidentification.json_tables import served_table_fits
from orthanc_share.deidentification.json_values import ALL
from tests.unit.shared.deidentification.images import CANARY, GATE, POLICY

PUBLIC = "https://share.example/"
TAGS = [
    *("00080005", "00080008", "00080016", "00080018", "00080060", "00080100"),
    *("00080102", "00080104", "00081140", "00100010", "00100020", "00186011"),
    *("00186018", "0020000D", "00200011", "00280004", "00280010", "00280030"),
    *("00280301", "00281101", "00281201", "00283002", "00283006", "00283010"),
    *("00400555", "52009230", "54000100", "7FE00010", "7FE10010", "00091001"),
    *("00080000", "00020010", "FFFAFFFA", "0010001", "patient", CANARY, ""),
]

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.sampled_from(
        [CANARY, f"{CANARY}=", "NO", "1.2.276.99", "8", "MR", "\\", "QUJD"]
    )
)


def deeper(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    names = st.sampled_from(["Alphabetic", "Phonetic", CANARY])
    values = st.lists(inner, max_size=3) | st.lists(
        st.integers(0, 300), min_size=3, max_size=3
    )
    element = st.fixed_dictionaries(
        {"vr": st.sampled_from(sorted(ALL)) | scalars},
        optional={
            "Value": values | inner,
            "BulkDataURI": scalars,
            "InlineBinary": scalars,
            CANARY: scalars,
        },
    )
    dataset = st.dictionaries(st.sampled_from(TAGS), element | inner, max_size=4)
    return dataset | values | st.dictionaries(names, inner, max_size=2)


documents = st.recursive(scalars, deeper, max_leaves=24)
elements = st.fixed_dictionaries(
    {"vr": st.sampled_from(sorted(ALL))},
    optional={"Value": st.lists(documents, max_size=3)},
)
datasets = st.dictionaries(st.sampled_from(TAGS), elements | documents, max_size=8)


def shown(dataset: Any) -> Dataset | None:
    """Return what goes out, None if it is refused."""
    try:
        return deidentify_json(dataset, POLICY, lambda path: PUBLIC + path)
    except DeidentificationError as refusal:
        if CANARY in str(refusal):
            raise
        return None


def judged(dataset: Any) -> Verdict | None:
    try:
        return GATE.judge(facts_of_json(dataset, GATE))
    except DeidentificationError as refusal:
        if CANARY in str(refusal):
            raise
        return None


@settings(max_examples=150, deadline=None)
@given(datasets)
def test_no_dataset_brings_a_canary_out(dataset: dict[str, Any]) -> None:
    judged(dataset)
    out = shown(dataset)
    if out is not None:
        written = encode([out])
        assert CANARY.encode() not in written
        assert shown(decode(written)[0]) is not None  # what goes out is well-formed


@settings(max_examples=50, deadline=None)
@given(datasets)
def test_what_is_served_is_judged_or_refused(dataset: dict[str, Any]) -> None:
    served: list[str] = []
    try:
        deidentify_json(dataset, POLICY, served.append)
    except DeidentificationError:
        return
    for path in served:
        assert served_table_fits(dataset, path, CANARY.encode()) in {True, False}


@given(st.binary(max_size=40) | st.text(max_size=40).map(str.encode))
def test_bytes_are_datasets_or_refused(document: bytes) -> None:
    try:
        found = decode(document)
    except DeidentificationError:
        return
    for dataset in found:
        shown(dataset)
