"""The dictionary, the registered UIDs and the codes, against pydicom's."""

import subprocess
import sys
import unicodedata
from typing import cast

import pytest
from pydicom import _dicom_dict, _uid_dict
from pydicom.sr import _concepts_dict, _snomed_dict

from orthanc_share.deidentification import dictionary
from orthanc_share.deidentification.codes import CODES, known_code
from orthanc_share.deidentification.data_files import read
from orthanc_share.deidentification.dictionary import ENTRIES, SAFE_PRIVATE, Entry

Concepts = dict[str, dict[str, dict[str, tuple[str, list[int]]]]]
PATIENT_NAME = 0x00100010


def test_it_is_pydicoms_dictionary() -> None:
    assert {
        tag: Entry(vr, vm, keyword, name, retired == "Retired")
        for tag, (vr, vm, name, retired, keyword) in (
            _dicom_dict.DicomDictionary.items()
        )
        if keyword
    } == ENTRIES


@pytest.mark.parametrize(
    ("tag", "vr"),
    [
        (PATIENT_NAME, "PN"),
        (0x00280106, "US or SS"),
        (0x70531000, "DS"),
        (0x70530010, "LO"),
        (0x00091001, "UN"),
        (0x00100011, "UN"),
        (0x60003000, "UN"),
    ],
)
def test_a_tag_has_the_vr_of_the_dictionary_or_is_unknown(tag: int, vr: str) -> None:
    assert dictionary.vr(tag) == vr


def test_keywords_and_tags_name_each_other() -> None:
    for tag, entry in ENTRIES.items():
        assert dictionary.tag_of(entry.keyword) == tag
        assert dictionary.keyword_of(tag) == entry.keyword
    assert dictionary.tag_of("NoSuchKeyword") is None
    assert dictionary.keyword_of(0x00091001) is None


def test_only_numbers_and_their_creator_are_safe_private() -> None:
    assert {entry.vr for entry in SAFE_PRIVATE.values()} == {"LO", "DS"}


def test_the_registered_uids_are_pydicoms() -> None:
    assert set(read("uids.json", list[str])) == set(_uid_dict.UID_dictionary)


def _ascii(meaning: str) -> str:
    plain = unicodedata.normalize("NFKD", meaning).encode("ascii", "ignore").decode()
    return plain[:64].rstrip()


def _meanings(scheme: str) -> dict[str, set[str]]:
    meanings: dict[str, set[str]] = {}
    concepts = cast("Concepts", _concepts_dict.concepts)
    for codes in concepts[scheme].values():
        for value, (meaning, _cids) in codes.items():
            meanings.setdefault(value, set()).add(_ascii(meaning))
    return meanings


@pytest.mark.parametrize("scheme", sorted(_concepts_dict.concepts))
def test_every_code_of_pydicom_is_known_with_one_of_its_meanings(scheme: str) -> None:
    meanings = _meanings(scheme)
    assert meanings.keys() == CODES[scheme].keys()
    for value, meaning in CODES[scheme].items():
        assert meaning in meanings[value]


def test_former_snomed_codes_have_the_meaning_of_the_present_one() -> None:
    for former, present in _snomed_dict.mapping["SRT"].items():
        assert CODES["SRT"].get(former) == CODES["SCT"].get(present)


def test_meanings_are_valid_for_their_vr() -> None:
    for codes in CODES.values():
        for value, meaning in codes.items():
            assert 0 < len(meaning) <= 64
            assert meaning.isascii()
            assert meaning.isprintable()
            assert "\\" not in meaning + value


@pytest.mark.parametrize(
    ("value", "scheme", "expected"),
    [
        ("113100", "DCM", ("113100", "DCM")),
        ("T-04000", "SRT", ("T-04000", "SRT")),
        ("T-04000", "SNM3", ("T-04000", "SRT")),
        ("T-04000", "99SDM", ("T-04000", "SRT")),
        ("113100", "SCT", None),
        ("113100", "", None),
        ("DOE^JOHN", "DCM", None),
        ("113100", "99LOCAL", None),
    ],
)
def test_only_codes_of_the_standard_are_known(
    value: str, scheme: str, expected: tuple[str, str] | None
) -> None:
    code = known_code(value, scheme)
    assert (code and code[:2]) == expected


def test_the_policy_works_without_pydicom_in_memory() -> None:
    script = (
        "import sys, orthanc_share.deidentification.policy as policy;"
        "policy.build_policy(policy.Profile(), bytes(32), 'share-1');"
        "sys.exit('pydicom' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
